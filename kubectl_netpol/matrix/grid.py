"""The verdicts for every pair of pods on one port, row by row.

A row has one byte per destination, made of the bits below; the highest set bit decides its letter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.engine.evaluate import pod_problem
from kubectl_netpol.matrix.sides import PeerVerdicts, Sides
from kubectl_netpol.model.policies import Direction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_netpol.matrix.pod_sets import PodSets
    from kubectl_netpol.model.objects import Pod

UNDEFINED, BLOCKED, CANT_CONNECT, NO_PORT = 1, 2, 4, 8
_AT_ONCE = 256
_ONE_SET = bytes.maketrans(b"01", bytes([0, BLOCKED]))
_TWO_SETS = bytes.maketrans(bytes(range(0x90, 0x94)), bytes(range(4)))


def _letter(code: int) -> str:
    if code >= NO_PORT:
        return "-"
    if code >= CANT_CONNECT:
        return "u"
    if code >= BLOCKED:
        return "b"
    return "u" if code else "a"


LETTERS = "".join(map(_letter, range(256))).encode()


class Grid:
    """Sources and destinations are `sets.pods`, in that order. `port` is a number, or a name looked up on each pod."""

    def __init__(self, sets: PodSets, protocol: str, port: int | str) -> None:
        self.sets = sets
        self.protocol = protocol
        self.port = port
        self._sides = Sides(sets, protocol, port)
        self._interned: dict[PeerVerdicts, bytes] = {}
        self._own: dict[object, list[int]] = {}
        for position, pod in enumerate(sets.pods):
            self._own.setdefault(pod.identity, []).append(position)

    @property
    def pods(self) -> tuple[Pod, ...]:
        return self.sets.pods

    def number(self, pod: Pod) -> int | None:
        """The port's number on a destination; None where it has no port of that name."""
        return self._sides.number(pod)

    def rows(self) -> Iterator[str]:
        """One string per source, one letter per destination: a allowed, b blocked, u undefined, - no such port.

        A pod always reaches itself; of a template that may be one of its replicas, to which it is blocked.
        """
        several = (workload for workload in self.sets.snapshot.workloads if not workload.single)
        templates = {id(pod) for workload in several for pod in workload.templates}
        for position, codes in enumerate(self.codes()):
            row = bytearray(codes)
            if id(self.pods[position]) not in templates:
                for own in self.own_positions(position):
                    row[own] &= CANT_CONNECT | NO_PORT
            elif row[position] & BLOCKED:
                row[position] = UNDEFINED | row[position] & (CANT_CONNECT | NO_PORT)
            yield row.translate(LETTERS).decode("ascii")

    def own_positions(self, position: int) -> list[int]:
        """The positions of this pod: several where a workload has several templates."""
        return self._own[self.pods[position].identity]

    def codes(self) -> Iterator[bytes]:
        """One row per source. A pod's verdict on itself is the one on another pod just like it."""
        size = len(self.pods)
        columns = [self._column(position) for position in range(size)]
        for start in range(0, size, _AT_ONCE):
            height = min(_AT_ONCE, size - start)
            block = b"".join([column[start : start + height] for column in columns])
            for offset in range(height):
                incoming = int.from_bytes(block[offset::height], "little")
                outgoing = int.from_bytes(self._row(start + offset), "little")
                yield (incoming | outgoing).to_bytes(size, "little")

    def _column(self, position: int) -> bytes:
        """The ingress side of a destination, one byte per source."""
        pod = self.pods[position]
        if self.number(pod) is None:
            return bytes([NO_PORT]) * len(self.pods)
        if pod_problem(pod, "destination"):
            return bytes([CANT_CONNECT]) * len(self.pods)
        return self._bytes(self._sides.peer_verdicts(position, Direction.INGRESS))

    def _row(self, position: int) -> bytes:
        """The egress side of a source, one byte per destination."""
        if pod_problem(self.pods[position], "source"):
            return bytes([CANT_CONNECT]) * len(self.pods)
        return self._bytes(self._sides.peer_verdicts(position, Direction.EGRESS))

    def _bytes(self, verdicts: PeerVerdicts) -> bytes:
        found = self._interned.get(verdicts)
        if found is None:
            size = len(self.pods)
            blocked = self.sets.all & ~(verdicts.allowed | verdicts.undefined)
            found = f"{blocked:0{size}b}".encode().translate(_ONE_SET)
            if verdicts.undefined:
                both = [int.from_bytes(f"{pods:0{size}b}".encode(), "little") for pods in (blocked, verdicts.undefined)]
                found = (2 * both[0] + both[1]).to_bytes(size, "little").translate(_TWO_SETS)
            self._interned[verdicts] = found
        return found


def declared_ports(pods: tuple[Pod, ...], protocol: str | None = None) -> list[tuple[str, int]]:
    """(protocol, number) of every port that the pods declare, sorted."""
    found = {(port.protocol, port.number) for pod in pods for port in pod.ports}
    return sorted(pair for pair in found if protocol in (None, pair[0]))
