"""A cluster with its network replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kubectl_netpol.commands import test
from kubectl_netpol.commands.common import prober
from kubectl_netpol.commands.common.inputs import Inputs
from tests.support.api import FakeApi, lists
from tests.support.network import CLUSTER, Network
from tests.support.tables import objects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_netpol.cluster.options import ClusterOptions
    from kubectl_netpol.console import Console


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    found = Network()
    fake = FakeApi(lists(objects(CLUSTER)))

    def opened(_cluster: ClusterOptions, filenames: Sequence[str], console: Console) -> Inputs:
        assert filenames == []
        return Inputs("shop", fake.api, None, console)

    monkeypatch.setattr(test, "open_inputs", opened)
    monkeypatch.setattr(prober, "Prober", found)
    return found
