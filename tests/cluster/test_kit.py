"""The clusters themselves: that one enforces and the other does not, and that nothing of one that was killed stays."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.lab import OUTSIDE, Cluster, pod, remove_dead

DENY_ALL = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny-all}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
"""
IMAGES = (
    "busybox",
    "debian-busybox",
    "openbsd-nc",
    "traditional-nc",
    "ncat",
    "bash",
    "dash",
    "curl",
    "distroless",
    "nginx",
)


def connects(cluster: Cluster, namespace: str, address: str) -> bool:
    return (
        cluster.kubectl("exec", "-n", namespace, "san", "--", "nc", "-z", "-w", "2", address, "80", check=False)[0] == 0
    )


def test_a_policy_is_enforced(cluster: Cluster, namespace: str) -> None:
    cluster.create_pods(namespace, pod("san"), pod("web", "nginx"))
    web = cluster.pod_ip(namespace, "web")
    cluster.wait_until(lambda: connects(cluster, namespace, web), what="an open port without policies")
    cluster.apply(DENY_ALL, namespace=namespace)
    cluster.wait_until(lambda: not connects(cluster, namespace, web), what="a closed port under deny-all")


def test_without_enforcer_a_policy_changes_nothing(cluster_without_enforcer: Cluster) -> None:
    cluster = cluster_without_enforcer
    with cluster.namespace() as namespace:
        cluster.create_pods(namespace, pod("san"), pod("web", "nginx"))
        web = cluster.pod_ip(namespace, "web")
        cluster.wait_until(lambda: connects(cluster, namespace, web), what="an open port without policies")
        cluster.apply(DENY_ALL, namespace=namespace)
        with pytest.raises(AssertionError, match="did not come about"):
            cluster.wait_until(lambda: not connects(cluster, namespace, web), timeout=2)


def test_every_image_runs(cluster: Cluster, namespace: str) -> None:
    cluster.create_pods(namespace, *(pod(image, image) for image in IMAGES))
    web = cluster.pod_ip(namespace, "distroless")
    cluster.wait_until(
        lambda: cluster.run("bash", "-c", f"exec 3<>/dev/tcp/{web}/80").returncode == 0, what="its server"
    )


def test_the_cluster_dns_resolves_a_service(cluster: Cluster, namespace: str) -> None:
    cluster.create_pods(namespace, pod("san"))
    lookup = ("exec", "-n", namespace, "san", "--", "nslookup", "kubernetes.default.svc.cluster.local")
    cluster.wait_until(lambda: "10.96.0.1" in cluster.kubectl(*lookup, check=False).stdout, what="the name's address")


def test_the_viewer_may_do_nothing(cluster: Cluster) -> None:
    result = cluster.run("kubectl", "auth", "can-i", "list", "pods", kubeconfig=cluster.viewer_kubeconfig)
    assert result.stdout.strip() == "no"


def test_the_outside_host_is_no_part_of_the_cluster(cluster: Cluster) -> None:
    addresses = cluster.run("nsenter", f"--net={cluster.named_netns('outside')}", "ip", "-brief", "addr")
    assert OUTSIDE in addresses.stdout


def test_nothing_stays_of_a_cluster_whose_holder_is_killed(cluster: Cluster) -> None:
    program = """
from tests.cluster.lab import up
with up("killed", enforcer=False) as cluster:
    print(cluster.state, flush=True)
    input()
"""
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout
        state = Path(holder.stdout.readline().strip())
        node = Path("/proc") / (state / "pid").read_text().strip()
        assert node.exists()
        holder.kill()
    cluster.wait_until(lambda: not node.exists(), what="the end of the node")
    remove_dead()
    assert not state.exists()
    assert not list(Path("/sys/fs/cgroup").glob(f"**/netpol-lab-{state.name}"))
    assert cluster.state.exists()
    assert cluster.kubectl("get", "--raw", "/readyz").stdout == "ok"
