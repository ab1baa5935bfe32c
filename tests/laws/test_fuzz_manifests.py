"""Good manifests, changed at random: an answer or one error, never a crash, and a name is never more than a name.

NETPOL_FUZZ=100000 tries so many instead of 2,000.
"""

# ruff: noqa: E501 - manifests of one line each

from __future__ import annotations

import copy
import io
import itertools
import json
import os
import re
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubectl_netpol.cli import main

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLES = int(os.environ.get("NETPOL_FUZZ", "2000"))
GOOD = list(
    yaml.safe_load_all("""
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: x}}}
---
apiVersion: v1
kind: Pod
metadata: {name: san, namespace: shop, labels: {run: san}, annotations: {k: v}, creationTimestamp: "2026-01-01T00:00:00Z"}
spec: {nodeName: n1, containers: [{name: c, image: i, ports: [{name: http, containerPort: 80, protocol: TCP, hostPort: 8080}]}]}
status: {phase: Running, podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.1}, {ip: "fd00::1"}], conditions: [{type: Ready, status: "True"}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec: {replicas: 2, ordinals: {start: 1}, selector: {matchLabels: {run: db}}, template: {metadata: {labels: {run: db}}, spec: {containers: [{name: c}]}}}
---
{apiVersion: batch/v1, kind: CronJob, metadata: {name: cj, namespace: shop}, spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: c}]}}}}}}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {type: NodePort, clusterIP: 10.96.0.1, selector: {run: db}, ports: [{name: sql, port: 5432, targetPort: 5432, nodePort: 30000, protocol: TCP}]}
---
{apiVersion: v1, kind: Endpoints, metadata: {name: api, namespace: shop}, subsets: [{addresses: [{ip: 10.9.9.9}], ports: [{port: 6443}]}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: s, namespace: shop, labels: {kubernetes.io/service-name: db}}
addressType: IPv4
endpoints: [{addresses: [10.0.0.1], conditions: {ready: true}, targetRef: {kind: Pod, name: san}}]
ports: [{name: sql, port: 5432, protocol: TCP}]
---
{apiVersion: v1, kind: Node, metadata: {name: n1}, status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {run: db}, matchExpressions: [{key: apps.kubernetes.io/pod-index, operator: In, values: ["1"]}]}
  policyTypes: [Ingress, Egress]
  ingress: [{from: [{podSelector: {matchLabels: {run: san}}, namespaceSelector: {}}], ports: [{port: 5432, endPort: 5433, protocol: TCP}]}]
  egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}], ports: [{port: http}]}]
---
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: cnp}
spec: {tier: Admin, priority: 1, subject: {namespaces: {}}, ingress: [{name: r, action: Deny, from: [{namespaces: {matchLabels: {team: y1}}}], protocols: [{tcp: {destinationPort: {number: 80}}}]}]}
""")
)
PLUGINS: dict[str, str] = {
    "": "",
    "cilium": """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: c, namespace: shop}
spec:
  endpointSelector: {matchLabels: {"k8s:run": db}, matchExpressions: [{key: run, operator: NotIn, values: [x]}]}
  enableDefaultDeny: {ingress: true}
  ingress: [{fromEndpoints: [{matchLabels: {"k8s:io.kubernetes.pod.namespace": shop}}], toPorts: [{ports: [{port: "5432", endPort: 5440, protocol: TCP}], rules: {http: [{method: GET}]}}]}]
  ingressDeny: [{fromEntities: [world, host]}, {fromCIDRSet: [{cidr: 10.0.0.0/8, except: [10.1.0.0/16]}]}]
  egress: [{toFQDNs: [{matchName: example.com}]}, {toServices: [{k8sService: {serviceName: db, namespace: shop}}]}, {icmps: [{fields: [{type: 8, family: IPv4}]}]}]
status: {conditions: [{type: Valid, status: "True"}]}
---
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata: {name: n}
specs: [{nodeSelector: {}, ingress: [{fromEntities: [cluster]}]}]
""",
    "calico": """
{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: sec}, spec: {order: 10, defaultAction: Pass}}
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: sec.g}
spec:
  tier: sec
  order: 1.5
  selector: run == 'db' && !has(x)
  namespaceSelector: projectcalico.org/name in {'shop'}
  types: [Ingress, Egress]
  ingress: [{action: Deny, protocol: TCP, source: {selector: run != 'san', notNets: [10.0.0.0/8]}, destination: {ports: [5432, "80:90", http], notPorts: [1]}}]
  egress: [{action: Pass, destination: {nets: [10.0.0.0/8], serviceAccounts: {names: [x]}}, http: {methods: [GET]}}, {action: Log}]
---
{apiVersion: projectcalico.org/v3, kind: StagedNetworkPolicy, metadata: {name: default.s, namespace: shop}, spec: {stagedAction: Set, selector: all(), types: [Ingress]}}
---
{apiVersion: projectcalico.org/v3, kind: NetworkSet, metadata: {name: n, namespace: shop, labels: {a: b}}, spec: {nets: [192.0.2.0/24]}}
---
{apiVersion: crd.projectcalico.org/v1, kind: HostEndpoint, metadata: {name: h}, spec: {node: n1, interfaceName: eth0, expectedIPs: [192.0.2.1]}}
""",
}
GOODS = {plugin: [*GOOD, *yaml.safe_load_all(text)] if text else GOOD for plugin, text in PLUGINS.items()}
JUNK: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 80.0, 2**40, 10**400, "", "a", "A_b", "a\nb", "\x1b[31ma", "a\u202eb", "a\u200bb", "a\x7fb",
    "a;b", "<b>", "10.0.0.0/8", "::", "300.1.1.1", "x" * 300, [], {}, [None], {"a": None}, [[]], {"": ""}, {1: 2}, "*", "y",
)  # fmt: skip
TEXTS = (
    "\n", "---\n", "- ", ": ", "{", "}", "[", "]", "'", '"', "#", "&a ", "*a", "!x ", "? ", "|", "\t", "\x00", "\x1b", "\u2028",
    "\u202e", "%YAML 1.1\n", "<<: ", "~", "...\n", "\r", "\ufeff", "é", "0x", ".nan", "kind: Pod\n", "apiVersion: v1\n",
)  # fmt: skip
COMMANDS = (
    ("explain", "-A"),
    ("explain", "shop/sts/db", "-o", "json"),
    ("explain", "shop/san", "shop/svc/db", "5432", "-v"),
    ("explain", "shop/sts/db", "169.254.169.254", "80"),
    ("matrix", "-A", "-o", "json"),
    ("matrix", "-A", "-o", "html"),
    ("allow", "shop/san", "shop/sts/db", "80"),
    ("diff",),
    ("explain", "shop/netpol/db"),
    ("matrix", "-A", "-o", "suite"),
    ("lint", "-A"),
    ("lint", "-A", "-o", "json"),
    ("lint", "-A", "-o", "sarif"),
    ("lint", "-A", "-o", "junit"),
    ("lint", "-A", "-o", "github"),
    ("lint", "-A", "-o", "markdown"),
    ("lint", "-A", "--fix"),
)
# What may not be in the output: control characters but line breaks, and what changes the order or shows nothing.
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
STATUSES: Counter[int] = Counter()


