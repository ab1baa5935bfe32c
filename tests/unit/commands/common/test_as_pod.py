"""A pod that does not exist yet, as typed."""

from __future__ import annotations

import io

import pytest

from kubectl_netpol.commands.common.as_pod import NAME, with_pod
from kubectl_netpol.commands.common.inputs import Inputs
from kubectl_netpol.console import Console
from kubectl_netpol.errors import UsageError
from kubectl_netpol.model.objects import Pod
from kubectl_netpol.model.snapshot import Scope, Snapshot

THERE = Pod("shop", "there", {})
INPUTS = Inputs("shop", None, Snapshot(pods=[THERE]), Console(io.StringIO(), io.StringIO()))
EVERYTHING = Scope(frozenset({"shop"}))


@pytest.mark.parametrize(
    ("typed", "labels"),
    [
        pytest.param("app=web", {"app": "web"}, id="a label"),
        pytest.param("app=web, example.com/tier==front", {"app": "web", "example.com/tier": "front"}, id="two"),
        pytest.param("app=", {"app": ""}, id="an empty value"),
        pytest.param("", {}, id="none"),
    ],
)
def test_it_is_there_beside_the_others(typed: str, labels: dict[str, str]) -> None:
    there, new = with_pod(INPUTS, typed).read(EVERYTHING).pods
    assert there is THERE
    assert (new.namespace, new.name, new.labels, new.planned) == ("shop", NAME, labels, True)


def test_without_the_option_there_is_none() -> None:
    assert with_pod(INPUTS, None).read(EVERYTHING).pods == (THERE,)


@pytest.mark.parametrize("typed", ["app!=web", "app", "!app", "app in (a,b)", "app=web,,", "app=w/w"])
def test_what_are_no_labels(typed: str) -> None:
    with pytest.raises(UsageError):
        with_pod(INPUTS, typed)
