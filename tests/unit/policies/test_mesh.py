"""Istio's and Linkerd's policies: which pods they may select, and which of them deny a connection in any case."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.fields import BadField
from kubectl_netpol.model.policies import Direction, UnevaluatedPolicy
from kubectl_netpol.model.selectors import parse_selector
from kubectl_netpol.policies.mesh import read_istio, read_linkerd

INGRESS = (Direction.INGRESS,)
FROM_LAB = {"from": [{"source": {"namespaces": ["lab"]}}]}


def istio(spec: Any, namespace: str = "shop") -> UnevaluatedPolicy | None:
    return read_istio("IstioAuthorizationPolicy", {"spec": spec}, "p", namespace)


def of_requests(field: str, inner: str, name: str) -> Any:
    return pytest.param({"action": "DENY", "rules": [{field: [{inner: {name: ["x"]}}]}]}, True, id=f"deny by {name}")


@pytest.mark.parametrize(
    ("spec", "beside"),
    [
        pytest.param({}, False, id="no rules: nothing is allowed"),
        pytest.param({"action": "ALLOW", "rules": []}, False, id="an empty list of rules"),
        pytest.param({"rules": [{}]}, True, id="everything is allowed"),
        pytest.param({"rules": [FROM_LAB]}, True, id="some sources are allowed"),
        pytest.param({"action": "CUSTOM", "provider": {}, "rules": [{}]}, True, id="another server decides"),
        pytest.param({"action": "DENY", "rules": [{}]}, False, id="everything is denied"),
        pytest.param({"action": "BLOCK", "rules": [{}]}, False, id="an action that is not known may deny"),
        pytest.param({"action": "deny", "rules": [{}]}, False, id="an action in lower case"),
        pytest.param({"action": ["DENY"], "rules": [{}]}, False, id="an action that is a list"),
        pytest.param({"action": "DENY", "rules": [FROM_LAB]}, False, id="connections of some sources are denied"),
        pytest.param(
            {"action": "DENY", "rules": [{"to": [{"operation": {"ports": ["80"]}}]}]}, False, id="a port is denied"
        ),
        pytest.param({"action": "DENY", "rules": [{"when": [{"key": "k"}]}]}, True, id="deny when"),
        of_requests("to", "operation", "methods"),
        of_requests("to", "operation", "notMethods"),
        of_requests("to", "operation", "paths"),
        of_requests("to", "operation", "notPaths"),
        of_requests("to", "operation", "hosts"),
        of_requests("to", "operation", "notHosts"),
        of_requests("from", "source", "requestPrincipals"),
        of_requests("from", "source", "notRequestPrincipals"),
        of_requests("from", "source", "remoteIpBlocks"),
        of_requests("from", "source", "notRemoteIpBlocks"),
        pytest.param(
            {"action": "DENY", "rules": [{"to": [{"operation": {"methods": ["GET"]}}]}, FROM_LAB]},
            False,
            id="one of two rules denies connections",
        ),
    ],
)
def test_whether_istio_denies_a_connection_whatever_is_sent(spec: dict[str, Any], beside: bool) -> None:  # noqa: FBT001 - a row
    assert istio(spec) == UnevaluatedPolicy("IstioAuthorizationPolicy", "shop", "p", INGRESS, beside=beside)


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({"action": "AUDIT", "rules": [{}]}, id="one that only audits"),
        pytest.param({"action": "DENY"}, id="one that denies by no rule"),
    ],
)
def test_a_policy_of_istio_that_never_denies_is_left_out(spec: dict[str, Any]) -> None:
    assert istio(spec) is None


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        pytest.param({"matchLabels": {"app": "web"}}, parse_selector("app=web"), id="by labels"),
        pytest.param({}, None, id="an empty one"),
        pytest.param(None, None, id="none"),
        pytest.param({"matchLabels": 3}, None, id="one that can't be read"),
    ],
)
def test_whom_istio_selects(selector: Any, found: object) -> None:
    policy = istio({"selector": selector})
    assert policy
    assert (policy.namespace, policy.pod_selector) == ("shop", found)


def test_istios_policies_of_the_root_namespace_are_for_all() -> None:
    policy = istio({"selector": {"matchLabels": {"app": "web"}}}, "istio-system")
    assert policy
    assert (policy.namespace, policy.pod_selector) == (None, parse_selector("app=web"))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        pytest.param([], "spec: expected an object, got a list", id="the spec"),
        pytest.param({"rules": 3}, "spec.rules: expected a list, got 3", id="the rules"),
        pytest.param(
            {"action": "DENY", "rules": [{"to": [{"operation": 3}]}]},
            "spec.rules.to.operation: expected an object, got 3",
            id="an operation",
        ),
    ],
)
def test_a_field_of_another_type_is_an_error(spec: Any, message: str) -> None:
    with pytest.raises(BadField) as caught:
        istio(spec)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("kind", "spec", "found"),
    [
        pytest.param(
            "LinkerdAuthorizationPolicy",
            {"targetRef": {"kind": "Namespace", "name": "shop"}},
            UnevaluatedPolicy("LinkerdAuthorizationPolicy", "shop", "p", INGRESS, beside=True),
            id="an AuthorizationPolicy allows",
        ),
        pytest.param(
            "Server",
            {"podSelector": {"matchLabels": {"app": "web"}}, "port": 80},
            UnevaluatedPolicy("Server", "shop", "p", INGRESS, pod_selector=parse_selector("app=web")),
            id="a Server denies what nothing allows",
        ),
        pytest.param(
            "Server",
            {"externalWorkloadSelector": {}, "accessPolicy": "deny"},
            UnevaluatedPolicy("Server", "shop", "p", INGRESS),
            id="one without podSelector may be any pod's",
        ),
        pytest.param(
            "Server",
            {"podSelector": {"matchLabels": {"app": "web"}}, "accessPolicy": "all-unauthenticated"},
            UnevaluatedPolicy("Server", "shop", "p", INGRESS, pod_selector=parse_selector("app=web"), beside=True),
            id="a Server that allows the rest",
        ),
        pytest.param(
            "Server",
            {"podSelector": {"matchLabels": {"app": "web"}}, "accessPolicy": "Deny"},
            UnevaluatedPolicy("Server", "shop", "p", INGRESS, pod_selector=parse_selector("app=web")),
            id="a Server with an accessPolicy that is not known",
        ),
    ],
)
def test_what_a_policy_of_linkerd_may_select(kind: str, spec: dict[str, Any], found: UnevaluatedPolicy) -> None:
    assert read_linkerd(kind, {"spec": spec}, "p", "shop") == found
