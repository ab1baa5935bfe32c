"""The tables of tests/cases: small clusters in short form, and what the engine must say of connections in them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from kubectl_netpol.connection.predict import predict
from kubectl_netpol.connection.resolve import parse_reference, resolve_destination, resolve_source
from kubectl_netpol.connection.routes import request
from kubectl_netpol.manifests.reader import Reader
from kubectl_netpol.model.snapshot import Gap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.engine.verdict import RuleMatch
    from kubectl_netpol.model.snapshot import Snapshot

# The kinds of the Admin and Baseline tiers, as the tables write them.
TIERS = {
    "cnp": {"apiVersion": "policy.networking.k8s.io/v1alpha2", "kind": "ClusterNetworkPolicy"},
    "cnp-beta": {"apiVersion": "policy.networking.k8s.io/v1beta1", "kind": "ClusterNetworkPolicy"},
    "anp": {"apiVersion": "policy.networking.k8s.io/v1alpha1", "kind": "AdminNetworkPolicy"},
    "banp": {"apiVersion": "policy.networking.k8s.io/v1alpha1", "kind": "BaselineAdminNetworkPolicy"},
    "amazon": {"apiVersion": "networking.k8s.aws/v1alpha1", "kind": "ClusterNetworkPolicy"},
}
# Calico's kinds, as the tables write them.
CALICO = {
    "np": "NetworkPolicy",
    "gnp": "GlobalNetworkPolicy",
    "tier": "Tier",
    "set": "NetworkSet",
    "gset": "GlobalNetworkSet",
    "hep": "HostEndpoint",
    "snp": "StagedNetworkPolicy",
    "sgnp": "StagedGlobalNetworkPolicy",
    "sknp": "StagedKubernetesNetworkPolicy",
}
FOLDER = Path(__file__).parents[1] / "cases"
SPELLINGS = FOLDER / "spellings.yaml"
EXAMPLES = Path(__file__).parents[2] / "examples"
_CHECK = re.compile(
    r"(?P<source>\S+) -> (?P<destination>\S+) (?P<port>[a-z0-9-]+)(/(?P<protocol>TCP|UDP|SCTP))? = "
    r"(?P<verdict>allowed|blocked|undefined)"
    r"( (?P<code>[a-z-]+))?( at (?P<at>[a-z,]+))?( by (?P<by>\S+))?( sides (?P<sides>[a-z,]+))?( to (?P<routes>.+))?"
)


class Check(NamedTuple):
    """One line of a table. `code` is the reason or a caveat; `by` the rules that allow it, or that deny it."""

    name: str
    cluster: dict[str, Any]
    line: str


def checks() -> Iterator[Check]:
    for path in sorted(set(FOLDER.glob("*.yaml")) - {SPELLINGS}):
        for case in yaml.safe_load(path.read_text(encoding="utf-8")):
            for name, line in case["checks"].items():
                yield Check(f"{case['case']}: {name}", case, line)


def snapshot_of(cluster: dict[str, Any]) -> Snapshot:
    reader = Reader(live=bool(cluster.get("live")), plugin=cluster.get("plugin"))
    reader.add_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects(cluster))}), "table")
    return reader.snapshot(
        [Gap(**{**gap, "readable": frozenset(gap.get("readable", ()))}) for gap in cluster.get("gaps", ())]
    )


def example(name: str) -> Snapshot:
    """The cluster of examples/NAME.yaml."""
    reader = Reader()
    reader.add_text((EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8"), name)
    return reader.snapshot()


def objects(cluster: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The manifests behind the short form. Every namespace of a pod is there, unless it is in `unread`."""
    labels = cluster.get("namespaces", {})
    pods = cluster.get("pods", {})
    names = {key.split("/")[0] for key in pods} - set(cluster.get("unread", ()))
    for name in sorted({*names, *labels}):
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels.get(name)}}
    for name, addresses in cluster.get("nodes", {}).items():
        listed = [{"type": "InternalIP", "address": address} for address in addresses]
        metadata = {"name": name, "labels": cluster.get("node_labels", {}).get(name)}
        yield {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "status": {"addresses": listed}}
    for key, pod in pods.items():
        yield pod_object(*key.split("/"), **(pod or {}))
    for key, spec in cluster.get("policies", {}).items():
        yield _object("networking.k8s.io/v1", "NetworkPolicy", key, spec)
    for key, spec in cluster.get("tiers", {}).items():
        kind, name = key.split("/")
        yield {**TIERS[kind], "metadata": {"name": name}, "spec": spec}
    for key, spec in cluster.get("cilium", {}).items():
        yield _cilium(key, spec)
    for key, spec in cluster.get("services", {}).items():
        status = {"loadBalancer": {"ingress": [{"ip": ip} for ip in spec.get("balancer", ())]}}
        rest = {field: value for field, value in spec.items() if field != "balancer"}
        yield {**_object("v1", "Service", key, rest), "status": status}
    for key, labels in cluster.get("accounts", {}).items():
        namespace, name = key.split("/")
        metadata = {"namespace": namespace, "name": name, "labels": labels}
        yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
    for key, spec in cluster.get("calico", {}).items():
        yield _of_calico(key, spec or {}, stored=bool(cluster.get("stored")))
    yield from cluster.get("objects", ())


