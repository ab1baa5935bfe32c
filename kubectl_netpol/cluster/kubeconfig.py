"""The cluster, user and namespace that kubectl would use, from the kubeconfig files, the environment and the options.

Rules and words are client-go's (tools/clientcmd); the loader of the
Python client differs from them in ways that change the server or the identity, so only its Configuration is used.
"""

from __future__ import annotations

import base64
import contextlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, unquote, urlsplit

import yaml
from kubernetes.client.configuration import Configuration

from kubectl_netpol.cluster.credentials import content, credentials, flag, mappings, strings, text, tls_context
from kubectl_netpol.errors import ClusterError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

_SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


_PEM_DATA = re.compile(r"(?<=: )LS0tLS1[A-Za-z0-9+/]{64,}={0,2}$", re.MULTILINE)  # "-----" in base64


_STAND_IN = "\ue000"


_HEADER_BYTES = "!#$&'*+-.^_`|~"


class Options(NamedTuple):
    """The options that kubectl has too; None or empty where not given. `request_timeout` in seconds, 0 for none."""

    kubeconfig: str | None = None
    context: str | None = None
    cluster: str | None = None
    user: str | None = None
    namespace: str | None = None
    as_user: str | None = None
    as_groups: tuple[str, ...] = ()
    as_uid: str | None = None
    request_timeout: float | None = None


class Access(NamedTuple):
    """Where to send requests, and as whom.

    `configuration` has host, credentials, proxy and the name to verify; `tls` the trust anchors and the client
    certificate (None: plain HTTP), which never stay on disk. `headers` impersonate and may repeat a name.
    """

    configuration: Configuration
    headers: tuple[tuple[str, str], ...]
    namespace: str
    request_timeout: float | None
    tls: ssl.SSLContext | None


