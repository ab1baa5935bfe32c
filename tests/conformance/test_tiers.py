"""Every check of the shared sets with the Admin and Baseline tiers, straight through the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kubectl_netpol.manifests.reader import Reader
from tests.support.shared_sets import LETTERS, SETS, clusters, typed
from tests.support.tables import ask

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", SETS)
def test_every_check_of_the_set_is_right(name: str, shared: Path) -> None:
    checked = 0
    wrong = []
    for cluster in clusters(shared, name):
        reader = Reader()
        reader.add_text(cluster.manifest, cluster.name)
        snapshot = reader.snapshot()
        for check in cluster.checks:
            checked += 1
            found = ask(snapshot, typed(check.source), typed(check.destination), check.port, check.protocol)
            if LETTERS[found.verdict.value] != check.letter:
                wrong.append((cluster.name, check, found.verdict.value, found.reason))
    assert not wrong, (len(wrong), wrong[:5])
    assert checked == SETS[name]
