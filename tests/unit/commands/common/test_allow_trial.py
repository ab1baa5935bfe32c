"""What `allow` says on stderr of its policies, tried on manifests: what they cut off, open and can't show."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.support.allow_manifests import DEEP, DENIED, ENDS, NODE_LOCAL, REAL_DNS, blocks, written
from tests.support.running import EXAMPLES, SHOP, Ran, allow, egress, ingress, labels, named, run
from tests.support.tables import objects

if TYPE_CHECKING:
    from pathlib import Path

UNEVALUATED = """
apiVersion: crd.antrea.io/v1beta1
kind: ClusterNetworkPolicy
metadata: {name: wide}
spec: {appliedTo: [{podSelector: {}}], ingress: [{}]}
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
    files = written(tmp_path, "all.yaml", ENDS, DENIED, "---", UNEVALUATED)
    line = f"--from run=san --to run=web --port 8080 -n a {files}"
    ran = allow(line)
    assert ran.status == 0
    assert "warning: incomplete: clusternetworkpolicy.crd.antrea.io/wide" in ran.err
    strict = allow(f"{line} --strict")
    assert (strict.status, strict.out) == (2, "")
    assert "--strict: incomplete: clusternetworkpolicy.crd.antrea.io/wide" in strict.err


# On small clusters, in full.

PODS: dict[str, Any] = {
    "shop/san": {"ip": "10.0.0.1", "labels": {"run": "san"}},
    "shop/web": {"ip": "10.0.0.2", "labels": {"run": "web"}, "ports": "http=80"},
    "kube-system/dns": {"ip": "10.0.9.9", "labels": {"k8s-app": "kube-dns"}},
}
KUBE_DNS = {"kube-system/kube-dns": {"selector": {"k8s-app": "kube-dns"}, "ports": [{"port": 53, "protocol": "UDP"}]}}
MANY = {f"shop/p{n}": {"ip": f"10.0.7.{n}", "labels": {"app": "p", "n": str(n)}} for n in range(8)}
DENY = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
UDP53 = [{"protocol": "UDP", "port": 53}]
DNS_PORTS = [*UDP53, {"protocol": "TCP", "port": 53}]
ADMIN_OBJECT = yaml.safe_load(UNEVALUATED)


def allow_in(line: str, cluster: dict[str, Any]) -> Ran:
    found = {"pods": PODS, "services": KUBE_DNS, **cluster}
    items = {"apiVersion": "v1", "kind": "List", "items": list(objects(found))}
    return run("allow", f"{line} -f -", stdin=json.dumps(items))


def with_nameserver(key: str, address: str, run: str, phase: str = "Running") -> dict[str, Any]:
    """A pod that asks a resolver of its own."""
    namespace, name = key.split("/")
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"namespace": namespace, "name": name, "labels": {"run": run}},
        "spec": {"dnsPolicy": "None", "dnsConfig": {"nameservers": [address]}, "containers": []},
        "status": {"phase": phase, "podIP": "10.0.5.1", "conditions": [{"type": "Ready", "status": "True"}]},
    }


@pytest.mark.parametrize(
    ("line", "cluster", "rule"),
    [
        pytest.param(
            "--both --from run=own --to run=web --port 80 -n shop",
            {"objects": [with_nameserver("shop/own", "198.51.100.53", "own")]},
            {"to": blocks("198.51.100.53/32"), "ports": DNS_PORTS},
            id="of a pod that the egress policy selects, not of the destination",
        ),
        pytest.param(
            "--egress --dns --from run=own -n shop",
            {
                "objects": [
                    with_nameserver("shop/done", "198.51.100.53", "own", "Succeeded"),
                    with_nameserver("shop/own", "198.51.100.54", "own"),
                ]
            },
            {"to": blocks("198.51.100.54/32"), "ports": DNS_PORTS},
            id="of a pod that runs",
        ),
        pytest.param(
            "--egress --dns --from run=own --from-namespace db -n shop",
            {
                "objects": [
                    with_nameserver("shop/own", "198.51.100.53", "own"),
                    with_nameserver("db/own", "198.51.100.54", "own"),
                ]
            },
            {"to": blocks("198.51.100.54/32"), "ports": DNS_PORTS},
            id="of a pod in the policy's own namespace",
        ),
        pytest.param(
            "--egress --dns --from run=none -n shop",
            {},
            {"to": [{**named("kube-system"), **labels(**{"k8s-app": "kube-dns"})}], "ports": UDP53},
            id="of any pod where none is selected",
        ),
        pytest.param(
            "--egress --dns --from run=none -n kube-system",
            {},
            {"to": [labels(**{"k8s-app": "kube-dns"})], "ports": UDP53},
            id="of any pod of that namespace",
        ),
    ],
)
def test_whose_resolver_the_dns_rule_is_for(line: str, cluster: dict[str, Any], rule: dict[str, Any]) -> None:
    ran = allow_in(line, cluster)
    assert (ran.status, ran.specs[0]["egress"][-1]) == (0, rule), ran.err


