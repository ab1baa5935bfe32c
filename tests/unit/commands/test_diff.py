"""`diff` as typed: what opens and closes, by which rule, and its exit status."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_netpol.commands import diff as module
from kubectl_netpol.commands.common.inputs import Inputs
from tests.support.api import FakeApi
from tests.support.running import EXAMPLES, SHOP, Ran, allow, run

if TYPE_CHECKING:
    from pathlib import Path

    from kubectl_netpol.console import Console

ON = ["--on", str(EXAMPLES / "shop.yaml"), "-n", "shop"]
DENY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny-all-ingress}
spec: {podSelector: {}, policyTypes: [Ingress]}
"""
OPEN_ALL = DENY.replace("deny-all-ingress", "open").replace("[Ingress]}", "[Ingress], ingress: [{}]}")
EGRESS = DENY.replace("deny-all-ingress", "egress").replace(
    "{}, policyTypes: [Ingress]", "{matchLabels: {run: san}}, policyTypes: [Egress]"
)


def diff(policies: str, *more: str) -> Ran:
    return run("diff", "-f -", *more, stdin=policies)


@pytest.mark.parametrize(
    ("policies", "more", "status", "lines"),
    [
        pytest.param(
            allow("--from run=san --to run=nginx --port 80", *SHOP).out,
            [],
            1,
            [
                "opens",
                "  shop/san -> shop/nginx: port 80",
                "      shop/allow-run-san-to-run-nginx-80 ingress[0] allows it",
            ],
            id="a policy that opens",
        ),
        pytest.param(DENY, [], 0, [], id="a policy that is there"),
        pytest.param(
            DENY,
            ["--delete"],
            1,
            [
                "opens",
                "  shop/san, shop/cart, outside the cluster -> shop/nginx: port 80",
                "      shop/deny-all-ingress no longer isolates the destination for ingress",
                "  shop/san, shop/cart, shop/nginx, outside the cluster -> shop/san, shop/cart:",
                "    every port",
                "      shop/deny-all-ingress no longer isolates the destination for ingress",
            ],
            id="a policy deleted",
        ),
        pytest.param(
            EGRESS,
            [],
            1,
            [
                "closes",
                "  shop/san -> outside the cluster: every port",
                "      shop/egress isolates the source for egress",
            ],
            id="a policy that closes what is open: the pods are closed already",
        ),
        pytest.param(OPEN_ALL, ["--delete"], 0, [], id="deleting what is not there"),
    ],
)
def test_what_opens_and_closes(policies: str, more: list[str], status: int, lines: list[str]) -> None:
    ran = diff(policies, *ON, *more)
    assert (ran.status, ran.out.splitlines()) == (status, lines)
    if not lines:
        assert "no connection opens or closes" in ran.err


LIFTED = "warning: not found, so nothing to delete: shop/open"


@pytest.mark.parametrize(
    ("policies", "more", "change", "status"),
    [
        pytest.param(OPEN_ALL, [], "added", 1, id="added"),
        pytest.param(DENY, [], "unchanged", 0, id="the same spec"),
        pytest.param(
            DENY.replace("all-ingress}", "all-ingress, creationTimestamp: '2026-01-01T00:00:00Z'}"),
            [],
            "unchanged",
            0,
            id="the same spec, applied at another time",
        ),
        pytest.param(DENY.replace("[Ingress]}", "[Ingress], ingress: [{}]}"), [], "changed", 1, id="another spec"),
        pytest.param(DENY, ["--delete"], "deleted", 1, id="deleted"),
        pytest.param(OPEN_ALL, ["--delete"], "unchanged", 0, id="deleted, and not there"),
    ],
)
def test_what_becomes_of_a_policy(policies: str, more: list[str], change: str, status: int) -> None:
    ran = diff(policies, *ON, "-o", "json", *more)
    assert (ran.status, [item["change"] for item in json.loads(ran.out)["policies"]]) == (status, [change])


def test_a_policy_that_is_not_there_can_not_be_deleted() -> None:
    assert diff(OPEN_ALL, *ON, "--delete").err.splitlines() == [
        LIFTED,
        "note: no connection opens or closes (shop/open unchanged)",
    ]


