"""`test` end to end: each situation of a real cluster, and the finding that names it."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.cluster.lab import Cluster, Result, pod

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

DENY_TO_WEB = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: shut}
spec: {podSelector: {matchLabels: {run: shut}}, policyTypes: [Ingress]}
"""
NO_EGRESS = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: only-web}
spec:
  podSelector: {matchLabels: {run: caged}}
  policyTypes: [Egress]
  egress: [{to: [{podSelector: {matchLabels: {app: web}}}]}]
"""
WEB_TO_NEW = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: to-new}
spec: {podSelector: {matchLabels: {run: new}}, policyTypes: [Ingress], ingress: [{}]}
"""
SERVICES = """
apiVersion: v1
kind: Service
metadata: {name: mapped}
spec: {selector: {app: web}, ports: [{name: www, port: 8080, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: headless}
spec: {clusterIP: None, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: empty}
spec: {selector: {app: nobody}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: shut}
spec: {selector: {run: shut}, ports: [{port: 80}]}
"""


class Shop(NamedTuple):
    cluster: Cluster
    namespace: str

    def test(self, *words: str, **more: Any) -> tuple[Result, dict[str, Any]]:
        result = self.cluster.netpol("test", *words, "-n", self.namespace, "-o", "json", **more)
        return result, json.loads(result.stdout) if result.stdout else {}


@pytest.fixture(scope="module")
def shop(cluster: Cluster) -> Iterator[Shop]:
    with cluster.namespace() as namespace:
        cluster.apply(SERVICES, DENY_TO_WEB, NO_EGRESS, namespace=namespace)
        local = ["/bin/busybox", "nc", "-lk", "-s", "127.0.0.1", "-p", "7000", "-e", "/bin/cat"]
        cluster.create_pods(
            namespace,
            pod("san"),
            pod("caged"),
            pod("web", "nginx", labels={"app": "web", "run": "web"}, ports={"http": 80}),
            pod("shut", "distroless", command=["/server", "80"], ports={"http": 80}),
            pod("local", command=local),
            pod("mesh", containers=[container("app"), container("istio-proxy")]),
        )
        made = Shop(cluster, namespace)
        cluster.wait_until(lambda: made.test("san", "pod/shut", "80")[0].returncode == 1, what="shut to be shut")
        cluster.wait_until(lambda: made.test("caged", "pod/shut", "80")[0].returncode == 1, what="caged to be caged")
        yield made


def container(name: str) -> dict[str, Any]:
    return {"name": name, "image": "lab/busybox:1", "imagePullPolicy": "Never", "command": ["sleep", "inf"]}


@pytest.mark.parametrize(
    ("words", "status", "outcome", "finding", "agrees"),
    [
        pytest.param(["san", "web", "80"], 0, "open", "open", True, id="a pod that answers is open"),
        pytest.param(["san", "mapped", "8080"], 0, "open", "open", True, id="a Service port is mapped to the pod's"),
        pytest.param(["san", "mapped", "www"], 0, "open", "open", True, id="a Service port by its name"),
        pytest.param(["san", "headless", "80"], 0, "open", "open", True, id="a headless Service is its pods"),
        pytest.param(["san", "mapped", "80"], 2, None, "wrong-service-port", None, id="a Service has no such port"),
        pytest.param(["san", "web", "81"], 1, "refused", "nothing-listens", None, id="nothing listens"),
        pytest.param(["san", "shut", "80"], 1, "refused", "rejected-by-policy", True, id="a policy rejects"),
        pytest.param(
            ["san", "pod/shut", "81"], 1, "refused", "nothing-listens-and-blocked", None, id="blocked, nothing listens"
        ),
        pytest.param(
            ["san", "local", "7000"], 1, "refused", "refused-though-listening", False, id="bound to localhost only"
        ),
        pytest.param(
            ["san", "kube-system/kube-dns", "53", "--protocol", "udp"], 0, "open", "open", True, id="DNS over UDP"
        ),
        pytest.param(
            ["san", "pod/shut", "80", "--protocol", "udp"],
            1,
            "refused",
            "blocked-by-policy",
            True,
            id="UDP that is rejected",
        ),
        pytest.param(["san", "web", "80", "--protocol", "sctp"], 2, None, "not-probed", None, id="SCTP is predicted"),
        pytest.param(["san", "no.such.host", "80"], 2, "unresolved", "name-unresolved", None, id="no such host"),
        pytest.param(["caged", "no.such.host", "80"], 2, "unresolved", "dns-blocked", None, id="DNS is blocked"),
        pytest.param(["shut", "web", "80"], 2, "no-tool", "no-tool", None, id="an image without any tool"),
        pytest.param(["mesh", "web", "80"], 2, "open", "proxy-intercepts", None, id="a mesh's proxy accepts all"),
        pytest.param(["10.1.2.3", "web", "80"], 2, None, "not-probed", None, id="a source outside"),
    ],
)
def test_each_situation_has_its_finding(  # noqa: PLR0917 - the columns of the table
    shop: Shop,
    words: list[str],
    status: int,
    outcome: str | None,
    finding: str,
    agrees: bool | None,  # noqa: FBT001 - a column
) -> None:
    result, answer = shop.test(*words)
    assert (answer["outcome"], answer["finding"]["code"], answer["agrees"]) == (outcome, finding, agrees), result
    assert result.returncode == status
    assert answer["reachable"] is {0: True, 1: False, 2: None}[status]


