"""For each number a cluster in which it nearly would be found, and is not; its page has one in which it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubectl_netpol.lint.finding import CHECKS
from tests.support.linting import SHOP, with_policies
from tests.support.running import run
from tests.support.tables import objects

NEARLY = yaml.safe_load(Path(__file__).with_name("nearly.yaml").read_text(encoding="utf-8"))


def manifests(cluster: dict[str, Any]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects(cluster))})


def test_each_number_has_a_row() -> None:
    assert list(NEARLY) == [check.number for check in CHECKS]


@pytest.mark.parametrize(
    ("number", "row"), [pytest.param(number, row, id=f"{number}: {row['nearly']}") for number, row in NEARLY.items()]
)
def test_what_nearly_is_found(number: str, row: dict[str, Any]) -> None:
    more = {key: value for key, value in row.items() if key not in ("nearly", "policies")}
    cluster = with_policies(SHOP, yaml.safe_dump(row.get("policies", {})), yaml.safe_dump(more))
    ran = run("lint", "-f - -o json", stdin=manifests(cluster))
    assert ran.status in (0, 1), ran.err
    assert number not in {one["number"] for one in json.loads(ran.out)["findings"]}
