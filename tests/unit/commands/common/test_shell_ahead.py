"""A shell that is started ahead of the probe: for which pods, and when it is not the one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kubectl_netpol.cluster import streams
from kubectl_netpol.cluster.streams import CompletedExec
from kubectl_netpol.commands.common.shell_ahead import ShellAhead, pod_typed
from kubectl_netpol.connection.resolve import parse_reference
from kubectl_netpol.errors import ClusterError, UsageError
from kubectl_netpol.model.objects import Container, Pod

if TYPE_CHECKING:
    from collections.abc import Sequence

DONE = CompletedExec(0, b"Z\n", b"", None, 0.1)
SAN = Pod("shop", "san", containers=(Container("app", "i"), Container("debug", "i", ephemeral=True)))
TWO = Pod("shop", "san", containers=(Container("app", "i"), Container("side", "i")))


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        pytest.param("san", ("shop", "san"), id="a name"),
        pytest.param("san.1", ("shop", "san.1"), id="a name with a dot"),
        pytest.param("pod/san", ("shop", "san"), id="a pod by its kind"),
        pytest.param("lab/san", ("lab", "san"), id="a namespace and a name"),
        pytest.param("lab/po/san", ("lab", "san"), id="a namespace, a kind and a name"),
        pytest.param("deploy/san", None, id="a workload"),
        pytest.param("lab/svc/san", None, id="a Service"),
        pytest.param("10.0.0.1", None, id="an IPv4 address"),
        pytest.param("fd00::1", None, id="an IPv6 address"),
        pytest.param("a/b/c", None, id="three names"),
        pytest.param("lab/", None, id="no name"),
    ],
)
def test_which_sources_are_pods(typed: str, place: tuple[str, str] | None) -> None:
    assert pod_typed(typed, "shop") == place
    try:
        reference = parse_reference(typed, "shop")
    except UsageError:
        assert place is None
    else:
        is_pod = not reference.address and reference.kind in (None, "Pod")
        assert place == ((reference.namespace, reference.name) if is_pod else None)


class Fake:
    """In place of Shell: what it was started as, and what it ran."""

    started: list[tuple[Any, ...]]
    fails: str

    def __init__(self, _api: object, *place: Any, deadline: float) -> None:
        assert deadline > 0
        if self.fails == "start":
            raise ClusterError("no")
        if self.fails == "odd":
            raise AttributeError("odd")
        self.started.append(place)

    def run(self, command: Sequence[str], *, deadline: float) -> CompletedExec:
        assert (command[0], deadline) == ("sh", 3)
        if self.fails == "run":
            raise ClusterError("it is gone")
        return DONE


@pytest.fixture
def shells(monkeypatch: pytest.MonkeyPatch) -> type[Fake]:
    monkeypatch.setattr(streams, "Shell", Fake)
    Fake.started, Fake.fails = [], ""
    return Fake


def run(pod: Pod, container: str = "app", shell: str = "sh", typed: str | None = None) -> list[CompletedExec | None]:
    ahead = ShellAhead(None, "shop", "san", typed)  # type: ignore[arg-type] # the fake takes anything
    return [ahead.run(pod, container, [shell, "-c", "program"], deadline=3) for _ in range(2)]


def test_it_runs_one_program(shells: type[Fake]) -> None:
    assert run(SAN) == [DONE, None]
    assert shells.started == [("shop", "san", None, "sh")]


def test_of_a_container_that_is_named(shells: type[Fake]) -> None:
    assert run(TWO, "side", typed="side") == [DONE, None]
    assert shells.started == [("shop", "san", "side", "sh")]


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({"pod": TWO}, id="a pod with two containers"),
        pytest.param({"pod": SAN, "container": "debug"}, id="another container"),
        pytest.param({"pod": SAN._replace(name="other")}, id="another pod"),
        pytest.param({"pod": SAN._replace(namespace="lab")}, id="a pod of another namespace"),
        pytest.param({"pod": SAN, "shell": "bash"}, id="another shell"),
        pytest.param({"pod": TWO, "container": "app", "typed": "side"}, id="another container than was named"),
    ],
)
def test_it_is_not_the_one(asked: dict[str, Any], shells: type[Fake]) -> None:
    assert run(**asked) == [None, None]
    assert shells.fails == ""


@pytest.mark.parametrize("fails", ["start", "odd", "run"])
def test_where_it_fails_nothing_is_said(
    fails: str, shells: type[Fake], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shells.fails = fails
    assert run(SAN) == [None, None]
    assert capfd.readouterr() == ("", "")
    monkeypatch.setattr("kubectl_netpol.commands.common.shell_ahead.start", lambda _: False)  # no more threads
    assert run(SAN) == [None, None]
