"""`allow SOURCE DESTINATION PORT`: nothing where it is already allowed, and nothing that can't be proved."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any, cast

import pytest

from kubectl_netpol.commands.common.allow_by_names import NamesRequest, allow_by_names
from kubectl_netpol.console import Console
from kubectl_netpol.model.ports import SinglePort
from tests.support.allow_manifests import DEEP, DENIED, ENDS, FRONT, written
from tests.support.running import EXAMPLES, SHOP, Ran, allow, labels, run
from tests.support.tables import objects, snapshot_of

if TYPE_CHECKING:
    from pathlib import Path

    from kubectl_netpol.commands.common.inputs import Inputs
    from kubectl_netpol.model.snapshot import Scope, Snapshot

PODS: dict[str, Any] = {
    "shop/san": {"ip": "10.0.0.1", "labels": {"run": "san"}, "node": "one"},
    "shop/nginx": {"ip": "10.0.0.2", "labels": {"run": "nginx"}, "ports": "http=80", "node": "two"},
    "shop/agent": {
        "ip": "10.1.0.1",
        "labels": {"run": "agent"},
        "host_network": True,
        "host_ip": "10.1.0.1",
        "node": "one",
    },
    "kube-system/dns": {"ip": "10.0.9.9", "labels": {"k8s-app": "kube-dns"}},
}
CLUSTER: dict[str, Any] = {
    "pods": PODS,
    "nodes": {"one": ["10.1.0.1"], "two": ["10.1.0.2"]},
    "services": {
        "kube-system/kube-dns": {"selector": {"k8s-app": "kube-dns"}, "ports": [{"port": 53, "protocol": "UDP"}]},
        "shop/outside": {"clusterIP": "10.96.0.9", "ports": [{"port": 5432}]},
        "shop/nginx": {"selector": {"run": "nginx"}, "ports": [{"port": 80}], "externalIPs": ["192.0.2.1"]},
    },
    "objects": [
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "namespace": "shop",
                "name": "outside-1",
                "labels": {"kubernetes.io/service-name": "outside"},
            },
            "ports": [{"port": 6432}],
            "endpoints": [{"addresses": ["198.51.100.1"]}],
        }
    ],
}
INGRESS = {"shop/deny": {"podSelector": {}, "policyTypes": ["Ingress"]}}
EGRESS = {"shop/no-egress": {"podSelector": {}, "policyTypes": ["Egress"]}}
FROM_SAN = {"shop/p": {**labels(run="nginx"), "ingress": [{"from": [labels(run="san")], "ports": [{"port": 80}]}]}}
TO_ALL = {"shop/out": {**labels(run="san"), "policyTypes": ["Egress"], "egress": [{}]}}
ANYONE = {"shop/q": {**labels(run="nginx"), "ingress": [{"ports": [{"port": 80}]}]}}
UNEVALUATED = {
    "apiVersion": "crd.antrea.io/v1beta1",
    "kind": "ClusterNetworkPolicy",
    "metadata": {"name": "wide"},
    "spec": {"appliedTo": [{"podSelector": {}}], "ingress": [{}]},
}
OVERRIDES = "clusternetworkpolicy.crd.antrea.io/wide may decide for shop/nginx: its rules are not evaluated"
DENIES = {
    "apiVersion": "cilium.io/v2",
    "kind": "CiliumClusterwideNetworkPolicy",
    "metadata": {"name": "no"},
    "spec": {"endpointSelector": {}, "ingressDeny": [{"fromEntities": ["all"]}]},
}
CALICO_DENIES = {
    "apiVersion": "projectcalico.org/v3",
    "kind": "GlobalNetworkPolicy",
    "metadata": {"name": "no"},
    "spec": {
        "order": 10,
        "types": ["Ingress"],
        "ingress": [{"action": "Deny", "source": {"selector": "run == 'san'"}}],
    },
}
HOST = "shop/agent uses the host network: the API leaves open whether policies see it as a pod"
BLOCK_DECIDES = "an ipBlock decides, and the API leaves open whether it sees 10.96.0.9 or the address of 198.51.100.1"
CUTS = "note: a policy would cut off everyone else who uses it; --always prints one anyway"
CUTS_EGRESS = "note: a policy would cut off everything else it uses; --always prints one anyway"
ALREADY = "note: already allowed on port 80/TCP:"
FREE = "nothing isolates shop/san for egress"
NOTHING_CUT = "as other policies already do: nothing is cut off"


def allow_in(line: str, **cluster: Any) -> Ran:
    """`allow` on a cluster of the base objects and these."""
    found = {**CLUSTER, **cluster}
    found["pods"] = {**PODS, **cluster.get("pods", {})}
    found["objects"] = [*CLUSTER["objects"], *cluster.get("objects", ())]
    items = {"apiVersion": "v1", "kind": "List", "items": list(objects(found))}
    return run("allow", f"{line} -n shop -f -", stdin=json.dumps(items))


def names(ran: Ran) -> list[str]:
    return [found["metadata"]["name"] for found in ran.objects if found]


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


# Where it is already allowed.


@pytest.mark.parametrize(
    ("line", "policies", "err"),
    [
        pytest.param(
            "san pod/nginx 80",
            {},
            [
                f"{ALREADY} {FREE}; nothing isolates shop/nginx for ingress",
                CUTS,
            ],
            id="nothing isolates either end",
        ),
        pytest.param(
            "san pod/nginx 80",
            FROM_SAN,
            [f"{ALREADY} {FREE}; shop/p ingress[0] lets it in"],
            id="a rule lets it in",
        ),
        pytest.param(
            "san pod/nginx 80",
            {**FROM_SAN, **ANYONE, **TO_ALL},
            [f"{ALREADY} shop/out egress[0] lets it out; shop/p ingress[0] and shop/q ingress[0] let it in"],
            id="a rule lets it out, and two let it in",
        ),
        pytest.param(
            "node/two pod/nginx 80",
            INGRESS,
            ["note: already allowed on port 80/TCP: shop/nginx always accepts traffic from its own node"],
            id="a pod's own node is let in whatever its policies say",
        ),
        pytest.param(
            "san pod/nginx 80,53/UDP",
            {**ANYONE, **TO_ALL, "shop/dns": {**labels(run="nginx"), "ingress": [{"ports": [{"protocol": "UDP"}]}]}},
            [
                "note: already allowed on port 80/TCP: shop/out egress[0] lets it out; shop/q ingress[0] lets it in",
                "note: already allowed on port 53/UDP: shop/out egress[0] lets it out; shop/dns ingress[0] lets it in",
            ],
            id="each port by itself",
        ),
        pytest.param(
            "san pod/nginx 80",
            TO_ALL,
            [f"{ALREADY} shop/out egress[0] lets it out; nothing isolates shop/nginx for ingress", CUTS],
            id="a rule lets it out, and nothing isolates the destination",
        ),
        pytest.param(
            "san 203.0.113.9 443",
            TO_ALL,
            ["note: already allowed on port 443/TCP: shop/out egress[0] lets it out"],
            id="a rule lets it out to an address",
        ),
        pytest.param(
            "san 203.0.113.9 443",
            {},
            ["note: already allowed on port 443/TCP: nothing isolates shop/san for egress", CUTS_EGRESS],
            id="nothing isolates the source of what goes to an address",
        ),
        pytest.param(
            "san pod/agent 80",
            {},
            [
                f"{ALREADY} {FREE}; nothing isolates shop/agent for ingress",
                CUTS_EGRESS,
            ],
            id="nothing isolates the source of what goes to a pod in its node's network",
        ),
        pytest.param(
            "2001:db8::1 pod/nginx 80 --egress",
            {},
            [
                "note: already allowed on port 80/TCP: nothing isolates shop/nginx for ingress",
                CUTS,
                "note: no policy can select 2001:db8::1: there is no egress policy",
            ],
            id="and why the policy that was asked for can't be written",
        ),
        pytest.param(
            "san pod/agent 80",
            INGRESS,
            [f"warning: {HOST}", "note: no policy applies to shop/agent: it uses the host network"],
            id="a pod in its node's network, which no policy can open",
        ),
    ],
)
def test_nothing_is_printed_where_no_policy_is_missing(line: str, policies: dict[str, Any], err: list[str]) -> None:
    ran = allow_in(line, policies=policies)
    assert (ran.status, ran.out, ran.err.splitlines()) == (0, "", err)


def test_what_was_printed_is_there_the_next_time(tmp_path: Path) -> None:
    files = written(
        tmp_path, "all.yaml", (EXAMPLES / "shop.yaml").read_text(), "---\n", allow("san nginx 80", *SHOP).out
    )
    ran = allow(f"san nginx 80 -n shop {files}")
    assert (ran.status, ran.out) == (0, "")
    assert "shop/allow-run-san-to-run-nginx-80 ingress[0] lets it in" in ran.err
    again = allow(f"san nginx 80 --always -n shop {files}")
    assert len(again.objects) == 1
    assert "already exists with the same spec" in again.err


def test_where_nothing_isolates_a_policy_is_printed_only_on_purpose(undenied: str) -> None:
    ran = allow(f"san web 80 {undenied}")
    assert (ran.status, ran.out) == (0, "")
    always = allow(f"san web 80 --always {undenied}")
    assert [spec["policyTypes"] for spec in always.specs] == [["Ingress"]]
    assert "isolates a/web for ingress: a/own-dns, a/resolver, a/waiting and everything outside" in always.err
    out = allow(f"san 198.51.100.9 443 --always {undenied}")
    assert [spec["policyTypes"] for spec in out.specs] == [["Egress"]]
    side = allow(f"san web 80 --egress {undenied}")
    assert [spec["policyTypes"] for spec in side.specs] == [["Egress"]]


@pytest.mark.parametrize(
    ("line", "policy"),
    [
        pytest.param("san pod/nginx 80", "allow-run-san-to-run-nginx-80", id="at the destination"),
        pytest.param("san 203.0.113.9 443", "allow-run-san-to-203-0-113-9-32-443-egress-", id="at the source"),
        pytest.param("san pod/agent 80", "allow-run-san-to-10-1-0-1-32-80-egress-", id="at the source, of the two"),
    ],
)
def test_always_prints_a_policy_where_one_can_be(line: str, policy: str) -> None:
    ran = allow_in(f"{line} --always")
    (found,) = names(ran)
    assert found.startswith(policy)


@pytest.mark.parametrize(
    ("options", "policies"),
    [
        pytest.param("", ["allow-run-san-to-run-nginx-81"], id="the missing port"),
        pytest.param(
            "--always", ["allow-run-san-to-run-nginx-81"], id="--always adds nothing where something is missing"
        ),
        pytest.param(
            "--both --no-dns",
            ["allow-run-san-to-run-nginx-80-and-1-more-egress-", "allow-run-san-to-run-nginx-80-and-1-more-"],
            id="--both is each side with each port",
        ),
        pytest.param("--named-port", [], id="--named-port needs a name for each port"),
        pytest.param("--name web", ["web"], id="--name"),
    ],
)
def test_which_policies_are_printed_of_two_ports_one_of_them_allowed(options: str, policies: list[str]) -> None:
    ran = allow_in(f"san pod/nginx 80,81 {options}", policies=FROM_SAN)
    found = names(ran)
    assert len(found) == len(policies)
    assert all(map(str.startswith, found, policies))
    assert ran.status == (0 if policies else 2)


# The notes on the policies.


@pytest.mark.parametrize(
    ("line", "cluster", "err"),
    [
        pytest.param(
            "san pod/nginx 80",
            {"policies": INGRESS},
            [
                f"note: isolates shop/nginx for ingress, {NOTHING_CUT}",
                "note: opens shop/san -> shop/nginx: port 80",
            ],
            id="what it isolates and opens",
        ),
        pytest.param(
            "san pod/nginx 80/SCTP",
            {"policies": INGRESS},
            [
                "warning: not every plugin filters SCTP",
                f"note: isolates shop/nginx for ingress, {NOTHING_CUT}",
                "note: opens shop/san -> shop/nginx: port 80/SCTP",
            ],
            id="where plugins are known to differ",
        ),
        pytest.param(
            "san pod/nginx 80",
            {"policies": EGRESS},
            [
                "warning: shop/san can't resolve names: Service kube-system/kube-dns port 53/UDP is blocked",
                f"note: isolates shop/san for egress, {NOTHING_CUT}",
                "note: opens shop/san -> shop/nginx: port 80",
            ],
            id="that the source can't resolve names",
        ),
        pytest.param(
            "san pod/nginx 80 --no-dns",
            {"policies": EGRESS},
            [
                f"note: isolates shop/san for egress, {NOTHING_CUT}",
                "note: opens shop/san -> shop/nginx: port 80",
            ],
            id="nothing of names with --no-dns",
        ),
        pytest.param(
            "san pod/nginx 80 --dns",
            {"policies": EGRESS},
            [
                f"note: isolates shop/san for egress, {NOTHING_CUT}",
                "note: opens shop/san -> kube-system/dns: port 53/UDP",
                "note: opens shop/san -> shop/nginx: port 80",
            ],
            id="with --dns that DNS opens",
        ),
        pytest.param(
            "san outside 5432 --no-dns",
            {"policies": EGRESS},
            [
                f"warning: {BLOCK_DECIDES}",
                f"note: isolates shop/san for egress, {NOTHING_CUT}",
                "note: opens shop/san -> 198.51.100.1: port 6432",
            ],
            id="that a plugin may see the Service's address",
        ),
        pytest.param(
            "san 192.0.2.1 80",
            {"policies": INGRESS},
            [
                "warning: shop/nginx may see a node's address instead of shop/san: the API leaves it open",
                f"note: isolates shop/nginx for ingress, {NOTHING_CUT}",
                "note: opens shop/san -> shop/nginx: port 80",
            ],
            id="that a plugin may see a node's address",
        ),
        pytest.param(
            "san pod/nginx 80 --always",
            {"objects": [UNEVALUATED]},
            [
                f"warning: {OVERRIDES}",
                "note: isolates shop/nginx for ingress: no existing access is lost",
                f"warning: incomplete: {OVERRIDES}",
            ],
            id="that another policy may override it, with --always",
        ),
    ],
)
def test_the_notes_on_the_policies(line: str, cluster: dict[str, Any], err: list[str]) -> None:
    ran = allow_in(line, **cluster)
    assert (ran.status, ran.err.splitlines()) == (0, err)
    assert names(ran)


@pytest.mark.parametrize(
    ("line", "cluster", "message", "hint"),
    [
        pytest.param(
            "san pod/nginx 80",
            {"objects": [UNEVALUATED]},
            f"no NetworkPolicy can be shown to open this: {OVERRIDES}",
            "with --always a policy is printed anyway",
            id="another policy may override it, though no NetworkPolicy isolates",
        ),
        pytest.param(
            "san pod/nginx 80",
            {"policies": INGRESS, "objects": [UNEVALUATED]},
            f"no NetworkPolicy can be shown to open this: {OVERRIDES}",
            "with --always a policy is printed anyway",
            id="another policy may override it",
        ),
        pytest.param(
            "san pod/nginx 80 --always",
            {"policies": FROM_SAN, "objects": [DENIES]},
            "no NetworkPolicy can be shown to open this: ciliumclusterwidenetworkpolicy.cilium.io/no ingressDeny[0] "
            "denies it",
            "kubectl netpol explain SOURCE DESTINATION PORT shows more",
            id="a deny of Cilium, which no NetworkPolicy beats",
        ),
        pytest.param(
            "san pod/nginx 80 --always",
            {"policies": FROM_SAN, "objects": [CALICO_DENIES]},
            "no NetworkPolicy can be shown to open this: globalnetworkpolicy.projectcalico.org/no ingress[0] denies it",
            "kubectl netpol explain SOURCE DESTINATION PORT shows more",
            id="a deny of Calico, asked before NetworkPolicies",
        ),
        pytest.param(
            "san pod/agent 80 --strict",
            {"policies": INGRESS},
            f"no NetworkPolicy can be shown to open this: {HOST}",
            "without --strict a policy is printed anyway",
            id="--strict, and a pod in its node's network",
        ),
        pytest.param(
            "san outside 5432 --strict --no-dns",
            {"policies": EGRESS},
            f"no NetworkPolicy can be shown to open this: {BLOCK_DECIDES}",
            "without --strict a policy is printed anyway",
            id="--strict, and a Service of addresses",
        ),
    ],
)
def test_what_can_not_be_proved(line: str, cluster: dict[str, Any], message: str, hint: str) -> None:
    assert allow_in(line, **cluster) == (2, "", f"error: {message}\nhint: {hint}\n")


def test_what_opens_besides_is_a_warning_and_an_error_with_strict(deep: str) -> None:
    ran = allow(f"b/db-0 a/svc/web 80 {deep}")
    assert "note: no label distinguishes b/db-0 from b/db-backup: the policy matches them too" in ran.err
    assert "warning: this also opens what was not asked for: b/db-backup -> a/deploy/web: port 8080" in ran.err
    strict = allow(f"b/db-0 a/svc/web 80 --strict {deep}")
    assert (strict.status, strict.out) == (2, "")
    assert "--strict: it also opens b/db-backup" in strict.err


def test_verbose_lists_everyone() -> None:
    twins = {f"shop/san-{n}": {"ip": f"10.0.2.{n}", "labels": {"run": "san"}} for n in range(1, 8)}
    short, long = (
        allow_in(f"san pod/nginx 80{option}", pods=twins, policies=INGRESS).err.splitlines() for option in ("", " -v")
    )
    assert "note: opens shop/san, shop/san-1, shop/san-2, shop/san-3, shop/san-4 and 3 more -> shop/nginx: port 80" in (
        short
    )
    listed = "shop/san-1, shop/san-2, shop/san-3, shop/san-4, shop/san-5"
    besides = "warning: this also opens what was not asked for:"
    assert f"{besides} {listed} and 2 more -> shop/nginx: port 80" in short
    assert f"{besides} {listed}, shop/san-6, shop/san-7 -> shop/nginx: port 80" in long
    assert f"note: opens shop/san, {listed}, shop/san-6, shop/san-7 -> shop/nginx: port 80" in long


# Ends of every kind.


def replica(number: int) -> dict[str, Any]:
    return {f"shop/web-{number}": {"ip": f"10.0.3.{number}", "labels": {"run": "web"}}}


DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"namespace": "shop", "name": "web"},
    "spec": {"selector": {"matchLabels": {"run": "web"}}, "template": {"metadata": {"labels": {"run": "web"}}}},
}


@pytest.mark.parametrize(
    ("line", "replicas", "source", "destination"),
    [
        pytest.param("deploy/web deploy/web 80", 2, "web-2", "web-1", id="from another replica"),
        pytest.param("deploy/web deploy/web 80", 1, "web-1-next", "web-1", id="from the next one where there is one"),
        pytest.param("deploy/web pod/web-1 80", 2, "web-2", "web-1", id="to one of its pods"),
        pytest.param("pod/web-1 deploy/web 80", 2, "web-2", "web-1", id="from one of its pods"),
        pytest.param("deploy/web pod/nginx 80", 2, "web-1", "nginx", id="to another pod: from the first"),
    ],
)
def test_a_workload_reaches_itself_from_another_replica(
    line: str, replicas: int, source: str, destination: str
) -> None:
    pods = {key: pod for number in range(1, replicas + 1) for key, pod in replica(number).items()}
    ran = allow_in(line, pods=pods, objects=[DEPLOYMENT])
    free = f"nothing isolates shop/{source} for egress; nothing isolates shop/{destination} for ingress"
    assert ran.err.splitlines() == [f"{ALREADY} {free}", CUTS]


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        pytest.param("pod/web-1", "shop/web-1 reaches its own address: no policy applies to that", id="by its name"),
        pytest.param("127.0.0.1", "127.0.0.1 is shop/web-1 itself: no policy applies to that", id="by loopback"),
    ],
)
def test_a_pod_reaches_itself_whatever_policies_say(typed: str, why: str) -> None:
    ran = allow_in(f"pod/web-1 {typed} 80", pods=replica(1), objects=[DEPLOYMENT])
    assert (ran.out, ran.err.splitlines()) == ("", [f"{ALREADY} {why}"])


def test_the_next_replica_has_no_address_that_a_block_could_allow() -> None:
    block = {"shop/block": {**labels(run="web"), "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.3.1/32"}}]}]}}
    ran = allow_in("deploy/web deploy/web 80", pods=replica(1), objects=[DEPLOYMENT], policies=block)
    assert names(ran) == ["allow-run-web-to-run-web-80"]


def test_a_workload_that_reaches_itself_may_need_both_sides(deep: str) -> None:
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


def test_where_plugins_may_differ_it_is_a_warning_and_an_error_with_strict(ends: str) -> None:
    ran = allow(f"198.51.100.9 web 80 {ends}")
    assert ran.status == 0
    assert "warning: a/web may see a node's address instead of 198.51.100.9" in ran.err
    assert "opens 198.51.100.9 -> a/web: port 8080" in ran.err
    assert "not asked for" not in ran.err
    strict = allow(f"198.51.100.9 web 80 --strict {ends}")
    assert (strict.status, strict.out) == (2, "")
    assert "without --strict a policy is printed anyway" in strict.err


# What is read of a cluster.


class OneRead:
    """In place of Inputs."""

    namespace, live = "shop", True

    def __init__(self, snapshot: Snapshot) -> None:
        self.console = Console(io.StringIO(), io.StringIO())
        self.scopes: list[Scope] = []
        self._snapshot = snapshot

    def read(self, scope: Scope) -> Snapshot:
        self.scopes.append(scope)
        return self._snapshot


def test_everything_is_read_at_once_for_who_else_is_affected_may_be_anywhere() -> None:
    world = OneRead(snapshot_of({**CLUSTER, "policies": INGRESS, "live": True}))
    asked = NamesRequest("san", "db/sql", (SinglePort("TCP", 80),))
    with pytest.raises(Exception, match='no Service, pod or workload "sql" in namespace db'):
        allow_by_names(asked, cast("Inputs", world), verbose=False)
    (scope,) = world.scopes
    assert scope.namespaces == {"shop", "db"}
    assert scope.everywhere == {"pods", "networkpolicies"}
    assert scope.workloads


# With tiers: examples/tiers.yaml.

GUARD = "clusternetworkpolicy.policy.networking.k8s.io/guard-rails"
TIERS = ("-n", "shop", "-f", str(EXAMPLES / "tiers.yaml"))


def test_an_admin_deny_stands_in_the_way_and_is_named() -> None:
    tiers = (EXAMPLES / "tiers.yaml").read_text(encoding="utf-8")
    blocked = tiers.replace("action: Pass", "action: Deny")
    ran = run("allow", "san nginx 8080 -n shop -f -", stdin=blocked)
    assert (ran.status, ran.out) == (2, "")
    assert f'no NetworkPolicy can be shown to open this: {GUARD} ingress[1].from[0] "own-team" denies it' in ran.err


def test_a_policy_opens_what_only_the_baseline_tier_denies() -> None:
    ran = allow("san db 5432", *TIERS)
    assert (ran.status, names(ran)) == (0, ["allow-run-san-to-run-db-5432"])
    assert "note: opens shop/san -> shop/db: port 5432" in ran.err.splitlines()
    wider = f"note: {GUARD} (Admin, priority 10) ingress[0] already allows all ports from pods run=prom in namespaces"
    assert wider in ran.err


def test_what_an_admin_accept_allows_already_needs_no_policy() -> None:
    ran = allow("monitoring/prom db 5432", *TIERS)
    assert (ran.status, ran.out) == (0, "")
    assert f"{GUARD} ingress[0] lets it in" in ran.err
