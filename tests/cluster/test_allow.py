"""`allow` through the real pipe: every option meets the API server, and what it opens is open on the network."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from tests.cluster.lab import Cluster, Result, pod

DENY_ALL = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny-all}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
"""
DENY_INGRESS = DENY_ALL.replace("deny-all", "deny-ingress").replace(", Egress", "")
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {run: web}, ports: [{port: 8000, targetPort: 80}]}
"""
RBAC = "rbac.authorization.k8s.io/v1"
LINES = """
--from run=san --to run=nginx --port 80
--from 'app in (a,b),!debug,tier!=db,canary' --to run=nginx --port 80
--from app=a --from app=b --to run=nginx --port 80/UDP --port 8000-8080 --port http --port 132/SCTP
--from app=a --from-namespace ops --to run=nginx
--from-namespace 'team in (x,y),!old' --to run=nginx --port 80
--from-namespace kubernetes.io/metadata.name --to run=nginx --port 80
--from-any --to run=nginx --port 80
--from-all-pods --to-all-pods
--from-cidr 10.0.0.0/8 --from-cidr ::/0 --except 10.1.0.0/16 --except 2001:db8::/32 --to run=nginx
--from-cidr 198.51.100.7 --from-cidr 2001:db8::7 --to run=nginx --protocol sctp --port 9
--egress --from run=san --to run=nginx --port 80
--egress --from run=san --to-any
--egress --from run=san --to-any --port 443
--egress --from run=san --to-cidr 0.0.0.0/0 --except 169.254.169.254/32 --dns
--egress --from-all-pods --dns
--egress --from app=a --from app=b --to-namespace ops
--both --from run=san --to run=nginx --port 80
--both --no-dns --from run=san --to run=nginx --port 80 --name mine
--from app.kubernetes.io/name=web --to app.kubernetes.io/part-of=shop --port 80 --name my.policy-1
--from 'run=' --to 'a=y,b=1e3,c=08' --port 80
"""
# Each is a string to the API and something else, somewhere, where it is not quoted in YAML.
NASTY = tuple(
    word
    for words in (
        "y n Y N yes no Yes on off On OFF true false True null Null NULL inf nan e3 3c5d9e1 a_b y.y 1.2.3 12.30",
        "1e3 1E3 12e03 25921e05 08 0o17 017 0x1F 0b11 1_000 1.0 1 0 007 2026-11-25 685230.15",
    )
    for word in words.split()
)


def pipe(cluster: Cluster, line: str, *apply: str) -> Result:
    command = f"kubectl netpol allow {line} | kubectl apply {shlex.join(apply)} -f -"
    return cluster.run("bash", "-o", "pipefail", "-c", command)


@pytest.mark.parametrize("line", LINES.strip().splitlines())
def test_the_api_server_takes_it_strictly(cluster: Cluster, line: str) -> None:
    for output in ("yaml", "json"):
        ran = pipe(cluster, f"{line} -o {output} -n default", "--dry-run=server", "--validate=strict")
        assert ran.returncode == 0, ran
        assert "Warning" not in ran.stderr
        assert ran.stdout.count("created (server dry run)") == (
            2 if "--both" in line or "--from app=b --to-n" in line else 1
        )


def test_strings_that_look_like_something_else_arrive_as_they_were(cluster: Cluster, namespace: str) -> None:
    wanted = {
        **{f"k{number}": word for number, word in enumerate(NASTY)},
        **{f"x.io/{w}": w for w in NASTY},
        "empty": "",
    }
    subject = ",".join(f"{key}={value}" for key, value in wanted.items())
    keys = ",".join(dict.fromkeys(NASTY))
    ran = pipe(cluster, f"--to '{subject}' --from 'k in ({keys})' --from '{keys}' -n {namespace} --name nasty")
    assert ran.returncode == 0, ran
    spec = cluster.get("networkpolicy", "nasty", "-n", namespace)["spec"]
    assert spec["podSelector"] == {"matchLabels": wanted}
    values, present = spec["ingress"][0]["from"]
    assert values["podSelector"]["matchExpressions"][0]["values"] == list(dict.fromkeys(NASTY))
    assert [entry["key"] for entry in present["podSelector"]["matchExpressions"]] == list(dict.fromkeys(NASTY))


# On the real network.


@pytest.fixture
def shop(cluster: Cluster, namespace: str) -> Shop:
    cluster.apply(SERVICE, namespace=namespace)
    cluster.create_pods(namespace, pod("san"), pod("third"), pod("web", "nginx", ports={"http": 80}))
    return Shop(cluster, namespace)


class Shop:
    """A namespace with san, third and web (nginx behind a Service), and what the tests ask of it."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace

    def settle(self, source: str, destination: str, port: str, status: int) -> None:
        words = ("test", source, destination, port, "-n", self.namespace)
        self.cluster.wait_until(
            lambda: self.cluster.netpol(*words).returncode == status, what=f"{' '.join(words)} with status {status}"
        )

    def resolves(self, source: str) -> bool:
        name = f"web.{self.namespace}.svc.cluster.local"
        ran = self.cluster.kubectl("exec", source, "-n", self.namespace, "--", "nslookup", name, check=False)
        return ran.returncode == 0

    def allow(self, line: str) -> Result:
        ran = pipe(self.cluster, f"{line} -n {self.namespace}")
        assert ran.returncode == 0, ran
        return ran

    def diff(self, policies: str, *more: str) -> Result:
        return self.cluster.netpol("diff", "-f", "-", "-n", self.namespace, *more, input=policies)


