"""docs/schemas is what the program prints, and docs/json.md shows it as it is."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from kubectl_netpol.analysis.isolation import explain_pod
from kubectl_netpol.commands import test
from kubectl_netpol.commands.common.inputs import Inputs, open_inputs
from kubectl_netpol.diagnosis.diagnose import ConnectionResult, Facts, SuggestedCommands, diagnose
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.errors import ManifestError
from kubectl_netpol.lint.warnings import connection_warnings, pod_warnings
from kubectl_netpol.matrix.compared import Compared
from kubectl_netpol.matrix.grid import Grid
from kubectl_netpol.matrix.pod_sets import PodSets
from kubectl_netpol.matrix.summary import Cell
from kubectl_netpol.probe.outcome import Observation, Outcome
from kubectl_netpol.render.json_objects import explanation_object, result_object, verdict_object
from kubectl_netpol.render.matrix_json import matrix_json, network_fields
from kubectl_netpol.render.suite_json import suite_object
from kubectl_netpol.suite.exercised import unexercised
from kubectl_netpol.suite.judge import Result
from kubectl_netpol.suite.reader import read_suites
from tests.support.api import FakeApi, groups
from tests.support.running import SHOP, run
from tests.support.suites import suite_results
from tests.support.tables import ask, checks, snapshot_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kubectl_netpol.cluster.options import ClusterOptions
    from kubectl_netpol.console import Console

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "schemas"
READ = {"TestSuite"}
KINDS = {path.stem for path in FOLDER.glob("*.json")} - {"common"} - READ
ON_SHOP = shlex.join(SHOP)
SHOP_FILE = str(ROOT / "examples" / "shop.yaml")
SUITE, TIERS = (str(ROOT / "examples" / name) for name in ("suite.yaml", "tiers.yaml"))


@cache
def validator(kind: str, *, closed: bool) -> Draft202012Validator:
    """For the published schema, or for one that also rejects keys without a schema."""
    schemas = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.json")}
    for schema in schemas.values() if closed else ():
        for part in parts(schema):
            if part.get("type") == "object":
                part.setdefault("unevaluatedProperties", False)
    registry: Registry[Any] = Registry().with_resources(
        (name, Resource.from_contents(schema)) for name, schema in schemas.items()
    )
    return Draft202012Validator(schemas[f"{kind}.json"], registry=registry)


def parts(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a JSON value."""
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from parts(item)


def faults(found: dict[str, Any], *, closed: bool = True) -> list[str]:
    errors = validator(found["kind"], closed=closed).iter_errors(found)
    return [f"{error.json_path}: {error.message}" for error in errors]


@pytest.mark.parametrize("name", sorted(KINDS | READ | {"common"}))
def test_a_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")))


def test_codes_are_those_of_the_program() -> None:
    common = json.loads((FOLDER / "common.json").read_text(encoding="utf-8"))
    assert common["$defs"]["code"]["enum"] == [code.value for code in Code]


def test_outcomes_are_those_of_the_program() -> None:
    for kind, path in (("TestResult", ()), ("Matrix", ("differences", "items"))):
        found: Any = json.loads((FOLDER / f"{kind}.json").read_text(encoding="utf-8"))["properties"]
        for step in path:
            found = found[step]
        outcomes = (found["properties"] if path else found)["outcome"]["enum"]
        assert outcomes == [*(outcome.value for outcome in Outcome), None]


@pytest.fixture(autouse=True)
def a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """One with kube-router, for commands that are given no files."""
    daemonsets = {"/apis/apps/v1/daemonsets": [{"metadata": {"name": "kube-router"}}]}
    fake = FakeApi({"/apis": groups(policy_networking_k8s_io="v1alpha2"), **daemonsets})

    def opened(cluster: ClusterOptions, filenames: Sequence[str], console: Console) -> Inputs:
        if filenames:
            return open_inputs(cluster, filenames, console)
        return Inputs("shop", fake.api, None, console)

    monkeypatch.setattr(test, "open_inputs", opened)


