"""Which certificates and names are accepted, compared with the real kubectl."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_netpol.cluster.options import ClusterOptions
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
    ours,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cluster.fakes import Pki


ROWS = {
    "certificate-authority that is not a certificate": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(certificate_authority_data="bm9wZQ=="))},
        "unable to load root certificates",
    ),
    "an unknown authority": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(certificate_authority_data="@alice.crt-data@"))},
        "tls: failed to verify certificate",
    ),
    "the system's authorities by default": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(certificate_authority_data=None))},
        "tls: failed to verify certificate",
    ),
    "the system's authorities by SSL_CERT_FILE": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(certificate_authority_data=None))},
        BEARER,
        env={"SSL_CERT_FILE": "@ca.crt@"},
    ),
    "insecure-skip-tls-verify": Row(
        {"home/.kube/config": config(TOKEN, at=cluster("@odd@", insecure_skip_tls_verify=True))},
        BEARER._replace(server="odd"),
    ),
    "tls-server-name": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(tls_server_name="kube.example"))},
        BEARER._replace(sni="kube.example"),
    ),
    "tls-server-name that is not in the certificate": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(tls_server_name="wrong.example"))},
        "tls: failed to verify certificate",
    ),
    "a certificate for another name": Row(
        {"home/.kube/config": config(TOKEN, at=cluster("@odd@", certificate_authority_data="@ca.crt-data@"))},
        "tls: failed to verify certificate",
    ),
    "a client certificate with another's key": Row(
        {"home/.kube/config": config({**ALICE, "client-key-data": "@bob.key-data@"})},
        'failed to load the client certificate and key of user "main"',
    ),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_the_same_request_as_kubectl(world: World, row: Row, capfd: pytest.CaptureFixture[str]) -> None:
    world.prepare(row)
    assert_same_as_kubectl(world, row, capfd)


@pytest.mark.parametrize("name", ["tls-server-name", "insecure-skip-tls-verify"])
def test_exec_has_the_same_proxy_and_identity(world: World, name: str) -> None:
    world.prepare(ROWS[name])
    assert_exec_sends(world, ROWS[name])


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param(config(ALICE), Seen(client="alice"), id="a client certificate"),
        pytest.param(config(TOKEN, at=cluster(certificate_authority_data=None)), BEARER, id="certifi's authorities"),
    ],
)
def test_without_memory_files_and_system_certificates(
    world: World, written: dict[str, Any], expected: Seen, *, monkeypatch: pytest.MonkeyPatch, pki: Pki, tmp_path: Path
) -> None:
    """As on macOS: a temporary file, and certifi's certificates because Python knows none of the system's."""
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr("ssl.get_default_verify_paths", lambda: SimpleNamespace(cafile=None, capath=None))
    monkeypatch.setattr("ssl.SSLContext.load_default_certs", lambda _: None)
    monkeypatch.setattr("certifi.where", lambda: str(pki.ca))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    world.write({"home/.kube/config": written})
    assert ours(world, ClusterOptions()) == expected
    assert list(scratch.iterdir()) == []
