"""The proxy that a request goes through, compared with the real kubectl."""

from __future__ import annotations

import base64

import pytest

from kubectl_netpol.cluster.proxy import uses_environment_proxy
from tests.unit.cluster.kubeconfigs import (
    ALICE,
    BEARER,
    TOKEN,
    Row,
    Seen,
    World,
    assert_exec_sends,
    assert_same_as_kubectl,
    cluster,
    config,
)

ROWS = {
    "proxy-url": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(proxy_url="@proxy@"))},
        BEARER._replace(proxied=("@one-netloc@",)),
    ),
    "proxy-url with a password": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(proxy_url="http://me:p%40ss@@proxy-netloc@"))},
        BEARER._replace(proxied=("@one-netloc@ Basic " + base64.b64encode(b"me:p@ss").decode(),)),
    ),
    "proxy-url by https": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(proxy_url="@secure-proxy@"))},
        BEARER._replace(proxied=("@one-netloc@",)),
    ),
    "proxy-url with tls-server-name and a client certificate": Row(
        {"home/.kube/config": config(ALICE, at=cluster(proxy_url="@proxy@", tls_server_name="kube.example"))},
        Seen(client="alice", sni="kube.example", proxied=("@one-netloc@",)),
    ),
    "proxy-url for a plain HTTP server": Row(
        {"home/.kube/config": config({"as": "z", "as-groups": ["g", "h"]}, at=cluster("@plain@", proxy_url="@proxy@"))},
        Seen(
            "proxy",
            impersonation=("impersonate-group: g", "impersonate-group: h", "impersonate-user: z"),
            proxied=("@plain@",),
        ),
    ),
    "proxy-url by https for a plain HTTP server": Row(
        {"home/.kube/config": config(at=cluster("@plain@", proxy_url="@secure-proxy@"))},
        Seen("secure-proxy", proxied=("@plain@",)),
        env={"SSL_CERT_FILE": "@ca.crt@"},
    ),
    "HTTPS_PROXY that is not a URL": Row(
        {"home/.kube/config": config(TOKEN, at=cluster("https://kube.example:@one-port@"))},
        "invalid HTTPS_PROXY: localhost:x must be",
        env={"HTTPS_PROXY": "http://me:secret@localhost:x"},
    ),
    "proxy-url beats NO_PROXY": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(proxy_url="@proxy@"))},
        BEARER._replace(proxied=("@one-netloc@",)),
        env={"NO_PROXY": "*"},
    ),
    "proxy-url by socks5": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(proxy_url="socks5://127.0.0.1:1"))},
        "is a SOCKS proxy, which is not supported",
        hint="http:// proxy",
    ),
    "proxy-url of another kind": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(proxy_url="ftp://localhost"))},
        'invalid proxy-url of cluster "main": ftp://localhost must be',
    ),
    "proxy-url that refuses": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(proxy_url="http://127.0.0.1:1"))},
        "the proxy http://127.0.0.1:1 refused",
    ),
    "HTTPS_PROXY": Row(
        {"home/.kube/config": config(TOKEN, at=cluster("https://kube.example:@one-port@"))},
        BEARER._replace(sni="kube.example", proxied=("kube.example:@one-port@",)),
        env={"HTTPS_PROXY": "@proxy@", "HTTP_PROXY": "http://127.0.0.1:1"},
    ),
    "https_proxy without a scheme": Row(
        {"home/.kube/config": config(TOKEN, at=cluster("https://kube.example:@one-port@"))},
        BEARER._replace(sni="kube.example", proxied=("kube.example:@one-port@",)),
        env={"https_proxy": "@proxy-netloc@"},
    ),
    "HTTPS_PROXY beats https_proxy": Row(
        {"home/.kube/config": config(TOKEN, at=cluster("https://kube.example:@one-port@"))},
        BEARER._replace(sni="kube.example", proxied=("kube.example:@one-port@",)),
        env={"HTTPS_PROXY": "@proxy@", "https_proxy": "http://127.0.0.1:1"},
    ),
    "HTTPS_PROXY never for loopback": Row(
        {"home/.kube/config": config(TOKEN)}, BEARER, env={"HTTPS_PROXY": "http://127.0.0.1:1"}
    ),
    "HTTPS_PROXY never for localhost": Row(
        {
            "home/.kube/config": config(
                TOKEN, at=cluster("https://localhost:@one-port@", certificate_authority_data="@ca.crt-data@")
            )
        },
        BEARER._replace(sni="localhost"),
        env={"HTTPS_PROXY": "http://127.0.0.1:1"},
    ),
    "NO_PROXY for the name": Row(
        {"home/.kube/config": config(TOKEN, at=cluster("https://kube.example:@one-port@"))},
        "lookup kube.example",
        env={"HTTPS_PROXY": "@proxy@", "NO_PROXY": "a.example, kube.example"},
    ),
    "HTTPS_PROXY by socks5": Row(
        {"home/.kube/config": config(TOKEN, at=cluster("https://kube.example:@one-port@"))},
        "is a SOCKS proxy",
        env={"HTTPS_PROXY": "socks5://127.0.0.1:1"},
    ),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_the_same_request_as_kubectl(world: World, row: Row, capfd: pytest.CaptureFixture[str]) -> None:
    world.prepare(row)
    assert_same_as_kubectl(world, row, capfd)


@pytest.mark.parametrize(
    "name",
    [
        "proxy-url with tls-server-name and a client certificate",
        "proxy-url by https",
        "proxy-url with a password",
        "HTTPS_PROXY",
    ],
)
def test_exec_has_the_same_proxy_and_identity(world: World, name: str) -> None:
    world.prepare(ROWS[name])
    assert_exec_sends(world, ROWS[name])


@pytest.mark.parametrize(
    ("host", "patterns", "expected"),
    [
        ("https://kube.example:6443", "", True),
        ("https://kube.example:6443", "*", False),
        ("https://kube.example:6443", "example", False),
        ("https://kube.example:6443", ".example", False),
        ("https://kube.example:6443", "*.example", False),
        ("https://example:6443", ".example", True),
        ("https://kube.example:6443", "be.example", True),
        ("https://KUBE.example:6443", " , Kube.Example", False),
        ("https://kube.example:6443", "kube.example:6443", False),
        ("https://kube.example:6443", "kube.example:443", True),
        ("https://kube.example", "kube.example:443", False),
        ("https://192.0.2.7:6443", "192.0.2.7", False),
        ("https://192.0.2.7:6443", "192.0.2.0/24", False),
        ("https://192.0.2.7:6443", "192.0.3.0/24,nonsense/99", True),
        ("https://192.0.2.7:6443", "2.7", True),
        ("https://[2001:db8::7]:6443", "2001:db8::/32", False),
        ("https://[2001:db8::7]:6443", "2001:db8::7", False),
        ("https://[2001:db8::7]:6443", "[2001:db8::7]:6443", False),
        ("https://[2001:db8::7]:6443", "[2001:db8::7]:443", True),
        ("https://localhost:6443", "", False),
        ("https://127.3.2.1:6443", "", False),
        ("https://[::1]:6443", "", False),
        ("https://kube.example:6443", "kube.example:99999", True),
        ("https://kube.example:6443", "[::1, :::, kube.example", False),
    ],
)
def test_the_proxy_of_the_environment_applies_by_the_rules_of_go(
    monkeypatch: pytest.MonkeyPatch, host: str, patterns: str, *, expected: bool
) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", patterns)
    assert uses_environment_proxy(host) is expected