def places(found: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    keys = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    return [path, *(place for key, inner in keys for place in places(inner, (*path, key)))]


PLACES = {plugin: [place for place in places(good) if place] for plugin, good in GOODS.items()}
mutation = st.tuples(
    st.sampled_from(("put", "drop", "rename", "wrap", "twice")),
    st.integers(0, 10_000),
    st.integers(0, len(JUNK) - 1),
)
edit = st.tuples(st.integers(0, 3000), st.integers(0, 12), st.sampled_from(TEXTS))


def mutated(objects: list[Any], how: str, place: tuple[Any, ...], junk: Any) -> None:
    """Changes the objects at the place, if that is still there."""
    at: Any = objects
    for key in place[:-1]:
        if not isinstance(at, dict | list) or (isinstance(at, list) and key not in range(len(at))):
            return
        at = at.get(key) if isinstance(at, dict) else at[key]
    last = place[-1]
    if isinstance(at, list) and last in range(len(at)):
        if how == "drop":
            del at[last]
        else:
            at[last] = {"put": junk, "wrap": [at[last]], "rename": {str(junk): at[last]}}.get(how, at[last])
            at.extend([at[last]] if how == "twice" else [])
    elif isinstance(at, dict) and last in at:
        value = at.pop(last)
        if how != "drop":
            name = f"{last}x" if how == "rename" and isinstance(last, str) else last
            at[name] = {"put": junk, "wrap": [value], "twice": [value, value]}.get(how, value)


def run(arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    try:
        return main(list(arguments)), out.getvalue(), err.getvalue()
    finally:
        monkeypatch.undo()


def check(text: str, command: tuple[str, ...], path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    where = ("--on", str(path), "-n", "shop") if command[0] == "diff" else ()
    file = (str(path),) if command[-1] == "-F" else ("-f", str(path))
    status, out, err = run((*command, *file, *where), monkeypatch)
    STATUSES[status] += 1
    assert status in (0, 1, 2), err
    assert "Traceback" not in err
    assert not FORBIDDEN.search(err)
    if "html" not in command:
        assert not FORBIDDEN.search(out)
    if out and "json" in command:
        json.loads(out)
    if err.startswith("error: ") and "internal" not in err:
        assert (status, out) == (2, "")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "manifests.yaml"


@settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=EXAMPLES == 2000,
          suppress_health_check=list(HealthCheck))  # fmt: skip
@given(
    st.lists(mutation, max_size=2),
    st.one_of(st.just([]), st.just([]), st.lists(edit, max_size=2)),
    st.tuples(st.sampled_from(COMMANDS), st.sampled_from(("", *PLUGINS)), st.booleans()),
)
def test_good_manifests_changed_at_random(
    path: Path,
    changes: list[tuple[str, int, int]],
    edits: list[tuple[int, int, str]],
    asked: tuple[tuple[str, ...], str, bool],
) -> None:
    command, plugin, as_json = asked
    objects = copy.deepcopy(GOODS[plugin])
    for how, place, junk in changes:
        mutated(objects, how, PLACES[plugin][place % len(PLACES[plugin])], JUNK[junk])
    if as_json:
        text = "\n".join(json.dumps(found) for found in objects)
    else:
        text = yaml.dump_all(objects, Dumper=yaml.CSafeDumper, allow_unicode=True)
    for start, length, inserted in edits:
        text = text[:start] + inserted + text[start + length :]
    with pytest.MonkeyPatch.context() as patch:
        check(text, command, path, patch)


SUITE = yaml.safe_load("""
apiVersion: netpol/v1
kind: TestSuite
defaults: {namespace: shop, protocol: TCP, expect: open}
checks:
- {name: open, from: san, to: svc/db, port: "5432"}
- {name: shut, fromSelector: run!=san, to: sts/db, port: "80,90-92", expect: blocked, control: none}
- {name: outside, from: san, to: 10.200.0.1, port: 53, protocol: UDP, expect: blocked}
""")
SUITE_PLACES = [place for place in places([SUITE]) if place]
SUITE_OUTPUTS = ((), ("-o", "json"), ("-o", "junit"), ("-o", "tap"), ("--unexercised",))


@settings(max_examples=EXAMPLES // 4, deadline=None, database=None, derandomize=EXAMPLES == 2000,
          suppress_health_check=list(HealthCheck))  # fmt: skip
@given(
    st.lists(mutation, max_size=2),
    st.one_of(st.just([]), st.lists(edit, max_size=2)),
    st.sampled_from(SUITE_OUTPUTS),
)
def test_a_good_suite_changed_at_random(
    path: Path, changes: list[tuple[str, int, int]], edits: list[tuple[int, int, str]], output: tuple[str, ...]
) -> None:
    objects = copy.deepcopy([SUITE])
    for how, place, junk in changes:
        mutated(objects, how, SUITE_PLACES[place % len(SUITE_PLACES)], JUNK[junk])
    text = yaml.dump_all(objects, Dumper=yaml.CSafeDumper, allow_unicode=True)
    for start, length, inserted in edits:
        text = text[: start % 400] + inserted + text[start % 400 + length :]
    manifests = path.with_name("shop.yaml")
    manifests.write_text(yaml.safe_dump_all(GOOD), encoding="utf-8")
    suite = path.with_name("suite.yaml")
    with pytest.MonkeyPatch.context() as patch:
        check(text, ("test", *output, "-f", str(manifests), "-F"), suite, patch)


def test_the_good_ones_are_good(path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for good, command in itertools.product(GOODS.values(), COMMANDS):
            check(yaml.safe_dump_all(good), command, path, patch)
    print(f"fuzz: {sum(STATUSES.values())} runs, statuses {dict(sorted(STATUSES.items()))}")
    assert set(STATUSES) <= {0, 1, 2}
