"""Which proxy leads to the API server: the cluster's proxy-url, or the environment's by the rules of Go's net/http."""

from __future__ import annotations

import base64
import contextlib
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from kubectl_netpol.cluster.kubeconfig_fields import text
from kubectl_netpol.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Mapping


def proxy_for(host: str, cluster: Mapping[str, Any], name: str) -> tuple[str | None, dict[str, str] | None]:
    """The URL of the proxy for the server `host` without its credentials, and the headers that carry those.

    Raises ClusterError for a URL that is invalid or not of http:// or https://.
    """
    url, source = text(cluster, "proxy-url", name), f'proxy-url of cluster "{name}"'
    if not url:
        variable = f"{host.split(':', 1)[0].upper()}_PROXY"
        source = variable if os.environ.get(variable) else variable.lower()
        url = os.environ.get(source, "")
        if not url or not uses_environment_proxy(host):
            return None, None
        url = url if "://" in url else f"http://{url}"
    try:
        parts = urlsplit(url)
        valid = bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if valid and parts.scheme.startswith("socks"):
        raise ClusterError(
            f"the proxy {parts.scheme}://{parts.hostname} is a SOCKS proxy, which is not supported",
            "use an http:// proxy, or forward the API server's port with ssh -L and set server and tls-server-name",
        )
    if not valid or parts.scheme not in ("http", "https") or not is_url_text(parts.netloc):
        raise ClusterError(f"invalid {source}: {url.rpartition('@')[2]} must be an http:// or https:// URL")
    headers = {}
    if parts.username is not None:
        secret = base64.b64encode(f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode())
        headers["proxy-authorization"] = f"Basic {secret.decode()}"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", headers


def is_url_text(url: str) -> bool:
    """Whether it has only what a URL may have: no blank, no control character, nothing beyond ASCII."""
    return url.isascii() and url.isprintable() and " " not in url


def uses_environment_proxy(host: str) -> bool:
    """Whether HTTPS_PROXY or HTTP_PROXY applies to the server `host`: not for loopback, nor for hosts in NO_PROXY."""
    import ipaddress  # noqa: PLC0415 # only behind a proxy

    parts = urlsplit(host)
    name = (parts.hostname or "").rstrip(".")
    port = str(parts.port or (443 if parts.scheme == "https" else 80))
    address = None
    with contextlib.suppress(ValueError):
        address = ipaddress.ip_address(name)
    if name == "localhost" or (address and address.is_loopback):
        return False
    for item in (os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or "").lower().split(","):
        pattern = item.strip()
        if pattern == "*":
            return False
        if not pattern:
            continue
        if "/" in pattern:
            with contextlib.suppress(ValueError):
                if address and address in ipaddress.ip_network(pattern, strict=False):
                    return False
            continue
        try:
            entry = urlsplit(f"//{pattern}" if pattern.count(":") < 2 or "[" in pattern else f"//[{pattern}]")  # noqa: PLR2004 # two colons: an IPv6 address
            wanted, only = (entry.hostname or "").removeprefix("*"), entry.port
        except ValueError:
            continue
        if pattern.rpartition(":")[2].isdigit() and only and str(only) != port:
            continue
        if name == wanted or (not address and name.endswith(wanted if wanted.startswith(".") else f".{wanted}")):
            return False
    return True
