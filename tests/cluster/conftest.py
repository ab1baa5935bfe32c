"""Fixtures with real clusters; README.md beside this file says how to use them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.lab import Cluster, UnavailableError, summary, up

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("cluster")
    group.addoption("--seeds", type=int, default=60, help="how many random policy sets meet the real network")
    group.addoption("--first-seed", type=int, default=0, help="the first of them")
    group.addoption("--long", action="store_const", dest="seeds", const=300, help="300 random policy sets")


def bring_up(config: pytest.Config, name: str, *, enforcer: bool) -> Iterator[Cluster]:
    try:
        with up(name, enforcer=enforcer) as cluster:
            yield cluster
            return
    except UnavailableError as error:
        reason = str(error)
    if os.environ.get("NETPOL_REQUIRE_CLUSTER") == "1":
        pytest.fail(f"no cluster: {reason}", pytrace=False)
    line = f"The tests on a real cluster were left out: {reason}."
    if line not in summary(config):
        summary(config).append(line)
    pytest.skip(f"no cluster: {reason}")


@pytest.fixture(scope="session")
def cluster(pytestconfig: pytest.Config) -> Iterator[Cluster]:
    """The cluster on which kube-router enforces NetworkPolicy."""
    yield from bring_up(pytestconfig, "enforcer", enforcer=True)


@pytest.fixture(scope="session")
def cluster_without_enforcer(pytestconfig: pytest.Config) -> Iterator[Cluster]:
    """The cluster on which nothing does."""
    yield from bring_up(pytestconfig, "no-enforcer", enforcer=False)


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """A new namespace of `cluster`."""
    with cluster.namespace() as name:
        yield name


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and call.when != "teardown" and isinstance(item, pytest.Function):
        for name, value in item.funcargs.items():
            if isinstance(value, Cluster):
                report.sections.append((name, value.diagnosis()))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in summary(config):
        terminalreporter.write_line(line)
