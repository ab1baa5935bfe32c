"""Completion as kubectl asks for it: candidates, then a directive; silent where the cluster can't be asked."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_netpol.cli import COMMANDS, build_parser, main
from tests.unit.cluster.fakes import Answer, FakeServer, Request

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NO_FILES, FILES = ":4", ":0"


def named(name: str, labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, **({"labels": labels} if labels else {})}, "spec": spec}


def container(name: str, *ports: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "ports": list(ports)} if ports else {"name": name}


SHOP, DB = "/api/v1/namespaces/shop", "/api/v1/namespaces/db"
SAN = named("san", {"run": "san", "pod-template-hash": "x"}, containers=[container("main"), container("side")])
NGINX = named(
    "nginx",
    {"run": "nginx"},
    containers=[container("c", {"containerPort": 8080, "name": "http"}, {"containerPort": 53}), container("d")],
)
SQL = named("sql", containers=[container("sql", {"containerPort": 5432})])
FOUND: dict[str, Any] = {
    "/api/v1/namespaces": [named("shop"), named("db"), named("default")],
    f"{SHOP}/pods": [SAN, NGINX, named("lone", containers=[])],
    f"{SHOP}/pods/san": SAN,
    f"{SHOP}/services": [named("nginx", ports=[{"port": 80, "name": "www"}, {"port": 443}]), named("ext")],
    "/apis/apps/v1/namespaces/shop/deployments": [named("web")],
    "/apis/apps/v1/namespaces/shop/statefulsets": [named("store")],
    "/apis/apps/v1/namespaces/shop/daemonsets": [named("agent")],
    f"{DB}/pods": [SQL],
    f"{DB}/pods/sql": SQL,
    f"{DB}/services": [named("sql", ports=[{"port": 5432, "name": "pg"}])],
}


class Cluster:
    """A server with what is in FOUND; a status for every path in `refused`, another answer for those in `odd`."""

    def __init__(self) -> None:
        self.refused: dict[str, int] = {}
        self.odd: dict[str, Any] = {}
        self.server = FakeServer(None, self._answer)

    @property
    def asked(self) -> list[str]:
        return sorted(request.target.partition("?")[0] for request in self.server.requests)

    def _answer(self, request: Request, _: Any) -> Answer:
        path = request.target.partition("?")[0]
        if path in self.odd:
            return Answer(body=self.odd[path])
        if path in self.refused:
            return Answer(self.refused[path], {"message": "no"})
        found = FOUND.get(path)
        return Answer(body={"items": found or []} if found is None or isinstance(found, list) else found)


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """The cluster of the current context, whose namespace is shop."""
    found = Cluster()
    config = {
        "current-context": "lab",
        "clusters": [{"name": "fake", "cluster": {"server": found.server.url}}],
        "contexts": [
            {"name": "lab", "context": {"cluster": "fake", "user": "joe", "namespace": "shop"}},
            {"name": "other", "context": {"cluster": "fake", "user": "joe", "namespace": "db"}},
        ],
        "users": [{"name": "joe", "user": {}}],
    }
    path = tmp_path / "config"
    path.write_text(json.dumps(config), encoding="utf-8")
    monkeypatch.setenv("KUBECONFIG", str(path))
    yield found
    found.server.close()


def complete(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *typed: str) -> list[str]:
    """What kubectl reads: the candidates without their descriptions, and the directive."""
    monkeypatch.setattr("sys.argv", ["/usr/bin/kubectl_complete-netpol", *typed])
    status = main()
    out, err = capsys.readouterr()
    assert (status, err) == (0, "")
    return [line.split("\t")[0] for line in out.splitlines()]


PODS_AND_WORKLOADS = ["deploy/web", "ds/agent", "lone", "nginx", "san", "sts/store"]


@pytest.mark.parametrize(
    ("typed", "candidates"),
    [
        pytest.param([""], list(COMMANDS), id="commands"),
        pytest.param([], list(COMMANDS), id="nothing typed at all"),
        pytest.param(["ex"], ["explain"], id="a command by its beginning"),
        pytest.param(["frobnicate", ""], [], id="a command that is none"),
        pytest.param(["test", ""], PODS_AND_WORKLOADS, id="sources: pods and workloads"),
        pytest.param(["test", "s"], ["san", "sts/store"], id="sources by their beginning"),
        pytest.param(["allow", "deploy/"], ["deploy/web"], id="workloads by their kind"),
        pytest.param(
            ["explain", ""],
            [*PODS_AND_WORKLOADS, "svc/ext", "svc/nginx"],
            id="explain takes Services too, by their kind",
        ),
        pytest.param(
            ["test", "san", ""],
            ["deploy/web", "ds/agent", "ext", "lone", "nginx", "san", "sts/store"],
            id="destinations: Services, pods and workloads, each name once",
        ),
        pytest.param(["explain", "san", "ng"], ["nginx"], id="destinations of explain"),
        pytest.param(["test", "san", "nginx", ""], ["443", "80", "www"], id="ports of a Service"),
        pytest.param(["test", "san", "svc/nginx", "8"], ["80"], id="ports of a Service by its kind"),
        pytest.param(["test", "san", "pod/nginx", ""], ["53", "8080", "http"], id="ports of a pod"),
        pytest.param(["test", "san", "lone", ""], [], id="a pod without ports"),
        pytest.param(["test", "san", "ext", ""], [], id="a Service without ports"),
        pytest.param(["test", "san", "db/sql", ""], ["5432", "pg"], id="ports in another namespace"),
        pytest.param(["test", "san", "db/pod/sql", ""], ["5432"], id="ports of a pod in another namespace"),
        pytest.param(["test", "san", "a/b/c/d", ""], [], id="ports of what can't be a name"),
        pytest.param(["test", "san", "deploy/nginx", ""], [], id="ports of a workload are not looked up"),
        pytest.param(["test", "san", "nginx", "80", ""], [], id="after the port nothing"),
        pytest.param(["test", "--from-selector", "run=san", "ng"], ["nginx"], id="a destination first"),
        pytest.param(["test", "--from-selector", "run=san", "nginx", ""], ["443", "80", "www"], id="then its ports"),
        pytest.param(["test", "--to-selector", "run=nginx", "nginx", ""], [], id="ports of what only labels name"),
        pytest.param(["diff", ""], [], id="a command that takes no names"),
        pytest.param(["matrix", ""], [], id="nor does matrix"),
        pytest.param(["version", ""], [], id="nor version, which has no cluster"),
        pytest.param(["completion", ""], [], id="nor completion"),
        pytest.param(["test", "-n", "db", ""], ["sql"], id="pods of the namespace of -n"),
        pytest.param(["test", "--namespace=db", ""], ["sql"], id="of --namespace with a sign"),
        pytest.param(["test", "-n=db", ""], ["sql"], id="of -n with a sign"),
        pytest.param(["test", "-ndb", ""], ["sql"], id="of -n without a blank"),
        pytest.param(["test", "--context", "other", ""], ["sql"], id="of the context's namespace"),
        pytest.param(["test", "-v", "san", "--http", "ng"], ["nginx"], id="options without a value between"),
        pytest.param(["test", "--timeout", "5s", "--as-group", "a", "--as", "b", "l"], ["lone"], id="and with one"),
        pytest.param(["explain", "-n", "-"], [], id="a value that looks like an option"),
        pytest.param(["explain", "-n", ""], ["db", "default", "shop"], id="namespaces"),
        pytest.param(["explain", "--namespace=d"], ["db", "default"], id="namespaces after a sign"),
        pytest.param(["allow", "--from-namespace", "d"], ["db", "default"], id="namespaces for --from-namespace"),
        pytest.param(["allow", "--from", ""], ["run=nginx", "run=san"], id="labels, but not a rollout's"),
        pytest.param(["test", "--to-selector", "run=s"], ["run=san"], id="labels for --to-selector"),
        pytest.param(["test", "san", "-c", ""], ["main", "side"], id="containers of the source"),
        pytest.param(["test", "db/sql", "--container", ""], ["sql"], id="containers in another namespace"),
        pytest.param(["test", "-c", ""], [], id="containers without a source"),
        pytest.param(["explain", "-o", ""], ["json", "yaml"], id="formats"),
        pytest.param(["matrix", "-o", ""], ["html", "json", "suite", "wide"], id="formats of matrix"),
        pytest.param(["test", "-o", ""], ["json", "junit", "tap", "yaml"], id="formats of test"),
        pytest.param(["test", "--watch", "--expect", "o"], ["open"], id="an option whose value may be left out"),
        pytest.param(["version", "-o", ""], ["json"], id="formats of version"),
        pytest.param(["test", "--protocol", ""], ["SCTP", "TCP", "UDP"], id="protocols"),
        pytest.param(["test", "--expect", "o"], ["open"], id="what is expected"),
        pytest.param(["explain", "--context", ""], ["lab", "other"], id="contexts"),
        pytest.param(["explain", "--cluster", ""], ["fake"], id="clusters of the kubeconfig"),
        pytest.param(["explain", "--user=j"], ["joe"], id="users of the kubeconfig"),
        pytest.param(["test", "--time"], ["--timeout"], id="options"),
        pytest.param(["test", "--from-"], ["--from-selector"], id="options of this command only"),
        pytest.param(["explain", "--out"], ["--output"], id="options by their long name"),
    ],
)
def test_candidates(
    typed: list[str],
    candidates: list[str],
    cluster: Cluster,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert complete(capsys, monkeypatch, *typed) == [*candidates, NO_FILES]
    assert all(request.method == "GET" for request in cluster.server.requests)


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param(["explain", "-f", ""], id="-f"),
        pytest.param(["test", "-F", "s"], id="-F"),
        pytest.param(["explain", "--filename=man"], id="--filename with a sign"),
        pytest.param(["diff", "--on", "x"], id="--on"),
        pytest.param(["test", "--kubeconfig", ""], id="--kubeconfig"),
    ],
)
def test_files_are_left_to_the_shell(
    typed: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert complete(capsys, monkeypatch, *typed) == [FILES]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_offered_with_its_help(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["kubectl_complete-netpol", name, "-"])
    assert main() == 0
    *lines, directive = capsys.readouterr().out.splitlines()
    parser = build_parser(name)
    wanted = {option for option in parser._option_string_actions if option.startswith("--")}  # noqa: SLF001 - argparse has no public list
    assert ({line.split("\t")[0] for line in lines}, directive) == (wanted, NO_FILES)
    assert all(text for text in (line.split("\t")[1] for line in lines))


def test_commands_come_with_what_they_are_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["kubectl_complete-netpol", "al"])
    assert main() == 0
    assert capsys.readouterr().out == f"allow\t{COMMANDS['allow']}\n:4\n"


# The cluster is asked only for what can be offered, and no answer of it becomes an error.


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param(["test", "--timeout", ""], id="a time"),
        pytest.param(["allow", "--port", ""], id="a port without a destination"),
        pytest.param(["allow", "--name", ""], id="a new name"),
        pytest.param(["explain", "--context", ""], id="contexts"),
        pytest.param(["test", "--t"], id="an option"),
        pytest.param(["version", ""], id="a command without a cluster"),
        pytest.param(["test", "a", "b", "80", ""], id="one argument too many"),
        pytest.param(["explain", "-f", "shop.yaml", ""], id="manifests instead of a cluster"),
    ],
)
def test_the_cluster_is_left_alone_where_it_can_not_help(
    typed: list[str], cluster: Cluster, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    complete(capsys, monkeypatch, *typed)
    assert cluster.asked == []


def test_the_cluster_is_asked_as_the_user_typed_so_far(
    cluster: Cluster, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    complete(capsys, monkeypatch, "test", "--as", "ada", "--as-group", "dev", "--as-group=ops", "")
    request = cluster.server.requests[0]
    assert (request.values("impersonate-user"), request.values("impersonate-group")) == (["ada"], ["dev", "ops"])


def test_contexts_are_those_of_the_kubeconfig_typed_so_far(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "mine"
    config.write_text('{"contexts": [{"name": "mine", "context": {}}]}', encoding="utf-8")
    typed = ["explain", "--kubeconfig", str(config), "--context", ""]
    assert complete(capsys, monkeypatch, *typed) == ["mine", NO_FILES]


def test_one_namespace_is_asked_about_a_name(
    cluster: Cluster, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    complete(capsys, monkeypatch, "test", "san", "db/sql", "")
    assert cluster.asked == [f"{DB}/services"]


@pytest.mark.parametrize(
    ("path", "status", "typed", "candidates"),
    [
        pytest.param(f"{SHOP}/pods", 403, ["test", ""], [], id="pods are forbidden"),
        pytest.param(f"{SHOP}/pods", 401, ["test", ""], [], id="the user is unknown"),
        pytest.param(f"{SHOP}/pods", 500, ["test", ""], [], id="the server fails"),
        pytest.param("/api/v1/namespaces", 403, ["test", "-n", ""], [], id="namespaces are forbidden"),
        pytest.param(f"{SHOP}/pods/san", 404, ["test", "san", "-c", ""], [], id="the source is gone"),
        pytest.param(
            "/apis/apps/v1/namespaces/shop/deployments",
            403,
            ["test", ""],
            ["ds/agent", "lone", "nginx", "san", "sts/store"],
            id="Deployments are forbidden: the rest is offered",
        ),
    ],
)
def test_what_the_server_refuses_is_left_out_in_silence(  # noqa: PLR0917 - columns of the table, and fixtures
    path: str,
    status: int,
    typed: list[str],
    candidates: list[str],
    cluster: Cluster,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster.refused[path] = status
    assert complete(capsys, monkeypatch, *typed) == [*candidates, NO_FILES]


@pytest.mark.parametrize(
    "answer",
    [{"items": None}, {"items": [None]}, {"items": [{"metadata": []}]}, {"items": "abc"}, [], None, b"[" * 100_000],
    ids=["null", "a null", "metadata of a list", "text", "a list", "nothing", "nested deeply"],
)
@pytest.mark.parametrize("typed", [["test", "l"], ["test", "-n", "l"], ["test", "--from-selector", "l"]], ids=" ".join)
def test_an_answer_of_another_form_offers_nothing(
    answer: Any,
    typed: list[str],
    cluster: Cluster,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster.odd = {f"{SHOP}/pods": answer, "/api/v1/namespaces": answer}
    assert complete(capsys, monkeypatch, *typed) == [NO_FILES]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(None, id="no kubeconfig"),
        pytest.param("{", id="one that can't be read"),
        pytest.param('{"current-context": "gone"}', id="a context that is not there"),
        pytest.param(
            '{"clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}], "contexts": [{"name": "c", '
            '"context": {"cluster": "c"}}], "current-context": "c"}',
            id="a server that is not there",
        ),
    ],
)
@pytest.mark.parametrize(
    "typed", [["test", ""], ["test", "-n", ""], ["test", "san", "nginx", ""], ["test", "a", "-c", ""]]
)
def test_without_a_cluster_nothing_is_offered_and_nothing_said(
    content: str | None,
    typed: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = tmp_path / "config"
    if content:
        config.write_text(content, encoding="utf-8")
    monkeypatch.setenv("KUBECONFIG", str(config))
    assert complete(capsys, monkeypatch, *typed) == [NO_FILES]


def test_a_server_that_does_not_answer_is_given_up_soon(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kubectl_netpol.commands.completion._PATIENCE_SECONDS", 0.3)
    server = FakeServer(None, lambda *_: None, hang=True)
    config = tmp_path / "config"
    cluster = {"name": "c", "cluster": {"server": server.url}}
    context = {"name": "c", "context": {"cluster": "c"}}
    config.write_text(json.dumps({"clusters": [cluster], "contexts": [context], "current-context": "c"}))
    monkeypatch.setenv("KUBECONFIG", str(config))
    began = time.monotonic()
    assert complete(
        capsys,
        monkeypatch,
        "test",
        "",
    ) == [NO_FILES]
    assert time.monotonic() - began < 8, "a connect alone may take ten seconds elsewhere"
    server.close()


def test_the_command_shows_the_link_to_make(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["/opt/my tools/kubectl-netpol", "completion"])
    assert main() == 0
    assert capsys.readouterr().out.splitlines() == [
        "# Make this link once (any folder of the PATH will do); then kubectl completes kubectl netpol too.",
        "ln -s '/opt/my tools/kubectl-netpol' '/opt/my tools/kubectl_complete-netpol'",
    ]