def many(number: int) -> tuple[str, str]:
    """So many pods, and a policy for each."""
    template = (
        "{{apiVersion: v1, kind: Pod, metadata: {{name: p{0}, labels: {{run: p{0}}}}}, spec: {{containers: []}}}}"
    )
    pods = "\n---\n".join(template.format(n) for n in range(number))
    policies = "---".join(
        DENY.replace("deny-all-ingress", f"p{n}").replace("{}", f"{{matchLabels: {{run: p{n}}}}}")
        for n in range(number)
    )
    return pods, policies


def test_long_lists_are_cut_with_a_count(tmp_path: Path) -> None:
    pods, policies = many(30)
    (tmp_path / "pods.yaml").write_text(pods, encoding="utf-8")
    short, long = (diff(policies, "--on", str(tmp_path), *more).out for more in ((), ("-v",)))
    assert "  and 10 more; -v lists them" in short.splitlines()
    assert short.count(" ->") == 20
    assert long.count(" -> ") == 30
    assert "and 25 more" in short
    assert "more" not in long
    allowed = allow(f"--from run=p0 --to-all-pods --port 80 -f {tmp_path}")
    assert allowed.err.count("warning: ") <= 6
    (tmp_path / "policies.yaml").write_text(policies, encoding="utf-8")
    opened = allow(f"--from run=p0 --to-all-pods --port 80 -f {tmp_path}").err
    assert "the same for " in opened
    assert "the same for " not in allow(f"--from run=p0 --to-all-pods --port 80 -v -f {tmp_path}").err


def test_json_says_the_same_for_scripts() -> None:
    ran = diff(OPEN_ALL, *ON, "-o", "json")
    found: dict[str, Any] = json.loads(ran.out)
    assert ran.status == 1
    assert (found["apiVersion"], found["kind"]) == ("netpol/v1", "Diff")
    assert found["policies"] == [{"namespace": "shop", "name": "open", "change": "added"}]
    assert found["closes"] == found["undetermined"] == []
    assert {"name": "shop/nginx", "direction": "ingress", "newly": False} in found["isolates"]
    to_nginx = [entry for entry in found["opens"] if entry["destinations"] == ["shop/nginx"]]
    assert to_nginx[0] == {
        "sources": ["shop/san", "shop/cart", "outside the cluster"],
        "destinations": ["shop/nginx"],
        "protocol": "TCP",
        "port": 80,
        "endPort": 80,
        "before": "blocked",
        "after": "allowed",
        "because": [
            {"namespace": "shop", "name": "open", "direction": "ingress", "rule": 0, "effect": "allows"},
        ],
    }
    assert to_nginx[1]["other"] is True


def test_ports_that_no_rule_names_are_listed_on_request() -> None:
    assert "every other port" not in diff(OPEN_ALL, *ON).out
    assert "every other port" in " ".join(diff(OPEN_ALL, *ON, "-v").out.split())


def test_only_ports_that_no_rule_names_change(tmp_path: Path) -> None:
    closed = "{podSelector: {matchLabels: {run: nginx}}, policyTypes: [Ingress], ingress: [{ports: [{port: 80}]}]}"
    wide = OPEN_ALL.replace("open", "wide").replace(
        "{podSelector: {}, policyTypes: [Ingress], ingress: [{}]}", closed.replace("{port: 80}", "{protocol: TCP}")
    )
    before = wide.replace("wide", "narrow").replace("{protocol: TCP}", "{port: 80}")
    there = tmp_path / "there.yaml"
    there.write_text(before, encoding="utf-8")
    found = diff(wide, *ON, "--on", str(there))
    assert (found.status, found.out) == (1, "")
    assert "only ports that no pod declares and no rule names change" in found.err


def test_other_objects_in_f_are_ignored() -> None:
    config = "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}\n"
    ran = diff((EXAMPLES / "shop.yaml").read_text(encoding="utf-8") + config, *ON)
    assert ran.status == 0
    assert "note: 6 other objects in -f ignored: only policies are compared\n" in ran.err


def test_a_policy_is_compared_in_the_namespace_of_n() -> None:
    elsewhere = diff(OPEN_ALL, "--on", str(EXAMPLES / "shop.yaml"))
    assert (elsewhere.status, elsewhere.out) == (0, "")