def test_a_service_without_endpoints_is_named(shop: Shop) -> None:
    # Refused where kube-proxy has programmed its reject rule, timed out before.
    result, answer = shop.test("san", "empty", "80")
    assert (result.returncode, answer["finding"]["code"]) == (1, "no-ready-endpoints"), result
    assert answer["outcome"] in ("refused", "timed-out")


def test_reachable_by_address_though_the_name_does_not_resolve_is_open_with_a_warning(shop: Shop) -> None:
    result, answer = shop.test("caged", "mapped", "8080")
    assert (result.returncode, answer["outcome"]) == (0, "open"), result
    assert f"mapped.{shop.namespace}.svc does not resolve" in answer["warnings"][0]
    assert "kube-system/kube-dns" in answer["warnings"][0]


def test_what_is_dropped_times_out_and_the_policies_are_said_to_allow_it(shop: Shop) -> None:
    address = shop.cluster.pod_ip(shop.namespace, "web")
    rule = ["FORWARD", "-p", "tcp", "-d", address, "--dport", "80", "-j", "DROP"]
    assert shop.cluster.run("iptables", "-t", "mangle", "-I", *rule).returncode == 0
    try:
        began = time.monotonic()
        result, answer = shop.test("san", "web", "80", "--timeout", "1s")
        assert time.monotonic() - began < 15
    finally:
        shop.cluster.run("iptables", "-t", "mangle", "-D", *rule)
    assert (answer["outcome"], answer["agrees"]) == ("timed-out", False), result
    assert answer["finding"]["code"] in ("timed-out-though-allowed", "changed-recently")
    assert result.returncode == 1


def test_several_ports_are_one_table_and_the_worst_status(shop: Shop) -> None:
    result = shop.cluster.netpol("test", "san", "web", "80-82", "-n", shop.namespace)
    assert result.returncode == 1
    assert [line.split()[3] for line in result.stdout.splitlines()[1:4]] == ["open", "refused", "refused"]
    assert result.stdout.splitlines()[-1] == "1 open, 2 not open, 0 can't tell"


def test_selectors_make_pairs_and_too_many_ask_for_max(shop: Shop) -> None:
    pairs = ("--from-selector", "run in (san,caged)", "--to-selector", "app=web", "80")
    result = shop.cluster.netpol("test", *pairs, "-n", shop.namespace)
    assert result.returncode == 0, result
    assert result.stdout.splitlines()[-1] == "2 open, 0 not open, 0 can't tell"
    refused = shop.cluster.netpol("test", *pairs, "--max", "1", "-n", shop.namespace)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--max 2" in refused.stderr


@pytest.mark.parametrize(
    ("words", "expected", "status"),
    [
        pytest.param(["san", "web", "80"], "open", 0, id="open as expected"),
        pytest.param(["san", "web", "80"], "blocked", 1, id="open where blocked was expected"),
        pytest.param(["san", "shut", "80"], "blocked", 0, id="blocked as expected"),
        pytest.param(["san", "shut", "80"], "open", 1, id="blocked where open was expected"),
        pytest.param(["shut", "web", "80"], "open", 2, id="no way to tell"),
    ],
)
def test_expect_makes_it_an_assertion(shop: Shop, words: list[str], expected: str, status: int) -> None:
    assert shop.test(*words, "--expect", expected)[0].returncode == status


def test_the_debug_image_brings_the_tool_that_the_image_lacks(shop: Shop) -> None:
    result, answer = shop.test("shut", "web", "80", "--debug-image", "lab/busybox:1")
    assert (result.returncode, answer["outcome"], answer["tool"]) == (0, "open", "nc"), result


