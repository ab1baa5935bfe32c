"""The shared sets with the Admin and Baseline tiers through the built file, as `matrix` and `explain` print them.

NETPOL_CONFORMANCE=all asks `explain` about every check, and not only those with an end that is no pod.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.built import Built, built
from tests.support.printed_sets import wrong_in_print
from tests.support.shared_sets import SETS, clusters

if TYPE_CHECKING:
    from collections.abc import Iterator

ALL = os.environ.get("NETPOL_CONFORMANCE") == "all"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    if "NETPOL_ZIPAPP" not in os.environ:
        pytest.skip("NETPOL_ZIPAPP does not say where the built file is")
    with built(Path(os.environ["NETPOL_ZIPAPP"]).resolve(), tmp_path_factory.mktemp("built")) as found:
        yield found


@pytest.mark.parametrize("name", SETS)
def test_every_check_is_right_in_what_is_printed(name: str, shared: Path, program: Built, tmp_path: Path) -> None:
    checked = 0
    wrong = []
    for cluster in clusters(shared, name):
        checked += len(cluster.checks)
        wrong += wrong_in_print(program.run, cluster, tmp_path, explain_all=ALL)
    assert not wrong, (len(wrong), wrong[:5])
    assert checked == SETS[name]