class _Config(NamedTuple):
    """All files merged: what the first file says wins; paths are absolute."""

    files: tuple[str, ...]
    current_context: str
    clusters: dict[str, dict[str, Any]]
    contexts: dict[str, dict[str, Any]]
    users: dict[str, dict[str, Any]]


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # the C loader may be absent
    """YAML values as kubectl reads them: a date is a string."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}


def load(options: Options) -> Access:
    """Read the kubeconfig as kubectl does and get the credentials, running a credential plugin if there is one.

    Raises ClusterError where kubectl would fail too, or where following it isn't possible.
    """
    config = _read(options.kubeconfig)
    context = _context(config, options.context)
    name, cluster = _chosen(config.clusters, options.cluster, context.get("cluster"), "cluster")
    if cluster is None and _in_cluster() and not context:
        cluster = _service_account_cluster()
        user_name, user = options.user or "", {"tokenFile": f"{_SERVICE_ACCOUNT}/token"}
        if options.user:
            _chosen(config.users, options.user, None, "auth info")
    else:
        user_name, chosen = _chosen(config.users, options.user, context.get("user"), "auth info")
        user = chosen or {}
    if cluster is None:
        raise _no_cluster(config, options.context)

    headers = _impersonation(user, user_name, options)
    anchors = _anchors(cluster, name)
    host = _host(cluster, name)
    configuration = Configuration(host=host)
    configuration.proxy, configuration.proxy_headers = _proxy(cluster, host, name)
    tls = None
    if host.startswith("https:"):
        identity = credentials(user, user_name, cluster, anchors)
        if identity.authorization:
            configuration.api_key["authorization"] = identity.authorization
        configuration.verify_ssl = not flag(cluster, "insecure-skip-tls-verify", name)
        configuration.tls_server_name = text(cluster, "tls-server-name", name) or None
        tls = tls_context(anchors, identity.pem, verify=configuration.verify_ssl, user=user_name)
    namespace = options.namespace or text(context, "namespace", "context") or _service_account_namespace() or "default"
    return Access(configuration, headers, namespace, options.request_timeout or None, tls)


def entries(section: str, kubeconfig: str | None) -> list[str]:
    """Return the names of the "contexts", "clusters" or "users" that the kubeconfig has."""
    return sorted(getattr(_read(kubeconfig), section))


def _read(explicit: str | None) -> _Config:
    from_environment = os.environ.get("KUBECONFIG", "")
    if explicit:
        names = [explicit]
    elif from_environment:
        names = list(dict.fromkeys(from_environment.split(os.pathsep)))
    else:
        home = Path(os.environ.get("HOME", "")) if os.name == "posix" else Path.home()
        names = [str(home / ".kube" / "config")]
    config = _Config(tuple(filter(None, names)), "", {}, {}, {})
    for name in config.files:
        try:
            document = _document(Path(name).read_text(encoding="utf-8-sig")) or {}
        except FileNotFoundError as error:
            if explicit:
                raise ClusterError(f"{name}: no such file", "check the path after --kubeconfig") from error
            continue
        except (OSError, ValueError, RecursionError) as error:
            raise ClusterError(f'error loading config file "{name}": {error}') from error
        except yaml.YAMLError as error:
            raise ClusterError(f'error loading config file "{name}": {_problem(error)}', "mend its YAML") from error
        config = _merged(config, document, name)
    return config


def _document(written: str) -> Any:
    """Return the first document of some YAML.

    Nine tenths of a kubeconfig are certificates, which PyYAML without its C part reads at 0.3 s a megabyte: a short
    word stands in for each while it is parsed.
    """
    kept: dict[str, str] = {}
    used: set[str] = set()

    def shorten(match: re.Match[str]) -> str:
        word = f"{_STAND_IN}{len(kept)}"
        kept[word] = match[0]
        return word

    def restored(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: restored(one) for key, one in value.items()}
        if isinstance(value, list):
            return [restored(one) for one in value]
        if isinstance(value, str) and value in kept:
            used.add(value)
            return kept[value]
        return value

    if _STAND_IN not in written:
        document = restored(_Loader(_PEM_DATA.sub(shorten, written)).get_data())
        if len(used) == len(kept):
            return document
    return _Loader(written).get_data()


def _merged(config: _Config, document: Any, file: str) -> _Config:  # YAML is anything
    if not isinstance(document, dict):
        raise ClusterError(f'error loading config file "{file}": it holds no kubeconfig')
    current = text(document, "current-context", file)
    folder = Path(file).absolute().parent
    for plural, single, bodies in (
        ("clusters", "cluster", config.clusters),
        ("contexts", "context", config.contexts),
        ("users", "user", config.users),
    ):
        here = set()
        for item in mappings(document, plural, file):
            name, body = text(item, "name", file), item.get(single) or {}
            if not isinstance(body, dict):
                raise ClusterError(f'error loading config file "{file}": {single} {name} must be a mapping')
            if name in here:
                raise ClusterError(f'error loading config file "{file}": duplicate name "{name}" in {plural}')
            here.add(name)
            bodies.setdefault(name, _resolved(body, folder, file))
    return config._replace(current_context=config.current_context or current)


def _resolved(body: dict[str, Any], folder: Path, file: str) -> dict[str, Any]:
    """Make its paths absolute: they are relative to the file that they stand in."""
    body = dict(body)
    for key in ("certificate-authority", "client-certificate", "client-key", "tokenFile"):
        if path := text(body, key, file):
            body[key] = str(folder / path)
    plugin = body.get("exec")
    if isinstance(plugin, dict) and os.sep in (command := text(plugin, "command", file)):
        body["exec"] = {**plugin, "command": str(folder / command)}
    return body


def _context(config: _Config, wanted: str | None) -> dict[str, Any]:
    name = wanted or config.current_context
    if name and name not in config.contexts:
        known = ", ".join(sorted(config.contexts)) or "none"
        message = f'context "{name}" does not exist'
        if not wanted:
            message = f"context was not found for specified context: {name}"
        raise ClusterError(message, f"contexts of {', '.join(config.files) or 'no file'}: {known}")
    return config.contexts.get(name, {})


def _chosen(
    bodies: Mapping[str, dict[str, Any]],
    option: str | None,
    of_context: Any,  # a value from YAML
    kind: str,
) -> tuple[str, dict[str, Any] | None]:
    name = option or text({kind: of_context}, kind, "the context")
    if name and name not in bodies:
        raise ClusterError(f'{kind} "{name}" does not exist', f"known: {', '.join(sorted(bodies)) or 'none'}")
    return name, bodies.get(name)


def _no_cluster(config: _Config, wanted: str | None) -> ClusterError:
    hint = "set KUBECONFIG or --kubeconfig, or choose with --context"
    if context := wanted or config.current_context:
        return ClusterError(f'context "{context}" names no cluster', hint)
    if config.contexts:
        return ClusterError(
            "current-context is not set", f"choose with --context: {', '.join(sorted(config.contexts))}"
        )
    looked = ", ".join(config.files) or "KUBECONFIG"
    return ClusterError(f"no configuration has been provided: nothing in {looked}", hint)


def _in_cluster() -> bool:
    variables = ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT")
    return all(map(os.environ.get, variables)) and Path(_SERVICE_ACCOUNT, "token").is_file()


def _service_account_cluster() -> dict[str, Any]:
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    return {
        "server": f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        "certificate-authority": f"{_SERVICE_ACCOUNT}/ca.crt",
    }


def _service_account_namespace() -> str:
    """Inside a pod its own namespace stands in for a context's, as in kubectl."""
    if not _in_cluster():
        return ""
    if namespace := os.environ.get("POD_NAMESPACE"):
        return namespace
    with contextlib.suppress(OSError):
        return Path(_SERVICE_ACCOUNT, "namespace").read_text(encoding="utf-8").strip()
    return ""


