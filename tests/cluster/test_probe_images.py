"""The probe from every image of the kit into every situation, over our own exec: outcome, time, and nothing left."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from kubectl_netpol.cluster.api import Api
from kubectl_netpol.cluster.kubeconfig import load
from kubectl_netpol.cluster.options import ClusterOptions
from kubectl_netpol.cluster.streams import CompletedExec, execute
from kubectl_netpol.probe.outcome import Outcome, ProbeResult, Target
from kubectl_netpol.probe.run import probe
from kubectl_netpol.probe.script import shell_argv
from tests.cluster.connects import within
from tests.cluster.lab import Cluster, pod

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Image: the tool that tells over TCP, and over UDP.
TOOLS: dict[str, tuple[str | None, str | None]] = {
    "busybox": ("nc", "nc"),
    "debian-busybox": ("nc", None),
    "openbsd-nc": ("nc", "bash"),
    "traditional-nc": ("nc", "nc"),
    "ncat": ("nc", "nc"),
    "bash": ("bash", "bash"),
    "dash": (None, None),
    "curl": ("curl", None),
    "distroless": (None, None),
}
WITH_TCP = [image for image, (tcp, _) in TOOLS.items() if tcp]
WITH_UDP = [image for image, (_, udp) in TOOLS.items() if udp]
WITHOUT = [image for image, tools in TOOLS.items() if tools == (None, None)]

API_NAME = "kubernetes.default.svc"
NO_NAME = "nosuch.default.svc"
TIMEOUT = 2.0
SLACK = 2.0  # for two cores that also run the cluster
DENY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny}
spec: {podSelector: {matchLabels: {run: rejected}}, policyTypes: [Ingress]}
"""
NO_DNS = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web-only}
spec:
  podSelector: {matchLabels: {dns: rejected}}
  policyTypes: [Egress]
  egress: [{to: [{podSelector: {matchLabels: {run: web}}}]}]
