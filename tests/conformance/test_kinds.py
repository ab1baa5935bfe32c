"""No kind of policy is overlooked: one object of each, through explain and matrix."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_netpol.model.kinds import KINDS, TIERED, UNEVALUATED, policy_kind
from tests.support.policy_kinds import OF_EACH_KIND, OfKind
from tests.support.running import run

if TYPE_CHECKING:
    from pathlib import Path

PODS = [
    {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"containers": [{"name": "c", "ports": [{"containerPort": 80}]}]},
    }
    for name in ("san", "web")
]
LETTERS = {"undefined": "u", "blocked": "b", "caveat": "a", "allowed": "a"}


def file_of(folder: Path, *objects: object) -> str:
    path = folder / "it.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [*PODS, *objects]}), encoding="utf-8")
    return str(path)


def offline(one: OfKind) -> bool:
    """A file of a version that this program can't read is an error; on a cluster the policy stops nothing."""
    return one.api_version != "policy.networking.k8s.io/v2"


EACH = [pytest.param(one, id=name) for name, one in OF_EACH_KIND if offline(one)]


def test_without_a_policy_it_is_allowed(tmp_path: Path) -> None:
    ran = run("explain", "san web 80 -n shop -o json", "-f", file_of(tmp_path))
    assert (ran.status, json.loads(ran.out)["verdict"]) == (0, "allowed")


@pytest.mark.parametrize("one", EACH)
def test_explain_never_says_just_allowed(one: OfKind, tmp_path: Path) -> None:
    ran = run("explain", "san web 80 -n shop -o json", "-f", file_of(tmp_path, one.manifest("shop")))
    answer = json.loads(ran.out)
    if one.verdict == "caveat":
        assert (answer["verdict"], [note["code"] for note in answer["caveats"]]) == ("allowed", ["proxy-decides"])
        assert one.title in answer["caveats"][0]["message"]
        return
    assert answer["verdict"] == one.verdict
    if one.verdict == "undefined":
        assert answer["reason"]["code"] == "overriding-policy"
    assert one.title.replace("crd.projectcalico.org", "projectcalico.org") in answer["reason"]["message"]


@pytest.mark.parametrize("one", EACH)
def test_matrix_never_says_just_allowed(one: OfKind, tmp_path: Path) -> None:
    ran = run("matrix", "-n shop --port 80 -o json", "-f", file_of(tmp_path, one.manifest("shop")))
    letter = LETTERS[one.verdict]
    assert json.loads(ran.out)["verdicts"] == [f"a{letter}", f"{letter}a"]
    assert (one.title in ran.err) == (one.verdict == "caveat")


@pytest.mark.parametrize("one", [pytest.param(one, id=name) for name, one in OF_EACH_KIND if one.namespaced])
def test_in_another_namespace_it_decides_nothing(one: OfKind, tmp_path: Path) -> None:
    ran = run("explain", "san web 80 -n shop -o json", "-f", file_of(tmp_path, one.manifest("lab")))
    answer = json.loads(ran.out)
    assert (answer["verdict"], answer["caveats"]) == ("allowed", [])


@pytest.mark.parametrize("kind", ["StagedNetworkPolicy", "StagedGlobalNetworkPolicy", "StagedKubernetesNetworkPolicy"])
def test_what_calico_only_stages_is_not_enforced(kind: str, tmp_path: Path) -> None:
    selector: dict[str, Any] = {"podSelector": {}} if kind == "StagedKubernetesNetworkPolicy" else {"selector": "all()"}
    one = OfKind("projectcalico.org/v3", kind, "x", selector)
    ran = run("explain", "san web 80 -n shop -o json", "-f", file_of(tmp_path, one.manifest("shop")))
    assert json.loads(ran.out)["verdict"] == "allowed"
    assert ran.err == "note: 1 staged policy not enforced: kubectl netpol diff says what would change\n"


def test_what_is_calicos_alone_is_skipped_where_cilium_runs(tmp_path: Path) -> None:
    one = OfKind("projectcalico.org/v3", "Tier", "tiers", {"order": 1}, namespaced=False)
    ran = run("explain", "san web 80 -n shop --plugin cilium", "-f", file_of(tmp_path, one.manifest("shop")))
    assert ran.err == "note: 1 object of other kinds skipped: 1 Tier\n"


def test_every_kind_of_the_table_is_among_these() -> None:
    found = {policy_kind(one.kind, one.group) for _, one in OF_EACH_KIND}
    assert found & KINDS.keys() == {*TIERED, *UNEVALUATED}
