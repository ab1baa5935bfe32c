"""`matrix --probe` with the network replaced: what is asked of the prober, and what comes of its answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from kubectl_netpol.cli import main
from kubectl_netpol.commands import matrix
from kubectl_netpol.commands.common import matrix_probe
from kubectl_netpol.commands.common.inputs import Inputs
from kubectl_netpol.diagnosis.diagnose import ConnectionResult, Finding
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.verdict import Verdict
from kubectl_netpol.manifests.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_netpol.connection.predict import Prediction

MANIFEST = """
{kind: Pod, apiVersion: v1, metadata: {name: san, namespace: shop, labels: {run: san}},
 spec: {containers: [{name: c}]}, status: {phase: Running, podIP: 10.0.0.1}}
---
{kind: Pod, apiVersion: v1, metadata: {name: sam, namespace: shop, labels: {run: sam}},
 spec: {containers: [{name: c}]}, status: {phase: Running, podIP: 10.0.0.3}}
---
{kind: Pod, apiVersion: v1, metadata: {name: web, namespace: shop, labels: {run: web}},
 spec: {containers: [{name: c, ports: [{name: http, containerPort: 80}, {containerPort: 53, protocol: UDP}]}]},
 status: {phase: Running, podIP: 10.0.0.2}}
---
{kind: NetworkPolicy, apiVersion: networking.k8s.io/v1, metadata: {name: web, namespace: shop},
 spec: {podSelector: {matchLabels: {run: web}}, ingress: [{from: [{podSelector: {matchLabels: {run: san}}}]}]}}
"""


class Network:
    """In place of Prober: everything is open (an enforcer that is off), or nothing is known."""

    known = True

    asked: ClassVar[list[list[str]]] = []

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def results(self, verdicts: Sequence[Prediction]) -> list[ConnectionResult]:
        Network.asked.append([f"{v.request.source.reference} {v.request.protocol} {v.request.port}" for v in verdicts])
        return [self._result(verdict) for verdict in verdicts]

    @staticmethod
    def _result(verdict: Prediction) -> ConnectionResult:
        if not Network.known:
            finding = Finding(Code.NO_TOOL, "can't tell", "no tool there", reachable=None, agrees=None)
            return ConnectionResult(verdict, finding)
        agrees = verdict.verdict is Verdict.ALLOWED
        code = Code.OPEN if agrees else Code.NOT_ENFORCED
        detail = "" if agrees else "though the policies block it"
        warnings = () if agrees else ("this cluster does not enforce them",)
        return ConnectionResult(
            verdict, Finding(code, "open", detail, reachable=True, agrees=agrees), warnings=warnings
        )


@pytest.fixture(autouse=True)
def network(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader()
    reader.add_text(MANIFEST, "the cluster")
    api: Any = object()
    monkeypatch.setattr(matrix, "open_inputs", lambda _, __, console: Inputs("shop", api, reader.snapshot(), console))
    monkeypatch.setattr(matrix_probe, "Prober", Network)
    monkeypatch.setattr(Network, "asked", [])
    monkeypatch.setattr(Network, "known", True)


def run(capsys: pytest.CaptureFixture[str], *typed: str) -> tuple[int, str, str]:
    status = main(["matrix", "-n", "shop", "--probe", *typed])
    return (status, *capsys.readouterr())


def test_what_is_asked_is_each_pair_but_a_pod_with_itself_one_protocol_at_a_time(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(capsys)
    assert Network.asked == [
        ["shop/pod/sam TCP 80", "shop/pod/san TCP 80"],
        ["shop/pod/sam UDP 53", "shop/pod/san UDP 53"],
    ]


def test_a_warning_about_several_pairs_is_there_once(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, err = run(capsys)
    assert out.count("policies blocked, network open") == 2
    assert err == "warning: this cluster does not enforce them\n"


def test_each_port_marks_its_own_differences(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader()
    reader.add_text(MANIFEST.replace("{from:", "{ports: [{port: 80}], from:"), "the cluster")
    api: Any = object()
    monkeypatch.setattr(matrix, "open_inputs", lambda _, __, console: Inputs("shop", api, reader.snapshot(), console))
    _, out, _ = run(capsys, "--port", "80,81")
    rows = [line for line in out.splitlines() if line.startswith(("1 sam", "2 san"))]
    assert rows == ["1 sam    . a b!", "2 san    a . a", "1 sam    . a b!", "2 san    a . b!"]


def test_text_marks_the_cell_and_says_what_the_network_did(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "--port", "80", "--protocol", "tcp")
    assert status == 1
    assert out == (
        "namespace shop, TCP 80: 3 workloads\n"
        "from  to 1 2 3\n"
        "1 sam    . a b!\n"
        "2 san    a . a\n"
        "3 web    a a .\n"
        "a allowed   b blocked   . itself   ! the network differs\n"
        "\n"
        "6 pairs of workloads: 5 allowed, 1 blocked\n"
        "reachable from all: sam, san\n"
        "probed 6 pairs of pods: 5 as the policies say, 1 differs\n"
        "  sam → web, TCP 80: policies blocked, network open: though the policies block\n"
        "    it\n"
    )
    assert err == "warning: this cluster does not enforce them\n"


def test_json_has_what_the_network_did_in_letters_too(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "--port", "http", "-o", "json")
    answer = json.loads(out)
    assert status == 1
    assert answer["verdicts"] == ["--b", "--a", "--a"]
    assert answer["network"] == ["--o", "--o", "---"]
    assert answer["differences"] == [
        {
            "source": "shop/sam",
            "destination": "shop/web",
            "verdict": "blocked",
            "outcome": None,
            "finding": {
                "code": "policy-not-enforced",
                "message": "open: though the policies block it",
                "next": None,
            },
        }
    ]


def test_the_page_has_the_differences_by_cell(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "--port", "80", "-o", "html")
    assert status == 1
    assert '"differs":{"0,2":["sam → web, TCP 80: policies blocked' in out


def test_where_nothing_is_known_the_status_is_two(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Network, "known", False)
    status, out, _ = run(capsys, "--port", "80")
    assert status == 2
    assert "6 can't be compared\n  6 can't be compared: can't tell: no tool there\n" in out


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        pytest.param(["--max", "3"], "4 pairs to probe, more than --max 3", id="too many pairs"),
        pytest.param(["--protocol", "sctp", "--port", "80"], "SCTP can't be probed", id="SCTP"),
        pytest.param(["--timeout", "0s"], "invalid --timeout 0s: must be", id="a timeout of 0"),
        pytest.param(["--timeout", "soon"], 'invalid duration "soon"', id="an invalid duration"),
    ],
)
def test_mistakes(capsys: pytest.CaptureFixture[str], typed: list[str], message: str) -> None:
    status, out, err = run(capsys, *typed)
    assert (status, out) == (2, "")
    assert message in err
    assert Network.asked == []
