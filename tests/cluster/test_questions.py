"""The questions of docs/questions.md that are about a cluster, asked of one."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from tests.cluster.test_scenario import DENY_ALL_INGRESS, make_shop, set_policies
from tests.support.questions import one_line, questions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.lab import Cluster

LIVE = [question for question in questions() if question.live]


@pytest.fixture(scope="module")
def shop(cluster: Cluster) -> Iterator[Cluster]:
    yield from make_shop(cluster)


@pytest.mark.parametrize("number", range(len(LIVE)), ids=[question.question for question in LIVE])
def test_the_command_says_what_the_page_says(number: int, shop: Cluster) -> None:
    set_policies(shop, DENY_ALL_INGRESS)
    question = LIVE[number]

    def answered() -> bool:
        ran = shop.netpol(*shlex.split(question.line))
        return one_line(question.said) in one_line(f"{ran.stdout}\n{ran.stderr}")

    shop.wait_until(answered, what=question.line)