def test_what_plugins_decide_is_no_answer(tmp_path: Path) -> None:
    cluster = tmp_path / "cluster.yaml"
    cluster.write_text(
        (EXAMPLES / "shop.yaml").read_text(encoding="utf-8")
        + "---\n{apiVersion: crd.antrea.io/v1beta1, kind: ClusterNetworkPolicy, metadata: {name: wide},"
        " spec: {appliedTo: [{podSelector: {}}], ingress: [{}], egress: [{}]}}\n",
        encoding="utf-8",
    )
    ran = diff(OPEN_ALL, "--on", str(cluster), "-n", "shop")
    assert ran.status == 2
    assert "clusternetworkpolicy.crd.antrea.io/wide may decide for" in ran.err


CILIUM = (
    "{apiVersion: cilium.io/v2, kind: CiliumClusterwideNetworkPolicy, metadata: {name: wide}, "
    "spec: {endpointSelector: {}, ingress: [{}]}}\n"
)


def test_a_policy_of_cilium_is_compared(tmp_path: Path) -> None:
    ran = diff(CILIUM, *ON)
    assert (ran.status, ran.err) == (0, one_line_note("ciliumclusterwidenetworkpolicy.cilium.io/wide added"))
    shut = CILIUM.replace("ingress: [{}]", "ingressDeny: [{fromEntities: [all]}]")
    opened = tmp_path / "opened.yaml"
    opened.write_text((EXAMPLES / "shop.yaml").read_text(encoding="utf-8") + "---" + OPEN_ALL, encoding="utf-8")
    ran = diff(shut, "--on", str(opened), "-n", "shop")
    assert ran.status == 1
    assert "ciliumclusterwidenetworkpolicy.cilium.io/wide ingressDeny[0] denies it" in one_line(ran.out)
    cluster = tmp_path / "cluster.yaml"
    cluster.write_text(opened.read_text(encoding="utf-8") + "---\n" + shut, encoding="utf-8")
    there = ("--on", str(cluster), "-n", "shop")
    assert diff(OPEN_ALL, *there, "--delete").status == 0, "a deny holds, whatever a NetworkPolicy allows"
    deleted = diff(shut, *there, "--delete")
    assert deleted.status == 1
    assert "ciliumclusterwidenetworkpolicy.cilium.io/wide ingressDeny[0] no longer denies it" in one_line(deleted.out)
    printed = json.loads(diff(shut, *ON, "-o", "json").out)
    assert printed["policies"] == [
        {
            "namespace": None,
            "name": "wide",
            "kind": "CiliumClusterwideNetworkPolicy",
            "group": "cilium.io",
            "change": "added",
        }
    ]


def test_a_policy_that_cilium_refuses_changes_nothing_and_is_named() -> None:
    ran = diff(CILIUM.replace("ingress: [{}]", "ingress: [{fromEntities: [all], fromCIDR: [10.0.0.0/8]}]"), *ON)
    assert (ran.status, ran.out) == (0, "")
    assert ran.err.startswith(
        "warning: Cilium refuses ciliumclusterwidenetworkpolicy.cilium.io/wide, so it changes nothing: "
    )


CALICO = (
    "{apiVersion: projectcalico.org/v3, kind: StagedGlobalNetworkPolicy, metadata: {name: open}, "
    "spec: {order: 1, types: [Ingress], ingress: [{action: Allow}]}}\n"
)


def one_line_note(listed: str) -> str:
    return f"note: no connection opens or closes ({listed})\n"


def one_line(text: str) -> str:
    return " ".join(text.split())


