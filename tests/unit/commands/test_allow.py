"""`allow` from labels, as typed: what it prints, what it says, and what it refuses."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_netpol.allow.labels import EndOptions, LabelRequest, policies_from_labels
from kubectl_netpol.cli import build_parser
from kubectl_netpol.commands.allow import EXAMPLES as EXAMPLES_IN_HELP
from kubectl_netpol.manifests.reader import Reader
from kubectl_netpol.manifests.writer import policy_object, to_json, to_yaml
from kubectl_netpol.model.policies import Direction
from kubectl_netpol.model.ports import parse_ports
from tests.support.running import DNS, EXAMPLES, SHOP, TCP80, allow, egress, ingress, labels, named

if TYPE_CHECKING:
    from pathlib import Path

# From labels, without a cluster.


@pytest.mark.parametrize(
    ("line", "specs"),
    [
        pytest.param("--from run=a --to run=web --port 80", [ingress(labels(run="a"))], id="one peer, one port"),
        pytest.param(
            "--from run=a --from run=b --to run=web --port 80",
            [ingress(labels(run="a"), labels(run="b"))],
            id="two peers",
        ),
        pytest.param(
            "--from 'app in (x, y),!debug,tier!=db,canary' --to run=web --port 80",
            [
                ingress(
                    {
                        "podSelector": {
                            "matchExpressions": [
                                {"key": "app", "operator": "In", "values": ["x", "y"]},
                                {"key": "debug", "operator": "DoesNotExist"},
                                {"key": "tier", "operator": "NotIn", "values": ["db"]},
                                {"key": "canary", "operator": "Exists"},
                            ]
                        }
                    }
                )
            ],
            id="the whole grammar of selectors",
        ),
        pytest.param(
            "--from run=a --from-namespace ops --to run=web --port 80",
            [ingress({**named("ops"), **labels(run="a")})],
            id="a namespace by name and a selector are one peer",
        ),
        pytest.param(
            "--from-namespace team=x --to run=web --port 80",
            [ingress({"namespaceSelector": {"matchLabels": {"team": "x"}}})],
            id="namespaces by label, all their pods",
        ),
        pytest.param(
            "--from-namespace a --from-namespace b --to run=web --port 80",
            [ingress(named("a"), named("b"))],
            id="two whole namespaces are two peers",
        ),
        pytest.param(
            "--from run=a --from-namespace shop --to run=web --port 80 -n shop",
            [ingress(labels(run="a"))],
            id="the policy's own namespace needs no namespaceSelector",
        ),
        pytest.param(
            "--from-namespace shop --to run=web --port 80 -n shop",
            [ingress({"podSelector": {}})],
            id="the policy's own namespace as a whole",
        ),
        pytest.param(
            "--from run=a --to run=web --to-namespace shop -n ops --port 80",
            [ingress({**named("ops"), **labels(run="a")})],
            id="-n is the namespace of the side that has no other",
        ),
        pytest.param("--from-any --to run=web --port 80", [ingress()], id="anyone, because it was said"),
        pytest.param(
            "--from-all-pods --to-all-pods",
            [ingress({"podSelector": {}}, ports=None, podSelector={})],
            id="all pods among themselves",
        ),
        pytest.param(
            "--from-cidr 192.0.2.0/24 --from-cidr 2001:DB8::/32 --from-cidr 198.51.100.7 --to run=web --port 80",
            [
                ingress(
                    {"ipBlock": {"cidr": "192.0.2.0/24"}},
                    {"ipBlock": {"cidr": "2001:db8::/32"}},
                    {"ipBlock": {"cidr": "198.51.100.7/32"}},
                )
            ],
            id="blocks and an address",
        ),
        pytest.param(
            "--from-cidr 10.0.0.0/8 --from-cidr 10.1.0.0/16 --from-cidr ::/0 --except 10.1.2.0/24 --except fd00::/8 "
            "--to run=web --port 80",
            [
                ingress(
                    {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.2.0/24"]}},
                    {"ipBlock": {"cidr": "10.1.0.0/16", "except": ["10.1.2.0/24"]}},
                    {"ipBlock": {"cidr": "::/0", "except": ["fd00::/8"]}},
                )
            ],
            id="each except in every block that holds it",
        ),
        pytest.param(
            "--from run=a --to run=web --port 80 --port 53/udp --port 8000-8080 --port http --port 9-9 --port 80",
            [
                ingress(
                    labels(run="a"),
                    ports=[
                        {"protocol": "TCP", "port": 80},
                        {"protocol": "UDP", "port": 53},
                        {"protocol": "TCP", "port": 8000, "endPort": 8080},
                        {"protocol": "TCP", "port": "http"},
                        {"protocol": "TCP", "port": 9},
                    ],
                )
            ],
            id="every kind of port",
        ),
        pytest.param(
            "--from run=a --to run=web --port 53 --protocol udp",
            [ingress(labels(run="a"), ports=[{"protocol": "UDP", "port": 53}])],
            id="--protocol is for ports without their own",
        ),
        pytest.param(
            "--egress --from run=web --to run=db --to run=mq --port 80",
            [egress({"to": [labels(run="db"), labels(run="mq")], "ports": TCP80})],
            id="the source's side",
        ),
        pytest.param("--egress --from run=web --to-any", [egress({})], id="out to anyone"),
        pytest.param(
            "--egress --dns --from run=web --to-cidr 0.0.0.0/0 --port 80",
            [egress({"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": TCP80}, DNS)],
            id="out, with DNS",
        ),
        pytest.param("--egress --dns --from run=web", [egress(DNS)], id="DNS alone"),
        pytest.param(
            "--egress --from run=web --from run=api --to run=db",
            [
                egress({"to": [labels(run="db")]}),
                egress({"to": [labels(run="db")]}, **labels(run="api")),
            ],
            id="a policy for each source",
        ),
        pytest.param(
            "--both --from run=web --to run=db --port 80",
            [
                egress({"to": [labels(run="db")], "ports": TCP80}, DNS),
                ingress(labels(run="web"), **labels(run="db")),
            ],
            id="both sides, and DNS",
        ),
        pytest.param(
            "--both --no-dns --from run=web --from-namespace a --to run=db --to-namespace b --port 80",
            [
                egress({"to": [{**named("b"), **labels(run="db")}], "ports": TCP80}),
                ingress({**named("a"), **labels(run="web")}, **labels(run="db")),
            ],
            id="both sides, each in its namespace",
        ),
    ],
)
def test_labels_become_exactly_the_needed_fields(line: str, specs: list[Any]) -> None:
    ran = allow(line)
    assert (ran.status, ran.specs) == (0, specs), ran.err
    assert ran.err.startswith("note: isolates ")
    as_json = json.loads(allow(line, "-o", "json").out)
    assert [found["spec"] for found in as_json.get("items", [as_json])] == specs


@pytest.mark.parametrize(
    ("line", "metadata"),
    [
        pytest.param(
            "--from run=a --to run=b", [{"name": "allow-run-a-to-run-b"}], id="no namespace where none is said"
        ),
        pytest.param("--from run=a --to run=b -n x", [{"name": "allow-run-a-to-run-b", "namespace": "x"}], id="-n"),
        pytest.param("--from run=a --to run=b --name my-policy", [{"name": "my-policy"}], id="--name"),
        pytest.param(
            "--both --from run=a --to run=b --name p", [{"name": "p-egress"}, {"name": "p-ingress"}], id="two of a name"
        ),
        pytest.param(
            "--both --from run=a --from-namespace x --to run=b -n y --name p",
            [{"name": "p-egress", "namespace": "x"}, {"name": "p-ingress", "namespace": "y"}],
            id="each side in its own namespace",
        ),
    ],
)
def test_the_metadata(line: str, metadata: list[dict[str, str]]) -> None:
    assert [found["metadata"] for found in allow(line).objects] == metadata


@pytest.mark.parametrize(
    ("line", "texts"),
    [
        pytest.param(
            "--from run=san --to run=nginx --port 80",
            ["isolates run=nginx for ingress: whatever else used it is cut off"],
            id="ingress",
        ),
        pytest.param(
            "--egress --from run=san --to run=nginx -n shop",
            ["isolates run=san in shop for egress: whatever else it used is cut off, DNS included"],
            id="egress without DNS",
        ),
        pytest.param(
            "--egress --from-all-pods --dns",
            ["isolates every pod of the namespace for egress: whatever else they used is cut off", "DNS is assumed"],
            id="an assumption is said",
        ),
        pytest.param("--from san --to run=nginx", ['"san" means pods that have a label "san"'], id="a bare word"),
    ],
)
def test_what_stderr_says(line: str, texts: list[str]) -> None:
    err = allow(line).err
    for text in texts:
        assert text in err


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param("--from '' --to run=web", "--from is empty", id="an empty source"),
        pytest.param("--from ' ' --to run=web", "--from is empty", id="a blank source"),
        pytest.param("--from run=a --to ''", "--to is empty", id="an empty destination"),
        pytest.param("--port 80", "both ends are empty", id="nobody"),
        pytest.param("--to run=web --port 80", "from whom?", id="nobody who comes"),
        pytest.param("--from run=a --port 80", "which pods does the policy select?", id="nobody to reach"),
        pytest.param("--egress --from run=a", "to whom?", id="nobody to go to"),
        pytest.param("--from-namespace '' --to run=web", "--from-namespace is empty", id="an empty namespace"),
        pytest.param("--from-namespace Ops --to run=web", "neither a namespace's name", id="no namespace name"),
        pytest.param("--from run=a --to-namespace shop", "which pods does the policy select?", id="a whole namespace"),
        pytest.param(
            "--egress --from-namespace a --to run=b", "which pods does the policy select?", id="the same, out"
        ),
        pytest.param(
            "--from run=a --to run=web --to-namespace shop", "which namespace is --from in?", id="a namespace unsaid"
        ),
        pytest.param("--from run=a --to run=b --to-namespace team=x", "has to be one name", id="a policy in several"),
        pytest.param(
            "--from run=a --from run=b --from-namespace x --from-namespace y --to run=c", "which belongs", id="pairs"
        ),
        pytest.param("--from run=a --to api.example.com", "can't name hosts", id="a host as a label"),
        pytest.param("--egress --from run=a --to-cidr api.example.com", "can't name hosts", id="a host as a block"),
        pytest.param("--egress --from run=a --to-cidr localhost", "can't name hosts", id="a host without dots"),
        pytest.param("--egress --from run=a --to 10.0.0.1", "is an address, and --to takes labels", id="an address"),
        pytest.param("--from 'replicas>1' --to run=web", "can't compare numbers", id="a comparison"),
        pytest.param("--from run=a=b --to run=web", "is no label selector", id="no selector"),
        pytest.param("--from run=-a --to run=web", "is no label value", id="no label value"),
        pytest.param(
            "--from -run=a --to run=web", "argument --from: expected one argument", id="it looks like an option"
        ),
        pytest.param("--from Ex_Ample/run=a --to run=web", "is no label key", id="no label key"),
        pytest.param("--from run=a --to run=b --port 0", "is no port", id="port 0"),
        pytest.param("--from run=a --to run=b --port 65536", "is no port", id="port 65536"),
        pytest.param("--from run=a --to run=b --port 90-80", "it ends before it begins", id="a range the wrong way"),
        pytest.param("--from run=a --to run=b --port 80/icmp", "is nmust be one of TCP, UDP, SCTP", id="no protocol"),
        pytest.param("--from run=a --to run=b --port 80/", "is nmust be one of TCP, UDP, SCTP", id="an empty protocol"),
        pytest.param("--from run=a --to run=b --port HTTP", "is no port", id="a name in capitals"),
        pytest.param("--from run=a --to run=b --port 80,443", "is no port", id="two in one"),
        pytest.param("--from run=a --to run=b --port ''", "is no port", id="an empty port"),
        pytest.param("--from run=a --to run=b --port ٨٠", "is no port", id="digits of another script"),
        pytest.param("--from run=a --to run=b --port ٨٠-٩٠", "is no port", id="a range in digits of another script"),
        pytest.param(f"--from run=a --to run=b --port {'9' * 5000}", "is no port", id="5000 digits"),
        pytest.param(f"--from run=a --to run=b --port 80-{'9' * 5000}", "is no port", id="a range to 5000 digits"),
        pytest.param("--from-cidr 10.0.0.0/33 --to run=b", "is no CIDR", id="a prefix too long"),
        pytest.param("--from-cidr 10.0.0.0/255.0.0.0 --to run=b", "is no CIDR", id="a netmask"),
        pytest.param("--from-cidr 10.0.0.0/08 --to run=b", "is no CIDR", id="a prefix with a zero before"),
        pytest.param("--from-cidr 10.0.0.1/8 --to run=b", "bits set behind its prefix", id="host bits"),
        pytest.param("--from-cidr ::ffff:10.0.0.1/128 --to run=b", "IPv4 address written as IPv6", id="mapped"),
        pytest.param("--from-cidr fe80::1%eth0/64 --to run=b", "is no CIDR", id="a zone"),
        pytest.param("--from-cidr '' --to run=b", "is no CIDR", id="an empty block"),
        pytest.param("--from run=a --to run=b --except 10.0.0.0/8", "out of a block", id="an except of nothing"),
        pytest.param(
            "--from-cidr 10.0.0.0/8 --to run=b --except 11.0.0.0/8", "lies in none of the blocks", id="outside"
        ),
        pytest.param(
            "--from-cidr 10.0.0.0/8 --to run=b --except fd00::/8", "is of the other address family", id="other family"
        ),
        pytest.param("--from-cidr 10.0.0.0/8 --to run=b --except 10.0.0.0/8", "takes all of", id="all of it"),
        pytest.param("--from-cidr 10.0.0.0/8 --to run=b --except 0.0.0.0/0", "takes all of", id="more than it"),
        pytest.param("--from-cidr 10.0.0.0/8 --to-cidr 10.0.0.0/8 --except 10.1.0.0/16", "one end has to", id="two"),
        pytest.param("--from run=a --to-cidr 10.0.0.0/8", "a policy at that end needs pods", id="a block as subject"),
        pytest.param("--egress --from-any --to run=a", "can't be the pods", id="anyone as subject"),
        pytest.param("--from-any --from run=a --to run=b", "--from-any is everyone already", id="anyone and someone"),
        pytest.param("--from-all-pods --from run=a --to run=b", "every pod already", id="all and some"),
        pytest.param("--from run=a --to run=b --dns", "outgoing", id="DNS for ingress"),
        pytest.param("--egress --dns --from run=a --port 80", "--port without a destination", id="a port for DNS"),
        pytest.param("--egress --both --from run=a --to run=b", "not allowed with", id="one side and both"),
        pytest.param("--from run=a --to run=b -n Shop", "is no namespace name", id="no namespace"),
        pytest.param("--from run=a --to run=b --name A_b", "is no name for a policy", id="no name"),
        pytest.param("--from run=a --to run=b --to run=c --name x", "names one policy", id="one name for two"),
        pytest.param("--from run=a --to run=b --strict", "needs something to prove", id="strict without proof"),
        pytest.param("--from run=a --to run=b --always", "goes with names", id="--always with labels"),
        pytest.param("--from run=a --to run=b --named-port", "goes with names", id="--named-port with labels"),
        pytest.param("san nginx 80 --from run=a", "names and labels", id="names and labels"),
        pytest.param("san nginx", "2 words given", id="two words"),
        pytest.param("run=san run=nginx 80", "these are labels, not names", id="labels without their options"),
        pytest.param("--from run=a --to run=b --fromm run=c", "unknown option", id="an unknown option"),
        pytest.param("--from run=a --to run=b --por 80", "unknown option", id="nothing is abbreviated"),
    ],
)
def test_it_is_refused_and_stdout_stays_empty(line: str, message: str) -> None:
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
    assert len(typed.words) in (0, 3)
    if not typed.words:
        assert allow(line).status == 0


KEY = st.sampled_from(["app", "example.com/app", "n", "1e3", "a.b"])
WORD = st.sampled_from(["web", "y", "1e3", "08", "", "a-b", "null"])
REQUIREMENT = st.one_of(
    st.tuples(KEY, WORD).map("=".join),
    st.tuples(KEY, WORD).map("!=".join),
    st.tuples(KEY, st.sampled_from(["in", "notin"]), WORD, WORD).map(lambda t: f"{t[0]} {t[1]} ({t[2]},{t[3]})"),
    KEY.map("!{}".format),
)
SELECTOR = st.lists(REQUIREMENT, min_size=1, max_size=3).map(",".join)
PORT = st.sampled_from(["80", "53/UDP", "8000-8080", "http", "9/sctp"])
PEERS = st.one_of(
    st.lists(SELECTOR, min_size=1, max_size=2).map(lambda found: EndOptions("from", tuple(found))),
    st.tuples(SELECTOR, st.sampled_from(["ops", "shop", "team=y", "!old"])).map(
        lambda pair: EndOptions("from", (pair[0],), (pair[1],))
    ),
    st.sampled_from(
        [
            EndOptions("from", cidrs=("10.0.0.0/8", "::/0"), excepts=("10.1.0.0/16", "fd00::/8")),
            EndOptions("from", anyone=True),
            EndOptions("from", all_pods=True),
            EndOptions("from", namespaces=("ops", "team in (a,y)")),
        ]
    ),
)


@settings(deadline=None)
@given(PEERS, SELECTOR, st.lists(PORT, max_size=3), st.sampled_from(Direction))
def test_what_is_printed_is_read_back_as_it_was_meant(
    peers: EndOptions, subject: str, ports: list[str], direction: Direction
) -> None:
    source, destination = peers, EndOptions("to", (subject,))
    out = direction is Direction.EGRESS
    if out:
        source, destination = destination._replace(side="from"), peers._replace(side="to")
    items = tuple(dict.fromkeys(item for port in ports for item in parse_ports(port)))
    asked = LabelRequest(source, destination, items, "shop", ingress=not out, egress=out, dns=out)
    found = policies_from_labels(asked)
    for text in (to_yaml(map(policy_object, found)), to_json(map(policy_object, found))):
        reader = Reader()
        reader.add_text(text, "printed")
        assert reader.snapshot().policies == found


# Proved on manifests.


def test_who_loses_access_is_named(tmp_path: Path) -> None:
    manifests = tmp_path / "shop.yaml"
    kept = [
        item for item in yaml.safe_load_all((EXAMPLES / "shop.yaml").read_text()) if item["kind"] != "NetworkPolicy"
    ]
    manifests.write_text(yaml.safe_dump_all(kept))
    line = f"--from run=san --to run=nginx --port 80 -n shop -f {manifests}"
    ran = allow(line)
    assert ran.status == 0
    assert "warning: isolates shop/nginx for ingress: shop/cart loses access, and so does everything outside" in ran.err
    strict = allow(line, "--strict")
    assert (strict.status, strict.out) == (2, "")
    assert "shop/cart loses access" in strict.err


def test_nobody_loses_access_where_it_was_isolated_already() -> None:
    ran = allow("--from run=san --to run=nginx --port 80 --strict", *SHOP)
    assert ran.status == 0
    assert "nothing is cut off" in ran.err
    assert "opens shop/san -> shop/nginx: port 80" in ran.err


@pytest.mark.parametrize(
    ("line", "text"),
    [
        pytest.param("--from run=san --to run=ngnix --port 80", "selects no pod", id="a misspelt subject"),
        pytest.param("--from run=sam --to run=nginx --port 80", "run=sam", id="a misspelt peer"),
        pytest.param("--from run=san --to run=nginx --name deny-all-ingress", "with other content exists", id="a name"),
        pytest.param("--egress --dns --from run=san", "no DNS Service in what was read", id="no DNS there"),
    ],
)
def test_the_proof_tells_what_is_probably_wrong(line: str, text: str) -> None:
    assert text in allow(line, *SHOP).err
