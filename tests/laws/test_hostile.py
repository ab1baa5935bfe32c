"""Whatever text comes in: values, or an error that names the file; never a traceback, here or later in the engine."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpol.analysis.isolation import explain_pod
from kubectl_netpol.connection.predict import predict
from kubectl_netpol.connection.resolve import Resolved
from kubectl_netpol.connection.routes import request
from kubectl_netpol.errors import ManifestError, NetpolError
from kubectl_netpol.lint.context import Context
from kubectl_netpol.lint.warnings import connection_warnings, namespace_warnings, pod_warnings
from kubectl_netpol.manifests.reader import Reader
from tests.support.lawful import lawful
from tests.support.policy_kinds import OF_EACH_KIND, OfKind
from tests.support.running import run

if TYPE_CHECKING:
    from pathlib import Path

OBJECTS = list(
    yaml.safe_load_all("""
apiVersion: v1
kind: List
items: [{apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {team: x}}}]
---
{apiVersion: v1, kind: PodList, items: [{metadata: {name: p, namespace: a}}]}
---
apiVersion: v1
kind: Pod
metadata:
  {name: web, namespace: a, labels: {app: web}, annotations: {k: v}, creationTimestamp: "2026-01-01T00:00:00Z",
   managedFields: [{time: "2026-01-02T00:00:00Z"}], ownerReferences: [{kind: ReplicaSet, name: web, controller: true}]}
spec:
  nodeName: n1
  hostNetwork: false
  dnsPolicy: None
  dnsConfig: {nameservers: [10.96.0.10]}
  initContainers: [{name: i, restartPolicy: Always, ports: [{containerPort: 9}]}]
  containers: [{name: c, image: i, ports: [{name: http, containerPort: 80, protocol: TCP, hostPort: 80}]}]
  ephemeralContainers: [{name: e, image: i}]
status:
  phase: Running
  podIP: 10.0.0.1
  podIPs: [{ip: 10.0.0.1}, {ip: "fd00::1"}]
  hostIP: 192.0.2.1
  hostIPs: [{ip: 192.0.2.1}]
  conditions: [{type: Ready, status: "True"}]
  containerStatuses: [{name: c, state: {running: {}}}]
  ephemeralContainerStatuses: [{name: e, state: {running: {}}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: d, namespace: a}
spec:
  selector: {matchLabels: {app: d}, matchExpressions: [{key: app, operator: In, values: [d]}]}
  template: {metadata: {labels: {app: d}}, spec: {containers: [{name: c}]}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: j, namespace: a}
spec: {jobTemplate: {spec: {template: {metadata: {labels: {app: j}}, spec: {containers: [{name: c}]}}}}}
---
apiVersion: v1
kind: ReplicationController
metadata: {name: r, namespace: a}
spec: {selector: {app: r}, template: {metadata: {labels: {app: r}}, spec: {containers: [{name: c}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: a, labels: {app: web}}
spec:
  type: NodePort
  clusterIP: 10.96.0.1
  clusterIPs: [10.96.0.1, "fd96::1"]
  externalIPs: [198.51.100.1]
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: http, protocol: TCP, nodePort: 30080}]
status: {loadBalancer: {ingress: [{ip: 198.51.100.2}]}}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: a}
spec: {clusterIP: 10.96.0.2, ports: [{name: sql, port: 5432}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
addressType: IPv4
metadata: {name: db, namespace: a, labels: {kubernetes.io/service-name: db}}
ports: [{name: sql, port: 5432, protocol: TCP}]
endpoints: [{addresses: [10.0.0.1], conditions: {ready: true}, targetRef: {kind: Pod, name: web}}]
---
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 192.0.2.1}, {type: Hostname, address: n1}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: a}
spec:
  podSelector: {matchLabels: {app: web}, matchExpressions: [{key: app, operator: Exists}]}
  policyTypes: [Ingress, Egress]
  ingress:
    - from: [{podSelector: {}, namespaceSelector: {}}, {ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/24]}}]
      ports: [{port: http}, {port: 80, endPort: 90, protocol: UDP}]
  egress: [{to: [{namespaceSelector: {matchLabels: {team: x}}}], ports: [{}]}]
---
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: c}
spec:
  tier: Admin
  priority: 1
  subject: {pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: x}}}}
  ingress: [{name: r, action: Deny, from: [{namespaces: {}}], protocols: [{tcp: {destinationPort: {number: 80}}}]}]
  egress:
  - {action: Accept, to: [{networks: [10.0.0.0/8]}, {nodes: {matchLabels: {a: b}}}, {domainNames: [a.example.com]}]}
  - {action: Pass, to: [{pods: {podSelector: {}}}], protocols: [{destinationNamedPort: http}]}
