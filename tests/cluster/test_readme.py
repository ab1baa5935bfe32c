"""The README's main job, command by command, on real clusters: what it shows is what one gets.

NETPOL_WRITE_PICTURES=1 draws its pictures anew.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.cluster.test_scenario import DENY_ALL_INGRESS, NAMESPACE, make_shop, set_policies
from tests.support.pictures import drawn, printed_on_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.lab import Cluster

ROOT = Path(__file__).parents[2]
PICTURED = f"kubectl netpol test san nginx 80 -n {NAMESPACE}"


class Step(NamedTuple):
    command: str
    output: str


def steps(part: str) -> list[Step]:
    found = []
    for block in re.findall(r"```console\n(.*?)```", part, re.DOTALL):
        for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
            found.append(Step(command, output))
    return found


def scenario() -> list[Step]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    _, part, _ = re.split(r"<!-- scenario.* -->", text)
    return steps(part)


@pytest.fixture
def empty(cluster: Cluster) -> Iterator[Cluster]:
    """Without the README's namespace, which the test makes."""
    delete = ("delete", "namespace", NAMESPACE, "--ignore-not-found")
    cluster.kubectl(*delete, timeout=120)
    yield cluster
    cluster.kubectl(*delete, "--wait=false")


@pytest.fixture
def shop(cluster: Cluster) -> Iterator[Cluster]:
    yield from make_shop(cluster)


@pytest.fixture
def unguarded_shop(cluster_without_enforcer: Cluster) -> Iterator[Cluster]:
    yield from make_shop(cluster_without_enforcer)


def with_images_of_the_kit(command: str) -> str:
    return re.sub(r"--image=(\w+)", r"--image=lab/\1:1 --image-pull-policy=Never", command)


def test_the_main_job_is_as_the_readme_shows_it(empty: Cluster) -> None:
    wanted = scenario()
    assert len(wanted) > 8
    for step in wanted:
        seen: list[str] = []

        def as_shown(step: Step = step, seen: list[str] = seen) -> bool:
            command = f"cd {ROOT} && {with_images_of_the_kit(step.command)} 2>/dev/null"
            seen.append(empty.run("bash", "-c", command).stdout)
            return seen[-1] == step.output

        if "apply" in step.command:
            assert as_shown(), (step, seen[-1])
        else:
            empty.wait_until(as_shown, what=f"{step.command} to print what the README shows, not {seen}")


def compare(cluster: Cluster, name: str) -> None:
    """Waits for the picture, since an enforcer needs a moment."""
    path = ROOT / "docs" / "pictures" / f"{name}.svg"
    seen: list[str] = []

    def as_drawn() -> bool:
        printed = printed_on_terminal(cluster.inside(*PICTURED.split()), cluster.environment())
        seen.append(drawn(PICTURED, printed))
        if os.environ.get("NETPOL_WRITE_PICTURES"):
            path.write_text(seen[-1], encoding="utf-8")
        return path.read_text(encoding="utf-8") == seen[-1]

    cluster.wait_until(as_drawn, what=f"{name}.svg (NETPOL_WRITE_PICTURES=1 draws it anew), not {seen},")


def test_the_picture_of_a_blocked_connection(shop: Cluster) -> None:
    set_policies(shop, DENY_ALL_INGRESS, settled=1)
    compare(shop, "blocked")


def test_the_picture_of_policies_that_nothing_enforces(unguarded_shop: Cluster) -> None:
    set_policies(unguarded_shop, DENY_ALL_INGRESS)
    compare(unguarded_shop, "not-enforced")
