"""How the zipapp starts, with a cache and where it can't have one."""

from __future__ import annotations

import fcntl
import marshal
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.packaging.conftest import User

NOBODY = 65534
NO_HOME = "/proc/nobody"  # not even root can create a folder there
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="needs root")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_first_run_makes_the_cache_and_later_runs_do_not_change_it(user: User) -> None:
    first = user.run("version")
    assert (first.returncode, first.stderr) == (0, "")
    (cache,) = user.caches.iterdir()
    before = {path: path.stat().st_mtime_ns for path in cache.rglob("*") if path.is_file()}
    assert user.run("version").stdout == first.stdout
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*") if path.is_file()} == before
    assert list(user.caches.iterdir()) == [cache]
    assert user.caches.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("setting", ["", "1"], ids=["as usual", "with PYTHONDONTWRITEBYTECODE"])
def test_every_module_in_the_cache_is_compiled(user: User, setting: str) -> None:
    assert user.run("version", PYTHONDONTWRITEBYTECODE=setting).returncode == 0
    (cache,) = user.caches.iterdir()
    sources = {path.relative_to(cache).with_suffix("").as_posix() for path in cache.rglob("*.py")}
    assert {name.removesuffix("/__init__").replace("/", ".") for name in sources} == places(cache).keys()
    assert len(sources) > 100
    assert not list(cache.rglob("*.pyc"))


def places(cache: Path) -> dict[str, tuple[bool, int, int, int]]:
    found: dict[str, tuple[bool, int, int, int]] = marshal.loads((cache / "code-places").read_bytes())
    return found


def test_modules_are_what_their_sources_say(user: User) -> None:
    """With file names for tracebacks, whatever the place in the file of all code."""
    user.run("version")
    (cache,) = user.caches.iterdir()
    code = (cache / "code").read_bytes()
    for name, (package, begin, length, _) in places(cache).items():
        source = cache / name.replace(".", "/") / "__init__.py" if package else cache / f"{name.replace('.', '/')}.py"
        compiled = compile(source.read_bytes(), str(source), "exec", dont_inherit=True)
        assert marshal.loads(code[begin : begin + length]) == compiled, name
    assert sum(length for _, _, length, _ in places(cache).values()) == len(code)


def test_modules_come_from_the_file_of_all_code(user: User) -> None:
    user.run("version")
    (cache,) = user.caches.iterdir()
    script = f"""
import runpy, sys, os, pkgutil
def leave(status):
    import kubectl_netpol.cli, urllib3.util, certifi
    for module in (kubectl_netpol, kubectl_netpol.cli, urllib3.util, certifi):
        print(module.__name__, module.__file__, module.__cached__, module.__spec__.submodule_search_locations)
    print(os.path.exists(certifi.where()), len(pkgutil.get_data("kubectl_netpol", "probe/probe.sh")) > 100)
    sys.stdout.flush()
    end(status)
end, os._exit = os._exit, leave
sys.argv = ['x', 'version']
runpy.run_path({str(user.zipapp)!r}, run_name='__main__')
"""
    done = subprocess.run(
        [sys.executable, "-c", script], env=user.environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1:] == [
        f"kubectl_netpol {cache}/kubectl_netpol/__init__.py {cache}/code ['{cache}/kubectl_netpol']",
        f"kubectl_netpol.cli {cache}/kubectl_netpol/cli.py {cache}/code None",
        f"urllib3.util {cache}/urllib3/util/__init__.py {cache}/code ['{cache}/urllib3/util']",
        f"certifi {cache}/certifi/__init__.py {cache}/code ['{cache}/certifi']",
        "True True",
    ]


def test_it_starts_by_its_shebang_through_a_symlink_of_another_name(user: User, tmp_path: Path) -> None:
    link = tmp_path / "bin" / "kubectl_complete-netpol"
    link.parent.mkdir()
    link.symlink_to(user.zipapp)
    assert user.run("version", python=None).returncode == 0
    made = names(user.caches)
    assert user.run("version", python=None, path=link).returncode == 0
    assert names(user.caches) == made


