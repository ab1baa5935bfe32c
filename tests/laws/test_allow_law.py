"""What `allow` prints opens the connection, nothing else, and no part of it can be left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import assume, given
from hypothesis import strategies as st

from kubectl_netpol.allow.label_choice import TRANSIENT
from kubectl_netpol.allow.minimal import AllowOptions, minimal_policies
from kubectl_netpol.analysis.changes import changes_between
from kubectl_netpol.connection.predict import predict
from kubectl_netpol.connection.resolve import parse_reference, resolve_destination, resolve_source
from kubectl_netpol.connection.routes import request
from kubectl_netpol.engine.verdict import Verdict
from kubectl_netpol.errors import NetpolError
from kubectl_netpol.model.policies import Direction, Peer, Policy, Rule
from kubectl_netpol.model.ports import PortRange
from kubectl_netpol.model.selectors import LabelSelector
from tests.support.clusters import NAMESPACES, clusters, read
from tests.support.clusters import policy as policy_of
from tests.support.lawful import lawful

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_netpol.connection.routes import Request
    from kubectl_netpol.model.snapshot import Snapshot
    from tests.support.clusters import Feature

WITHOUT: dict[Feature, str] = {
    "tiers": "no NetworkPolicy changes what they decide",
    "other policies": "no NetworkPolicy changes what they decide",
    "unread namespaces": "what is unknown may stay unknown",
}


@st.composite
def questions(draw: st.DrawFn) -> tuple[Snapshot, Request]:
    """Most pods are isolated, and most questions are between two of them.

    No end is a pod that can't connect, or one on the host network: a rule for that has its node's addresses, of which
    one may be enough. Nor is it a Service's endpoint that is no pod, or a source outside that dials a Service: whether
    a plugin sees its address stays open.
    """
    objects = draw(clusters(pods=(2, 6), policies=2, without=WITHOUT))
    shut = draw(st.sampled_from(((), ("Ingress",), ("Egress",), ("Ingress", "Egress"), ("Ingress", "Egress"))))
    denied = [policy_of(name, "deny", {"podSelector": {}, "policyTypes": [*shut]}) for name in NAMESPACES if shut]
    snapshot = read([*objects, *denied])
    usable = [pod for pod in snapshot.pods if pod.ips and not pod.finished and not pod.host_network]
    pods = [f"{pod.namespace}/pod/{pod.name}" for pod in usable]
    assume(len(pods) > 1)
    services = [f"{service.namespace}/svc/{service.name}" for service in snapshot.services]
    one, other = draw(st.permutations(pods))[:2]
    one = draw(st.sampled_from((one, one, one, "198.51.100.7")))
    there = (other,) if one == "198.51.100.7" else (other, *services, "198.51.100.7", "10.0.0.99")
    source = resolve_source(snapshot, parse_reference(one, "a"))
    destination = resolve_destination(snapshot, parse_reference(draw(st.sampled_from(there)), "a"))
    protocol = draw(st.sampled_from(("TCP", "TCP", "UDP")))
    asked = request(snapshot, source, destination, draw(st.sampled_from((80, 80, 8080))), protocol)
    behind = [route.destination.pod for route in asked.routes]
    assume(behind and source.pod not in behind and not any(pod and pod.host_network for pod in behind))
    assume(not asked.service or all(behind))
    return snapshot, asked


def without_a_part(policy: Policy) -> Iterator[Policy]:
    """The policy with one peer, one port or a whole rule less; an emptied list would mean everyone."""
    for index, rule in enumerate(policy.rules):
        rest = [*policy.rules[:index], *policy.rules[index + 1 :]]
        yield policy._replace(rules=tuple(rest))
        for peer in rule.peers if len(rule.peers) > 1 else ():
            fewer = tuple(other for other in rule.peers if other != peer)
            yield policy._replace(rules=(*rest, rule._replace(peers=fewer)))
        for port in rule.ports if len(rule.ports) > 1 else ():
            left = tuple(other for other in rule.ports if other != port)
            yield policy._replace(rules=(*rest, rule._replace(ports=left)))


@lawful(200)
@given(questions())
def test_what_is_printed_opens_it_and_no_part_of_it_can_go(question: tuple[Snapshot, Request]) -> None:
    snapshot, asked = question
    prediction = predict(snapshot, asked)
    try:
        minimal = minimal_policies(snapshot, [prediction], AllowOptions())
    except NetpolError as error:
        assert "no stable label" in error.message  # noqa: PT017 - whether it is raised depends on the cluster
        assume(condition=False)
        return
    assert bool(minimal.policies) is (prediction.verdict is not Verdict.ALLOWED)
    after = snapshot.with_policies([*snapshot.policies, *minimal.policies])
    assert predict(after, asked).verdict is Verdict.ALLOWED
    noted = any("no label distinguishes" in note for note in minimal.notes)
    assert noted or not changes_between(snapshot, after).closes, "only what is isolated already gets a policy"
    for index, policy in enumerate(minimal.policies):
        others = [*minimal.policies[:index], *minimal.policies[index + 1 :]]
        for less in (None, *without_a_part(policy)):
            left = snapshot.with_policies([*snapshot.policies, *others, *([less] if less else [])])
            assert predict(left, asked).verdict is not Verdict.ALLOWED, (policy, less)
    chosen = [(policy.namespace, policy.pod_selector, policy.directions[0]) for policy in minimal.policies]
    for change in changes_between(snapshot, after).opens:
        assert change.ports.first in {route.port for route in asked.routes}
        members = {Direction.EGRESS: change.sources, Direction.INGRESS: change.destinations}
        for namespace, selector, direction in chosen:
            for member in members[direction]:
                found = snapshot.pod(*member.title.split("/", 1))
                if found and any(cause.direction is direction for cause in change.because):
                    assert found.namespace == namespace
                    assert selector.matches(found.labels)


@lawful(200)
@given(questions())
def test_it_selects_by_labels_that_outlive_the_pods(question: tuple[Snapshot, Request]) -> None:
    """The next rollout changes a pod-template-hash: a policy by it would select nothing any more."""
    snapshot, asked = question
    try:
        minimal = minimal_policies(snapshot, [predict(snapshot, asked)], AllowOptions(forced=tuple(Direction)))
    except NetpolError:
        assume(condition=False)
        return
    selectors = [
        selector
        for policy in minimal.policies
        for selector in (policy.pod_selector, *(peer.pod_selector for rule in policy.rules for peer in rule.peers))
        if selector
    ]
    assert not {item.key for selector in selectors for item in selector.requirements} & TRANSIENT


def test_taking_parts_away_takes_each_peer_each_port_and_the_rule() -> None:
    peers = (Peer(None, LabelSelector()), Peer(LabelSelector()))
    port = PortRange("TCP", 80, 80)
    policy = Policy("a", "p", LabelSelector(), (Direction.INGRESS,), (Rule(Direction.INGRESS, 0, peers, (port,)),))
    assert len(list(without_a_part(policy))) == len(("the rule", *peers))
