"""Where Calico runs: its reasons in words, its tiers as a pod's policies, and the same answers for a whole matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from kubectl_netpol.analysis.isolation import explain_pod
from kubectl_netpol.connection.predict import predict
from kubectl_netpol.engine.layers import isolating_policies, selecting_policies, tiered_policies
from kubectl_netpol.engine.phrases import near_miss_text, policy_text
from kubectl_netpol.matrix.grid import Grid
from kubectl_netpol.matrix.pod_sets import PodSets
from kubectl_netpol.model.policies import Direction
from tests.support.tables import FOLDER, ask, snapshot_of

if TYPE_CHECKING:
    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.model.snapshot import Snapshot

INGRESS = Direction.INGRESS
CASES = yaml.safe_load((FOLDER / "calico.yaml").read_text(encoding="utf-8"))
CLUSTER: dict[str, Any] = {
    "pods": {
        "a/src": {"labels": {"app": "src"}, "ip": "10.0.0.1"},
        "b/dst": {"labels": {"app": "dst"}, "ip": "10.0.1.1", "ports": "http=80"},
        "b/free": {"ip": "10.0.1.2"},
    },
    "policies": {"b/kube": {"podSelector": {}, "ingress": [{"ports": [{"port": 90}]}]}},
    "calico": {
        "tier/sec": {"order": 5},
        "gnp/sec": {
            "tier": "sec",
            "order": 1.5,
            "selector": "app == 'dst'",
            "types": ["Ingress"],
            "ingress": [
                {"action": "Deny", "protocol": "TCP", "destination": {"ports": [66]}},
                {"action": "Pass", "source": {"selector": "app == 'src'"}},
            ],
        },
        "np/b/own": {
            "selector": "app == 'dst'",
            "ingress": [
                {
                    "action": "Allow",
                    "protocol": "TCP",
                    "source": {"namespaceSelector": "all()", "selector": "app == 'src'"},
                    "destination": {"ports": [80, "8000:8080"]},
                }
            ],
        },
        "gnp/nothing": {"selector": "app == 'nobody'"},
    },
}


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return snapshot_of(CLUSTER)


def asked(snapshot: Snapshot, source: str, port: int, protocol: str = "TCP") -> Prediction:
    return ask(snapshot, source, "b/dst", port, protocol)


SEC = "globalnetworkpolicy.projectcalico.org/sec"


@pytest.mark.parametrize(
    ("source", "port", "reason"),
    [
        pytest.param("a/src", 66, f"{SEC} ingress[0] denies it", id="a rule denies"),
        pytest.param(
            "b/free",
            80,
            f"what no rule decides is denied at the end of tier sec, since {SEC} applies to b/dst for ingress",
            id="a tier ends",
        ),
        pytest.param(
            "a/src",
            81,
            "what no rule decides is denied at the end of tier default, since kube, "
            "b/networkpolicy.projectcalico.org/own apply to b/dst for ingress",
            id="the last tier ends",
        ),
    ],
)
def test_reasons(snapshot: Snapshot, source: str, port: int, reason: str) -> None:
    found = asked(snapshot, source, port).reason
    assert found
    assert found.message == reason


def test_the_policies_of_a_pod_come_in_the_order_in_which_they_are_asked(snapshot: Snapshot) -> None:
    pod = snapshot.pod("b", "dst")
    assert pod
    wanted = [
        f"{SEC} (tier sec, order 1.5)",
        "kube (tier default, order 1000)",
        "b/networkpolicy.projectcalico.org/own (tier default, last)",
    ]
    assert [policy_text(policy) for policy in selecting_policies(snapshot, pod)] == wanted
    assert [policy_text(policy) for policy in isolating_policies(snapshot, pod, INGRESS)] == wanted
    assert tiered_policies(snapshot, pod, INGRESS) == ()
    assert isolating_policies(snapshot, pod, Direction.EGRESS) == ()


def test_a_pod_explained(snapshot: Snapshot) -> None:
    pod = snapshot.pod("b", "dst")
    assert pod
    found = explain_pod(snapshot, pod).ingress
    rows = [
        (
            entry.policy.name,
            entry.rule.action.value,
            entry.ports,
            [(peer.text, [p.name for p in peer.pods]) for peer in entry.peers],
        )
        for entry in found.admin
    ]
    assert rows == [
        ("sec", "deny", "TCP 66", [("", [])]),
        ("sec", "pass", "all ports", [("selector app == 'src'", ["src"])]),
        ("kube", "allow", "", [("", [])]),
        ("own", "allow", "TCP 80,8000:8080", [("namespaceSelector all() and selector app == 'src'", ["src"])]),
    ]  # fmt: skip
    assert [text.split(",")[0] for text in found.at_end] == [
        "what no rule decides is denied at the end of tier sec",
        "what no rule decides is denied at the end of tier default",
    ]
    assert explain_pod(snapshot, pod).egress.unaffected


def test_a_pod_that_rules_name(snapshot: Snapshot) -> None:
    pod = snapshot.pod("a", "src")
    assert pod
    found = explain_pod(snapshot, pod).mentioned_by
    assert [(mention.policy.name, mention.rule.position) for mention in found] == [("sec", 1), ("own", 0)]


@pytest.mark.parametrize(
    ("source", "port", "protocol", "nearly"),
    [
        pytest.param(
            "a/src",
            81,
            "TCP",
            {
                "kube": "requires port 90, not 81",
                "own": "requires port TCP 80,8000:8080, not 81",
            },
            id="another port",
        ),
        pytest.param(
            "a/src",
            80,
            "UDP",
            {"kube": "requires TCP, not UDP", "own": "its protocol is TCP 80,8000:8080, not UDP"},
            id="another protocol",
        ),
    ],
)
def test_near_misses(snapshot: Snapshot, source: str, port: int, protocol: str, nearly: dict[str, str]) -> None:
    found = asked(snapshot, source, port, protocol).ingress.near_misses
    assert {near.policy.name: near_miss_text(near) for near in found} == nearly


def test_what_the_api_says_instead(snapshot: Snapshot) -> None:
    found = asked(snapshot, "a/src", 80)
    assert (found.verdict.value, found.plugin) == ("allowed", "Calico")
    assert found.api_verdict
    assert found.api_verdict.value == "blocked", "a NetworkPolicy isolates the pod"
    assert found.caveats == (), "which the plugin's own policies change, not its reading of NetworkPolicies"


@pytest.mark.parametrize("case", [pytest.param(case, id=case["case"]) for case in CASES])
def test_a_matrix_says_what_the_engine_says_of_each_pair(case: dict[str, Any]) -> None:
    snapshot = snapshot_of(case)
    pods = [pod for pod in snapshot.pods if pod.ips or pod.planned]
    ports = {(80, "TCP"), (53, "UDP"), *((port.number, port.protocol) for pod in pods for port in pod.ports)}
    ports |= {(int(number), "TCP") for line in case["checks"].values() if (number := line.split()[3]).isdecimal()}
    letters = {"allowed": "a", "blocked": "b", "undefined": "u"}
    for port, protocol in sorted(ports):
        rows = list(Grid(PodSets(snapshot, pods), protocol, port).rows())
        for source, row in zip(pods, rows, strict=True):
            for destination, letter in zip(pods, row, strict=True):
                if source is not destination:
                    found = ask(snapshot, _typed(source.key), _typed(destination.key), port, protocol)
                    assert letter == letters[found.verdict.value], (source.key, destination.key, port, protocol)


def _typed(key: str) -> str:
    return key.replace("/", "/pod/")


def test_a_policy_alone_among_files_says_which_plugin_runs() -> None:
    assert snapshot_of({"pods": {}, "calico": {"tier/x": {}}}).plugin == "Calico"
    assert snapshot_of({"pods": {}}).plugin is None
    assert predict is not None