def test_modules_in_the_current_folder_are_not_imported(user: User, tmp_path: Path) -> None:
    for name in ("kubectl_netpol", "yaml", "zipapp_unpack"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('taken from the current folder')")
    done = subprocess.run(
        [sys.executable, os.path.relpath(user.zipapp, tmp_path), "version"],
        cwd=tmp_path,
        env=user.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_modules_on_pythonpath_are_not_imported(user: User, tmp_path: Path) -> None:
    (tmp_path / "yaml.py").write_text("raise SystemExit('taken from PYTHONPATH')")
    (tmp_path / "kubectl_netpol.py").write_text("raise SystemExit('taken from PYTHONPATH')")
    assert user.run("version", PYTHONPATH=str(tmp_path)).returncode == 0


def test_modules_that_python_imported_of_pythonpath_before_are_not_used(user: User, tmp_path: Path) -> None:
    """As a sitecustomize does; the empty entry is the current folder."""
    (tmp_path / "sitecustomize.py").write_text("import certifi, idna")
    for name in ("certifi", "idna", "argparse"):
        (tmp_path / f"{name}.py").write_text("")
    script = f"""
import runpy, sys, os
os._exit = lambda status: sys.exit(0 if status == 0 and 'home' in sys.modules['kubectl_netpol'].__file__ else 1)
sys.argv = ['x', 'version']
assert not hasattr(sys.modules['certifi'], 'where')
runpy.run_path({str(user.zipapp)!r}, run_name='__main__')
"""
    for path in (str(tmp_path), ":", "."):
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=tmp_path,
            env=user.environment | {"PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), path


def _empty_folder(cache: Path) -> None:
    shutil.rmtree(cache)
    cache.mkdir()


def _without_a_module(cache: Path) -> None:
    (cache / "kubectl_netpol" / "cli.py").unlink()


def _files_of_no_bytes(cache: Path) -> None:
    for name in ("code", "code-places"):
        (cache / name).write_bytes(b"")


def _code_of_zeros(cache: Path) -> None:
    (cache / "code").write_bytes(bytes((cache / "code").stat().st_size))


def _places_of_zeros(cache: Path) -> None:
    (cache / "code-places").write_bytes(bytes((cache / "code-places").stat().st_size))


def _code_of_one_module_changed(cache: Path) -> None:
    _, begin, length, _ = places(cache)["kubectl_netpol.cli"]
    with (cache / "code").open("r+b") as file:
        file.seek(begin + length // 2)
        file.write(b"\xff" * 180)


def _a_manifest_of_nothing(cache: Path) -> None:
    shutil.rmtree(cache / "kubectl_netpol")
    (cache / "manifest").write_text("end")


def _all_of_no_bytes(cache: Path) -> None:
    for path in cache.rglob("*"):
        if path.is_file():
            path.write_bytes(b"")


def _without_a_manifest(cache: Path) -> None:
    (cache / "manifest").unlink()


def _of_somebody_else(cache: Path) -> None:
    for path in (cache, *cache.rglob("*")):
        os.chown(path, NOBODY, NOBODY)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(_empty_folder, id="emptied by a cleaner"),
        pytest.param(_without_a_module, id="without one file"),
        pytest.param(_files_of_no_bytes, id="compiled files of no bytes, as after a power cut"),
        pytest.param(_all_of_no_bytes, id="files of no bytes"),
        pytest.param(_without_a_manifest, id="without its manifest"),
        pytest.param(_a_manifest_of_nothing, id="with a manifest of nothing"),
        pytest.param(_code_of_zeros, id="code of zeros, and as long, as after a power cut"),
        pytest.param(_code_of_one_module_changed, id="one module changed"),
        pytest.param(_of_somebody_else, id="owned by somebody else", marks=needs_root),
    ],
)
def test_a_damaged_cache_is_made_anew_in_silence(user: User, damage: Callable[[Path], None]) -> None:
    first = user.run("version")
    (cache,) = user.caches.iterdir()
    whole = {path.relative_to(cache) for path in cache.rglob("*")}
    damage(cache)
    for _ in range(2):
        again = user.run("version")
        assert (again.returncode, again.stdout, again.stderr) == (0, first.stdout, "")
    assert list(user.caches.iterdir()) == [cache]
    assert {path.relative_to(cache) for path in cache.rglob("*")} == whole


def test_a_cache_that_does_not_say_where_code_is_mends_itself_after_one_line(user: User) -> None:
    first = user.run("version")
    (cache,) = user.caches.iterdir()
    _places_of_zeros(cache)
    broken, again = user.run("version"), user.run("version")
    assert (broken.returncode, broken.stdout, broken.stderr.count("\n")) == (3, "", 1)
    assert (again.returncode, again.stdout, again.stderr) == (0, first.stdout, "")


@pytest.mark.parametrize("stderr", ["2>&-", "2>/dev/full"])
def test_what_cannot_start_is_3_where_stderr_takes_nothing(user: User, stderr: str) -> None:
    user.run("version")
    (cache,) = user.caches.iterdir()
    _places_of_zeros(cache)
    command = f"exec {sys.executable} {user.zipapp} version {stderr}"
    done = subprocess.run(["sh", "-c", command], env=user.environment, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (3, b"")


def test_where_the_archive_is_gone_one_line_says_so(user: User, tmp_path: Path) -> None:
    """A program that runs from the zipapp itself, since no cache can be made."""
    copy = tmp_path / "copy"
    shutil.copy(user.zipapp, copy)
    script = f"""
import runpy, os, zipimport
copy = {str(copy)!r}
before = zipimport.zipimporter.get_code
def get_code(self, name):
    found = before(self, name)
    if name == "__main__":
        os.unlink(copy)
    return found
zipimport.zipimporter.get_code = get_code
runpy.run_path(copy, run_name='__main__')
"""
    done = subprocess.run(
        [sys.executable, "-c", script], env=user.environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("error: kubectl netpol can't start: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("files", [4, 5, 6, 7, 8, 9, 10, 12, 16])
def test_with_few_file_handles_there_is_an_answer_or_one_line(user: User, folder: Path, files: int) -> None:
    user.run("version")
    page = ("matrix", "-f", "manifest.yaml", "-n", "shop")
    done = subprocess.run(
        ["sh", "-c", f'ulimit -n {files} && exec "$@"', "sh", sys.executable, "-I", "-S", user.zipapp, *page],
        cwd=folder,
        env=user.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if "__main__.py" not in done.stderr and done.returncode in (1, 127):
        return  # Python itself can't start
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 2, 3)
    assert done.returncode == 0 or done.stderr.startswith("error: "), done.stderr
    assert done.stderr.count("error: ") == (done.returncode != 0)


def test_twelve_concurrent_first_runs_make_one_cache(user: User) -> None:
    together = threading.Barrier(12)

    def start(_: int) -> tuple[int, str]:
        together.wait()
        done = user.run("version")
        return done.returncode, done.stderr

    with ThreadPoolExecutor(12) as threads:
        assert set(threads.map(start, range(12))) == {(0, "")}
    assert len(names(user.caches)) == 1


def _kill_while_it_unpacks(user: User) -> bool:
    process = subprocess.Popen(
        [sys.executable, user.zipapp, "version"], env=user.environment, stdout=subprocess.DEVNULL
    )
    while process.poll() is None:
        if any(user.caches.glob("new-*/site-packages/yaml/*")):
            process.send_signal(signal.SIGKILL)
            process.wait()
            return all(name.startswith("new-") for name in names(user.caches))
    return False


def test_the_run_after_a_killed_first_run_makes_the_cache(user: User) -> None:
    for _ in range(10):
        if _kill_while_it_unpacks(user):
            break
        shutil.rmtree(user.caches)
    else:
        pytest.fail("it was always faster than the test")
    assert user.run("version").returncode == 0
    (only,) = names(user.caches)
    assert not only.startswith("new-")


def test_old_caches_are_deleted_except_the_last_used_and_one_in_use(user: User) -> None:
    user.caches.mkdir(mode=0o700, parents=True)
    for age in range(1, 8):
        old = user.caches / f"{age:016}-cpython-399"
        (old / "kubectl_netpol").mkdir(parents=True)
        os.utime(old, (time.time() - age * 1000,) * 2)
    in_use = os.open(user.caches / f"{6:016}-cpython-399", os.O_RDONLY)
    try:
        fcntl.flock(in_use, fcntl.LOCK_SH)
        assert user.run("version").returncode == 0
    finally:
        os.close(in_use)
    left = [name for name in names(user.caches) if name.endswith("cpython-399")]
    assert left == [f"{age:016}-cpython-399" for age in (1, 2, 3, 6)]
    assert len(names(user.caches)) == len(left) + 1


def test_a_cache_is_locked_while_its_program_runs(user: User) -> None:
    user.run("version")
    (cache,) = user.caches.iterdir()
    process = subprocess.Popen(
        [sys.executable, user.zipapp, "explain", "-f", "-"],
        env=user.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    descriptor = os.open(cache, os.O_RDONLY)
    try:
        assert process.stdin
        process.stdin.write(b"# more than a pipe holds\n" * 10_000)  # done once the program reads
        process.stdin.flush()
        assert not _can_lock(descriptor)
        process.communicate(timeout=20)
        assert _can_lock(descriptor)
    finally:
        os.close(descriptor)


def _can_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return True


@pytest.mark.parametrize(
    ("home", "cache"), [(NO_HOME, ""), ("", NO_HOME)], ids=["no home", "a cache folder that can't be created"]
)
def test_without_a_home_the_cache_is_in_the_temporary_folder(user: User, home: str, cache: str) -> None:
    for _ in range(2):
        done = user.run("version", HOME=home, XDG_CACHE_HOME=cache)
        assert (done.returncode, done.stderr) == (0, "")
    (root,) = user.temporary.iterdir()
    assert root.name == f"kubectl-netpol-{os.getuid()}"
    assert root.stat().st_mode & 0o777 == 0o700
    assert len(names(root)) == 1


def _make_link(root: Path, elsewhere: Path) -> None:
    root.symlink_to(elsewhere)


def _make_open(root: Path, _: Path) -> None:
    root.mkdir()
    root.chmod(0o777)


def _make_file(root: Path, _: Path) -> None:
    root.write_text("")


@pytest.mark.parametrize("hostile", [_make_link, _make_open, _make_file], ids=["a link", "writable by all", "a file"])
def test_a_folder_that_others_can_change_is_not_used(
    user: User, tmp_path: Path, hostile: Callable[[Path, Path], None]
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    root = user.temporary / f"kubectl-netpol-{os.getuid()}"
    hostile(root, elsewhere)
    done = user.run("version", HOME=NO_HOME)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(elsewhere.iterdir()) == []
    assert root.is_file() or list(root.iterdir()) == []


def test_with_nowhere_to_write_it_runs_from_the_zipapp(user: User, folder: Path) -> None:
    """The page too, whose script and style are files in the zipapp."""
    page = ("matrix", "-f", str(folder / "manifest.yaml"), "-n", "shop", "-o", "html")
    done = user.run(*page, HOME=NO_HOME, TMPDIR=NO_HOME)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == user.run(*page).stdout
    assert "</html>" in done.stdout


def test_the_program_for_pods_is_read_from_the_zipapp_as_from_its_cache(user: User) -> None:
    user.run("version")
    (cache,) = user.caches.iterdir()
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from kubectl_netpol.probe import script\n"
        "print(script.__file__); print(*script.shell_argv('sh', [], protocol='TCP', timeout=1, http=False, names=[]))"
    )
    printed = []
    for place in (f"{user.zipapp}/site-packages", str(cache)):
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", script, place], capture_output=True, text=True, check=True
        )
        file, _, program = done.stdout.partition("\n")
        assert file.startswith(place)
        assert "connect()" in program
        printed.append(program)
    assert printed[0] == printed[1]


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that every user can read, unlike pytest's."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@needs_root
def test_another_users_folder_is_not_used(user: User) -> None:
    root = user.temporary / f"kubectl-netpol-{os.getuid()}"
    root.mkdir(mode=0o700)
    os.chown(root, NOBODY, NOBODY)
    assert user.run("version", HOME=NO_HOME).returncode == 0
    assert list(root.iterdir()) == []


@needs_root
def test_root_leaves_nothing_in_another_users_home(user: User) -> None:
    os.chown(user.home, NOBODY, NOBODY)
    assert user.run("version").returncode == 0
    assert list(user.home.iterdir()) == []
    assert names(user.temporary) == ["kubectl-netpol-0"]


@needs_root
@pytest.mark.parametrize("home", ["", "read-only"], ids=["without HOME and name", "with a read-only home"])
def test_a_plain_user_can_run_it(zipapp: Path, public: Path, home: str) -> None:
    uid = 54321
    copy = public / "kubectl-netpol"
    copy.write_bytes(zipapp.read_bytes())
    copy.chmod(0o755)
    (public / "home").mkdir(mode=0o555)
    (public / "tmp").mkdir()
    (public / "tmp").chmod(0o1777)
    environment = {"PATH": "/usr/bin:/bin", "TMPDIR": str(public / "tmp"), "HOME": str(public / "home") if home else ""}
    done = subprocess.run(
        ["/usr/bin/python3", copy, "version"],
        env={name: value for name, value in environment.items() if value},
        user=uid,
        group=uid,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (public / "tmp" / f"kubectl-netpol-{uid}").stat().st_uid == uid
    assert list((public / "home").iterdir()) == []


def test_a_credential_plugin_gets_only_the_users_environment(user: User, tmp_path: Path) -> None:
    plugin, seen, config = (tmp_path / name for name in ("plugin", "seen", "config"))
    plugin.write_text(f"""#!/bin/sh
env >{seen}
echo '{{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {{"token": "secret"}}}}'
""")
    plugin.chmod(0o755)
    config.write_text(f"""
apiVersion: v1
kind: Config
current-context: here
contexts: [{{name: here, context: {{cluster: here, user: me}}}}]
clusters: [{{name: here, cluster: {{server: "https://127.0.0.1:1"}}}}]
users:
- name: me
  user:
    exec: {{apiVersion: client.authentication.k8s.io/v1, command: {plugin}, interactiveMode: Never}}
""")
    done = user.run("explain", "nginx", "--kubeconfig", str(config), PYTHONPATH="/somewhere")
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    variables = dict(line.split("=", 1) for line in seen.read_text().splitlines() if "=" in line)
    of_the_shell = {"PWD", "OLDPWD", "SHLVL", "_"}
    assert variables.keys() - of_the_shell == {*user.environment, "PYTHONPATH", "KUBERNETES_EXEC_INFO"}
    assert variables["PYTHONPATH"] == "/somewhere"


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (["--help"], ("kubernetes", "urllib3", "yaml", "json", "zipapp_unpack", "tempfile")),
        (
            ["allow", "--from", "run=san", "--to", "run=nginx", "--port", "80"],
            ("kubernetes", "urllib3", "yaml", "zipapp_unpack", "tempfile"),
        ),
        (["explain", "-f", "/dev/null"], ("kubernetes", "urllib3", "zipapp_unpack")),
    ],
    ids=["--help", "allow", "explain -f"],
)
def test_a_later_run_imports_only_what_it_needs(user: User, arguments: list[str], unwanted: tuple[str, ...]) -> None:
    user.run("version")
    command = [sys.executable, "-I", "-S", "-X", "importtime", str(user.zipapp), *arguments]
    done = subprocess.run(command, env=user.environment, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "kubectl_netpol" in imported
    assert imported.isdisjoint(unwanted)