@pytest.mark.parametrize(
    ("command", "line", "kind"),
    [
        pytest.param("explain", f"san nginx 80 {ON_SHOP}", "Verdict", id="explain a connection"),
        pytest.param("explain", f"10.0.0.7 shop/nginx 80,81 {ON_SHOP}", "VerdictList", id="explain two ports"),
        pytest.param("explain", f"nginx {ON_SHOP}", "Explanation", id="explain a pod"),
        pytest.param("explain", ON_SHOP, "ExplanationList", id="explain a namespace"),
        pytest.param("explain", f"netpol/deny-all-ingress {ON_SHOP}", "PolicyExplanation", id="explain a policy"),
        pytest.param("test", f"san nginx 80 {ON_SHOP}", "TestResult", id="test"),
        pytest.param("test", f"san example.com 80-82 {ON_SHOP}", "TestResultList", id="test three ports"),
        pytest.param("test", f"-F {SUITE} -f {SHOP_FILE}", "SuiteResult", id="test a suite"),
        pytest.param(
            "test", f"-F {SUITE} -f {TIERS} --unexercised", "SuiteResult", id="test a suite on other policies"
        ),
        pytest.param("diff", f"-f {ROOT}/examples/deny-all-ingress.yaml --on {SHOP_FILE}", "Diff", id="diff"),
        pytest.param("diff", f"-f {SHOP_FILE} --on {SHOP_FILE} --delete -n shop", "Diff", id="diff of a deletion"),
        pytest.param(
            "diff",
            f'--choose {ROOT}/examples/deny-all-ingress.yaml --need "san nginx 80" --on {SHOP_FILE} -n shop',
            "Choice",
            id="diff of several files",
        ),
        pytest.param("lint", f"-f {SHOP_FILE}", "Lint", id="lint"),
        pytest.param("matrix", f"--port 80 {ON_SHOP}", "Matrix", id="matrix of a port"),
        pytest.param("matrix", ON_SHOP, "MatrixList", id="matrix of the ports that are declared"),
        pytest.param("test", "--enforcement", "Enforcement", id="test of a whole cluster"),
        pytest.param("version", "", "Version", id="version"),
    ],
)
def test_what_is_printed_is_as_the_schema_says(command: str, line: str, kind: str) -> None:
    out = run(command, f"{line} -o json").out
    found = json.loads(out)
    assert (found["kind"], faults(found)) == (kind, [])
    assert all(map(str.strip, out.splitlines())), "no line is empty"


def test_every_kind_is_printed_above() -> None:
    (rows,) = (mark.args[1] for mark in getattr(test_what_is_printed_is_as_the_schema_says, "pytestmark"))  # noqa: B009 - pytest adds it
    assert {row.values[2] for row in rows} == KINDS


def test_every_verdict_and_pod_of_the_tables() -> None:
    seen = set()
    for check in checks():
        snapshot = snapshot_of(check.cluster)
        source, _, destination, port, *_ = check.line.split()
        number, _, protocol = port.partition("/")
        asked = int(number) if number.isdecimal() else number
        verdict = ask(snapshot, source, destination, asked, protocol or "TCP")
        found = verdict_object(verdict, connection_warnings(snapshot, verdict))
        assert faults(found) == [], check.name
        seen.add(found["verdict"])
        for pod in snapshot.pods[:3]:
            explanation = explain_pod(snapshot, pod)
            assert faults(explanation_object(explanation, pod_warnings(snapshot, explanation))) == [], check.name
    assert seen == {"allowed", "blocked", "undefined"}


def test_every_result_of_a_check() -> None:
    results = suite_results()
    assert faults(suite_object(results, None)) == []
    assert {result.result for result in results} == set(Result)
    policies: dict[str, Any] = {"shop/in": {"podSelector": {}, "ingress": [{}]}}
    own = {"plugin": "Cilium", "live": True, "cilium": {"p": {"ingress": [{}]}}}
    for cluster in ({"policies": policies}, {**own, "policies": policies}):
        found = unexercised(snapshot_of({"pods": {"shop/web": {"ip": "10.0.0.1"}}, **cluster}), ())
        assert faults(suite_object([], found)) == []


