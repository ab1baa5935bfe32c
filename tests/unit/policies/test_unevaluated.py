"""Policies that can override NetworkPolicy: which pods they may select, and in which directions."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.fields import BadField
from kubectl_netpol.model.policies import Direction, UnevaluatedPolicy
from kubectl_netpol.model.selectors import LabelSelector, Operator, Requirement, parse_selector
from kubectl_netpol.policies.unevaluated import calico_selector, read_unevaluated

IN, NOT_IN = Operator.IN, Operator.NOT_IN
INGRESS, EGRESS = Direction.INGRESS, Direction.EGRESS
BOTH = (INGRESS, EGRESS)
APP = {"matchLabels": {"app": "web"}}
NOTHING = LabelSelector((Requirement("kubernetes.io/metadata.name", IN),))


@pytest.mark.parametrize(
    ("kind", "spec", "found"),
    [
        pytest.param(
            "AdminNetworkPolicy",
            {"subject": {"namespaces": APP}, "ingress": [{}]},
            UnevaluatedPolicy("AdminNetworkPolicy", None, "p", (INGRESS,), parse_selector("app=web")),
            id="an AdminNetworkPolicy of namespaces, with ingress rules",
        ),
        pytest.param(
            "AdminNetworkPolicy",
            {"subject": {"pods": {"namespaceSelector": {}, "podSelector": APP}}, "egress": [{}], "ingress": []},
            UnevaluatedPolicy("AdminNetworkPolicy", None, "p", (EGRESS,), LabelSelector(), parse_selector("app=web")),
            id="an AdminNetworkPolicy of pods, with egress rules",
        ),
        pytest.param(
            "BaselineAdminNetworkPolicy",
            {"subject": {"namespaces": {}}, "ingress": [{}], "egress": [{}]},
            UnevaluatedPolicy("BaselineAdminNetworkPolicy", None, "p", BOTH, LabelSelector(), after=True),
            id="a BaselineAdminNetworkPolicy applies after NetworkPolicies",
        ),
        pytest.param(
            "ClusterNetworkPolicy",
            {"tier": "Baseline", "subject": {"namespaces": {}}, "ingress": [{}]},
            UnevaluatedPolicy("ClusterNetworkPolicy", None, "p", (INGRESS,), LabelSelector(), after=True),
            id="a ClusterNetworkPolicy of the Baseline tier does too",
        ),
        pytest.param(
            "ClusterNetworkPolicy",
            {"tier": "Admin", "subject": {"namespaces": {}}, "ingress": [{}]},
            UnevaluatedPolicy("ClusterNetworkPolicy", None, "p", (INGRESS,), LabelSelector()),
            id="a ClusterNetworkPolicy of the Admin tier does not",
        ),
        pytest.param(
            "CiliumNetworkPolicy",
            {"endpointSelector": APP, "ingressDeny": []},
            UnevaluatedPolicy("CiliumNetworkPolicy", "shop", "p", (INGRESS,), None, parse_selector("app=web")),
            id="a Cilium policy with an empty list of denies",
        ),
        pytest.param(
            "CiliumNetworkPolicy",
            {"endpointSelector": {"matchLabels": {"k8s:app": "a", "any:v": "1"}}, "egress": [{}]},
            UnevaluatedPolicy("CiliumNetworkPolicy", "shop", "p", (EGRESS,), None, parse_selector("app=a,v=1")),
            id="Cilium's sources of labels are left out",
        ),
        pytest.param(
            "CiliumNetworkPolicy",
            {"endpointSelector": {"matchExpressions": [{"key": "k8s:app", "operator": "Exists"}]}, "egress": [{}]},
            UnevaluatedPolicy("CiliumNetworkPolicy", "shop", "p", (EGRESS,), None, parse_selector("app")),
            id="Cilium's sources of labels are left out in expressions",
        ),
        pytest.param(
            "CiliumNetworkPolicy",
            {"endpointSelector": {"matchLabels": {"reserved:host": ""}}, "egress": [{}]},
            UnevaluatedPolicy("CiliumNetworkPolicy", "shop", "p", (EGRESS,)),
            id="with another source it may select any pod of its namespace",
        ),
        pytest.param(
            "CiliumNetworkPolicy",
            {"endpointSelector": {"matchLabels": {"io.kubernetes.pod.namespace": "lab"}}, "egress": [{}]},
            UnevaluatedPolicy("CiliumNetworkPolicy", "shop", "p", (EGRESS,), None, LabelSelector()),
            id="a namespaced Cilium policy ignores a namespace in its selector",
        ),
        pytest.param(
            "CiliumClusterwideNetworkPolicy",
            {
                "endpointSelector": {
                    "matchLabels": {
                        "app": "web",
                        "k8s:io.kubernetes.pod.namespace": "lab",
                        "io.cilium.k8s.namespace.labels.team": "x",
                    }
                },
                "ingress": [{}],
            },
            UnevaluatedPolicy(
                "CiliumClusterwideNetworkPolicy",
                None,
                "p",
                (INGRESS,),
                parse_selector("kubernetes.io/metadata.name=lab,team=x"),
                parse_selector("app=web"),
            ),
            id="a cluster-wide Cilium policy selects namespaces by name and by label",
        ),
        pytest.param(
            "CiliumClusterwideNetworkPolicy",
            {"nodeSelector": {}, "ingress": [{}]},
            UnevaluatedPolicy("CiliumClusterwideNetworkPolicy", None, "p", (INGRESS,), None, NOTHING, nodes=True),
            id="a cluster-wide Cilium policy with a nodeSelector selects nodes and no pod",
        ),
        pytest.param(
            "CiliumNetworkPolicy",
            {},
            UnevaluatedPolicy("CiliumNetworkPolicy", "shop", "p", BOTH),
            id="a Cilium policy without endpointSelector may select any pod of its namespace",
        ),
        pytest.param(
            "CalicoNetworkPolicy",
            {"selector": "app == 'web'", "egress": [{}]},
            UnevaluatedPolicy("CalicoNetworkPolicy", "shop", "p", (EGRESS,), None, parse_selector("app=web")),
            id="a Calico policy without types has the directions of its rules",
        ),
        pytest.param(
            "CalicoNetworkPolicy",
            {"types": ["Ingress", "Egress"]},
            UnevaluatedPolicy("CalicoNetworkPolicy", "shop", "p", BOTH),
            id="a Calico policy with types",
        ),
        pytest.param(
            "CalicoNetworkPolicy",
            {},
            UnevaluatedPolicy("CalicoNetworkPolicy", "shop", "p", (INGRESS,)),
            id="a Calico policy without types and rules is for ingress",
        ),
        pytest.param(
            "GlobalNetworkPolicy",
            {"namespaceSelector": "team == 'x'", "selector": "app == 'web'", "types": ["Ingress"]},
            UnevaluatedPolicy(
                "GlobalNetworkPolicy",
                None,
                "p",
                (INGRESS,),
                parse_selector("team=x"),
                parse_selector("app=web"),
                nodes=True,
            ),
            id="a global Calico policy can select nodes",
        ),
        *(
            pytest.param(
                "GlobalNetworkPolicy",
                {"selector": "has(host)", "types": ["Ingress"], field: True},
                UnevaluatedPolicy("GlobalNetworkPolicy", None, "p", (INGRESS,), nodes=True),
                id=f"a Calico policy with {field} may apply to any pod",
            )
            for field in ("applyOnForward", "preDNAT", "doNotTrack")
        ),
    ],
)
def test_what_a_policy_may_select_and_in_which_directions(
    kind: str, spec: dict[str, Any], found: UnevaluatedPolicy
) -> None:
    assert read_unevaluated(kind, {"spec": spec}, "p", "shop") == found


def test_several_specs_of_a_cilium_policy_may_select_anything_in_its_scope() -> None:
    item = {"specs": [{"endpointSelector": APP}]}
    namespaced = read_unevaluated("CiliumNetworkPolicy", item, "p", "shop")
    assert namespaced == UnevaluatedPolicy("CiliumNetworkPolicy", "shop", "p", BOTH)
    wide = read_unevaluated("CiliumClusterwideNetworkPolicy", item, "p", "shop")
    assert wide == UnevaluatedPolicy("CiliumClusterwideNetworkPolicy", None, "p", BOTH, nodes=True)


def test_calicos_copy_of_a_network_policy_is_left_out() -> None:
    assert read_unevaluated("CalicoNetworkPolicy", {"spec": {}}, "knp.default.p", "shop") is None


@pytest.mark.parametrize("kind", ["AdminNetworkPolicy", "CiliumNetworkPolicy", "CalicoNetworkPolicy"])
def test_a_spec_that_is_not_an_object_is_an_error(kind: str) -> None:
    with pytest.raises(BadField) as caught:
        read_unevaluated(kind, {"spec": []}, "p", "shop")
    assert str(caught.value) == "spec: expected an object, got a list"


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param({"namespaces": {"matchLabels": {"a b": "c"}}}, id="an invalid label key"),
        pytest.param({"namespaces": {"matchLabels": []}}, id="a list of labels"),
        pytest.param(
            {"pods": {"namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "Like"}]}, "podSelector": 3}},
            id="an unknown operator and a number",
        ),
        pytest.param({}, id="neither namespaces nor pods"),
        pytest.param(None, id="null"),
    ],
)
def test_a_subject_that_can_t_be_read_may_be_anything(subject: object) -> None:
    item = {"spec": {"subject": subject, "ingress": [{}]}}
    found = read_unevaluated("AdminNetworkPolicy", item, "a", None)
    assert found
    assert (found.namespace_selector, found.pod_selector) == (None, None)


@pytest.mark.parametrize(
    ("text", "requirements"),
    [
        pytest.param("app == 'web'", [("app", IN, ("web",))], id="equals"),
        pytest.param('app == "web"', [("app", IN, ("web",))], id="equals, in double quotes"),
        pytest.param(
            "app=='' && has(a.b/c-d)", [("app", IN, ("",)), ("a.b/c-d", Operator.EXISTS, ())], id="an empty value; has"
        ),
        pytest.param(
            "app != 'x'&&!has( tier )",
            [("app", NOT_IN, ("x",)), ("tier", Operator.DOES_NOT_EXIST, ())],
            id="not equal; has not",
        ),
    ],
)
def test_a_plain_conjunction_of_calico(text: str, requirements: list[tuple[str, Operator, tuple[str, ...]]]) -> None:
    assert calico_selector(text) == LabelSelector(tuple(Requirement(*entry) for entry in requirements))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(None, id="no selector"),
        pytest.param(7, id="a number"),
        pytest.param("", id="an empty selector"),
        pytest.param(" all() ", id="all()"),
        pytest.param("global()", id="global()"),
        pytest.param("app in {'a'}", id="a set"),
        pytest.param("app == 'a' || app == 'b'", id="a disjunction"),
        pytest.param("(app == 'a')", id="parentheses"),
        pytest.param("app == 'a && b'", id="&& in quotes"),
        pytest.param("projectcalico.org/name == 'x'", id="a label of Calico's own"),
        pytest.param("pcns.team == 'x'", id="a label of the namespace"),
        pytest.param("has(pcsa.role)", id="a label of the service account"),
    ],
)
def test_the_rest_of_calicos_grammar_may_select_anything(text: object) -> None:
    assert calico_selector(text) is None
