"""Who reaches whom: the engine asked for all pairs of pods at once."""

from __future__ import annotations

from kubectl_netpol.matrix.grid import Grid, declared_ports
from kubectl_netpol.matrix.sets import PodSets

__all__ = ["Grid", "PodSets", "declared_ports"]