def test_a_second_look_uses_the_same_debug_container(shop: Shop) -> None:
    # Fresh, isolated and refused though allowed, so it is tried again for some seconds.
    shop.cluster.apply(WEB_TO_NEW, namespace=shop.namespace)
    shop.cluster.create_pods(shop.namespace, pod("new", "distroless"))
    before = debug_containers(shop)
    _, answer = shop.test("shut", "new", "7001", "--debug-image", "lab/busybox:1")
    (added,) = debug_containers(shop) - before
    assert f"-c {added} " in answer["command"]


def debug_containers(shop: Shop) -> set[str]:
    spec = shop.cluster.get("pod", "shut", "-n", shop.namespace)["spec"]
    return {entry["name"] for entry in spec.get("ephemeralContainers", ())}


def test_a_debug_image_that_can_t_be_had_is_reported_at_once(shop: Shop) -> None:
    began = time.monotonic()
    result, _ = shop.test("shut", "web", "80", "--debug-image", "lab/nowhere:1")
    assert (result.returncode, result.stdout) == (2, "")
    assert "ErrImagePull" in result.stderr or "ImagePullBackOff" in result.stderr, result
    assert time.monotonic() - began < 50  # the kubelet's own try to pull, without a network


@pytest.fixture
def black_hole(shop: Shop) -> Iterator[None]:
    rule = ["FORWARD", "-d", "198.51.100.0/24", "-j", "DROP"]
    assert shop.cluster.run("iptables", "-t", "mangle", "-I", *rule).returncode == 0
    yield
    shop.cluster.run("iptables", "-t", "mangle", "-D", *rule)


def probing_for_long(shop: Shop, source: str, address: str) -> subprocess.Popen[str]:
    """A test that waits for an address which never answers, once its nc runs in the pod."""
    words = ("test", source, address, "80", "-n", shop.namespace, "--timeout", "20s")
    probing = shop.cluster.start("kubectl", "netpol", *words)
    pattern = f"^nc .*{re.escape(address)}"
    shop.cluster.wait_until(lambda: shop.cluster.run("pgrep", "-f", pattern).returncode == 0, what="nc to run")
    return probing


@pytest.mark.usefixtures("black_hole")
def test_udp_silence_is_no_answer(shop: Shop) -> None:
    result, answer = shop.test("san", "198.51.100.79", "9", "--protocol", "udp", "--timeout", "1s")
    assert (result.returncode, answer["outcome"], answer["finding"]["code"]) == (2, "no-answer", "no-answer"), result


@pytest.mark.usefixtures("black_hole")
def test_a_source_that_is_deleted_during_the_probe_is_reported(shop: Shop) -> None:
    shop.cluster.create_pods(shop.namespace, pod("gone"))
    probing = probing_for_long(shop, "gone", "198.51.100.77")
    shop.cluster.kubectl("delete", "pod", "gone", "-n", shop.namespace, "--wait=false")
    out, err = probing.communicate(timeout=30)
    assert probing.returncode == 2, (out, err)
    assert "Traceback" not in err


@pytest.mark.usefixtures("black_hole")
def test_an_interrupt_ends_it_at_once(shop: Shop) -> None:
    probing = probing_for_long(shop, "san", "198.51.100.78")
    began = time.monotonic()
    os.kill(probing.pid, signal.SIGINT)
    out, err = probing.communicate(timeout=10)
    assert time.monotonic() - began < 2
    assert probing.returncode == 130, (out, err)
    assert "Traceback" not in err


def test_the_text_is_the_answer_first_and_eight_lines_at_most(shop: Shop) -> None:
    for words in (["san", "shut", "80"], ["san", "web", "81"], ["caged", "pod/shut", "80"], ["san", "no.such", "80"]):
        result = shop.cluster.netpol("test", *words, "-n", shop.namespace)
        lines = result.stdout.splitlines()
        assert len(lines) <= 8
        assert all(len(line) <= 80 for line in lines if "kubectl netpol" not in line), lines
        assert lines[0].split(":")[0] in ("blocked", "refused", "can't tell"), result


def test_an_api_server_that_stops_answering_does_not_hold_us_for_ever(shop: Shop) -> None:
    server = shop.cluster.component("kube-apiserver")
    os.kill(server, signal.SIGSTOP)
    try:
        began = time.monotonic()
        result = shop.cluster.netpol("test", "san", "web", "80", "-n", shop.namespace, "--request-timeout", "2s")
        assert time.monotonic() - began < 10
    finally:
        os.kill(server, signal.SIGCONT)
    assert (result.returncode, result.stdout) == (2, ""), result
    assert result.stderr.startswith("error: ")