def test_a_staged_policy_of_calico_is_compared_as_if_it_were_enforced(tmp_path: Path) -> None:
    ran = diff(CALICO, *ON)
    assert ran.status == 1
    assert "globalnetworkpolicy.projectcalico.org/open (tier default, order 1) ingress[0] allows it" in one_line(
        ran.out
    )
    printed = json.loads(diff(CALICO, *ON, "-o", "json").out)
    assert printed["policies"] == [
        {
            "namespace": None,
            "name": "open",
            "kind": "GlobalNetworkPolicy",
            "group": "projectcalico.org",
            "tier": "default",
            "order": 1.0,
            "change": "added",
        }
    ]
    cluster = tmp_path / "cluster.yaml"
    enforced = CALICO.replace("Staged", "")
    cluster.write_text((EXAMPLES / "shop.yaml").read_text(encoding="utf-8") + "---\n" + enforced, encoding="utf-8")
    there = ("--on", str(cluster), "-n", "shop")
    assert "no connection opens or closes" in diff(CALICO, *there).err
    deleted = one_line(diff(enforced, *there, "--delete").out)
    assert "projectcalico.org/open (tier default, order 1) ingress[0] no longer allows it" in deleted
    gone = diff(CALICO.replace("open", "start"), *there, "--delete")
    assert "not found, so nothing to delete: globalnetworkpolicy.projectcalico.org/start" in gone.err


def test_policies_of_a_plugin_that_does_not_run_are_not_compared() -> None:
    ran = diff(CALICO, *ON, "--plugin", "cilium")
    assert (ran.status, ran.out) == (2, "")
    assert "no policy found in -f" in ran.err


def test_reasons_that_are_many_are_cut_with_a_count(tmp_path: Path) -> None:
    pods, policies = many(8)
    wide = "{apiVersion: crd.antrea.io/v1beta1, kind: ClusterNetworkPolicy, metadata: {name: wide}, "
    wide += "spec: {appliedTo: [{podSelector: {}}], ingress: [{}]}}"
    (tmp_path / "all.yaml").write_text(f"{pods}\n---\n{wide}", encoding="utf-8")
    short, long = (diff(policies, "--on", str(tmp_path), *more) for more in ((), ("-v",)))
    assert short.err.count("warning: incomplete: clusternetworkpolicy") == 5
    assert "warning: incomplete: 3 more reasons; -v lists them" in short.err.splitlines()
    assert long.err.count("warning: incomplete: clusternetworkpolicy") == 8


def test_a_cluster_is_read_whole_for_pods_and_policies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another namespace's pods may lose access, and its policies may be what blocks them already."""
    fake = FakeApi()

    def opened(_cluster: object, filenames: list[str], console: Console) -> Inputs:
        assert filenames == []
        return Inputs("shop", fake.api, None, console)

    monkeypatch.setattr(module, "open_inputs", opened)
    elsewhere = OPEN_ALL.replace("name: open", "name: open, namespace: team")
    assert diff(f"{OPEN_ALL}---{elsewhere}").status == 0
    assert "/api/v1/pods" in fake.asked
    assert "/apis/networking.k8s.io/v1/networkpolicies" in fake.asked
    assert {f"/api/v1/namespaces/{namespace}/services" for namespace in ("shop", "team")} <= set(fake.asked)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        pytest.param([], "no policies given", id="no -f"),
        pytest.param(["-f", str(EXAMPLES / "nothing.yaml"), *ON], "no such file", id="no such file"),
        pytest.param(["-f", "-", "--on", "-"], "can't both read stdin", id="stdin twice"),
        pytest.param(["-f", "-", *ON], "no policy found in -f", id="no policy in it"),
        pytest.param(["-f", "-", *ON, "x"], "unexpected argument", id="an argument too many"),
    ],
)
def test_what_is_refused(typed: list[str], message: str) -> None:
    ran = run("diff", "", *typed)
    assert (ran.status, ran.out) == (2, "")
    assert message in ran.err


TIERS = (EXAMPLES / "tiers.yaml").read_text(encoding="utf-8").split("---\n")
BASELINE = TIERS[-1]


def test_policies_of_the_tiers_are_compared(tmp_path: Path) -> None:
    cluster = tmp_path / "cluster.yaml"
    cluster.write_text("---\n".join(TIERS[:-1]), encoding="utf-8")
    ran = diff(BASELINE, "--on", str(cluster), "-n", "shop")
    assert ran.status == 1
    title = "clusternetworkpolicy.policy.networking.k8s.io/default-deny (Baseline, priority 0) ingress[0] denies it"
    assert "closes\n  shop/nginx, shop/db -> shop/san: every port" in ran.out
    assert title in " ".join(ran.out.split())
    deleted = diff(BASELINE, "--on", str(EXAMPLES / "tiers.yaml"), "-n", "shop", "--delete", "-o", "json")
    found = json.loads(deleted.out)
    assert (deleted.status, found["closes"]) == (1, [])
    assert found["policies"] == [
        {
            "namespace": None,
            "name": "default-deny",
            "kind": "ClusterNetworkPolicy",
            "group": "policy.networking.k8s.io",
            "tier": "Baseline",
            "priority": 0,
            "change": "deleted",
        }
    ]
    assert {cause["effect"] for change in found["opens"] for cause in change["because"]} == {"no-longer-denies"}