def _impersonation(user: Mapping[str, Any], name: str, options: Options) -> tuple[tuple[str, str], ...]:
    who = options.as_user or text(user, "as", name)
    uid = options.as_uid or text(user, "as-uid", name)
    groups = options.as_groups or strings(user, "as-groups", name)
    extra = user.get("as-user-extra") or {}
    if not isinstance(extra, dict):
        raise ClusterError(f"invalid kubeconfig: as-user-extra of {name} must be a mapping")
    if not who:
        if uid or groups or extra:
            raise ClusterError(
                f"requesting uid, groups or user-extra for {name} without impersonating a user", "add --as USER"
            )
        return ()
    headers = [("Impersonate-User", who), *(("Impersonate-Group", group) for group in groups)]
    if uid:
        headers.append(("Impersonate-Uid", uid))
    for key in extra:
        header = f"Impersonate-Extra-{quote(str(key), safe=_HEADER_BYTES)}"
        headers.extend((header, value) for value in strings(extra, key, name))
    for header, value in headers:
        if not value.isprintable():
            raise ClusterError(f"{header} can't be {value!r}", "it goes into a header: one line of text")
    return tuple(headers)


def _host(cluster: Mapping[str, Any], name: str) -> str:
    server = text(cluster, "server", name)
    if not server:
        raise ClusterError(f'no server found for cluster "{name}"')
    if "://" not in server:
        server = f"http://{server}"
    try:
        parts = urlsplit(server)
        valid = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port)
    except ValueError:
        valid = False
    if not valid:
        shown = server.rpartition("@")[2]
        raise ClusterError(f'the server "{shown}" of cluster "{name}" must be a URL or a host:port pair')
    if parts.username is not None:
        raise ClusterError(
            f'the server of cluster "{name}" has a user in its URL', "set the user's username and password"
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _proxy(cluster: Mapping[str, Any], host: str, name: str) -> tuple[str | None, dict[str, str] | None]:
    """Return the proxy for `host` as a URL without its credentials, and the headers that carry those."""
    url, source = text(cluster, "proxy-url", name), f'proxy-url of cluster "{name}"'
    if not url:
        variable = f"{host.split(':', 1)[0].upper()}_PROXY"
        source = variable if os.environ.get(variable) else variable.lower()
        url = os.environ.get(source, "")
        if not url or not _uses_proxy(host):
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
    if not valid or parts.scheme not in ("http", "https"):
        raise ClusterError(f"invalid {source}: {url.rpartition('@')[2]} must be an http:// or https:// URL")
    headers = {}
    if parts.username is not None:
        secret = base64.b64encode(f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode())
        headers["proxy-authorization"] = f"Basic {secret.decode()}"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", headers


def _uses_proxy(host: str) -> bool:
    """Whether the proxy of the environment applies, by the rules of Go's net/http: NO_PROXY, and never loopback."""
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


def _anchors(cluster: Mapping[str, Any], name: str) -> bytes:
    anchors = content(cluster, "certificate-authority", name)
    if anchors and flag(cluster, "insecure-skip-tls-verify", name):
        raise ClusterError(
            f"cluster {name}: specifying a root certificates file with the insecure flag is not allowed",
            "remove insecure-skip-tls-verify",
        )
    return anchors


def _problem(error: yaml.YAMLError) -> str:
    """What is wrong and where, without a word of the file: that may be of a password."""
    mark = getattr(error, "problem_mark", None)
    problem = re.sub(r"(['\"]).*\1", "…", getattr(error, "problem", None) or "not readable as YAML", flags=re.DOTALL)
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}" if mark else problem
