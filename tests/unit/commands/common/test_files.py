"""-f: what is read of files, folders and stdin, and what can't be."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from kubectl_netpol.commands.common.files import read_manifests
from kubectl_netpol.console import Console
from kubectl_netpol.errors import NetpolError
from tests.support.running import EXAMPLES, run

if TYPE_CHECKING:
    from pathlib import Path

    from kubectl_netpol.model.snapshot import Snapshot

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: NAME}\nspec: {containers: [{name: c, image: i}]}\n"
JSON_POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "b"}, "spec": {"containers": []}}

BELOW = "-R reads the folders in it too"


def pod(name: str) -> str:
    return POD.replace("NAME", name)


def read(*names: Path | str, stdin: bytes = b"") -> tuple[Snapshot, str]:
    out, err, before = io.StringIO(), io.StringIO(), sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(stdin))
    try:
        snapshot = read_manifests([str(name) for name in names], "shop", Console(out, err))
    finally:
        sys.stdin = before
    assert out.getvalue() == ""
    return snapshot, err.getvalue()


def names(snapshot: Snapshot) -> list[str]:
    return [found.key for found in snapshot.pods]


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        pytest.param(pod("a").encode(), ["shop/a"], id="one document, in the namespace of -n"),
        pytest.param(f"{pod('a')}---\n{pod('b')}".encode(), ["shop/a", "shop/b"], id="two documents"),
        pytest.param(f"---\n\n---\n# nothing\n---\n{pod('a')}---\n".encode(), ["shop/a"], id="empty documents"),
        pytest.param(json.dumps(JSON_POD).encode(), ["shop/b"], id="JSON"),
        pytest.param(
            json.dumps(
                {"apiVersion": "v1", "kind": "List", "items": [JSON_POD, JSON_POD | {"metadata": {"name": "c"}}]}
            ).encode(),
            ["shop/b", "shop/c"],
            id="a List",
        ),
        pytest.param(
            json.dumps({"apiVersion": "v1", "kind": "PodList", "items": [{"metadata": {"name": "c"}}]}).encode(),
            ["shop/c"],
            id="a list of a kind, whose items have none of their own",
        ),
        pytest.param(b"\xef\xbb\xbf" + pod("a").encode(), ["shop/a"], id="with a byte order mark"),
        pytest.param(b"\xef\xbb\xbf" + json.dumps(JSON_POD).encode(), ["shop/b"], id="JSON with a byte order mark"),
        pytest.param(
            f"{pod('a')}---\n{pod('b')}".replace("\n", "\r\n").encode(), ["shop/a", "shop/b"], id="lines of Windows"
        ),
        pytest.param(
            pod("a").replace("metadata: {", "metadata: {namespace: team, ").encode(), ["team/a"], id="its own namespace"
        ),
        pytest.param(b"", [], id="nothing"),
    ],
)
def test_what_is_read_of_a_file_and_of_stdin(content: bytes, wanted: list[str], tmp_path: Path) -> None:
    path = tmp_path / "any.name"
    path.write_bytes(content)
    assert (names(read(path)[0]), read(path)[1]) == (wanted, "")
    assert names(read("-", stdin=content)[0]) == wanted


def test_a_folder_is_its_manifests_by_name(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yml", "c.json", "README.md", "d.yaml.bak"):
        (tmp_path / name).write_text(json.dumps(JSON_POD).replace('"b"', json.dumps(name)), encoding="utf-8")
    below = tmp_path / "below.yaml"
    below.mkdir()
    (below / "deep.yaml").write_text(pod("deep"), encoding="utf-8")
    assert names(read(tmp_path)[0]) == ["shop/a.yml", "shop/b.yaml", "shop/c.json"]


def test_files_come_in_the_order_typed(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).write_text(pod(name), encoding="utf-8")
    found, _ = read(tmp_path / "b", "-", tmp_path / "a", stdin=pod("s").encode())
    assert names(found) == ["shop/b", "shop/s", "shop/a"]


def test_other_kinds_are_counted_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "all.yaml"
    path.write_text(
        f"{pod('a')}---\n{{apiVersion: v1, kind: Secret, metadata: {{name: s}}}}\n"
        "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}\n"
        "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: d}}\n",
        encoding="utf-8",
    )
    snapshot, err = read(path)
    assert (names(snapshot), err) == (
        ["shop/a"],
        "note: 3 objects of other kinds skipped: 2 ConfigMap, 1 Secret\n",
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"caf\xe9", "can't read {}: byte 4 is not UTF-8", id="another encoding"),
        pytest.param("kind: Pod".encode("utf-16"), "can't read {}: byte 4 is NUL, so it is no text", id="UTF-16"),
        pytest.param(b"a" * (1 << 20) + b"\0", "can't read {}: byte 1048577 is NUL, so it is no text", id="a hole"),
    ],
)
def test_what_is_no_text(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(content)
    for typed, name, stdin in ((path, path, b""), (tmp_path, path, b""), ("-", "stdin", content)):
        with pytest.raises(NetpolError) as caught:
            read(typed, stdin=stdin)
        assert caught.value.message == message.format(name)


@pytest.mark.parametrize(
    ("typed", "message", "hint"),
    [
        pytest.param("none.yaml", "none.yaml: no such file or folder", None, id="no such file"),
        pytest.param("a/b/", "a/b/: no such file or folder", None, id="no such folder"),
        pytest.param("", "empty file name after -f", None, id="nothing, as of an unset variable"),
        pytest.param("x" * 300, f"can't read {'x' * 300}: File name too long", None, id="a name that is too long"),
        pytest.param(
            "https://example.com/pods.yaml",
            "https://example.com/pods.yaml is not a file or folder",
            "curl -fsSL https://example.com/pods.yaml | kubectl netpol … -f -",
            id="an address",
        ),
        pytest.param("empty", "no .yaml, .yml, .json file in folder empty", BELOW, id="a folder without manifests"),
        pytest.param("loop", "can't read loop: Too many levels of symbolic links", None, id="a link to itself"),
    ],
)
def test_what_is_no_file(
    typed: str, message: str, hint: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(NetpolError) as caught:
        read(typed)
    assert (caught.value.message, caught.value.hint) == (message, hint)


@pytest.mark.parametrize("name", ["file", "folder"])
def test_what_may_not_be_read(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / name
    if name == "folder":
        path.mkdir()
    else:
        path.touch()
    path.chmod(0)
    if os.geteuid() == 0:  # who may read everything

        def forbidden(*_: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("pathlib.Path.open", forbidden)
        monkeypatch.setattr("os.scandir", forbidden)
    with pytest.raises(NetpolError) as caught:
        read(path)
    assert caught.value.message == f"can't read {path}: Permission denied"


def test_a_file_leaves_the_kubeconfig_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "config"
    broken.write_text("{", encoding="utf-8")
    monkeypatch.setenv("KUBECONFIG", str(broken))
    path = tmp_path / "pods.yaml"
    path.write_text(pod("a"), encoding="utf-8")
    assert run("explain", f"a -f {path}").out.splitlines()[0] == "default/a (no labels)"
    ran = run("explain", "a")
    assert (ran.status, ran.out, ran.err.startswith("error: ")) == (2, "", True)


def test_a_fault_in_a_document_names_file_document_and_path(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    policy = (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\n"
        "spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0}}]}]}\n"
    )
    path.write_text(f"{pod('a')}---\n{policy}", encoding="utf-8")
    ran = run("explain", f"a -f {path}")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(f"error: {path}, document 2 (NetworkPolicy p): spec.ingress[0].from[0].ipBlock.cidr: ")


def test_stdin_that_is_closed_or_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(NetpolError, match="-f - reads stdin, and stdin is closed"):
        read_manifests(["-"], "shop", Console(io.StringIO(), io.StringIO()))

    class Broken:
        buffer = property(lambda self: self)

        def read(self, _: int) -> bytes:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr("sys.stdin", Broken())
    with pytest.raises(NetpolError, match="can't read stdin: Input/output error"):
        read_manifests(["-"], "shop", Console(io.StringIO(), io.StringIO()))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as a chart or an overlay has it."""
    for name, content in {
        "pod.yaml": pod("a"),
        "below/more.yml": pod("b"),
        "below/deep/last.json": "{}",
        "kustomization.yaml": "resources: [pod.yaml]\n",
        "values.yaml": "image: {tag: 1}\n",
        "package.json": '{"name": "x"}',
        "settings.json": "{ // a comment\n}",
        "template.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: {{ .Release.Name }}}\n",
        "quoted.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: ok}\n---\napiVersion: v1\nkind: Pod\n"
        'metadata: {name: "{{ .Release.Name }}"}\n',
        "empty.yaml": "# nothing\n",
        "notes.txt": "{",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path


def test_what_is_no_manifest_is_left_out_of_a_folder_in_one_line(folder: Path) -> None:
    found, err = read(folder)
    left_out = ["kustomization.yaml", "package.json", "quoted.yaml", "settings.json", "template.yaml", "and 1 more"]
    assert names(found) == ["shop/a"]
    listed = ", ".join(str(folder / name) for name in left_out[:5])
    assert err == f"note: left out, since no manifest: {listed} and 1 more\n"


def test_patches_of_a_kustomization_are_no_manifests(folder: Path) -> None:
    """They are parts of objects, which a server would refuse."""
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {type: LoadBalancer}\n"
    for name in ("patch.yaml", "below/patch.yaml"):
        (folder / name).write_text(service)
    with pytest.raises(NetpolError, match=r"patch.yaml.*spec.ports: is missing"):
        read(folder)
    (folder / "kustomization.yaml").write_text("patches: [{path: patch.yaml}, {path: below/patch.yaml}]\n")
    found, err = read(folder)
    assert names(found) == ["shop/a"]
    assert str(folder / "patch.yaml") in err
    ran = run("explain", f"-n shop -R -f {folder}")
    assert (ran.status, [line.split()[0] for line in ran.out.splitlines()[:3]]) == (0, ["POD", "a", "b"])
    with pytest.raises(NetpolError, match=r"spec.ports: is missing"):
        read(folder / "patch.yaml")


@pytest.mark.parametrize("name", ["kustomization.yaml", "kustomization.yml"])
@pytest.mark.parametrize("head", ["", "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"])
def test_a_kustomization_named_by_hand_is_no_manifest(name: str, head: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(f"{head}resources: [pod.yaml]\n")
    ran = run("lint", f"-f {tmp_path / name}")
    message = f"error: {tmp_path / name} is a kustomization, which says how to make manifests"
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.splitlines() == [message, "hint: kubectl kustomize FOLDER | kubectl netpol … -f -"]


def test_folders_in_a_folder_are_read_when_asked_for(folder: Path) -> None:
    ran = run("explain", f"-n shop -R -f {folder}")
    assert (ran.status, [line.split()[0] for line in ran.out.splitlines()[:3]]) == (0, ["POD", "a", "b"])
    assert "below/deep/last.json" in ran.err
    assert run("explain", f"a -f {folder}/below -n shop").status == 2


@pytest.mark.parametrize("name", ["values.yaml", "template.yaml", "quoted.yaml", "package.json", "settings.json"])
def test_what_is_no_manifest_is_an_error_where_it_is_named(folder: Path, name: str) -> None:
    with pytest.raises(NetpolError, match=name):
        read(folder / name)


def test_a_fault_in_a_manifest_of_a_folder_is_an_error(folder: Path) -> None:
    (folder / "policy.yaml").write_text("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: P}\n")
    with pytest.raises(NetpolError, match="invalid name"):
        read(folder)


def test_a_file_that_is_longer_than_a_manifest_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubectl_netpol.commands.common.files._MOST_BYTES", 3 << 20)
    path = tmp_path / "long.yaml"
    path.write_bytes(b"#" * (5 << 20))
    with pytest.raises(NetpolError, match="it is longer than 3 MB"):
        read(path)


def test_waiting_for_a_pipe_is_told_after_a_second(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    told = threading.Event()

    class Err(io.StringIO):
        def write(self, text: str) -> int:
            if "waiting" in text:
                told.set()
            return super().write(text)

    def answer() -> None:
        told.wait(30)
        pipe.write_text(pod("a"), encoding="utf-8")

    writer = threading.Thread(target=answer)
    writer.start()
    err = Err()
    snapshot = read_manifests([str(pipe)], "shop", Console(io.StringIO(), err))
    writer.join()
    assert (names(snapshot), err.getvalue()) == (["shop/a"], f"note: waiting for {pipe}\n")


def test_a_slow_cluster_is_shown_on_a_terminal(tmp_path: Path) -> None:
    shown = threading.Event()

    class Slow(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shown.wait(30)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"items": [], "groups": []}')

        def log_message(self, *_: object) -> None:
            pass

    config = tmp_path / "config"
    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        threading.Thread(target=server.serve_forever).start()
        cluster = {"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}
        context = {"name": "c", "context": {"cluster": "c", "user": ""}}
        config.write_text(json.dumps({"clusters": [cluster], "contexts": [context], "current-context": "c"}))
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "kubectl_netpol", "explain", "-n", "shop"]
        environment = {**os.environ, "PYTHONPATH": str(EXAMPLES.parent), "KUBECONFIG": str(config), "TERM": "xterm"}
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environment) as process:
            os.close(theirs)
            text = ""
            while part := _read(ours):
                text += part
                if "reading the cluster" in text:
                    shown.set()
            out, _ = process.communicate(timeout=60)
        server.shutdown()
    os.close(ours)
    assert (process.returncode, out) == (0, b"")
    assert text.startswith("\r\033[Kreading the cluster (1 s)")
    assert text.endswith(" s)\r\033[K\033[2mnote:\033[0m no pods in namespace shop\r\n")


def _read(terminal: int) -> str:
    try:
        return os.read(terminal, 1024).decode()
    except OSError:  # the other side is closed
        return ""