def test_before_blocked_after_open_and_a_third_pod_still_blocked(shop: Shop) -> None:
    shop.cluster.apply(DENY_INGRESS, namespace=shop.namespace)
    shop.settle("san", "pod/web", "80", 1)
    ran = shop.allow("san svc/web 8000")
    assert "nothing is cut off" in ran.stderr
    shop.settle("san", "pod/web", "80", 0)
    shop.settle("third", "pod/web", "80", 1)
    again = shop.cluster.netpol("allow", "san", "svc/web", "8000", "-n", shop.namespace)
    assert (again.returncode, again.stdout) == (0, "")
    assert "already allowed" in again.stderr


def test_ends_that_are_both_isolated_get_policies_for_both_sides_and_the_real_dns(shop: Shop) -> None:
    shop.cluster.apply(DENY_ALL, namespace=shop.namespace)
    shop.settle("san", "pod/web", "80", 1)
    shop.cluster.wait_until(lambda: not shop.resolves("san"), what="no DNS for san")
    shop.allow("san web 8000")
    shop.settle("san", "web", "8000", 0)
    shop.cluster.wait_until(lambda: shop.resolves("san"), what="DNS for san")
    shop.settle("third", "pod/web", "80", 1)
    assert not shop.resolves("third")


def test_dns_works_for_a_source_that_both_isolates(shop: Shop) -> None:
    without = "--both --no-dns --from run=san --to run=web --port 80 --name both"
    shop.allow(without)
    shop.cluster.wait_until(lambda: not shop.resolves("san"), what="no DNS for san")
    shop.settle("san", "pod/web", "80", 0)
    shop.settle("san", "pod/third", "80", 1)
    shop.allow(without.replace(" --no-dns", ""))
    shop.cluster.wait_until(lambda: shop.resolves("san"), what="DNS for san")
    shop.settle("san", "web", "8000", 0)


def test_diff_shows_it_before_and_nothing_after(shop: Shop) -> None:
    shop.cluster.apply(DENY_INGRESS, namespace=shop.namespace)
    policies = shop.cluster.netpol("allow", "san", "web", "8000", "-n", shop.namespace).stdout
    shown = shop.diff(policies)
    assert shown.returncode == 1, shown
    assert f"{shop.namespace}/san -> {shop.namespace}/web: port 80" in shown.stdout
    found: dict[str, Any] = json.loads(shop.diff(policies, "-o", "json").stdout)
    assert [entry["after"] for entry in found["opens"]] == ["allowed"]
    assert found["closes"] == []
    shop.cluster.apply(policies)
    assert shop.diff(policies).returncode == 0
    deleted = shop.diff(policies, "--delete")
    assert deleted.returncode == 1
    assert "no longer allows it" in deleted.stdout


def test_who_would_lose_access_is_named_and_strict_refuses(shop: Shop) -> None:
    words = ("allow", "san", "web", "8000", "-n", shop.namespace, "--always")
    ran = shop.cluster.netpol(*words)
    assert ran.returncode == 0
    assert f"isolates {shop.namespace}/web for ingress: " in ran.stderr
    assert f"{shop.namespace}/third" in ran.stderr
    strict = shop.cluster.netpol(*words, "--strict")
    assert (strict.returncode, strict.stdout) == (2, "")


def test_what_may_not_be_read_is_named(shop: Shop) -> None:
    ran = shop.cluster.netpol(
        "allow", "san", "web", "8000", "-n", shop.namespace, kubeconfig=shop.cluster.viewer_kubeconfig
    )
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "you may not list" in ran.stderr


def test_a_user_of_one_namespace_is_warned_of_what_was_not_read(shop: Shop) -> None:
    resources = ["pods", "services", "networkpolicies", "endpointslices", "deployments", "replicasets", "statefulsets"]
    groups = ["", "networking.k8s.io", "discovery.k8s.io", "apps", "batch"]
    rules = [{"apiGroups": groups, "resources": resources, "verbs": ["list"]}]
    shop.cluster.apply(
        {"apiVersion": RBAC, "kind": "Role", "metadata": {"name": "reader"}, "rules": rules},
        {
            "apiVersion": RBAC,
            "kind": "RoleBinding",
            "metadata": {"name": "reader"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
            "subjects": [{"kind": "User", "name": "viewer"}],
        },
        DENY_INGRESS,
        namespace=shop.namespace,
    )
    words = ("allow", "san", "web", "8000", "-n", shop.namespace)
    ran = shop.cluster.netpol(*words, kubeconfig=shop.cluster.viewer_kubeconfig)
    assert ran.returncode == 0, ran
    assert "kind: NetworkPolicy" in ran.stdout
    assert "incomplete: you may not list pods in the whole cluster" in ran.stderr
    strict = shop.cluster.netpol(*words, "--strict", kubeconfig=shop.cluster.viewer_kubeconfig)
    assert (strict.returncode, strict.stdout) == (2, "")
