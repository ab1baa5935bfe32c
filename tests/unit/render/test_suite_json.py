"""The results of a suite as an object. docs/schemas has its form, and tests/docs compares."""

from __future__ import annotations

from typing import Any

from kubectl_netpol.render.suite_json import suite_object
from kubectl_netpol.suite.exercised import unexercised
from kubectl_netpol.suite.judge import Asked, Problem, judge
from tests.support.suites import suite_results
from tests.support.tables import snapshot_of

GOOD, BAD, UNKNOWN, MISSING, TWO = suite_results()


def test_counts_and_checks_in_order() -> None:
    found = suite_object([GOOD, BAD, UNKNOWN, MISSING, TWO], None)
    assert (found["apiVersion"], found["kind"]) == ("netpol/v1", "SuiteResult")
    assert found["counts"] == {"asExpected": 1, "notAsExpected": 2, "cantTell": 2}
    assert [
        (check["name"], check["file"], check["line"], check["expect"], check["result"]) for check in found["checks"]
    ] == [
        ("good", "s.yaml", 4, "open", "as-expected"),
        ("bad", "s.yaml", 5, "open", "not-as-expected"),
        ("unknown", "s.yaml", 6, "blocked", "cant-tell"),
        ("missing", "t.yaml", 7, "open", "cant-tell"),
        ("two", "t.yaml", 8, "open", "not-as-expected"),
    ]
    assert [len(check["connections"]) for check in found["checks"]] == [1, 1, 1, 0, 2]
    assert "unexercised" not in found


def test_a_connection_has_its_result_and_what_test_says() -> None:
    (check,) = suite_object([UNKNOWN], None)["checks"]
    (connection,) = check["connections"]
    assert (connection["result"], connection["reason"]["code"], connection["listening"]) == (
        "cant-tell",
        "no-control",
        None,
    )
    assert connection["test"]["finding"]["code"] == "blocked-by-policy"
    assert suite_object([BAD], None)["checks"][0]["connections"][0]["listening"] is True


def test_a_check_that_could_not_be_asked_says_why() -> None:
    assert suite_object([MISSING], None)["checks"][0]["reason"] == {
        "code": "not-asked",
        "message": 'no pod or workload "sam" in namespace shop (did you mean san?)',
    }
    without = judge([Asked(MISSING.check, problem=Problem("no pods"))], live=True)
    assert suite_object(without, None)["checks"][0]["reason"] == {"code": "not-asked", "message": "no pods"}


def test_rules_that_no_check_exercises() -> None:
    cluster: dict[str, Any] = {
        "pods": {"shop/web": {"ip": "10.0.0.1"}},
        "policies": {"shop/in": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "egress": [{}]}},
    }
    assert suite_object([], unexercised(snapshot_of(cluster), ()))["unexercised"] == [
        {"namespace": "shop", "name": "in", "direction": "egress", "rule": 0},
        {"namespace": "shop", "name": "in", "direction": "ingress", "rule": None},
    ]
    own = {"plugin": "Cilium", "live": True, "pods": cluster["pods"], "cilium": {"p": {"ingress": [{}]}}}
    assert suite_object([], unexercised(snapshot_of(own), ()))["unexercised"] == [
        {
            "namespace": None,
            "name": "p",
            "kind": "CiliumClusterwideNetworkPolicy",
            "group": "cilium.io",
            "direction": None,
            "rule": None,
        }
    ]
