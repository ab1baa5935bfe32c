"""`test` from every image of the kit in every situation, all images at once: the table image x situation -> finding."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.cluster.lab import Cluster, Result, pod, summary

if TYPE_CHECKING:
    from collections.abc import Iterator

WITH_A_TOOL = ("busybox", "debian-busybox", "openbsd-nc", "traditional-nc", "ncat", "bash", "curl")
WITHOUT = ("dash", "distroless")
IMAGES = (*WITH_A_TOOL, *WITHOUT)
SHUT = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: shut}
spec: {podSelector: {matchExpressions: [{key: run, operator: In, values: [rejected, dropped]}]}, policyTypes: [Ingress]}
"""
NO_DNS = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: within-the-namespace}
spec: {podSelector: {matchLabels: {kit: image}}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}]}]}
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {run: web}, ports: [{port: 80}]}
"""


class Gallery(NamedTuple):
    cluster: Cluster
    namespace: str

    def test(self, *words: str) -> Result:
        command = ("test", "--from-selector", "kit=image", *words, "--timeout", "2s", "-n", self.namespace)
        return self.cluster.netpol(*command, "-o", "json")

    def findings(self, *words: str) -> dict[str, str]:
        """Image -> finding."""
        result = self.test(*words)
        assert "Traceback" not in result.stderr, result
        return {
            item["source"]["pod"].split("/")[1]: item["finding"]["code"] for item in json.loads(result.stdout)["items"]
        }


@contextmanager
def hung(cluster: Cluster, *policies: str) -> Iterator[Gallery]:
    with cluster.namespace() as namespace:
        cluster.apply(SERVICE, *policies, namespace=namespace)
        servers = [pod(name, "distroless") for name in ("web", "rejected", "dropped", "lost")]
        sources = [pod(image, image, labels={"kit": "image"}) for image in IMAGES]
        cluster.create_pods(namespace, *servers, *sources)
        rules = [["FORWARD", "-d", cluster.pod_ip(namespace, name), "-j", "DROP"] for name in ("dropped", "lost")]
        for rule in rules:
            cluster.run("iptables", "-t", "mangle", "-I", *rule)
        yield Gallery(cluster, namespace)
        for rule in rules:
            cluster.run("iptables", "-t", "mangle", "-D", *rule)


@pytest.fixture(scope="module")
def gallery(cluster: Cluster) -> Iterator[Gallery]:
    with hung(cluster, SHUT) as made:
        shut = ("pod/rejected", "80")
        cluster.wait_until(lambda: made.findings(*shut)["busybox"] == "rejected-by-policy", what="the policy")
        yield made


@pytest.fixture(scope="module")
def unguarded(cluster_without_enforcer: Cluster) -> Iterator[Gallery]:
    with hung(cluster_without_enforcer, SHUT) as made:
        yield made


def all_images(finding: str) -> dict[str, str]:
    return {**dict.fromkeys(WITH_A_TOOL, finding), **dict.fromkeys(WITHOUT, "no-tool")}


@pytest.mark.parametrize(
    ("words", "finding"),
    [
        pytest.param(["web", "80"], "open", id="open"),
        pytest.param(["pod/web", "81"], "nothing-listens", id="nothing listens"),
        pytest.param(["rejected", "80"], "rejected-by-policy", id="a policy rejects"),
        pytest.param(["dropped", "80"], "blocked-by-policy", id="a policy blocks and packets are dropped"),
        pytest.param(["lost", "80"], "timed-out-though-allowed", id="no answer though the policies allow it"),
        pytest.param(["no.such.host", "80"], "name-unresolved", id="a name that does not exist"),
    ],
)
def test_every_image_finds_the_same(
    gallery: Gallery, words: list[str], finding: str, pytestconfig: pytest.Config
) -> None:
    found = gallery.findings(*words)
    by_finding = {code: [image for image in found if found[image] == code] for code in dict.fromkeys(found.values())}
    row = "; ".join(f"{code}: {', '.join(images)}" for code, images in by_finding.items())
    summary(pytestconfig).append(f"test IMAGE {' '.join(words):15} {row}")
    assert found == all_images(finding)


@pytest.mark.parametrize(
    ("words", "finding"),
    [
        pytest.param(["web", "80"], "open", id="open"),
        pytest.param(["rejected", "80"], "policy-not-enforced", id="open though the policies block it"),
        pytest.param(["pod/web", "81"], "nothing-listens", id="nothing listens"),
    ],
)
def test_without_an_enforcer_every_image_finds_the_same(unguarded: Gallery, words: list[str], finding: str) -> None:
    assert unguarded.findings(*words) == all_images(finding)


def test_where_dns_is_blocked_every_image_says_so_and_still_reaches_services(gallery: Gallery) -> None:
    gallery.cluster.apply(NO_DNS, namespace=gallery.namespace)
    host = ("no.such.host", "80")
    gallery.cluster.wait_until(lambda: gallery.findings(*host)["busybox"] == "dns-blocked", what="DNS to be blocked")
    assert gallery.findings(*host) == all_images("dns-blocked")
    assert gallery.findings("web", "80") == all_images("open")
    warned = gallery.cluster.netpol("test", "busybox", "web", "80", "-n", gallery.namespace)
    assert (warned.returncode, "does not resolve in busybox" in warned.stderr) == (0, True), warned
