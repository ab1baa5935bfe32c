"""The README's main job, command by command, on real clusters: what it shows is what one gets."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.cluster.test_scenario import NAMESPACE, make_shop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.lab import Cluster

ROOT = Path(__file__).parents[2]


class Step(NamedTuple):
    command: str
    output: str


def steps(part: str) -> list[Step]:
    found = []
    for block in re.findall(r"```console\n(.*?)```", part, re.DOTALL):
        for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
            found.append(Step(command, output))
    return found


def scenarios() -> tuple[list[Step], list[Step]]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    _, with_enforcer, rest = re.split(r"<!-- scenario(?:: .*| without enforcer) -->", text)
    without_enforcer, _ = rest.split("<!-- scenario end -->")
    return steps(with_enforcer), steps(without_enforcer)


@pytest.fixture
def shop(cluster: Cluster) -> Iterator[Cluster]:
    yield from make_shop(cluster)


@pytest.fixture
def unguarded_shop(cluster_without_enforcer: Cluster) -> Iterator[Cluster]:
    yield from make_shop(cluster_without_enforcer)


def follow(cluster: Cluster, wanted: list[Step]) -> None:
    assert len(wanted) > 1
    for step in wanted:
        seen: list[str] = []

        def as_shown(step: Step = step, seen: list[str] = seen) -> bool:
            seen.append(cluster.run("bash", "-c", f"cd {ROOT} && {step.command} 2>/dev/null").stdout)
            return seen[-1] == step.output

        if "apply" in step.command:
            assert as_shown(), (step, seen[-1])
        else:
            cluster.wait_until(as_shown, what=f"{step.command} to print what the README shows, not {seen}")


def test_the_main_job_is_as_the_readme_shows_it(shop: Cluster) -> None:
    follow(shop, scenarios()[0])


def test_without_an_enforcer_it_is_as_the_readme_shows_it(unguarded_shop: Cluster) -> None:
    follow(unguarded_shop, scenarios()[1])


def test_the_namespace_of_the_readme_is_the_scenario_s() -> None:
    assert NAMESPACE in (ROOT / "README.md").read_text(encoding="utf-8")