---
apiVersion: policy.networking.k8s.io/v1alpha1
kind: BaselineAdminNetworkPolicy
metadata: {name: default}
spec:
  subject: {namespaces: {matchExpressions: [{key: team, operator: NotIn, values: [x]}]}}
  ingress:
  - {action: Deny, from: [{pods: {namespaces: {sameLabels: [t]}, podSelector: {}}}], ports: [{portNumber: {port: 9}}]}
  - {action: Allow, from: [{namespaces: {}}], ports: [{portRange: {protocol: UDP, start: 1, end: 9}}, {namedPort: h}]}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: c, namespace: a}
spec: {endpointSelector: {matchLabels: {"k8s:app": x}, matchExpressions: [{key: app, operator: Exists}]}, ingress: [{}]}
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: g}
spec: {selector: app == 'x', namespaceSelector: all(), types: [Ingress], ingress: [{action: Allow}]}
""")
)
JUNK: tuple[Any, ...] = (
    None,
    {},
    [],
    "",
    0,
    -1,
    1.5,
    True,
    "x",
    "None",
    [None],
    [[]],
    [{}],
    [1],
    {"a": 1},
    {"": None},
    [{"name": 1}],
    "9" * 5000,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, entry in inner for place in places(entry, (*path, key)))]


PLACES = [(number, place) for number, item in enumerate(OBJECTS) for place in places(item)]


def with_junk(number: int, place: tuple[Any, ...], junk: Any) -> list[Any]:
    found = copy.deepcopy(OBJECTS)
    if not place:
        found[number] = junk
        return found
    at = found[number]
    for key in place[:-1]:
        at = at[key]
    at[place[-1]] = junk
    return found


def use(text: str) -> None:
    """Reads the text and asks everything of everything in it; only errors for people may come out."""
    reader = Reader()
    message = None
    try:
        reader.add_text(text, "it.yaml")
    except ManifestError as error:
        message = error.message
    if message is not None:
        assert message.startswith("it.yaml, document ")
        assert len(message) < 20_000
        return
    snapshot = reader.snapshot()
    here = [Resolved(pod=pod) for pod in snapshot.pods]
    there = [*here, *(Resolved(service=s) for s in snapshot.services)]
    there += [Resolved(node=node) for node in snapshot.nodes]
    for pod in snapshot.pods:
        pod_warnings(snapshot, explain_pod(snapshot, pod))
    for namespace in {policy.namespace for policy in snapshot.policies}:
        namespace_warnings(Context(snapshot), namespace)
    for source in here[:2]:
        for destination in there:
            for port in (80, 30080, "http"):
                try:
                    verdict = predict(snapshot, request(snapshot, source, destination, port, "TCP"))
                except NetpolError:
                    continue
                connection_warnings(snapshot, verdict)


def test_the_objects_are_good_before_they_are_spoilt() -> None:
    reader = Reader()
    reader.add_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": OBJECTS}), "it")
    assert len(reader.snapshot().pods) == 5
    assert not reader.skipped


@lawful(300)
@given(st.sampled_from(PLACES), st.sampled_from(JUNK), st.booleans())
def test_junk_in_any_place(where: tuple[int, tuple[Any, ...]], junk: Any, as_json: bool) -> None:  # noqa: FBT001 - drawn
    objects = with_junk(*where, junk)
    use(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}) if as_json else yaml.safe_dump_all(objects))


@pytest.mark.parametrize("one", [pytest.param(one, id=name) for name, one in OF_EACH_KIND])
def test_junk_in_every_place_of_a_policy(one: OfKind) -> None:
    """On a cluster such a policy stops nothing: it may select what its scope has."""
    for place in places(one.manifest("a"))[1:]:
        for junk in JUNK:
            found = copy.deepcopy(one.manifest("a"))
            at = found
            for key in place[:-1]:
                at = at[key]
            at[place[-1]] = junk
            for live in (False, True):
                reader = Reader(live=live)
                try:
                    reader.add_text(json.dumps(found), "it.yaml")
                except ManifestError as error:
                    assert not live or place[0] != "spec", f"{place} {junk!r}: {error}"  # noqa: PT017 - not about the error
                reader.add_text(json.dumps(OBJECTS[1]), "it.yaml")
                snapshot = reader.snapshot()
                end = Resolved(pod=snapshot.pods[0])
                predict(snapshot, request(snapshot, end, end, 80, "TCP"))


@lawful(300)
@given(st.text())
def test_any_text(text: str) -> None:
    use(text)


_scalars = st.sampled_from(
    ("a", "1", "1e3", "08", "12:30", "2026-01-01", "~", "yes", "*a", "&a b", "!!set {}", "!!timestamp x", "!!int a",
     "!!binary x", "!!python/object:os.system x", "<<", "{", "[", "'", '"', "|", ">", "? x", "%YAML 1.1", "- ", "0x_",
     "\t")
)  # fmt: skip


@lawful(300)
@given(st.lists(st.tuples(st.sampled_from(("", "  ", "- ", "a: ", "kind: ", "<<: ", "---\n")), _scalars), max_size=6))
def test_any_yaml(lines: list[tuple[str, str]]) -> None:
    use("\n".join(before + scalar for before, scalar in lines))


BOMB = "a: &a [x,x]\n" + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)},*{chr(97 + n)}]\n" for n in range(24))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[" * 100_000, id="a hundred thousand lists of JSON"),
        pytest.param('{"a":' * 100_000, id="a hundred thousand objects of JSON"),
        pytest.param("- " * 2000 + "a", id="two thousand lists of YAML"),
        pytest.param("&a [*a]", id="a list in itself"),
        pytest.param("&a {apiVersion: v1, kind: List, items: [*a, *a]}", id="a List in itself"),
        pytest.param("&a {apiVersion: v1, kind: Pod, metadata: *a, spec: *a}", id="a Pod in itself"),
        pytest.param("\x00", id="a null character"),
        pytest.param("a: \ud800", id="half a character"),
        pytest.param("9" * 10_000, id="ten thousand digits"),
        pytest.param('{"apiVersion": "v1", "kind": "Pod"}{}', id="two objects of JSON"),
        pytest.param("{apiVersion: v1, kind: Pod, <<: 1}", id="a merge of no object"),
        pytest.param("!!map [[a, b]]", id="a list that is called an object"),
        pytest.param("? [a]\n: b", id="a list as a key"),
        pytest.param("? &a {b: *a}\n: b", id="an object in its own key"),
        pytest.param(f"{BOMB}apiVersion: v1\nkind: *y\n", id="a kind that unfolds without end"),
        pytest.param(
            f"{BOMB}apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p}}\n"
            "spec: {policyTypes: [*y]}\n",
            id="a word that unfolds without end",
        ),
    ],
)
def test_texts_that_are_made_to_hurt(text: str) -> None:
    with pytest.raises(ManifestError, match=r"^it\.yaml, document 1"):
        Reader().add_text(text, "it.yaml")


FORGED = "\n::error::forged\n##[error]forged"
POD = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "c", "image": "i"}]}}
ENDS = [{**POD, "metadata": {"name": name, "namespace": "s", "labels": {"app": name}}} for name in ("a", "b")]
SUITE = {"apiVersion": "netpol/v1", "kind": "TestSuite"}
CHECK = {"name": "n", "from": "s/a", "to": "s/b", "port": 81, "expect": "blocked"}


def spoilt(kind: str, version: str, spec: Any, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "np", "namespace": "s"}, "spec": spec, **fields}


@pytest.mark.parametrize(
    ("command", "objects"),
    [
        pytest.param("lint -f -", [spoilt("NetworkPolicy", "networking.k8s.io/v1", {f"x{FORGED}": 1})], id="a field"),
        pytest.param(
            "explain s/a s/b 81 -f -", [{**ENDS[0], "status": {"phase": f"P){FORGED}"}}, ENDS[1]], id="a phase"
        ),
        pytest.param(
            "explain s/a s/np 80 -f -",
            [*ENDS, spoilt("Service", "v1", {"type": "ExternalName", "externalName": f"evil{FORGED}"})],
            id="an external name",
        ),
        pytest.param(
            "explain s/b -f -",
            [
                *ENDS,
                spoilt(
                    "NetworkPolicy",
                    "projectcalico.org/v3",
                    {
                        "selector": "all()",
                        "types": ["Ingress"],
                        "ingress": [{"action": "Allow", "source": {"selector": f"app == '{FORGED}'"}}],
                    },
                ),
            ],
            id="a selector of Calico",
        ),
        pytest.param(
            "explain s/b -f -",
            [
                *ENDS,
                spoilt(
                    "CiliumNetworkPolicy",
                    "cilium.io/v2",
                    {"endpointSelector": {}, "egress": [{"toFQDNs": [{"matchPattern": f"x{FORGED}"}]}]},
                ),
            ],
            id="a domain name of Cilium",
        ),
        pytest.param("test -F -", [{**SUITE, "checks": [{**CHECK, "to": f"x y{FORGED}"}]}], id="an end of a check"),
        pytest.param("test -F -", [{**SUITE, "checks": [{**CHECK, "to": f"fe80::1%x{FORGED}"}]}], id="a zone"),
    ],
)
def test_no_text_begins_a_line_that_is_not_ours(command: str, objects: list[Any], tmp_path: Path) -> None:
    ends = tmp_path / "ends.json"
    ends.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": ENDS}), encoding="utf-8")
    beside = f" -f {ends}" if "-F" in command else ""
    stdin = objects[0] if "-F" in command else {"apiVersion": "v1", "kind": "List", "items": objects}
    name, *options = command.split()
    ran = run(name, f"{' '.join(options)}{beside} -v", stdin=json.dumps(stdin))
    assert ran.status in (0, 1, 2)
    assert "forged" in ran.out + ran.err
    for line in (ran.out + ran.err).splitlines():
        assert not line.lstrip().startswith(("::", "forged", "##["))
        assert "##[" not in line
