"""The inputs that once broke the program, run on it again: files, kubeconfigs, and an API server with odd answers."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
ON_SHOP = "diff -f {} --on shop.yaml -n shop"
EXPLAIN = "explain nginx -n shop"
TEST = "test san nginx 80 -n shop"

FILES = [
    pytest.param("metadata-misspelt.yaml", ON_SHOP, 2, 'metadata: unknown field "namspace"', id="a misspelt field"),
    pytest.param("name-upper.yaml", ON_SHOP, 2, 'invalid name "Allow_All"', id="a name in capitals"),
    pytest.param(
        "name-newlines.yaml", ON_SHOP, 2, r"destination for ingress\n\nopens\n", id="a name that forges lines"
    ),
    pytest.param("name-bidi.yaml", ON_SHOP, 2, r'invalid name "a\u202eb"', id="a name that turns around"),
    pytest.param("name-del.yaml", "matrix -n shop -f {} -o json", 2, r'invalid name "a\x7fb"', id="a name with DEL"),
    pytest.param("name-shell.yaml", "matrix -n shop -f {} -o html", 2, "invalid name", id="a name that is a command"),
    pytest.param("labels-no-server-takes.yaml", "allow san web 80 -n shop -f {}", 2, "invalid label", id="odd labels"),
    pytest.param("expression-bad-value.yaml", ON_SHOP, 2, "invalid label value", id="an odd value of an expression"),
    pytest.param(
        "configmap-number-keys.yaml", f"{EXPLAIN} -f shop.yaml -f {{}}", 0, "1 ConfigMap", id="keys that are numbers"
    ),
    pytest.param("stream.json", "explain -n shop -f {}", 0, "", id="a stream of JSON"),
    pytest.param(
        "yaml-list-bomb.yaml", f"{EXPLAIN} -f shop.yaml -f {{}}", 2, "unfold to too many", id="a bomb of lists"
    ),
    pytest.param(
        "yaml-alias-peers.yaml", f"{EXPLAIN} -f shop.yaml -f {{}}", 2, "unfold to too many", id="a million peers"
    ),
    pytest.param("nan.yaml", "explain -f {}", 2, "nan.yaml, document 1, line 1: JSON has no such number", id="NaN"),
    pytest.param("long-integer.yaml", "explain -f {}", 2, "long-integer.yaml, document 1", id="an endless number"),
]
KUBECONFIGS = [
    pytest.param("bad-base64", "certificate-authority-data of c is not valid base64", id="a CA that is no base64"),
    pytest.param("server-space", 'the server "http://a b/" of cluster "c"', id="a server with a space"),
    pytest.param("proxy-space", 'invalid proxy-url of cluster "c"', id="a proxy with a space"),
    pytest.param("exec-env", 'env of u has the invalid name "A=B"', id="a variable with an equals sign"),
    pytest.param("exec-nul", "args of u has a character that no program can be given", id="an argument with NUL"),
    pytest.param("laughs", "the aliases unfold to too many values", id="a billion laughs"),
]
# Case of the server, command, its status, and what it says.
SERVERS = [
    pytest.param("continue", EXPLAIN, 2, "", id="a list that is cut"),
    pytest.param("apis-deep", EXPLAIN, 2, "nest", id="groups that nest too deeply"),
    pytest.param("dribble", f"{EXPLAIN} --request-timeout 2s", 2, "2 s", id="a byte now and then"),
    pytest.param("odd-policy-elsewhere", EXPLAIN, 0, "", id="an odd policy of another namespace"),
    pytest.param("429", EXPLAIN, 0, "", id="too many requests, once"),
    pytest.param("items-null", EXPLAIN, 2, "items[0]", id="an item that is null"),
    pytest.param("items-text", EXPLAIN, 2, "items", id="items that are a string"),
    pytest.param("list-deep", EXPLAIN, 2, "nest", id="a list that nests too deeply"),
    pytest.param("403-list", EXPLAIN, 2, "message", id="a refusal whose message is a list"),
    pytest.param("403-deep", EXPLAIN, 2, "nest", id="a refusal that nests too deeply"),
    pytest.param("date", EXPLAIN, 2, "a Date that is none", id="a date that is none"),
    pytest.param("timestamp", TEST, 2, "creationTimestamp", id="a time that is none"),
    pytest.param("external-name", TEST, 2, "", id="a host name with a space"),
    pytest.param("exec-403-list", TEST, 2, "", id="an exec that is refused with a list"),
    pytest.param("exec-status-deep", TEST, 2, "nest", id="a status that nests too deeply"),
    pytest.param("policies-404", EXPLAIN, 2, "not here", id="a list of policies that is not there"),
    pytest.param("exec-huge-frame", TEST, 2, "", id="a frame that says it has a terabyte"),
]


@pytest.fixture
def attacks(shared: Path) -> Path:
    return shared / "attacks"


def program(words: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """In that folder, with 3 GB of memory, and no longer than half a minute."""
    command = f'ulimit -v 3000000; exec "{sys.executable}" -m kubectl_netpol {words}'
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "KUBECONFIG": os.devnull} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert "Traceback" not in done.stderr
    return done


@pytest.mark.parametrize(("name", "words", "status", "said"), FILES)
def test_a_file(attacks: Path, name: str, words: str, status: int, said: str) -> None:
    done = program(words.format(name), attacks)
    assert done.returncode == status, done.stderr
    assert said in done.stderr
    assert bool(done.stdout) is (status == 0)


@pytest.mark.parametrize(("name", "said"), KUBECONFIGS)
def test_a_kubeconfig(attacks: Path, name: str, said: str) -> None:
    done = program("explain x", attacks, KUBECONFIG=str(attacks / f"kubeconfig-{name}.yaml"))
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


@contextmanager
def odd_server(attacks: Path, case: str) -> Iterator[int]:
    """The port on which it answers."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    with subprocess.Popen(
        [sys.executable, attacks / "odd_server.py", case, str(port)], stderr=subprocess.DEVNULL
    ) as server:
        try:
            end = time.monotonic() + 20
            while time.monotonic() < end:
                with socket.socket() as one:
                    if one.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            yield port
        finally:
            server.kill()


