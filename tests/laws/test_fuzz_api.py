"""Good answers of an API server, a credential plugin and a probe, and good kubeconfigs, each with something wrong.

Whatever it is: no traceback, and no status but 0, 1 and 2. The answers come from this process instead of a socket;
what a socket adds, such as an answer that never ends, is in the tests of `cluster`.
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st
from urllib3 import HTTPHeaderDict

from kubectl_netpol import cli
from kubectl_netpol.cluster.api import Api
from kubectl_netpol.cluster.streams import CompletedExec, Listening, _status
from kubectl_netpol.commands.common import prober
from tests.support.api import groups
from tests.support.lawful import lawful

if TYPE_CHECKING:
    from collections.abc import Callable

NAMESPACE = "/api/v1/namespaces"
TIME = "2026-01-01T00:00:00Z"


def pod(name: str, ip: str, **metadata: Any) -> dict[str, Any]:
    return {
        "metadata": {
            "name": name, "namespace": "shop", "labels": {"run": name}, "annotations": {"a": "b"},
            "creationTimestamp": TIME, "managedFields": [{"time": TIME}],
            "ownerReferences": [{"kind": "ReplicaSet", "name": "web", "controller": True}], **metadata,
        },
        "spec": {
            "nodeName": "n1", "dnsPolicy": "ClusterFirst", "serviceAccountName": "default",
            "containers": [{"name": "c", "image": "i", "ports": [{"name": "http", "containerPort": 80}]}],
            "initContainers": [{"name": "i", "restartPolicy": "Always", "ports": [{"containerPort": 9}]}],
        },
        "status": {
            "phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}],
            "hostIP": "192.0.2.1", "hostIPs": [{"ip": "192.0.2.1"}],
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "c", "state": {"running": {}}}],
        },
    }  # fmt: skip


POLICY = {
    "metadata": {"name": "p", "namespace": "shop", "creationTimestamp": TIME},
    "spec": {
        "podSelector": {"matchExpressions": [{"key": "run", "operator": "In", "values": ["nginx", "san"]}]},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{
            "from": [{"podSelector": {"matchLabels": {"run": "san"}}, "namespaceSelector": {}},
                     {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}],
            "ports": [{"port": "http"}, {"port": 80, "endPort": 90, "protocol": "TCP"}],
        }],
        "egress": [{}],
    },
}  # fmt: skip
SERVICE = {
    "metadata": {"name": "nginx", "namespace": "shop", "labels": {"a": "b"}},
    "spec": {
        "type": "ClusterIP", "clusterIP": "10.96.0.9", "clusterIPs": ["10.96.0.9"], "selector": {"run": "nginx"},
        "ports": [{"name": "web", "port": 80, "targetPort": "http", "protocol": "TCP", "nodePort": 30080}],
        "externalIPs": ["192.0.2.9"], "externalName": "a.example",
    },
    "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.8"}]}},
}  # fmt: skip
SLICE = {
    "metadata": {"name": "nginx-1", "namespace": "shop", "labels": {"kubernetes.io/service-name": "nginx"}},
    "addressType": "IPv4",
    "endpoints": [
        {
            "addresses": ["10.0.0.2"],
            "conditions": {"ready": True},
            "targetRef": {"kind": "Pod", "name": "nginx", "namespace": "shop"},
        }
    ],
    "ports": [{"name": "web", "port": 80, "protocol": "TCP"}],
}
ADMIN = {
    "metadata": {"name": "admin"},
    "spec": {
        "priority": 5,
        "subject": {"namespaces": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}},
        "ingress": [
            {"name": "r", "action": "Deny", "from": [{"namespaces": {}}], "ports": [{"portNumber": {"port": 22}}]}
        ],
    },
}
CILIUM = {
    "metadata": {"name": "c", "namespace": "shop"},
    "spec": {"endpointSelector": {"matchLabels": {"run": "san"}}, "egress": [{"toEndpoints": [{}]}]},
}
DEPLOYMENT = {
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"run": "nginx"}},
        "template": {"metadata": {"labels": {"run": "nginx"}}, "spec": {"containers": [{"name": "c"}]}},
    },
}
RESOURCE = {"name": "ciliumnetworkpolicies", "kind": "CiliumNetworkPolicy", "namespaced": True, "verbs": ["list"]}
ITEMS = {
    "pods": [pod("san", "10.0.0.1"), pod("nginx", "10.0.0.2")],
    "services": [SERVICE],
    "endpointslices": [SLICE],
    "networkpolicies": [POLICY],
    "namespaces": [{"metadata": {"name": "shop", "labels": {"team": "a"}}}],
    "nodes": [{"metadata": {"name": "n1"}, "status": {"addresses": [{"type": "InternalIP", "address": "192.0.2.1"}]}}],
    "deployments": [DEPLOYMENT],
    "daemonsets": [{"metadata": {"name": "cilium", "namespace": "kube-system"}}],
    "adminnetworkpolicies": [ADMIN],
    "ciliumnetworkpolicies": [CILIUM],
}
DISCOVERIES = {
    "plain": groups(),
    "tiers": groups(policy_networking_k8s_io="v1alpha1"),
    "Cilium": groups(cilium_io="v2"),
    "old": {"groups": [{"name": "cilium.io", "versions": [{"version": "v2"}], "preferredVersion": {"version": "v2"}}]},
}
REPORT = "R t0 nc nc 0 0 1\nW t0 10.0.0.2 (10.0.0.2:80) open\nZ\n"
DONE = {"metadata": {}, "status": "Failure", "details": {"causes": [{"reason": "ExitCode", "message": "1"}]}}
COMMANDS = (
    "explain nginx",
    "explain san nginx 80",
    "explain",
    "explain -A -o json",
    "test san nginx 80",
    "test san 10.0.0.2 80",
    "allow san nginx 80",
    "matrix",
    "matrix --probe --port 80",
    "matrix -A -o json",
)
CONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "here",
    "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me", "namespace": "shop"}}],
    "clusters": [
        {
            "name": "here",
            "cluster": {
                "server": "https://kube.example:6443",
                "tls-server-name": "kube.example",
                "proxy-url": "http://u:p@proxy.example:3128",
                "insecure-skip-tls-verify": True,
                "extensions": [{"name": "client.authentication.k8s.io/exec", "extension": {"a": 1}}],
            },
        }
    ],
    "users": [
        {
            "name": "me",
            "user": {
                "as": "you",
                "as-groups": ["g"],
                "as-user-extra": {"a": ["b"]},
                "exec": {
                    "apiVersion": "client.authentication.k8s.io/v1",
                    "command": "true",
                    "args": ["a"],
                    "env": [{"name": "A", "value": "b"}],
                    "interactiveMode": "Never",
                    "provideClusterInfo": True,
                    "installHint": "get it",
                },
            },
        }
    ],
}
CREDENTIAL = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "t"}}

DEEP: Any = []
for _ in range(600):
    DEEP = [DEEP]
JUNK = st.sampled_from(
    [
        None, True, False, 0, -1, 1, 3.5, 1e400, 10**30, "", "a", " ", "a b", "a/b", "../x", "\0", "\n", "\x1b[31m",
        "\ud800", "é", "\u202e", "0", "80", "010.0.0.0/8", "10.0.0.0/33", "::1", "fd00::1%eth0", "x" * 5000,
        "2026-01-01", "a=b", "http://a b/",
        "!!!", [], {}, [None], [[]], [{}], {"a": None}, {"": ""}, ["a", 1], DEEP, {"metadata": DEEP},
    ]
)  # fmt: skip
RAW = st.sampled_from(
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"7",
        b'"x"',
        b"<html>",
        b"{",
        b"[" * 200_000,
        b'{"items":' * 50_000,
        b"\xff\xfe",
        b"NaN",
    ]
)


class Step(NamedTuple):
    """A change: where (one number chooses at each level), and what becomes of the value there; None: it is left out."""

    where: tuple[int, ...]
    junk: Any
    drop: bool


STEPS = st.lists(
    st.builds(Step, st.lists(st.integers(0, 7), min_size=1, max_size=9).map(tuple), JUNK, st.booleans()),
    min_size=1,
    max_size=3,
)


def mutated(value: Any, steps: list[Step]) -> Any:
    """A copy with the changes; a path that is too long ends at the leaf."""
    box = {"": copy.deepcopy(value)}
    for step in steps:
        holder: Any = box
        key: Any = ""
        for number in step.where:
            inner = holder[key]
            if not isinstance(inner, dict | list) or not inner:
                break
            holder, key = inner, number % len(inner) if isinstance(inner, list) else sorted(inner)[number % len(inner)]
        if step.drop and isinstance(holder, dict) and key:
            del holder[key]
        else:
            holder[key] = json.loads(json.dumps(step.junk))
    return box[""]


class Response(NamedTuple):
    status: int
    reason: str
    headers: HTTPHeaderDict


class Wrong(NamedTuple):
    """What is wrong with the cluster; `resource`: of which list, or of "/apis"."""

    discovery: str
    resource: str
    steps: list[Step]
    raw: bytes | None
    status: int
    headers: dict[str, str]
    report: str
    done: list[Step] | None


WRONGS = st.builds(
    Wrong,
    st.sampled_from(sorted(DISCOVERIES)),
    st.sampled_from([*ITEMS, "apis", "v2"]),
    STEPS,
    st.one_of(st.none(), st.none(), st.none(), RAW),
    st.sampled_from([200] * 12 + [204, 302, 401, 403, 404, 410, 418, 429, 500, 503]),
    st.sampled_from(
        [
            {},
            {},
            {"Date": "Mon, 01 Jan 99999999999 00:00:00 GMT"},
            {"Date": TIME},
            {"Retry-After": "0"},
            {"Retry-After": "x"},
        ]
    ),
    st.sampled_from(
        [REPORT, REPORT, "", "Z\n", "R t0 nc nc 9 9 9\n", "R t99999 x x -1 0 0\nW t99999 x\nZ\n", "\0\n" * 99]
    ),
    st.one_of(st.none(), STEPS),
)


def exchange(wrong: Wrong) -> Callable[..., tuple[Response, bytes]]:
    """In place of `Api._exchange`."""

    def answer(_: Api, __: str, url: str, *___: Any) -> tuple[Response, bytes]:
        path = url.partition("?")[0]
        last = path.rpartition("/")[2]
        if path == "/apis":
            good: Any = DISCOVERIES[wrong.discovery]
        elif last == "v2":
            good = {"resources": [RESOURCE]}
        else:
            good = {"metadata": {"resourceVersion": "1"}, "items": ITEMS.get(last, [])}
        if last != wrong.resource:
            return Response(200, "OK", HTTPHeaderDict({"Date": "Thu, 01 Jan 2026 00:00:10 GMT"})), json.dumps(
                good
            ).encode()
        content = wrong.raw if wrong.raw is not None else json.dumps(mutated(good, wrong.steps)).encode()
        return Response(wrong.status, "Reason", HTTPHeaderDict(wrong.headers)), content

    return answer


def executed(wrong: Wrong) -> Callable[..., CompletedExec]:
    message = b"" if wrong.done is None else json.dumps(mutated(DONE, wrong.done)).encode()
    printed = wrong.report.encode()

    def execute(*_: Any, **__: Any) -> CompletedExec:
        code, error = _status(message, printed)
        return CompletedExec(code, printed, b"", error, 0.1)

    return execute


def ran(line: list[str]) -> tuple[int, str]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = cli.main(line)
    return status, err.getvalue()


def check(status: int, printed: str) -> None:
    assert status in (0, 1, 2), printed
    assert "Traceback" not in printed
    assert "internal error" not in printed


PLAIN = json.dumps(
    {**CONFIG, "users": [], "clusters": [{"name": "here", "cluster": {"server": "http://kube.example"}}]}
    | {"contexts": [{"name": "here", "context": {"cluster": "here", "namespace": "shop"}}]}
)


@lawful(1000)
@given(WRONGS, st.sampled_from(COMMANDS))
def test_an_answer_with_something_wrong_ends_in_an_answer_or_an_error(wrong: Wrong, command: str) -> None:
    with (
        config(PLAIN),
        mock.patch.object(Api, "_exchange", exchange(wrong)),
        mock.patch.multiple(
            prober, execute=executed(wrong), listens=lambda *_, **__: Listening(None, "?"), PATIENCE_SECONDS=-1.0
        ),
    ):
        check(*ran(command.split()))


@lawful(600)
@given(STEPS, st.sampled_from(["explain nginx", "test san nginx 80", "explain nginx --user me --as x"]))
def test_a_kubeconfig_with_something_wrong_ends_in_an_answer_or_an_error(steps: list[Step], command: str) -> None:
    good = Wrong("plain", "", [], None, 200, {}, REPORT, None)
    with (
        config(json.dumps(mutated(CONFIG, steps))),
        mock.patch.object(Api, "_exchange", exchange(good)),
        mock.patch("subprocess.run", return_value=mock.Mock(returncode=0, stdout=json.dumps(CREDENTIAL).encode())),
        mock.patch.multiple(prober, execute=executed(good)),
    ):
        check(*ran(command.split()))


@lawful(400)
@given(STEPS, st.one_of(st.none(), RAW))
def test_a_credential_with_something_wrong_ends_in_an_answer_or_an_error(steps: list[Step], raw: bytes | None) -> None:
    good = Wrong("plain", "", [], None, 200, {}, REPORT, None)
    output = raw if raw is not None else json.dumps(mutated(CREDENTIAL, steps)).encode()
    with (
        config(json.dumps(CONFIG)),
        mock.patch.object(Api, "_exchange", exchange(good)),
        mock.patch("subprocess.run", return_value=mock.Mock(returncode=0, stdout=output)),
    ):
        check(*ran(["explain", "nginx"]))


@contextlib.contextmanager
def config(content: str) -> Any:
    """Commands read this kubeconfig."""
    with (
        mock.patch.dict(os.environ, {"KUBECONFIG": "/fuzz/config"}),
        mock.patch.object(Path, "read_text", return_value=content),
    ):
        yield
