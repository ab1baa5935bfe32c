"""A real cluster for tests: `up` brings one up with the kit beside this file, `Cluster` is what tests do with it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

T = TypeVar("T")

KIT = Path(__file__).parent / "kit"
OUTSIDE = "192.0.2.1"
NODE_ADDRESS = "192.0.2.10"
ZIPAPP = Path(__file__).parents[2] / "dist" / "kubectl-netpol"


SUMMARY = pytest.StashKey[list[str]]()


def summary(config: pytest.Config) -> list[str]:
    """Lines to print at the end of the run."""
    return config.stash.setdefault(SUMMARY, [])


class UnavailableError(Exception):
    """No cluster can come up here; the text is one line that says why."""


class Result(NamedTuple):
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


class Cluster:
    """One running cluster. Everything a test starts through it runs in the node's network namespace."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.bin = state / "bin"
        self.kubeconfig = state / "admin.kubeconfig"
        self.viewer_kubeconfig = state / "viewer.kubeconfig"
        self.netns = state / "netns"
        self.plugins = state / "plugins"
        self.plugins.mkdir()
        zipapp = Path(os.environ.get("NETPOL_ZIPAPP") or ZIPAPP).resolve()
        (self.plugins / "kubectl-netpol").symlink_to(zipapp)

    def environment(self, kubeconfig: Path | None = None) -> dict[str, str]:
        """What `kubectl` and `kubectl netpol` need: PATH, the kubeconfig, a discovery cache of this cluster's own."""
        return {
            **os.environ,
            "KUBECONFIG": str(kubeconfig or self.kubeconfig),
            "KUBECACHEDIR": str(self.state / "kube-cache"),
            "PATH": f"{self.plugins}:{self.bin}:{os.environ['PATH']}",
        }

    def inside(self, *command: str | Path) -> list[str]:
        """The command line that runs this command on the node."""
        return ["nsenter", f"--net={self.netns}", *map(str, command)]

    def run(
        self,
        *command: str | Path,
        input: str | None = None,  # noqa: A002 - as in subprocess.run
        kubeconfig: Path | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> Result:
        """Runs a command on the node to its end."""
        ended = subprocess.run(
            self.inside(*command),
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            env={**self.environment(kubeconfig), **(env or {})},
            timeout=timeout,
            capture_output=True,
            text=True,
            check=False,
        )
        return Result(ended.returncode, ended.stdout, ended.stderr)

    def start(self, *command: str | Path, kubeconfig: Path | None = None) -> subprocess.Popen[str]:
        """Starts a command on the node, with pipes to its three streams; the caller ends it."""
        return subprocess.Popen(
            self.inside(*command),
            env=self.environment(kubeconfig),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def netpol(
        self,
        *args: str,
        input: str | None = None,  # noqa: A002 - as in subprocess.run
        kubeconfig: Path | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> Result:
        """Runs `kubectl netpol ARGS` with the built zipapp (NETPOL_ZIPAPP, or dist/kubectl-netpol)."""
        assert (self.plugins / "kubectl-netpol").exists(), "no zipapp: ./build.sh makes dist/kubectl-netpol"
        return self.run("kubectl", "netpol", *args, input=input, kubeconfig=kubeconfig, env=env, timeout=timeout)

    def kubectl(
        self,
        *args: str,
        input: str | None = None,  # noqa: A002 - as in subprocess.run
        check: bool = True,
        timeout: float = 60,
    ) -> Result:
        """Runs kubectl as the admin; with `check`, another exit status than 0 is an error."""
        result = self.run("kubectl", *args, input=input, timeout=timeout)
        assert not check or result.returncode == 0, f"kubectl {' '.join(args)}: {result.stderr}"
        return result

    def get(self, *args: str) -> Any:
        """What `kubectl get ARGS -o json` answers, parsed."""
        return json.loads(self.kubectl("get", *args, "-o", "json").stdout)

    def apply(self, *manifests: str | dict[str, Any], namespace: str | None = None) -> None:
        """Applies manifests, each YAML text or an object."""
        texts = [manifest if isinstance(manifest, str) else json.dumps(manifest) for manifest in manifests]
        where = ["-n", namespace] if namespace else []
        self.kubectl("apply", *where, "-f", "-", input="".join(f"---\n{text}\n" for text in texts))

    def create_pods(self, namespace: str, *manifests: dict[str, Any], timeout: float = 60) -> None:
        """Creates pods (see `pod`) and waits until all of them are Ready."""
        self.apply(*manifests, namespace=namespace)
        self.wait_ready(namespace, *(manifest["metadata"]["name"] for manifest in manifests), timeout=timeout)

    def wait_ready(self, namespace: str, *names: str, timeout: float = 60) -> None:
        """Waits until pods that exist are Ready."""
        pods = [f"pod/{name}" for name in names]
        self.kubectl(
            "wait", "-n", namespace, "--for=condition=Ready", f"--timeout={timeout}s", *pods, timeout=timeout + 30
        )

    def pod_ip(self, namespace: str, name: str) -> str:
        """The address of a pod."""
        return str(self.get("pod", name, "-n", namespace)["status"]["podIP"])

    @contextmanager
    def namespace(self, name: str | None = None, labels: Mapping[str, str] | None = None) -> Iterator[str]:
        """A new namespace in which pods can be made; deleted afterwards, without waiting for it.

        One with a given name waits for the end of an earlier one.
        """
        if name:
            earlier = ("get", "namespace", name)
            self.wait_until(lambda: self.kubectl(*earlier, check=False).returncode != 0, timeout=60, what=f"no {name}")
        name = name or f"t-{uuid.uuid4().hex[:8]}"
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(labels or {})}})
        try:
            account = ("get", "serviceaccount", "default", "-n", name)
            self.wait_until(
                lambda: self.kubectl(*account, check=False).returncode == 0, what="the default service account"
            )
            yield name
        finally:
            self.kubectl("delete", "namespace", name, "--wait=false", check=False)

    @staticmethod
    def wait_until(predicate: Callable[[], T], *, timeout: float = 15, interval: float = 0.1, what: str = "") -> T:
        """Calls until the answer is true and returns it; an AssertionError with the last one after `timeout` s."""
        end = time.monotonic() + timeout
        while True:
            answer = predicate()
            if answer:
                return answer
            if time.monotonic() > end:
                raise AssertionError(f"{what or 'it'} did not come about in {timeout} s; last: {answer!r}")
            time.sleep(interval)

    def component(self, name: str) -> int:
        """The process id of a component by its program: etcd, kube-apiserver, kubelet, containerd, kube-router, …"""
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                program = (process / "cmdline").read_bytes().split(b"\0")[0].decode()
                if Path(program).name == name and (process / "ns" / "net").samefile(self.netns):
                    return int(process.name)
        raise AssertionError(f"no {name} runs")

    def named_netns(self, name: str) -> Path:
        """A network namespace of the node by name: "outside" is the host beyond the cluster."""
        return self.state / "netnss" / name

    def pod_netns(self) -> list[Path]:
        """The network namespaces of all pods."""
        return sorted((self.state / "netnss").glob("cni-*"))

    def diagnosis(self) -> str:
        """What one wants to see when a test fails."""
        parts = []
        for args in (
            ("get", "pods,services,networkpolicies", "-A", "-o", "wide"),
            ("get", "events", "-A", "--sort-by=.lastTimestamp"),
        ):
            with suppress(subprocess.TimeoutExpired):
                result = self.run("kubectl", "--request-timeout=5s", *args, timeout=10)
                lines = (result.stdout + result.stderr).splitlines()[-25:]
                parts.append("\n".join([f"$ kubectl {' '.join(args)}", *lines]))
        for log in sorted((self.state / "log").glob("*.log")):
            lines = log.read_text(errors="replace").splitlines()[-6:]
            parts.append("\n".join([f"== {log.name}", *(line[:300] for line in lines)]))
        return "\n".join(parts)


