"""Whether one rule covers another as written."""

from __future__ import annotations

import pytest
import yaml

from kubectl_netpol.lint.cover import covers_peer, covers_rule, covers_selector
from kubectl_netpol.model.policies import Peer
from kubectl_netpol.model.selectors import LabelSelector, parse_selector
from tests.support.tables import snapshot_of

ALL = "{podSelector: {}}"
API = "{podSelector: {matchLabels: {app: api}}}"
API_FRONT = "{podSelector: {matchLabels: {app: api, tier: front}}}"
EVERYWHERE = "{namespaceSelector: {}}"
LAB = "{namespaceSelector: {matchLabels: {team: lab}}}"
LAB_API = "{namespaceSelector: {matchLabels: {team: lab}}, podSelector: {matchLabels: {app: api}}}"
NET, PART, SIX = "{ipBlock: {cidr: 192.0.2.0/24}}", "{ipBlock: {cidr: 192.0.2.8/29}}", "{ipBlock: {cidr: '::/0'}}"
HOLED = "{ipBlock: {cidr: 192.0.2.0/24, except: [192.0.2.0/25]}}"


@pytest.mark.parametrize(
    ("wide", "narrow", "there", "back"),
    [
        pytest.param(API, API, True, True, id="the same"),
        pytest.param(ALL, API, True, False, id="all pods of the namespace, and some"),
        pytest.param(API, API_FRONT, True, False, id="one label, and two"),
        pytest.param(EVERYWHERE, ALL, True, False, id="all namespaces, and the policy's own"),
        pytest.param(EVERYWHERE, LAB_API, True, False, id="all namespaces, and some pods of one"),
        pytest.param(LAB, LAB_API, True, False, id="a namespace, and some of its pods"),
        pytest.param(LAB, ALL, False, False, id="another namespace, and the policy's own"),
        pytest.param(NET, PART, True, False, id="a block in a block"),
        pytest.param(HOLED, PART, False, False, id="a block with an exception covers nothing for sure"),
        pytest.param(SIX, NET, False, False, id="the other family"),
        pytest.param(NET, ALL, False, False, id="a block and pods"),
    ],
)
def test_peers(wide: str, narrow: str, there: bool, back: bool) -> None:  # noqa: FBT001 - columns
    rules = [{"from": [yaml.safe_load(peer)]} for peer in (wide, narrow)]
    policy = snapshot_of({"policies": {"a/p": {"podSelector": {}, "ingress": rules}}}).policies[0]
    one, other = (rule.peers[0] for rule in policy.rules)
    assert (covers_peer(one, other), covers_peer(other, one)) == (there, back)
    assert (covers_rule(*policy.rules), covers_rule(*reversed(policy.rules))) == (there, back)


def test_peers_that_depend_on_the_subject_or_cannot_be_read_cover_themselves_alone() -> None:
    same, all_pods = Peer(same_labels=("team",)), Peer(namespace_selector=LabelSelector())
    odd = Peer(unreadable="odd")
    assert covers_peer(same, same)
    assert not covers_peer(all_pods, same)
    assert not covers_peer(same, all_pods)
    assert not covers_peer(odd, all_pods)
    assert not covers_peer(all_pods, odd)


@pytest.mark.parametrize(
    ("wide", "narrow", "covered"),
    [
        pytest.param("", "app=web", True, id="no label asked for"),
        pytest.param("app=web", "app=web,tier=front", True, id="one of the two"),
        pytest.param("app=web,tier=front", "app=web", False, id="one more"),
        pytest.param("app=web", "", False, id="one against none"),
    ],
)
def test_selectors(wide: str, narrow: str, covered: bool) -> None:  # noqa: FBT001 - a column
    assert covers_selector(parse_selector(wide), parse_selector(narrow)) is covered


def test_a_selector_that_is_absent_asks_for_nothing() -> None:
    assert covers_selector(None, None)
    assert not covers_selector(parse_selector("app=web"), None)