CHECK = {"name": "x", "from": "san", "to": "web", "port": 80, "expect": "open"}


@pytest.mark.parametrize(
    ("check", "valid"),
    [
        pytest.param({}, True, id="what must be there"),
        pytest.param({"port": "80,443,http,53/UDP", "protocol": "tcp", "namespace": "shop"}, True, id="more"),
        pytest.param({"expect": "blocked", "control": "none"}, True, id="without a control"),
        pytest.param({"control": None, "protocol": None, "namespace": None}, True, id="null is nothing"),
        pytest.param({"name": ""}, False, id="no name"),
        pytest.param({"name": "a\nb"}, False, id="a name of two lines"),
        pytest.param({"frm": "san"}, False, id="a field misspelt"),
        pytest.param({"fromSelector": "run=san"}, False, id="a source twice"),
        pytest.param({"toSelector": ""}, False, id="a destination twice"),
        pytest.param({"from": ""}, False, id="an empty source"),
        pytest.param({"port": 0}, False, id="port 0"),
        pytest.param({"port": 65536}, False, id="port 65536"),
        pytest.param({"port": True}, False, id="a port that is no number"),
        pytest.param({"protocol": "ICMP"}, False, id="another protocol"),
        pytest.param({"expect": "shut"}, False, id="what can't be expected"),
        pytest.param({"control": "web"}, False, id="another control"),
        pytest.param({"namespace": "Shop"}, False, id="no namespace"),
    ],
)
def test_a_suite_is_valid_by_the_schema_where_the_program_reads_it(check: dict[str, Any], valid: bool) -> None:  # noqa: FBT001 - a column
    for defaults in ({}, {key: value for key, value in check.items() if key != "name"}):
        suite = {"apiVersion": "netpol/v1", "kind": "TestSuite", "defaults": defaults, "checks": [{**CHECK, **check}]}
        assert (faults(suite, closed=False) == []) is valid
        with contextlib.nullcontext() if valid else pytest.raises(ManifestError):
            read_suites([("s.json", json.dumps(suite))])


@pytest.mark.parametrize("suite", ["examples/suite.yaml", "the page", "a matrix"])
def test_suites_are_valid_by_the_schema(suite: str) -> None:
    text = (ROOT / "examples" / "suite.yaml").read_text(encoding="utf-8")
    if suite == "the page":
        page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
        text = page.partition("```yaml\n")[2].partition("```")[0]
    elif suite == "a matrix":
        text = run("matrix", f"-o suite -n shop -f {SHOP_FILE}").out
    assert faults(yaml.safe_load(text), closed=False) == []
    assert len(read_suites([("s.yaml", text)])) > 1


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_of_a_probe(outcome: Outcome) -> None:
    snapshot = snapshot_of(
        {
            "live": True,
            "pods": {"default/san": {"ip": "10.0.0.1"}, "default/web": {"ip": "10.0.0.2"}},
            "policies": {"default/deny": {"podSelector": {}, "policyTypes": ["Ingress"]}},
        }
    )
    verdict = ask(snapshot, "san", "web", 80, "TCP")
    observation = Observation(outcome, "nc", ("nc", "10.0.0.2", "80"), 1, "said", 0.25)
    facts = Facts(listening=True, listening_evidence="it listens")
    finding = diagnose(snapshot, verdict, observation, facts, SuggestedCommands("allow", "explain", "test"))
    result = ConnectionResult(verdict, finding, observation, "kubectl exec …", ("odd",))
    assert faults(result_object(result)) == []
    sets = PodSets(snapshot, snapshot.pods)
    grid = Grid(sets, "TCP", 80)
    compared = [Compared(Cell(0, 1, "TCP", 80), result)]
    pieces = matrix_json([grid], as_list=False, extra=lambda grid: network_fields(grid, compared))
    found = json.loads("".join(pieces))
    assert ("network" in found, faults(found)) == (True, [])


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_missing_key_is_a_fault(kind: str) -> None:
    found = printed(kind)
    for key in found:
        if key not in ("kind", "helpfulLabels"):  # test has a verdict without them
            assert faults({name: value for name, value in found.items() if name != key}, closed=False) != []


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_new_key_anywhere_is_accepted_by_the_published_schema_and_noticed_here(kind: str) -> None:
    found = printed(kind)
    for part in list(parts(found)):
        if any(other.get("labels") is part for other in parts(found)):
            continue  # a label may have any key
        part["more"] = "new"
        assert faults(found, closed=False) == []
        assert faults(found) != []
        del part["more"]