def _of_calico(key: str, spec: dict[str, Any], *, stored: bool) -> dict[str, Any]:
    """KIND/NAME, or KIND/NAMESPACE/NAME. `labels` are those of the object."""
    kind, *place = key.split("/")
    metadata = {**dict(zip(("name", "namespace"), reversed(place), strict=False)), "labels": spec.get("labels")}
    version = "crd.projectcalico.org/v1" if stored else "projectcalico.org/v3"
    fields = {field: value for field, value in spec.items() if field != "labels"}
    return {"apiVersion": version, "kind": CALICO[kind], "metadata": metadata, "spec": fields}


def _object(version: str, kind: str, key: str, spec: dict[str, Any]) -> dict[str, Any]:
    namespace, name = key.split("/")
    return {"apiVersion": version, "kind": kind, "metadata": {"namespace": namespace, "name": name}, "spec": spec}


def _cilium(key: str, spec: Any) -> dict[str, Any]:
    """NAMESPACE/NAME, or NAME alone for a cluster-wide one. A list is its `specs`; no endpointSelector is any pod."""
    namespace, _, name = key.rpartition("/")
    specs = [
        one if "nodeSelector" in one else {"endpointSelector": {}, **one}
        for one in (spec if isinstance(spec, list) else [spec])
    ]
    kind = "CiliumNetworkPolicy" if namespace else "CiliumClusterwideNetworkPolicy"
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    body = {"specs": specs} if isinstance(spec, list) else {"spec": specs[0]}
    return {"apiVersion": "cilium.io/v2", "kind": kind, "metadata": metadata, **body}


def pod_object(
    namespace: str,
    name: str,
    *,
    labels: dict[str, str] | None = None,
    ip: str = "",
    ports: str = "",
    node: str | None = None,
    host_network: bool = False,
    host_ip: str | None = None,
    phase: str = "Running",
    ready: bool = True,
    planned: bool = False,
    terminating: bool = False,
    account: str | None = None,
    init: str | None = None,
    annotations: dict[str, str] | None = None,
) -> dict[str, Any]:
    """`ip`: its addresses; `ports`: such as "http=80 53/UDP 80/TCP@8080 81@127.0.0.1:8081".

    Those are name, number, protocol, hostIP and hostPort. `init`: the ports of an init container.
    """
    listed = _ports(ports)
    addresses = ip.split()
    status = {
        "phase": phase,
        "podIP": addresses[0] if addresses else None,
        "podIPs": [{"ip": address} for address in addresses],
        "hostIP": host_ip,
        "conditions": [{"type": "Ready", "status": str(ready and bool(addresses))}],
    }
    metadata = {"namespace": namespace, "name": name, "labels": labels, "annotations": annotations}
    if terminating:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    spec = {"nodeName": node, "hostNetwork": host_network, "containers": [{"name": "c", "ports": listed}]}
    if account:
        spec["serviceAccountName"] = account
    if init:
        spec["initContainers"] = [{"name": "i", "ports": _ports(init)}]
    found = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    return found if planned else {**found, "status": status}


def _ports(ports: str) -> list[dict[str, Any]]:
    listed = []
    for word in ports.split():
        match = re.fullmatch(
            r"((?P<name>[a-z-]+)=)?(?P<number>\d+)(/(?P<protocol>\w+))?(@((?P<at>[\d.]+):)?(?P<host>\d+))?", word
        )
        assert match, word
        found: dict[str, Any] = {
            "name": match["name"],
            "containerPort": int(match["number"]),
            "protocol": match["protocol"] or "TCP",
        }
        if match["host"]:
            found |= {"hostPort": int(match["host"]), "hostIP": match["at"]}
        listed.append(found)
    return listed


def ask(snapshot: Snapshot, source: str, destination: str, port: int | str, protocol: str) -> Prediction:
    reference = parse_reference(source, "default")
    here = resolve_source(snapshot, reference)
    there = resolve_destination(snapshot, parse_reference(destination, "default"), reference.namespace)
    return predict(snapshot, request(snapshot, here, there, port, protocol))


def _rule_text(match: RuleMatch) -> str:
    policy = match.policy
    own = policy.tier or policy.kind in ("GlobalNetworkPolicy", "CalicoNetworkPolicy")
    key = f"{policy.namespace}/{policy.name}" if policy.namespace else policy.title
    return f"{policy.name if own else key}[{match.rule.position}]"


def faults(check: Check) -> list[str]:
    """What is wrong with the engine's answer, or with the line itself."""
    wanted = _CHECK.fullmatch(check.line)
    assert wanted, check.line
    port = int(wanted["port"]) if wanted["port"].isdecimal() else wanted["port"]
    verdict = ask(
        snapshot_of(check.cluster), wanted["source"], wanted["destination"], port, wanted["protocol"] or "TCP"
    )
    codes = {note.code.value for note in (*verdict.caveats, *filter(None, [verdict.reason]))}
    sides = (verdict.egress, verdict.ingress)
    deciding = [match for side in sides for match in side.denied_by]
    deciding = deciding or [match for side in sides for match in side.allowed_by]
    routes = " ".join(f"{r.connection.destination.title}:{r.connection.port}={r.verdict.value}" for r in verdict.routes)
    got = {
        "verdict": verdict.verdict.value,
        "code": wanted["code"] if wanted["code"] in codes else str(sorted(codes)),
        "at": ",".join(sorted(side.field for side in verdict.blocked_at)),
        "by": ",".join(map(_rule_text, deciding)),
        "sides": f"{verdict.egress.verdict.value},{verdict.ingress.verdict.value}",
        "routes": routes,
    }
    return [f"{part} {got[part]}, wanted {wanted[part]}" for part in got if wanted[part] not in (None, got[part])]