def test_a_policy_whose_rules_are_not_evaluated_can_t_be_compared() -> None:
    wide = "{apiVersion: crd.antrea.io/v1beta1, kind: ClusterNetworkPolicy, metadata: {name: wide}, "
    wide += "spec: {appliedTo: [{podSelector: {}}], ingress: [{}]}}"
    ran = diff(f"{OPEN_ALL}\n---\n{wide}", "--on", str(EXAMPLES / "shop.yaml"))
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == (
        "error: the rules of clusternetworkpolicy.crd.antrea.io/wide are not evaluated, so what they change is "
        "unknown\nhint: leave it out of -f\n"
    )


TO_NGINX = "--to run=nginx --port 80 -n shop"


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Policies that let in san, every pod, and cart."""
    found = []
    for name, line in (("cart", "--from run=cart"), ("all", "--from-all-pods"), ("san", "--from run=san")):
        path = tmp_path / f"{name}.yaml"
        path.write_text(allow(f"{line} {TO_NGINX}").out, encoding="utf-8")
        found.append(str(path))
    return found


NEED = ("--need", "san nginx 80")


def test_of_several_files_the_one_that_opens_the_least_is_named_first(files: list[str]) -> None:
    ran = run("diff", "--choose", *files, *NEED, *ON)
    assert (ran.status, ran.err) == (0, "")
    answers = [line for line in ran.out.splitlines() if not line.startswith("  ")]
    assert [line.split(":")[0] for line in answers] == ["fits", "fits", "does not fit"]
    text = one_line(ran.out)
    assert text.index("san.yaml") < text.index("all.yaml") < text.index("cart.yaml")
    found = json.loads(run("diff", "--choose", *files, *NEED, *ON, "-o", "json").out)
    assert (found["kind"], found["best"]) == ("Choice", [files[2]])


def test_none_fits_is_1_and_can_t_tell_is_2(files: list[str], tmp_path: Path) -> None:
    assert run("diff", "--choose", files[0], *NEED, *ON).status == 1
    wide = tmp_path / "wide.yaml"
    shop = (EXAMPLES / "shop.yaml").read_text(encoding="utf-8")
    antrea = "{apiVersion: crd.antrea.io/v1beta1, kind: ClusterNetworkPolicy, metadata: {name: wide}, "
    wide.write_text(
        f"{shop}---\n{antrea}spec: {{appliedTo: [{{podSelector: {{}}}}], ingress: [{{}}]}}}}", encoding="utf-8"
    )
    ran = run("diff", "--choose", files[2], *NEED, "--on", str(wide), "-n", "shop")
    assert ran.status == 2
    assert ran.out.startswith("can't tell:")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        pytest.param(["--choose", "a.yaml"], "--choose needs a connection", id="no connection"),
        pytest.param(["--need", "san nginx 80"], "--need needs files to choose from", id="no files"),
        pytest.param(["--choose", "a.yaml", *NEED, "-f", "b.yaml"], "--choose can't be combined with -f", id="with -f"),
        pytest.param(["--choose", "a.yaml", *NEED, "--delete"], "--choose can't be combined", id="with --delete"),
        pytest.param(
            ["--choose", "a.yaml", "--need", "san nginx"],
            'expected "SOURCE DESTINATION PORT", got "san nginx"',
            id="two words",
        ),
        pytest.param(["--choose", "a.yaml", "--need", "san nginx 0"], 'invalid port "0"', id="no port"),
    ],
)
def test_a_choice_that_is_not_plain(words: list[str], error: str) -> None:
    ran = run("diff", *words, *ON)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(f"error: {error}")
