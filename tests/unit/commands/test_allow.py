"""`allow` as typed: what it prints and notes, how names and labels exclude each other, and the notes on manifests."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from typing import Any

import pytest

from kubectl_netpol.cli import build_parser
from kubectl_netpol.commands.allow import EXAMPLES as EXAMPLES_IN_HELP
from tests.support.ports import DECLARED, INVALID_PORTS, TYPED_PORTS, numbers, options
from tests.support.running import DNS, EXAMPLES, SHOP, allow, ingress, labels, run
from tests.support.tables import objects

A_TO_WEB = "--from run=a --to run=web"
CLUSTER = {
    "pods": {
        "shop/san": {"ip": "10.0.0.1", "labels": {"run": "san"}},
        "shop/web": {"ip": "10.0.0.2", "labels": {"run": "web"}, "ports": DECLARED},
    },
    "policies": {"shop/deny": {"podSelector": {}, "policyTypes": ["Ingress"]}},
}
ISOLATED = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects(CLUSTER))})


@pytest.mark.parametrize(
    ("line", "ports"),
    [
        pytest.param("--port 80", [("TCP", 80, None)], id="a number is a TCP port"),
        pytest.param("--port http", [("TCP", "http", None)], id="a name"),
        pytest.param("--port 8000-8080", [("TCP", 8000, 8080)], id="a range"),
        pytest.param("--port 9-9", [("TCP", 9, None)], id="a range of one is a number"),
        pytest.param("--port 80,443", [("TCP", 80, None), ("TCP", 443, None)], id="a list, as in test and explain"),
        pytest.param(
            "--port 80 --port 53/udp --port 80",
            [("TCP", 80, None), ("UDP", 53, None)],
            id="a repeated --port, each once",
        ),
        pytest.param(
            "--port 53,123/sctp --protocol udp",
            [("UDP", 53, None), ("SCTP", 123, None)],
            id="--protocol is for ports without their own",
        ),
    ],
)
def test_ports_have_the_grammar_of_every_command(line: str, ports: list[tuple[str, int | str, int | None]]) -> None:
    items = [{"protocol": protocol, "port": port, **({"endPort": end} if end else {})} for protocol, port, end in ports]
    ran = allow(f"{A_TO_WEB} {line}")
    assert (ran.status, ran.specs) == (0, [ingress(labels(run="a"), ports=items)]), ran.err


def one_by_one(ports: list[dict[str, Any]]) -> list[tuple[str, int | str]]:
    """The ports of a rule with ranges counted out."""
    found: list[tuple[str, int | str]] = []
    for item in ports:
        first = item["port"]
        numbered = range(first, item.get("endPort", first) + 1) if isinstance(first, int) else (first,)
        found += [(item["protocol"], port) for port in numbered]
    return found


@pytest.mark.parametrize(("typed", "protocol", "ports"), TYPED_PORTS)
def test_labels_and_names_have_the_same_ports_as_every_command(
    typed: str, protocol: str | None, ports: list[tuple[str, int | str]]
) -> None:
    by_labels = allow(f"{A_TO_WEB} --port '{typed}' {options(protocol)}")
    assert one_by_one(by_labels.specs[0]["ingress"][0]["ports"]) == ports
    by_names = run("allow", f"san pod/web '{typed}' {options(protocol)} -n shop -f -", stdin=ISOLATED)
    assert one_by_one(by_names.specs[0]["ingress"][0]["ports"]) == numbers(ports)


@pytest.mark.parametrize(("typed", "err"), INVALID_PORTS)
def test_invalid_ports_are_the_errors_of_every_command(typed: str, err: str) -> None:
    assert allow(f"{A_TO_WEB} --port '{typed}'") == (2, "", err)
    assert allow(f"{A_TO_WEB} --port 80 --port '{typed}'") == (2, "", err)
    assert allow(f"san pod/web '{typed}' -f nowhere") == (2, "", err)


@pytest.mark.parametrize(
    ("line", "name", "spec"),
    [
        pytest.param(
            "--from-none --to-all-pods",
            "default-deny-ingress",
            {"podSelector": {}, "policyTypes": ["Ingress"]},
            id="nobody gets in",
        ),
        pytest.param(
            "--from-all-pods --to-none --egress",
            "default-deny-egress",
            {"podSelector": {}, "policyTypes": ["Egress"]},
            id="nobody gets out",
        ),
        pytest.param(
            "--from-none --to-all-pods --both",
            "default-deny-all",
            {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
            id="both, in one policy without DNS",
        ),
        pytest.param(
            "--from-all-pods --to-none --both",
            "default-deny-all",
            {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
            id="both, said the other way round",
        ),
        pytest.param(
            "--from-none --to app=db",
            "deny-ingress-app-db",
            {**labels(app="db"), "policyTypes": ["Ingress"]},
            id="of some pods",
        ),
        pytest.param(
            "--from-none --to-all-pods --both --dns",
            "default-deny-all-but-dns",
            {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "egress": [DNS]},
            id="but DNS",
        ),
        pytest.param(
            "--from-all-pods --to-none --egress --dns",
            "allow-all-pods-to-cluster-dns",
            {"podSelector": {}, "policyTypes": ["Egress"], "egress": [DNS]},
            id="only DNS, as without --to-none",
        ),
    ],
)
def test_default_deny(line: str, name: str, spec: dict[str, Any]) -> None:
    ran = allow(line)
    assert (ran.status, ran.specs) == (0, [spec]), ran.err
    assert ran.objects[0]["metadata"]["name"] == name


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("--from-none --to-all-pods", "note: isolates every pod of the namespace for ingress: all ingress is cut off"),
        (
            "--from-none --to-all-pods --both -n shop",
            "note: isolates every pod in shop for ingress and egress: all ingress and egress is cut off, DNS included",
        ),
        (
            "--from-none --to-all-pods --both --dns",
            "note: isolates every pod of the namespace for ingress and egress: all other ingress and egress is cut off",
        ),
    ],
)
def test_what_a_default_deny_cuts_off_is_said(line: str, text: str) -> None:
    assert text in allow(line).err.splitlines()


@pytest.mark.parametrize(
    ("line", "error", "hint"),
    [
        ("--from-none --to-none --both", "--from-none and --to-none leave no pods", "--from-none --to-all-pods --both"),
        ("--from-none --from app=a --to app=b", "--from-none can't be combined with other --from options", "nobody"),
        ("--from-none --to app=b --port 80", "--from-none has no ports", "drop --port"),
        ("--from-none --to app=b --egress", "--from-none is about ingress", "--to-none with --egress"),
        ("--from app=b --to-none", "--to-none is about egress", "add --egress"),
        ("--from-none --to app=b --dns", "--dns needs an egress policy", "add --egress or --both"),
    ],
)
def test_none_that_says_too_much_or_too_little(line: str, error: str, hint: str) -> None:
    ran = allow(line)
    assert (ran.status, ran.out) == (2, "")
    first, second = ran.err.splitlines()
    assert first.startswith(f"error: {error}")
    assert second.startswith("hint: ")
    assert hint in second


def ports_of(rule: dict[str, Any], field: str) -> tuple[str, list[int]]:
    (peer,) = rule[field]
    (value,) = peer["podSelector"]["matchLabels"].values()
    return value, [item["port"] for item in rule["ports"]]


def test_pairs_are_one_egress_policy_with_a_rule_for_each() -> None:
    ran = allow("--from app=web --to app=a:1 --to app=b:2,3/UDP --to app=c:1 --egress")
    (spec,) = ran.specs
    assert [item["ports"] for item in spec["egress"]] == [
        [{"protocol": "TCP", "port": 1}],
        [{"protocol": "TCP", "port": 2}, {"protocol": "UDP", "port": 3}],
    ]
    first, second = (item["to"] for item in spec["egress"])
    assert [first, second] == [[labels(app="a"), labels(app="c")], [labels(app="b")]]
    assert [line for line in ran.err.splitlines() if "opens" in line] == [
        "note: opens app=a: TCP 1",
        "note: opens app=b: TCP 2, UDP 3",
        "note: opens app=c: TCP 1",
    ]


def test_pairs_are_an_ingress_policy_for_each_destination() -> None:
    ran = allow("--from app=web --to app=a:1 --to app=b --port 2 --protocol udp")
    assert ran.specs == [
        {**ingress(labels(app="web"), ports=[{"protocol": "UDP", "port": port}]), **labels(app=to)}
        for to, port in (("a", 1), ("b", 2))
    ]
    assert "warning" not in ran.err


def test_several_destinations_and_several_ports_are_every_pair_and_a_warning_says_so() -> None:
    ran = allow("--from app=web --to app=a --to app=b --port 1,http")
    assert len(ran.specs) == 2
    assert (
        "warning: each of the 2 --to gets each of the 2 ports; for pairs write --to app=a:1 --to app=b:http"
        in ran.err.splitlines()
    )
    for line in ("--to app=a --port 1,2", "--to app=a --to app=b --port 1"):
        assert "warning" not in allow(f"--from app=web {line}").err


@pytest.mark.parametrize(
    ("line", "err"),
    [
        (
            "--from a=b --to c=d:1 --to e=f",
            "error: --to e=f has no port, and others have\nhint: write --to e=f:PORT\n",
        ),
        (
            "--from a=b --to c=d:1 --port 2",
            "error: --port beside --to SELECTOR:PORT\nhint: drop --port: each --to has ports of its own\n",
        ),
        (
            "--from a=b --to c=d:1 --to-cidr 192.0.2.0/24 --egress",
            "error: --to SELECTOR:PORT and --to-cidr can't be combined\nhint: make one policy for each\n",
        ),
        (
            "--from a=b:1 --to c=d",
            "error: --from a=b:1 has a port, and ports are the destination's\nhint: --to SELECTOR:PORT, or --port\n",
        ),
        (
            "--from a=b --to c=d:0",
            'error: invalid port "0": must be 1-65535\n',
        ),
        (
            "--from a=b --to :80",
            "error: --to is empty: an empty selector selects every pod\nhint: write --to-all-pods if you mean that\n",
        ),
    ],
)
def test_pairs_that_are_not_plain(line: str, err: str) -> None:
    assert allow(line) == (2, "", err)


@pytest.mark.parametrize("line", [A_TO_WEB, f"--both {A_TO_WEB}"], ids=["one policy", "a List of two"])
def test_json_is_the_same_policies(line: str) -> None:
    found = json.loads(allow(line, "-o", "json").out)
    assert found.get("items", [found]) == allow(line).objects


@pytest.mark.parametrize(
    ("line", "metadata"),
    [
        pytest.param("--from run=a --to run=b", [{"name": "allow-run-a-to-run-b"}], id="no namespace without -n"),
        pytest.param("--from run=a --to run=b -n x", [{"name": "allow-run-a-to-run-b", "namespace": "x"}], id="-n"),
        pytest.param("--from run=a --to run=b --name my-policy", [{"name": "my-policy"}], id="--name"),
        pytest.param(
            "--both --from run=a --to run=b --name p",
            [{"name": "p-egress"}, {"name": "p-ingress"}],
            id="two policies of one name",
        ),
        pytest.param(
            "--both --from run=a --from-namespace x --to run=b -n y --name p",
            [{"name": "p-egress", "namespace": "x"}, {"name": "p-ingress", "namespace": "y"}],
            id="each side in its own namespace",
        ),
    ],
)
def test_the_metadata_of_the_policies(line: str, metadata: list[dict[str, str]]) -> None:
    assert [found["metadata"] for found in allow(line).objects] == metadata


@pytest.mark.parametrize(
    ("line", "texts"),
    [
        pytest.param(
            A_TO_WEB, ["note: isolates run=web for ingress: all other ingress is cut off\n"], id="what it isolates"
        ),
        pytest.param(
            f"--both {A_TO_WEB}",
            ["note: isolates run=a for egress: ", "note: isolates run=web for ingress: ", "note: DNS is assumed to be"],
            id="what each of two policies isolates, and the assumed DNS",
        ),
        pytest.param("--from san --to run=web", ['note: "san" means pods that have a label "san"'], id="a bare word"),
    ],
)
def test_notes_on_stderr(line: str, texts: list[str]) -> None:
    err = allow(line).err
    for text in texts:
        assert text in err


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param("--from 'replicas>1' --to run=web", "a NetworkPolicy can't compare numbers", id="a comparison"),
        pytest.param("--from run=a=b --to run=web", 'invalid label selector "run=a=b"', id="an invalid selector"),
        pytest.param("--from run=-a --to run=web", 'invalid label value "-a"', id="an invalid label value"),
        pytest.param(
            "--from Ex_Ample/run=a --to run=web", 'invalid label key "Ex_Ample/run"', id="an invalid label key"
        ),
        pytest.param(
            "--from -run=a --to run=web", "argument --from: expected one argument", id="a value like an option"
        ),
        pytest.param(f"{A_TO_WEB} --port {'9' * 5000}", "must be 1-65535", id="5000 digits"),
        pytest.param(f"{A_TO_WEB} --port 80-{'9' * 5000}", "must be 1-65535", id="a range to 5000 digits"),
        pytest.param(
            "--from-cidr 10.0.0.0/8 --to-cidr 10.0.0.0/8 --except 10.1.0.0/16",
            "--from-cidr and --to-cidr in one policy",
            id="an except for two blocks",
        ),
        pytest.param(
            f"--egress --both {A_TO_WEB}",
            "argument --both: not allowed with argument --egress",
            id="one side and both sides",
        ),
        pytest.param(f"{A_TO_WEB} --name A_b", 'invalid policy name "A_b"', id="an invalid policy name"),
        pytest.param(f"{A_TO_WEB} --strict", "--strict needs manifests or a cluster", id="--strict without a proof"),
        pytest.param(f"{A_TO_WEB} --always", "--always needs names, not labels", id="--always with labels"),
        pytest.param(f"{A_TO_WEB} --named-port", "--named-port needs names, not labels", id="--named-port with labels"),
        pytest.param("san nginx 80 --from run=a", "names and labels can't be combined", id="names and labels"),
        pytest.param("san nginx 80 --port 80", "names and labels can't be combined", id="names and --port"),
        pytest.param("san nginx 80 --except 10.0.0.0/8", "names and labels can't be combined", id="names and --except"),
        pytest.param("san nginx", "expected SOURCE DESTINATION PORT, got 2 arguments", id="two names"),
        pytest.param("san", "expected SOURCE DESTINATION PORT, got 1 argument\n", id="one name"),
        pytest.param("run=san run=nginx 80", "these are labels, not names", id="labels without their options"),
        pytest.param("run=san nginx 80", "these are labels, not names", id="a label for the source"),
        pytest.param("san run=nginx 80", "these are labels, not names", id="a label for the destination"),
        pytest.param("--from '' --to run=web -f nowhere", "--from is empty", id="options before files"),
        pytest.param(f"{A_TO_WEB} --fromm run=c", "unknown option --fromm", id="an unknown option"),
        pytest.param(f"{A_TO_WEB} --por 80", "unknown option --por", id="an abbreviated option"),
    ],
)
def test_what_is_refused(line: str, message: str) -> None:
    ran = allow(line)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("error: ")
    assert message in ran.err


def test_labels_need_neither_kubernetes_nor_yaml_nor_a_kubeconfig() -> None:
    code = (
        "import sys; from kubectl_netpol.cli import main; status = main(sys.argv[1:]);"
        "loaded = {'kubernetes', 'yaml', 'json', 'hashlib', 'dataclasses', 'urllib3'} & set(sys.modules);"
        "sys.exit(f'{status} {loaded}' if status or loaded else 0)"
    )
    line = ["allow", "--both", "--from", "run=a", "--to", "run=b", "--port", "80"]
    env = {"KUBECONFIG": "/nonexistent", "PYTHONPATH": str(EXAMPLES.parent)}
    ran = subprocess.run([sys.executable, "-c", code, *line], env=env, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


EXAMPLE_LINES = [
    line.split("kubectl netpol allow ")[1].split(" | ")[0]
    for line in EXAMPLES_IN_HELP.splitlines()
    if "kubectl netpol allow " in line
]


@pytest.mark.parametrize("line", EXAMPLE_LINES)
def test_an_example_of_the_help_can_be_copied(line: str) -> None:
    line = line.replace("examples/shop.yaml", SHOP[-1])
    typed = build_parser("allow").parse_intermixed_args(shlex.split(line))
    assert len(typed.names) + (typed.as_pod is not None) in (0, 3)
    if not typed.names:
        assert allow(line).status == 0


def test_a_pod_that_is_still_to_come_is_let_in_by_its_labels() -> None:
    ran = run("allow", "--as-pod run=new pod/web 80 -n shop -f -", stdin=ISOLATED)
    assert (ran.status, ran.specs[0]["ingress"][0]["from"]) == (0, [labels(run="new")]), ran.err
    assert allow("--as-pod run=new --to run=web").err.startswith("error: names and labels can't be combined")
