"""What lint finds in the shared sets: the mistakes of the public reports, and nothing untrue in good policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kubectl_netpol.lint.context import Context
from kubectl_netpol.lint.finding import Severity
from kubectl_netpol.lint.warnings import all_findings
from kubectl_netpol.manifests.reader import Reader
from tests.conformance.test_conformance import snapshot_of, steps

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from kubectl_netpol.lint.finding import Finding

# Each case whose policies contain a mistake, with the number that says so.
MISTAKES = {
    "01": "NP004",
    "03": "NP005",
    "05": "NP003",
    "09": "NP012",
    "101": "NP012",
    "102": "NP008",
    "103": "NP029",
    "107": "NP017",
    "108": "NP001",
    "11": "NP007",
    "112": "NP001",
    "120": "NP021",
    "122": "NP001",
    "13": "NP030",
    "15": "NP027",
    "23": "NP002",
    "25": "NP021",
    "27": "NP026",
    "31": "NP028",
    "41": "NP015",
    "45": "NP010",
    "57": "NP007",
}

# By number of the cluster; what is meant to be so there: ports by a name that pods have for another protocol or not at
# all, peers and policies for labels that nothing has, and a policy for DNS beside one that allows all egress.
TRUE_OF_FILES = {"NP008": {148, 149, 175, 176}, "NP010": {216, 217}}
TRUE_OF_A_CLUSTER = {
    **TRUE_OF_FILES,
    "NP001": {249},
    "NP002": {206, 208, 212, 214, 222, 226, 228, 230, 245, 247},
}


def numbers(findings: Iterable[Finding]) -> set[str]:
    return {one.number for one in findings}


def test_every_mistake_of_the_public_reports_is_found_by_its_number(shared: Path) -> None:
    missed = []
    for case, number in MISTAKES.items():
        (folder,) = (shared / "cases").glob(f"{case}-*")
        reader = Reader()
        reader.add_text((folder / "manifests.yaml").read_text(encoding="utf-8"), folder.name)
        context = Context(reader.snapshot(), complete=False)
        if number not in numbers(all_findings(context)):
            missed.append(f"{folder.name}: {number}")
    assert missed == []


@pytest.mark.parametrize(
    ("complete", "true"), [(False, TRUE_OF_FILES), (True, TRUE_OF_A_CLUSTER)], ids=["as files", "as a cluster"]
)
def test_well_formed_policies_have_no_error_and_no_warning_but_what_is_so(
    shared: Path, true: dict[str, set[int]], *, complete: bool
) -> None:
    found: dict[str, set[int]] = {}
    for position, step in enumerate(steps(shared)):
        for one in all_findings(Context(snapshot_of(step), complete=complete)):
            if one.severity is not Severity.INFO:
                found.setdefault(one.number, set()).add(position)
    assert found == true
