"""A cell beside what the network did. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from kubectl_netpol.diagnosis.diagnose import ConnectionResult
    from kubectl_netpol.matrix.summary import Cell


class Compared(NamedTuple):
    """One pair that was tried."""

    cell: Cell
    result: ConnectionResult

    @property
    def differs(self) -> bool:
        """Whether the network does what the policies do not say."""
        return self.result.finding.agrees is False
