"""What `allow` says on stderr of its policies, tried on manifests: what they cut off, open and can't show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from tests.support.allow_manifests import DEEP, DENIED, ENDS, NODE_LOCAL, REAL_DNS, blocks, written
from tests.support.running import EXAMPLES, SHOP, allow, egress, labels

if TYPE_CHECKING:
    from pathlib import Path

ADMIN = """
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: admin}
spec: {priority: 1, subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}]}]}
"""


def test_the_dns_rule_of_labels_is_that_of_the_manifests(tmp_path: Path) -> None:
    ran = allow(f"--egress --dns --from app=db -n b {written(tmp_path, 'deep.yaml', DEEP)}")
    assert ran.specs == [egress(REAL_DNS, **labels(app="db"))]
    assert "assumed" not in ran.err


def test_a_note_on_the_dns_rule_is_there_once(tmp_path: Path) -> None:
    files = written(tmp_path, "ends.yaml", ENDS, DENIED, NODE_LOCAL)
    ran = allow(f"--egress --dns --from run=san -n a {files}")
    assert ran.specs[0]["egress"][0]["to"][1:] == blocks("169.254.20.10/32")
    assert ran.err.count("note: a node-local DNS cache runs here") == 1


def test_who_loses_access_is_named(tmp_path: Path) -> None:
    manifests = tmp_path / "shop.yaml"
    kept = [
        item for item in yaml.safe_load_all((EXAMPLES / "shop.yaml").read_text()) if item["kind"] != "NetworkPolicy"
    ]
    manifests.write_text(yaml.safe_dump_all(kept))
    line = f"--from run=san --to run=nginx --port 80 -n shop -f {manifests}"
    ran = allow(line)
    assert ran.status == 0
    assert (
        "warning: isolates shop/nginx for ingress: shop/cart and everything outside the cluster lose access" in ran.err
    )
    strict = allow(line, "--strict")
    assert (strict.status, strict.out) == (2, "")
    assert "--strict: isolates shop/nginx for ingress: shop/cart and everything outside" in strict.err


def test_nothing_is_cut_off_where_it_was_isolated_already() -> None:
    ran = allow("--from run=san --to run=nginx --port 80 --strict", *SHOP)
    assert ran.status == 0
    assert "nothing is cut off" in ran.err
    assert "opens shop/san -> shop/nginx: port 80" in ran.err


@pytest.mark.parametrize(
    ("line", "text"),
    [
        pytest.param("--from run=san --to run=ngnix --port 80", "selects no pod", id="a misspelt subject"),
        pytest.param("--from run=sam --to run=nginx --port 80", "run=sam", id="a misspelt peer"),
        pytest.param(
            "--from run=san --to run=nginx --name deny-all-ingress",
            "exists with another spec",
            id="a name that is taken",
        ),
        pytest.param("--egress --dns --from run=san", "no DNS Service was read", id="no DNS Service"),
    ],
)
def test_the_proof_names_likely_mistakes(line: str, text: str) -> None:
    assert text in allow(line, *SHOP).err


def test_a_policy_that_isolates_and_cuts_nothing_off_says_so(tmp_path: Path) -> None:
    ran = allow(f"--egress --from run=san --to-any --strict -n a {written(tmp_path, 'ends.yaml', ENDS)}")
    assert ran.status == 0
    assert "note: isolates a/san for egress: no existing access is lost" in ran.err


def test_a_policy_of_another_kind_that_may_override_is_a_warning_and_an_error_with_strict(tmp_path: Path) -> None:
    line = f"--from run=san --to run=web --port 8080 -n a {written(tmp_path, 'all.yaml', ENDS, DENIED, '---', ADMIN)}"
    ran = allow(line)
    assert ran.status == 0
    assert "warning: incomplete: AdminNetworkPolicy admin" in ran.err
    strict = allow(f"{line} --strict")
    assert (strict.status, strict.out) == (2, "")
    assert "--strict: incomplete: AdminNetworkPolicy admin" in strict.err
