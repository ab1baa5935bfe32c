"""`allow SOURCE DESTINATION PORT`: nothing where it is allowed already, and nothing that can't be proved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.allow_manifests import DEEP, DENIED, ENDS, FRONT, written
from tests.support.running import EXAMPLES, SHOP, allow, labels

if TYPE_CHECKING:
    from pathlib import Path

ADMIN = """
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: admin}
spec: {priority: 1, subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}]}]}
"""


@pytest.fixture
def deep(tmp_path: Path) -> str:
    return written(tmp_path, "deep.yaml", DEEP)


@pytest.fixture
def ends(tmp_path: Path) -> str:
    return f"-n a {written(tmp_path, 'ends.yaml', ENDS, DENIED)}"


@pytest.fixture
def undenied(tmp_path: Path) -> str:
    return f"-n a {written(tmp_path, 'undenied.yaml', ENDS)}"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param("san ngnix 80", 'no Service, pod or workload "ngnix" in namespace shop', id="a misspelt name"),
        pytest.param(
            "san nginx 80 --name deny-all-ingress",
            "policy shop/deny-all-ingress exists with another spec",
            id="a name that is taken",
        ),
        pytest.param("san nginx 80 --name No", 'invalid policy name "No"', id="an invalid policy name"),
    ],
)
def test_what_is_refused(line: str, message: str) -> None:
    ran = allow(line, *SHOP)
    assert (ran.status, ran.out) == (2, "")
    assert message in ran.err


def test_nothing_is_printed_where_it_is_allowed_already(tmp_path: Path) -> None:
    files = written(
        tmp_path, "all.yaml", (EXAMPLES / "shop.yaml").read_text(), "---\n", allow("san nginx 80", *SHOP).out
    )
    ran = allow(f"san nginx 80 -n shop {files}")
    assert (ran.status, ran.out) == (0, "")
    assert "shop/allow-run-san-to-run-nginx-80 ingress[0] lets it in" in ran.err
    assert "nothing isolates shop/san for egress" in ran.err
    again = allow(f"san nginx 80 --always -n shop {files}")
    assert len(again.objects) == 1
    assert "exists already, with the same content" in again.err


def test_what_opens_besides_is_a_warning_and_an_error_with_strict(deep: str) -> None:
    ran = allow(f"b/db-0 a/svc/web 80 {deep}")
    assert "note: no label distinguishes b/db-0 from b/db-backup: the policy matches them too" in ran.err
    assert "warning: this also opens what was not asked for: b/db-backup -> a/deploy/web: port 8080" in ran.err
    strict = allow(f"b/db-0 a/svc/web 80 --strict {deep}")
    assert (strict.status, strict.out) == (2, "")
    assert "--strict: it also opens b/db-backup" in strict.err


def test_a_workload_that_reaches_itself(deep: str) -> None:
    ran = allow(f"a/deploy/web a/deploy/web 7000 {deep}")
    out, into = ran.specs
    ports = [{"protocol": "TCP", "port": 7000}]
    assert out == {**FRONT, "policyTypes": ["Egress"], "egress": [{"to": [FRONT], "ports": ports}]}
    assert into == {**FRONT, "policyTypes": ["Ingress"], "ingress": [{"from": [FRONT], "ports": ports}]}


def test_a_pod_without_stable_labels_can_not_be_selected(deep: str) -> None:
    ran = allow(f"b/bare a/web 80 {deep}")
    assert (ran.status, ran.out) == (2, "")
    assert "b/bare: no stable label to select by" in ran.err


def test_a_pod_that_waits_for_its_address_is_printed_only_on_purpose(ends: str) -> None:
    ran = allow(f"waiting web 80 {ends}")
    assert (ran.status, ran.out) == (2, "")
    assert "has no address yet" in ran.err
    assert "with --always a policy is printed anyway" in ran.err
    always = allow(f"waiting web 80 --always {ends}")
    assert [spec["podSelector"] for spec in always.specs] == [
        labels(run=run)["podSelector"] for run in ("waiting", "web")
    ]
    assert "has no address yet" in always.err


def test_where_nothing_isolates_a_policy_is_printed_only_on_purpose(undenied: str) -> None:
    ran = allow(f"san web 80 {undenied}")
    assert (ran.status, ran.out) == (0, "")
    assert "allowed already on port 80/TCP: nothing isolates a/san for egress; nothing isolates a/web" in ran.err
    assert "a policy would cut off whoever else uses it" in ran.err
    always = allow(f"san web 80 --always {undenied}")
    assert [spec["policyTypes"] for spec in always.specs] == [["Ingress"]]
    assert "isolates a/web for ingress: a/own-dns, a/resolver, a/waiting and everything outside" in always.err
    out = allow(f"san 198.51.100.9 443 --always {undenied}")
    assert [spec["policyTypes"] for spec in out.specs] == [["Egress"]]
    assert "nothing isolates a/san for egress" in allow(f"san 198.51.100.9 443 {undenied}").err
    side = allow(f"san web 80 --egress {undenied}")
    assert [spec["policyTypes"] for spec in side.specs] == [["Egress"]]


def test_where_plugins_may_differ_it_is_a_warning_and_an_error_with_strict(ends: str) -> None:
    ran = allow(f"198.51.100.9 web 80 {ends}")
    assert ran.status == 0
    assert "warning: a/web may see a node's address instead of 198.51.100.9" in ran.err
    assert "opens 198.51.100.9 -> a/web: port 8080" in ran.err
    assert "not asked for" not in ran.err
    strict = allow(f"198.51.100.9 web 80 --strict {ends}")
    assert (strict.status, strict.out) == (2, "")
    assert "without --strict a policy is printed anyway" in strict.err


def test_a_policy_of_another_kind_that_may_override_prevents_the_proof(ends: str, tmp_path: Path) -> None:
    ran = allow(f"san web 80 --no-dns {ends} {written(tmp_path, 'admin.yaml', ADMIN)}")
    assert (ran.status, ran.out) == (2, "")
    assert "AdminNetworkPolicy admin may override" in ran.err