EGRESS_TO_WBE = "allow-run-san-to-run-wbe-80-egress egress[0].to[0] matches no pod: pods run=wbe; did you mean run=web?"


@pytest.mark.parametrize(
    ("line", "cluster", "err"),
    [
        pytest.param(
            "--from run=san --to run=web --port 80 -n shop",
            {"policies": {"shop/deny": DENY}},
            [
                "note: isolates shop/web for ingress, as other policies already do: nothing is cut off",
            ],
            id="a policy for a pod that can't be reached yet: the source may not go out",
        ),
        pytest.param(
            "--both --from run=san --to run=wbe --port 80 --no-dns -n shop",
            {"policies": {"shop/deny": DENY}},
            [
                f"warning: {EGRESS_TO_WBE}",
                "note: isolates run=wbe in shop for ingress: all other ingress is cut off",
                "warning: allow-run-san-to-run-wbe-80 selects no pod (run=wbe); did you mean run=web?",
                "note: isolates shop/san for egress, as other policies already do: nothing is cut off",
            ],
            id="what a policy isolates by itself only where it selects no pod",
        ),
        pytest.param(
            "--from run=san --to run=web --port 80",
            {
                "pods": {"default/san": PODS["shop/san"], "default/web": PODS["shop/web"]},
                "policies": {"default/deny": {**DENY, "policyTypes": ["Ingress"]}},
            },
            [
                "note: isolates default/web for ingress, as other policies already do: nothing is cut off",
                "note: opens default/san -> default/web: port 80",
            ],
            id="without -n it is tried in the namespace default",
        ),
    ],
)
def test_the_notes_in_full(line: str, cluster: dict[str, Any], err: list[str]) -> None:
    ran = allow_in(line, cluster)
    assert (ran.status, ran.err.splitlines()) == (0, err)


def test_without_n_the_printed_policy_has_no_namespace() -> None:
    ran = allow_in("--from run=san --to run=web --port 80", {})
    assert [found["metadata"] for found in ran.objects] == [{"name": "allow-run-san-to-run-web-80"}]
    assert ran.specs == [ingress(labels(run="san"))]


def test_objects_without_a_namespace_are_in_that_of_n() -> None:
    web = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "labels": {"run": "web"}}, "spec": {}}
    ran = run("allow", "--from-any --to run=web --port 80 -n team -f -", stdin=json.dumps(web))
    assert ran.err == "warning: isolates team/web for ingress: some lose access to every other port\n"


# A policy for each pod, so that they are not alike.
OPENED = {"pods": MANY, "policies": {f"shop/q{n}": {**labels(n=str(n)), "ingress": []} for n in range(8)}}
OVERRIDDEN = {**OPENED, "objects": [ADMIN_OBJECT]}


@pytest.mark.parametrize(
    ("cluster", "option", "begins", "number", "last"),
    [
        pytest.param(OPENED, "", "note: isolates ", 5, "note: the same for 3 more; -v lists them", id="isolated: five"),
        pytest.param(OPENED, "-v", "note: isolates ", 8, None, id="isolated: all with -v"),
        pytest.param(OPENED, "", "note: opens shop/", 5, "note: opens 3 more; -v lists them", id="opened: five"),
        pytest.param(OPENED, "-v", "note: opens shop/", 8, None, id="opened: all with -v"),
        pytest.param(
            OVERRIDDEN,
            "",
            "warning: incomplete: clusternetworkpolicy",
            5,
            "warning: incomplete: 3 more reasons; -v lists them",
            id="incomplete: five reasons",
        ),
        pytest.param(
            OVERRIDDEN,
            "-v",
            "warning: incomplete: clusternetworkpolicy",
            8,
            None,
            id="incomplete: all reasons with -v",
        ),
    ],
)
def test_long_lists_are_cut_with_a_count(
    cluster: dict[str, Any], option: str, begins: str, number: int, last: str | None
) -> None:
    lines = allow_in(f"--from-all-pods --to app=p --port 80 -n shop {option}", cluster).err.splitlines()
    assert sum(line.startswith(begins) for line in lines) == number
    assert (last in lines) if last else not any("more" in line for line in lines)


def test_five_are_listed_without_a_count() -> None:
    five = {**OPENED, "pods": dict(list(MANY.items())[:5])}
    err = allow_in("--from-all-pods --to app=p --port 80 -n shop", five).err
    assert err.count("note: opens ") == 5
    assert "more" not in err