"""


RESTRICTED = ("busybox", "openbsd-nc", "curl")


def restricted(image: str) -> dict[str, Any]:
    """A pod as the restricted pod security standard wants it, with nothing to write on and little CPU."""
    manifest = pod(f"restricted-{image}", image, command=["sleep", "1000000"])
    manifest["spec"]["securityContext"] = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    (container,) = manifest["spec"]["containers"]
    container["securityContext"] = {
        "runAsUser": 65534,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    container["resources"] = {"limits": {"cpu": "100m", "memory": "32Mi"}}
    return manifest


class Shop(NamedTuple):
    """One pod an image as source; three servers on TCP and UDP 80, of which a policy and a DROP rule shut two."""

    cluster: Cluster
    api: Api
    namespace: str
    addresses: dict[str, str]
    uids: dict[str, str]

    def probe(self, source: str, targets: Sequence[Target], **options: object) -> ProbeResult:
        def run(argv: Sequence[str], deadline: float) -> CompletedExec:
            return execute(self.api, self.namespace, source, source, argv, deadline=deadline)

        return within(self.cluster.netns, lambda: probe(run, targets, timeout=TIMEOUT, **options))  # type: ignore[arg-type]  # protocol, names

    def target(self, name: str, port: int = 80) -> Target:
        return Target(self.addresses[name], port)

    def processes(self, name: str) -> dict[int, str]:
        """What runs in the pod, and what ended there and was not waited for, as {process id: command line}."""
        found = {}
        parents = {}
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(FileNotFoundError, ProcessLookupError):
                stat = (process / "stat").read_text().rpartition(")")[2].split()
                parents[int(process.name)] = int(stat[1])
                if self.uids[name] in (process / "cgroup").read_text():
                    command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    found[int(process.name)] = command or f"<{stat[0]}>"
        return found | {child: "<Z>" for child, parent in parents.items() if parent in found and child not in found}


@contextmanager
def rule(cluster: Cluster, *words: str) -> Iterator[None]:
    """An iptables rule on the node, in a table before the one where the enforcer puts itself first again and again."""
    cluster.run("iptables", "-t", "mangle", "-I", "FORWARD", *words)
    try:
        yield
    finally:
        cluster.run("iptables", "-t", "mangle", "-D", "FORWARD", *words)


@pytest.fixture(scope="module")
def shop(cluster: Cluster) -> Iterator[Shop]:
    with cluster.namespace() as namespace:
        cluster.apply(DENY, NO_DNS, namespace=namespace)
        servers = [pod(name, "distroless") for name in ("web", "rejected", "dropped")]
        sources = [pod(image, image, labels={"run": image}) for image in TOOLS]
        sources.append(pod("no-dns", "busybox", labels={"dns": "rejected"}))
        sources += [restricted(image) for image in RESTRICTED]
        cluster.create_pods(namespace, *servers, *sources)
        items = cluster.get("pods", "-n", namespace)["items"]
        addresses = {item["metadata"]["name"]: item["status"]["podIP"] for item in items}
        uids = {item["metadata"]["name"]: item["metadata"]["uid"] for item in items}
        shop = Shop(cluster, Api(load(ClusterOptions(kubeconfig=str(cluster.kubeconfig)))), namespace, addresses, uids)
        with rule(cluster, "-d", addresses["dropped"], "-j", "DROP"):
            cluster.wait_until(lambda: outcome(shop, "rejected") is Outcome.REFUSED, what="the policy deny")
            yield shop


def outcome(shop: Shop, name: str) -> Outcome:
    return shop.probe("busybox", [shop.target(name)]).observations[0].outcome


def settled(shop: Shop, name: str, before: dict[int, str]) -> bool:
    left = {process: command for process, command in shop.processes(name).items() if process not in before}
    assert not left, f"left in {name}: {left}"
    return True


@pytest.mark.parametrize("image", WITH_TCP)
def test_tcp_from_every_image(shop: Shop, image: str) -> None:
    before = shop.processes(image)
    targets = [shop.target("web"), shop.target("web", 81), shop.target("rejected"), shop.target("dropped")]
    began = time.monotonic()
    result = shop.probe(image, targets, names=(API_NAME, NO_NAME))
    seconds = time.monotonic() - began
    assert [observation.outcome for observation in result.observations] == [
        Outcome.OPEN,
        Outcome.REFUSED,
        Outcome.REFUSED,
        Outcome.TIMED_OUT,
    ], result
    assert {observation.tool for observation in result.observations} == {TOOLS[image][0]}
    assert [check.resolves for check in result.names] == [True, False], result.names
    assert seconds < TIMEOUT + 1 + SLACK
    assert settled(shop, image, before)


@pytest.mark.parametrize("image", WITH_UDP)
def test_udp_from_every_image_that_can_send(shop: Shop, image: str) -> None:
    before = shop.processes(image)
    targets = [shop.target("web"), shop.target("web", 81), shop.target("rejected"), shop.target("dropped")]
    dns = shop.cluster.get("service", "kube-dns", "-n", "kube-system")["spec"]["clusterIP"]
    began = time.monotonic()
    result = shop.probe(image, [*targets, Target(dns, 53)], protocol="UDP")
    seconds = time.monotonic() - began
    assert [observation.outcome for observation in result.observations] == [
        Outcome.OPEN,
        Outcome.REFUSED,
        Outcome.REFUSED,
        Outcome.NO_ANSWER,
        Outcome.OPEN,
    ], result
    assert {observation.tool for observation in result.observations} == {TOOLS[image][1]}
    assert seconds < TIMEOUT + 1 + SLACK
    assert settled(shop, image, before)


@pytest.mark.parametrize("image", RESTRICTED)
def test_tcp_from_a_pod_that_may_nothing(shop: Shop, image: str) -> None:
    source = f"restricted-{image}"
    before = shop.processes(source)
    more = 3 if image == "curl" else 20  # the CPU it may use starts few curls a second
    targets = [shop.target("web"), shop.target("rejected"), shop.target("dropped"), *[shop.target("web")] * more]
    result = shop.probe(source, targets, names=(API_NAME,))
    assert [observation.outcome for observation in result.observations] == [
        Outcome.OPEN,
        Outcome.REFUSED,
        Outcome.TIMED_OUT,
        *[Outcome.OPEN] * more,
    ], result
    assert result.names[0].resolves is True
    assert settled(shop, source, before)


def test_many_ports_fit_into_the_memory_of_the_pod(shop: Shop) -> None:
    """Thirty at once would take 42 MB of the 32 MiB that it may use, and the kernel kills what takes more."""
    source = "restricted-openbsd-nc"
    before = shop.processes(source)
    result = shop.probe(source, [shop.target("dropped")] * 30)
    assert {observation.outcome for observation in result.observations} == {Outcome.TIMED_OUT}, result
    assert settled(shop, source, before)


@pytest.mark.parametrize("image", WITH_TCP)
def test_a_probe_ends_by_itself_after_its_connection_broke(shop: Shop, image: str) -> None:
    before = shop.processes(image)
    words = shell_argv("sh", [shop.target("dropped")] * 3, protocol="TCP", timeout=1, http=False, names=(API_NAME,))
    broken = within(
        shop.cluster.netns,
        lambda: execute(shop.api, shop.namespace, image, image, words, deadline=0.6),
    )
    assert broken.timed_out
    began = time.monotonic()
    assert set(shop.processes(image)) > set(before)
    shop.cluster.wait_until(lambda: set(shop.processes(image)) <= set(before), what=f"the end of the probe in {image}")
    assert time.monotonic() - began < 1 + 1 + SLACK


@pytest.mark.parametrize("image", WITHOUT)
def test_an_image_without_a_tool_says_so(shop: Shop, image: str) -> None:
    before = shop.processes(image)
    (observation,) = shop.probe(image, [shop.target("web")]).observations
    assert observation.outcome is Outcome.NO_TOOL
    assert settled(shop, image, before)


@pytest.mark.parametrize("image", [image for image in WITH_TCP if TOOLS[image][1] is None])
def test_an_image_that_can_not_send_udp_says_so(shop: Shop, image: str) -> None:
    (observation,) = shop.probe(image, [shop.target("web")], protocol="UDP").observations
    assert observation.outcome is Outcome.NO_TOOL


@pytest.mark.parametrize("image", WITH_TCP)
def test_a_port_is_open_by_address_though_dns_is_dropped(shop: Shop, image: str) -> None:
    before = shop.processes(image)
    with (
        rule(shop.cluster, "-s", shop.addresses[image], "-p", "udp", "--dport", "53", "-j", "DROP"),
        rule(shop.cluster, "-s", shop.addresses[image], "-p", "tcp", "--dport", "53", "-j", "DROP"),
    ):
        began = time.monotonic()
        result = shop.probe(image, [shop.target("web"), Target("shop.example", 80)], names=(API_NAME,))
        seconds = time.monotonic() - began
    assert [observation.outcome for observation in result.observations] == [Outcome.OPEN, Outcome.UNRESOLVED], result
    assert [check.resolves for check in result.names] == [False], result.names
    assert seconds < TIMEOUT + 1 + SLACK
    assert settled(shop, image, before)


def test_a_port_is_open_by_address_though_a_policy_rejects_dns(shop: Shop) -> None:
    def probed() -> ProbeResult:
        return shop.probe("no-dns", [shop.target("web")], names=(API_NAME,))

    result = shop.cluster.wait_until(lambda: (r := probed()).names[0].resolves is False and r)
    assert isinstance(result, ProbeResult)
    assert result.observations[0].outcome is Outcome.OPEN
