"""A policy as typed, and what is found for it."""

from __future__ import annotations

import pytest

from kubectl_netpol.connection.policy_reference import find_policy, parse_policy_reference
from kubectl_netpol.errors import NetpolError
from kubectl_netpol.model.policies import Policy
from kubectl_netpol.model.selectors import LabelSelector
from kubectl_netpol.model.snapshot import Gap, Snapshot
from tests.support.tables import snapshot_of

CNP = ("ClusterNetworkPolicy", "AmazonClusterNetworkPolicy", "CiliumNetworkPolicy", "CalicoNetworkPolicy")


@pytest.mark.parametrize(
    ("typed", "namespace", "name", "kinds"),
    [
        pytest.param("netpol/web", "shop", "web", ("NetworkPolicy",), id="the alias of kubectl"),
        pytest.param("lab/networkpolicies/web", "lab", "web", ("NetworkPolicy",), id="with a namespace"),
        pytest.param("NetworkPolicy.networking.k8s.io/web", "shop", "web", ("NetworkPolicy",), id="with its group"),
        pytest.param(
            "networkpolicy.projectcalico.org/web", "shop", "web", ("CalicoNetworkPolicy",), id="of another group"
        ),
        pytest.param("cnp/web", "shop", "web", CNP, id="a short name of four kinds"),
        pytest.param("anp/a", "shop", "a", ("AdminNetworkPolicy",), id="a short name of one"),
    ],
)
def test_what_is_typed(typed: str, namespace: str, name: str, kinds: tuple[str, ...]) -> None:
    found = parse_policy_reference(typed, "shop")
    assert found
    assert (found.namespace, found.name) == (namespace, name)
    assert set(found.kinds) == set(kinds)


@pytest.mark.parametrize("typed", ["web", "pod/web", "lab/web", "netpol/", "a/b/netpol/web", "netpol"])
def test_what_is_no_policy(typed: str) -> None:
    assert parse_policy_reference(typed, "shop") is None


def policy(name: str, namespace: str = "shop", kind: str = "NetworkPolicy") -> Policy:
    return Policy(namespace, name, LabelSelector(), (), kind=kind)


POLICIES = [
    policy("web"),
    policy("web", "lab"),
    policy("same", "", "ClusterNetworkPolicy"),
    policy("same", "shop", "CiliumNetworkPolicy"),
    *(policy(f"p{number}", "many") for number in range(7)),
]


def find(typed: str, snapshot: Snapshot | None = None) -> Policy:
    reference = parse_policy_reference(typed, "shop")
    assert reference
    return find_policy(snapshot or Snapshot(), POLICIES, reference)


def test_it_is_found_in_its_namespace() -> None:
    assert find("netpol/web") is POLICIES[0]
    assert find("lab/netpol/web") is POLICIES[1]
    assert find("ciliumnetworkpolicy/same") is POLICIES[3]


@pytest.mark.parametrize(
    ("typed", "message", "hint"),
    [
        pytest.param("netpol/wep", 'no NetworkPolicy "wep" in namespace shop', "did you mean web?", id="a slip"),
        pytest.param("netpol/x", 'no NetworkPolicy "x" in namespace shop', "found: web", id="the others"),
        pytest.param(
            "many/netpol/x",
            'no NetworkPolicy "x" in namespace many',
            "found: p0, p1, p2, p3, p4 and 2 more",
            id="many others",
        ),
        pytest.param(
            "none/netpol/x",
            'no NetworkPolicy "x" in namespace none',
            "kubectl get netpol -A lists all",
            id="no others",
        ),
        pytest.param(
            "anp/x",
            'no AdminNetworkPolicy "x"',
            "kubectl get adminnetworkpolicies.policy.networking.k8s.io lists all",
            id="a kind without namespaces",
        ),
        pytest.param("cnp/same", '"cnp/same" is ambiguous: ', "write the kind with its group", id="of two kinds"),
    ],
)
def test_what_is_not_found(typed: str, message: str, hint: str) -> None:
    with pytest.raises(NetpolError) as caught:
        find(typed)
    assert str(caught.value).startswith(message)
    assert (caught.value.hint or "").startswith(hint)


def test_a_list_that_is_forbidden_is_the_reason() -> None:
    with pytest.raises(NetpolError, match='can\'t look up NetworkPolicy "x": you may not'):
        find("netpol/x", Snapshot(gaps=[Gap("networkpolicies", "shop", "you may not")]))


def test_one_whose_rules_are_not_evaluated() -> None:
    from kubectl_netpol.model.policies import UnevaluatedPolicy  # noqa: PLC0415 - only here

    snapshot = Snapshot(unevaluated=[UnevaluatedPolicy("AntreaClusterNetworkPolicy", None, "wide")])
    with pytest.raises(NetpolError, match=r"the rules of clusternetworkpolicy\.crd\.antrea\.io/wide are not evaluated"):
        find("acnp/wide", snapshot)


def test_one_of_a_tier_that_the_plugin_does_not_evaluate() -> None:
    snapshot = Snapshot(tiered=[policy("a", "", "AdminNetworkPolicy")])
    with pytest.raises(NetpolError, match=r"the rules of adminnetworkpolicy\.policy\.networking\.k8s\.io/a are not"):
        find("anp/a", snapshot)


@pytest.mark.parametrize(
    ("plugin", "typed", "message", "hint"),
    [
        pytest.param(
            "Cilium",
            "cnp/x",
            'no CiliumNetworkPolicy "x" in namespace shop',
            "kubectl get ciliumnetworkpolicies.cilium.io -A lists all",
            id="Cilium's",
        ),
        pytest.param(
            "Calico",
            "cnp/x",
            'no NetworkPolicy "x" in namespace shop',
            "kubectl get networkpolicies.projectcalico.org -A lists all",
            id="Calico's",
        ),
        pytest.param("Calico", "banp/x", 'no BaselineAdminNetworkPolicy "x"', None, id="none of its own"),
    ],
)
def test_of_several_kinds_that_of_the_plugin_is_meant(plugin: str, typed: str, message: str, hint: str | None) -> None:
    reference = parse_policy_reference(typed, "shop")
    assert reference
    with pytest.raises(NetpolError) as caught:
        find_policy(Snapshot(plugin=plugin), [], reference)
    assert str(caught.value) == message
    assert hint in (None, caught.value.hint)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        pytest.param(
            "gnp/z",
            "globalnetworkpolicy.projectcalico.org/z is for host endpoints alone (doNotTrack or preDNAT): "
            "it never applies to a pod",
            id="one with doNotTrack",
        ),
        pytest.param("cnp/z", 'no NetworkPolicy "z" in namespace shop', id="of another kind"),
        pytest.param("gnp/x", 'no GlobalNetworkPolicy "x"', id="of another name"),
    ],
)
def test_a_policy_of_calico_for_hosts_alone_is_there_and_selects_no_pod(typed: str, message: str) -> None:
    snapshot = snapshot_of({"calico": {"gnp/z": {"doNotTrack": True, "applyOnForward": True}, "gnp/y": {}}})
    reference = parse_policy_reference(typed, "shop")
    assert reference
    with pytest.raises(NetpolError) as caught:
        find_policy(snapshot, [], reference)
    assert str(caught.value) == message
