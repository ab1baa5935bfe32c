"""Junk in every place of Calico's objects is an error in a file, and stops nothing on a cluster."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from kubectl_netpol.analysis.isolation import explain_pod
from kubectl_netpol.errors import ManifestError, NetpolError
from kubectl_netpol.manifests.reader import Reader
from kubectl_netpol.matrix.grid import Grid
from kubectl_netpol.matrix.pod_sets import PodSets
from tests.laws.test_hostile import JUNK, places
from tests.support.tables import ask

if TYPE_CHECKING:
    from kubectl_netpol.model.snapshot import Snapshot

OBJECTS = list(
    yaml.safe_load_all("""
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: a, labels: {app: x}}
spec:
  {nodeName: n1, serviceAccountName: s, containers: [{name: c, ports: [{name: http, containerPort: 80}]}],
  initContainers: [{name: i, ports: [{name: j, containerPort: 81}]}]}
status: {phase: Running, podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.1}]}
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: g, annotations: {projectcalico.org/metadata: '{"labels":{}}'}}
spec:
  {tier: t, order: 5, selector: app == 'x', namespaceSelector: all(), serviceAccountSelector: all(), types: [Ingress],
  applyOnForward: true,
  ingress: [{action: Allow, protocol: TCP, notProtocol: UDP, ipVersion: 4,
    source: {selector: all(), notSelector: has(x), nets: [10.0.0.0/8], notNets: [10.1.0.0/16],
      serviceAccounts: {names: [s], selector: has(y)}},
    destination: {notPorts: [http]}, http: {methods: [GET]}, notICMP: {type: 8}, metadata: {annotations: {}}}],
  egress: [{action: Log, destination: {services: {name: s, namespace: a}}}]}
---
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: p, namespace: a}
spec:
  {selector: "app in {'x'}",
  egress: [{action: Deny, protocol: 6, destination: {ports: [80, "1:2", http], namespaceSelector: global()}}]}
---
apiVersion: projectcalico.org/v3
kind: Tier
metadata: {name: t}
spec: {order: 1, defaultAction: Pass}
---
apiVersion: projectcalico.org/v3
kind: NetworkSet
metadata: {name: s, namespace: a, labels: {x: y}}
spec: {nets: [10.0.0.0/8]}
---
apiVersion: projectcalico.org/v3
kind: HostEndpoint
metadata: {name: h, labels: {app: x}}
spec: {node: n2, interfaceName: eth0, expectedIPs: [192.0.2.1]}
---
apiVersion: projectcalico.org/v3
kind: StagedKubernetesNetworkPolicy
metadata: {name: k, namespace: a}
spec: {podSelector: {}, stagedAction: Set}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: s, namespace: a, labels: {y: z}}
""")
)


def read(objects: list[Any], *, live: bool) -> Snapshot:
    reader = Reader(live=live, plugin="Calico")
    reader.add_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}), "it")
    return reader.snapshot()


def use(snapshot: Snapshot) -> None:
    """Asks everything of everything in it."""
    for pod in snapshot.pods:
        list(Grid(PodSets(snapshot, snapshot.pods), "TCP", 80).rows())
        explain_pod(snapshot, pod)
        ask(snapshot, f"{pod.namespace}/pod/{pod.name}", "203.0.113.1", 80, "TCP")


def test_the_objects_are_good_before_they_are_spoilt() -> None:
    for live in (False, True):
        snapshot = read(OBJECTS, live=live)
        assert snapshot.unevaluated == ()
        use(snapshot)


@pytest.mark.parametrize("live", [pytest.param(False, id="a file"), pytest.param(True, id="a cluster")])
@pytest.mark.parametrize("number", [pytest.param(n, id=item["kind"]) for n, item in enumerate(OBJECTS)])
def test_junk(number: int, live: bool) -> None:  # noqa: FBT001 - a row
    own = "projectcalico.org/" in OBJECTS[number]["apiVersion"]
    for place in places(OBJECTS[number]):
        for junk in JUNK:
            objects = copy.deepcopy(OBJECTS)
            at: Any = objects
            for key in (number, *place)[:-1]:
                at = at[key]
            at[(number, *place)[-1]] = junk
            try:
                use(read(objects, live=live))
            except ManifestError:
                assert not (live and own and place[:1] == ("spec",)), (place, junk)
            except NetpolError:
                assert place[:1] == ("metadata",), (place, junk)