@pytest.mark.parametrize(("case", "words", "status", "said"), SERVERS)
def test_a_server(attacks: Path, case: str, words: str, status: int, said: str) -> None:
    with odd_server(attacks, case) as port, tempfile.NamedTemporaryFile("w") as config:
        config.write(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
            f"clusters: [{{name: c, cluster: {{server: 'http://127.0.0.1:{port}'}}}}]\n"
            "contexts: [{name: c, context: {cluster: c, user: u, namespace: shop}}]\nusers: [{name: u, user: {}}]\n"
        )
        config.flush()
        done = program(words, attacks, KUBECONFIG=config.name)
    assert done.returncode == status, (done.stdout, done.stderr)
    assert said in done.stdout + done.stderr
    assert not done.stdout.startswith("open")


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        pytest.param(f"{TEST} -f shop.yaml --expect blocked", 0, "blocked", id="an answer"),
        pytest.param("test bogus nginx 80 -n shop -f shop.yaml", 2, "", id="an error"),
    ],
)
def test_a_note_that_can_not_be_written_changes_no_status(attacks: Path, words: str, status: int, said: str) -> None:
    done = program(f"{words} 2>/dev/full", attacks)
    assert (done.returncode, done.stdout.partition(":")[0]) == (status, said)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        pytest.param("explain-cubic.py 1000 200", "explain -n shop -f -", id="1,000 pods and 200 Services"),
        pytest.param("explain-policies.py 1000 300", "explain -n shop -f -", id="1,000 pods and 300 policies"),
        pytest.param("explain-policies.py 1000 300", "explain -n shop -f - -o json >/dev/null", id="as JSON"),
        pytest.param("explain-policies.py 10 3", "matrix -n shop --port 1-65535 -f -", id="every port"),
    ],
)
def test_work_that_once_grew_ends_within_half_a_minute(attacks: Path, script: str, words: str) -> None:
    done = program(f"{words} < <(python3 {script} 2>/dev/null)", attacks)
    assert done.returncode == (2 if "65535" in words else 0), done.stderr
