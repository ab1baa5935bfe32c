"""Odd spellings of manifests: what the real API server makes of each is what tests/cases/spellings.yaml says."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from tests.support.spellings import REFUSED, Spelling, at, spellings

if TYPE_CHECKING:
    from tests.cluster.lab import Cluster


def answer(cluster: Cluster, namespace: str, spelling: Spelling) -> Any:
    """REFUSED, or what would be stored at the row's path. Nothing is."""
    options = ("--dry-run=server", "--validate=strict", "-o", "json", "-n", namespace, "-f", "-")
    result = cluster.kubectl("create", *options, input=spelling.manifest, check=False)
    if result.returncode != 0:
        assert "connection refused" not in result.stderr, result.stderr
        return REFUSED
    return at(json.loads(result.stdout), spelling.stored)


def test_the_server_says_what_the_table_says(cluster: Cluster, namespace: str) -> None:
    rows = list(spellings())
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda row: answer(cluster, namespace, row), rows))
    wrong = [
        f"{row.name}: {json.dumps(got)}, wanted {json.dumps(row.server)}"
        for row, got in zip(rows, found, strict=True)
        if got != row.server
    ]
    assert not wrong, "\n".join(wrong)
