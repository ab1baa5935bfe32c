"""A cell of the matrix compared with a probe of the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from kubectl_netpol.diagnosis.diagnose import ConnectionResult
    from kubectl_netpol.matrix.summary import Cell


class Compared(NamedTuple):
    cell: Cell
    result: ConnectionResult

    @property
    def differs(self) -> bool:
        return self.result.finding.agrees is False
