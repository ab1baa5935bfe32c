"""What the API server refuses, or stores in another form, is refused or read alike: tests/cases/spellings.yaml."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubectl_netpol.errors import ManifestError
from kubectl_netpol.manifests.reader import Reader
from kubectl_netpol.manifests.yaml_text import load_all
from tests.support.spellings import REFUSED, Spelling, replaced, spellings


def read(text: str, *, live: bool = False) -> Any:
    """All that was read of a manifest."""
    reader = Reader(live=live)
    reader.add_text(text, "it.yaml")
    kinds = ("NetworkPolicy", "Pod", "Namespace", "Service", "Deployment", "CronJob")
    return reader.found(*kinds)


@pytest.mark.parametrize("spelling", [pytest.param(row, id=row.name) for row in spellings()])
def test_a_spelling_is_read_as_the_api_server_stores_it(spelling: Spelling) -> None:
    if (spelling.server == REFUSED) is not bool(spelling.differs):
        with pytest.raises(ManifestError):
            read(spelling.manifest)
        return
    found = read(spelling.manifest)
    if spelling.differs is None:
        (item,) = load_all(spelling.manifest, "it.yaml")
        assert found == read(json.dumps(replaced(item, spelling.stored, spelling.server)))


def test_the_table_has_no_difference_without_a_reason_and_few_with_one() -> None:
    rows = list(spellings())
    assert len(rows) > 350
    assert len({row.name for row in rows}) == len(rows)
    assert sum(row.differs is not None for row in rows) < 10
