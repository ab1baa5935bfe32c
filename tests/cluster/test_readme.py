"""The README's main job, command by command, on real clusters: what it shows is what one gets.

NETPOL_WRITE_PICTURES=1 draws its pictures anew.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.cluster.lab import Cluster
from tests.cluster.test_scenario import DENY_ALL_INGRESS, NAMESPACE, make_shop, set_policies
from tests.support.pictures import drawn, drawn_in_time, printed_on_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
PICTURED = f"kubectl netpol test san nginx 80 -n {NAMESPACE}"
OPENING = f"kubectl netpol allow san nginx 80 -n {NAMESPACE} | kubectl apply -f -"


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


def wait_for(wanted: str, show: Callable[[], str]) -> None:
    """An enforcer needs a moment."""
    seen: list[str] = []

    def is_shown() -> bool:
        seen.append(show())
        return seen[-1] == wanted

    with suppress(AssertionError):
        Cluster.wait_until(is_shown)
    assert seen[-1] == wanted


def with_images_of_the_kit(command: str) -> str:
    return re.sub(r"--image=(\w+)", r"--image=lab/\1:1 --image-pull-policy=Never", command)


def test_the_main_job_is_as_the_readme_shows_it(empty: Cluster) -> None:
    def show(command: str) -> str:
        line = f"cd {ROOT} && {with_images_of_the_kit(command)} 2>/dev/null"
        return f"$ {command}\n{empty.run('bash', '-c', line).stdout}"

    wanted = scenario()
    assert len(wanted) > 8
    for command, output in wanted:
        if "apply" in command:
            assert show(command) == f"$ {command}\n{output}"
        else:
            wait_for(f"$ {command}\n{output}", partial(show, command))


def printed(cluster: Cluster, command: str) -> str:
    return printed_on_terminal(cluster.inside("bash", "-c", command), cluster.environment())


def picture(name: str, drawing: str) -> str:
    """The picture of this name; drawn anew if it is to be."""
    path = ROOT / "docs" / "pictures" / f"{name}.svg"
    if os.environ.get("NETPOL_WRITE_PICTURES"):
        path.write_text(drawing, encoding="utf-8")
    return path.read_text(encoding="utf-8")


def awaited(cluster: Cluster, command: str, start: str) -> tuple[str, str]:
    """The command with what it prints, once that begins so."""
    found = [""]

    def begins() -> bool:
        found[0] = printed(cluster, command)
        return re.sub(r"\x1b\[\d+m", "", found[0]).startswith(start)

    Cluster.wait_until(begins)
    return command, found[0]


def test_the_moving_picture_of_a_connection_that_is_opened(shop: Cluster) -> None:
    set_policies(shop, DENY_ALL_INGRESS, settled=1)
    steps = [
        awaited(shop, PICTURED, "blocked:"),
        (OPENING, printed(shop, OPENING)),
        awaited(shop, PICTURED, "open:"),
    ]
    drawing = drawn_in_time(steps)
    assert drawing == picture("blocked-to-open", drawing)
    assert len(drawing) < 200_000


def test_the_picture_of_policies_that_nothing_enforces(unguarded_shop: Cluster) -> None:
    set_policies(unguarded_shop, DENY_ALL_INGRESS)

    def drawing() -> str:
        return drawn(PICTURED, printed(unguarded_shop, PICTURED))

    wait_for(picture("not-enforced", drawing()), drawing)