def printed(kind: str) -> dict[str, Any]:
    """The first example of the kind above."""
    rows = getattr(test_what_is_printed_is_as_the_schema_says, "pytestmark")[0].args[1]  # noqa: B009 - pytest adds it
    command, line, _ = next(row.values for row in rows if row.values[2] == kind)
    found: dict[str, Any] = json.loads(run(command, f"{line} -o json").out)
    return found


END = {"pod": "shop/san", "address": "10.0.0.1"}


@pytest.mark.parametrize(
    ("end", "valid"),
    [
        pytest.param(END, True, id="a pod with its address"),
        pytest.param({**END, "workload": "Deployment shop/san"}, True, id="a pod of a workload"),
        pytest.param({"address": "192.0.2.1"}, True, id="an address alone"),
        pytest.param({"host": "example.com", "more": 1}, True, id="a host with a key of a later version"),
        pytest.param({"pod": "shop/san"}, False, id="a pod without the address key"),
        pytest.param({**END, "host": "example.com"}, False, id="a pod and a host at once"),
        pytest.param({"address": None}, False, id="an unknown address of nothing"),
        pytest.param({}, False, id="nothing"),
    ],
)
def test_an_end_is_one_thing(end: dict[str, Any], valid: bool) -> None:  # noqa: FBT001 - a column
    found = printed("Verdict")
    found["connection"]["source"] = end
    assert (faults(found, closed=False) == []) is valid


# The page.

PAGE = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```console\n\$ kubectl netpol (.*)\n((?:.*\n)*?)```", PAGE)


def same(shown: Any, found: Any) -> bool:
    """Whether what is shown is what was found; "…" stands for anything, and at the end of a list for the rest."""
    if shown == "…":
        return True
    if isinstance(shown, dict) and isinstance(found, dict):
        return list(shown) == list(found) and all(same(shown[key], found[key]) for key in shown)
    if isinstance(shown, list) and isinstance(found, list):
        cut = shown[-1:] == ["…"]
        whole = len(shown) - 1 <= len(found) if cut else len(shown) == len(found)
        return whole and all(map(same, shown, found))
    return bool(shown == found)


@pytest.mark.parametrize(("line", "text"), EXAMPLES, ids=[line for line, _ in EXAMPLES])
def test_an_example_of_the_page_is_real(line: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    command, _, words = line.partition(" ")
    found = json.loads(run(command, words).out)
    assert same(json.loads(text), found), json.dumps(found, indent=2)


def test_the_page_has_every_kind_and_every_key() -> None:
    shown = {json.loads(text)["kind"] for _, text in EXAMPLES}
    assert {kind for kind in KINDS if not kind.endswith("List")} <= shown
    assert [kind for kind in KINDS | READ if f"`{kind}`" not in PAGE] == []
    keys = set()
    todo: list[Any] = [json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.json")]
    while todo:
        part = todo.pop()
        if isinstance(part, dict):
            keys |= set(part.get("properties", ())) if isinstance(part.get("properties"), dict) else set()
            todo += part.values()
        elif isinstance(part, list):
            todo += part
    assert sorted(key for key in keys if f"`{key}`" not in PAGE) == []
