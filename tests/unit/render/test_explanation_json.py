"""Explanations written pod by pod are those written as a whole, and only so much of them is kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_netpol.analysis.isolation import explain_pods
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.phrases import peer_text
from kubectl_netpol.engine.verdict import Note
from kubectl_netpol.render import explanation_json as module
from kubectl_netpol.render import json_objects
from kubectl_netpol.render.explanation_json import explanations_json
from kubectl_netpol.render.json_objects import explanation_object, kind, serialize, warning_object
from tests.support.tables import checks, snapshot_of

if TYPE_CHECKING:
    from kubectl_netpol.model.policies import Direction, Peer, Policy

NOTE = Note(Code.HOST_NETWORK, 'umlauts ä, "quotes", a\nline and \u2028')


def both(cluster: dict[str, Any], notes: list[Note]) -> tuple[str, str]:
    """Pod by pod, and as a whole."""
    snapshot = snapshot_of(cluster)
    found = [(explanation, notes) for explanation in explain_pods(snapshot, snapshot.pods)]
    items = [explanation_object(explanation, notes) for explanation, notes in found]
    content = kind("ExplanationList", {"items": items, "warnings": [warning_object(note) for note in notes]})
    return "".join(explanations_json(found, notes)), serialize(content, "json") + "\n"


@pytest.mark.parametrize("room", [0, 2_000, 32_000_000], ids=lambda room: f"room for {room} characters")
def test_in_every_table_pod_by_pod_and_as_a_whole_are_the_same(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_CHARACTERS", room)
    clusters = {id(check.cluster): check.cluster for check in checks()}
    for number, cluster in enumerate(clusters.values()):
        written, whole = both(cluster, [NOTE] * (number % 3))
        assert written == whole
        json.loads(written)


@pytest.mark.parametrize("notes", [[], [NOTE]], ids=["without warnings", "with a warning"])
def test_no_pods_are_an_empty_list(notes: list[Note]) -> None:
    written, whole = both({"pods": {}}, notes)
    assert written == whole


def test_what_pods_share_is_put_into_words_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def counted(peer: Peer | None, policy: Policy, direction: Direction) -> str:
        asked.append(policy.name)
        return peer_text(peer, policy, direction)

    monkeypatch.setattr(json_objects, "peer_text", counted)
    pods = {f"a/p{number}": {"ip": f"10.0.0.{number}"} for number in range(1, 9)}
    cluster = {"pods": pods, "policies": {"a/in": {"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}]}]}}}
    snapshot = snapshot_of(cluster)
    assert len(list(explanations_json(((found, []) for found in explain_pods(snapshot, snapshot.pods)), []))) == 9
    assert asked == ["in"]
