"""TLS settings that verify the API server as Go does."""

from __future__ import annotations

import contextlib
import os
import ssl
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kubectl_netpol.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterator


def tls_context(anchors: bytes, pem: bytes | None, *, verify: bool, user: str) -> ssl.SSLContext:
    """TLS 1.2 or newer; any given certificate may be a trust anchor; names count in subjectAltName only.

    `anchors` are certificates as PEM, the system's if empty. `pem` is the client's certificate with its key. Raises
    ClusterError if either can't be loaded.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif anchors:
        try:
            context.load_verify_locations(cadata=anchors.decode("ascii", "ignore"))
        except (ssl.SSLError, ValueError) as error:
            raise ClusterError("unable to load root certificates: unable to parse bytes as PEM block") from error
    else:
        _load_system_anchors(context)
    if pem:
        try:
            with _as_file(pem) as path:
                context.load_cert_chain(path, password="")
        except (ssl.SSLError, ValueError) as error:
            message = f'tls: failed to load the client certificate and key of user "{user}": {error}'
            raise ClusterError(message) from error
    return context


def _load_system_anchors(context: ssl.SSLContext) -> None:
    paths = ssl.get_default_verify_paths()
    context.load_default_certs()
    # Python for macOS may know no system certificates: then those that the kubernetes package brings.
    if not paths.cafile and not paths.capath and not context.cert_store_stats()["x509_ca"]:
        import certifi  # noqa: PLC0415 # rarely needed

        context.load_verify_locations(certifi.where())


@contextlib.contextmanager
def _as_file(content: bytes) -> Iterator[Path]:
    """A path for OpenSSL, which reads a certificate and its key from a file only; in memory where possible."""
    if sys.platform == "linux" and Path("/proc/self/fd").exists():
        with os.fdopen(os.memfd_create("pem"), "wb") as memory:
            memory.write(content)
            memory.flush()
            yield Path(f"/proc/self/fd/{memory.fileno()}")
        return
    import tempfile  # noqa: PLC0415 # not on Linux

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "pem")
        path.touch(mode=0o600)
        path.write_bytes(content)
        yield path