def pod(
    name: str,
    image: str = "busybox",
    *,
    labels: Mapping[str, str] | None = None,
    ports: Mapping[str, int] | None = None,
    command: Sequence[str] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    """The manifest of a pod with an image of the kit, by name: busybox, bash, nginx, distroless, …

    Labels are run=NAME unless given. `ports` are the container's named TCP ports. Without `command` nginx serves
    port 80, distroless TCP and UDP port 80, and the others sleep. `spec` are more fields of the pod's spec.
    """
    container: dict[str, Any] = {"name": name, "image": f"lab/{image}:1", "imagePullPolicy": "Never"}
    if command:
        container["command"] = list(command)
    if ports:
        container["ports"] = [{"name": port, "containerPort": number} for port, number in ports.items()]
    metadata = {"name": name, "labels": {"run": name} if labels is None else dict(labels)}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [container], **spec},
    }


def runs() -> Path:
    """The folder with a folder for each cluster that runs, or ran and was not taken down."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(os.environ.get("NETPOL_LAB") or caches / "kubectl-netpol-lab") / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def remove_dead() -> None:
    """Removes what clusters left behind whose process was killed; those that run are left alone."""
    for run in runs().iterdir():
        subprocess.run([KIT / "down.sh", "--if-dead", run], check=True)


@contextmanager
def up(name: str, *, enforcer: bool) -> Iterator[Cluster]:
    """Brings a cluster up and takes it down; it goes down by itself when this process ends, however that happens.

    What an earlier run left behind is removed first. UnavailableError where this machine can't have one.
    """
    if not sys.platform.startswith("linux"):
        raise UnavailableError("this needs Linux")
    if os.geteuid() != 0:
        raise UnavailableError("this needs root")
    if not shutil.which("go"):
        raise UnavailableError("this needs Go")
    remove_dead()
    state = runs() / f"{name}-{os.getpid()}"
    options = [] if enforcer else ["--no-enforcer"]
    theirs, ours = os.pipe()
    try:
        started = subprocess.run(
            [KIT / "up.sh", "--while-stdin", *options, state],
            stdin=theirs,
            capture_output=True,
            text=True,
            check=False,
        )
        if started.returncode != 0:
            sys.stderr.write(started.stderr)
            raise UnavailableError(started.stderr.strip().rpartition("\n")[2])
        yield Cluster(state)
    finally:
        os.close(theirs)
        os.close(ours)
        subprocess.run([KIT / "down.sh", state], check=True)
