"""A blocked connection that is probably a reply, with its two ports taken for each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.connection.predict import predict
from kubectl_netpol.connection.routes import request
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.verdict import Note, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.connection.resolve import Resolved
    from kubectl_netpol.model.snapshot import Snapshot

_CLIENT_PORTS = range(32768, 61000)  # that Linux gives to the client's end of a connection; above all node ports
_USUAL = (443, 80)


def probable_reply(snapshot: Snapshot, prediction: Prediction) -> Iterator[Note]:
    """That a client's port is not what to ask for, where the way back is allowed: replies need no rule."""
    asked = prediction.request
    here, there = asked.source, asked.destination
    if prediction.verdict is not Verdict.BLOCKED or asked.port not in _CLIENT_PORTS or asked.service:
        return
    if there.host or (there.pod and any(port.number == asked.port for port in there.pod.ports)):
        return
    for port in _ports_of(here, asked.protocol):
        if predict(snapshot, request(snapshot, there, here, port, asked.protocol)).verdict is Verdict.ALLOWED:
            yield Note(
                Code.PROBABLY_A_REPLY,
                f"{asked.port} is a port that clients get: from a log, this is a reply to a connection from "
                f"{there.reference} to {here.reference}, on port {port} say, which is allowed; replies need no rule",
            )
            return


def _ports_of(end: Resolved, protocol: str) -> tuple[int, ...]:
    """The ports that the end declares; what is usual where it declares none."""
    declared = tuple(port.number for port in end.pod.ports if port.protocol == protocol) if end.pod else ()
    return declared or _USUAL
