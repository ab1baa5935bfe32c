"""Default deny: which end's pods are selected, and for which directions; tests of the command have the rest."""

from __future__ import annotations

import pytest

from kubectl_netpol.allow.default_deny import check_none, default_deny
from kubectl_netpol.allow.dns_rule import dns_rule
from kubectl_netpol.allow.from_labels import EndOptions, LabelRequest
from kubectl_netpol.errors import UsageError
from kubectl_netpol.model.policies import Direction
from kubectl_netpol.model.selectors import LabelSelector

FROM, TO = EndOptions("from", none=True), EndOptions("to", none=True)
PODS_FROM, PODS_TO = EndOptions("from", all_pods=True), EndOptions("to", all_pods=True)
INGRESS, EGRESS = Direction.INGRESS, Direction.EGRESS


@pytest.mark.parametrize(
    ("asked", "directions"),
    [
        (LabelRequest(FROM, PODS_TO), (INGRESS,)),
        (LabelRequest(PODS_FROM, TO, ingress=False, egress=True), (EGRESS,)),
        (LabelRequest(FROM, PODS_TO, egress=True), (INGRESS, EGRESS)),
        (LabelRequest(PODS_FROM, TO, egress=True), (INGRESS, EGRESS)),
    ],
)
def test_the_other_end_is_selected(asked: LabelRequest, directions: tuple[Direction, ...]) -> None:
    subject = check_none(asked)
    assert subject in (PODS_FROM, PODS_TO)
    (policy,) = default_deny(asked, "shop", [LabelSelector()], [])
    assert (policy.namespace, policy.directions, policy.rules) == ("shop", directions, ())


def test_what_is_let_out_all_the_same() -> None:
    asked = LabelRequest(FROM, PODS_TO, egress=True)
    (policy,) = default_deny(asked, "", [LabelSelector()], [dns_rule()])
    assert [rule.direction for rule in policy.rules] == [EGRESS]


def test_without_none_there_is_no_subject() -> None:
    assert check_none(LabelRequest(PODS_FROM, PODS_TO)) is None


@pytest.mark.parametrize(
    "asked",
    [
        LabelRequest(FROM, TO),
        LabelRequest(FROM, PODS_TO, ingress=False, egress=True),
        LabelRequest(PODS_FROM, TO),
        LabelRequest(FROM._replace(all_pods=True), PODS_TO),
    ],
)
def test_what_is_refused(asked: LabelRequest) -> None:
    with pytest.raises(UsageError):
        check_none(asked)
