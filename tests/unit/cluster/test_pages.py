"""A page of a list: of the kind that was asked for, with a way to the next one, and what is none."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.cluster.pages import page_of
from kubectl_netpol.fields import BadField

POLICIES = "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies"
CILIUM = "/apis/cilium.io/v2/ciliumnetworkpolicies"


@pytest.mark.parametrize(
    ("path", "answer", "page"),
    [
        pytest.param(POLICIES, {"items": []}, ([], None), id="without a kind"),
        pytest.param(POLICIES, {"items": None}, ([], None), id="null for items"),
        pytest.param(POLICIES, {"kind": "NetworkPolicyList", "items": [{}]}, ([{}], None), id="a built-in kind"),
        pytest.param("/api/v1/pods", {"kind": "PartialObjectMetadataList", "items": []}, ([], None), id="metadata"),
        pytest.param(CILIUM, {"kind": "CiliumList", "items": []}, ([], None), id="a custom kind"),
        pytest.param(CILIUM, {"kind": "Ciliums", "items": []}, ([], None), id="a custom kind whose list has any name"),
        pytest.param(POLICIES, {"metadata": {"continue": "x"}, "items": []}, ([], "x"), id="the way to the next page"),
        pytest.param(
            POLICIES, {"metadata": {"remainingItemCount": 3, "continue": "x"}, "items": []}, ([], "x"), id="more items"
        ),
        pytest.param(POLICIES, {"metadata": {"remainingItemCount": 0}, "items": []}, ([], None), id="no more items"),
    ],
)
def test_a_page(path: str, answer: dict[str, Any], page: tuple[list[Any], str | None]) -> None:
    assert page_of(answer, path) == page


@pytest.mark.parametrize(
    ("path", "answer", "message"),
    [
        pytest.param(
            POLICIES,
            {"metadata": {"continue": "\ud800"}, "items": []},
            'metadata.continue: is no token: "\ud800"',
            id="half a character as the way to the next page",
        ),
        pytest.param(POLICIES, {}, "expected a list", id="no items"),
        pytest.param(
            POLICIES, {"kind": "PodList", "items": []}, 'kind: expected NetworkPolicyList, got "PodList"', id="of pods"
        ),
        pytest.param(
            POLICIES, {"kind": "Status", "items": []}, 'kind: expected NetworkPolicyList, got "Status"', id="a Status"
        ),
        pytest.param(CILIUM, {"kind": "Status", "items": []}, 'kind: expected a list, got "Status"', id="of CRDs"),
        pytest.param(POLICIES, {"kind": 3, "items": []}, "kind: expected a string, got 3", id="a number"),
        pytest.param(
            POLICIES,
            {"metadata": {"remainingItemCount": 7}, "items": []},
            "metadata.continue: is missing, and there are more items",
            id="cut",
        ),
    ],
)
def test_what_is_no_page_of_this_list(path: str, answer: dict[str, Any], message: str) -> None:
    with pytest.raises(BadField) as caught:
        page_of(answer, path)
    assert str(caught.value) == message
