"""Show how to enable completion for kubectl netpol.

kubectl (1.26 and newer) completes a plugin by running `kubectl_complete-netpol` from the PATH. That is this
program under another name; krew links one name only, so the other link is made by hand, once.
"""

from __future__ import annotations

import shlex
import sys
from argparse import SUPPRESS
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from kubectl_netpol.commands.common.inputs import open_inputs
from kubectl_netpol.commands.common.options import cluster_options
from kubectl_netpol.connection.resolve import parse_reference
from kubectl_netpol.errors import NetpolError
from kubectl_netpol.model.kinds import KINDS
from kubectl_netpol.model.ports import PROTOCOLS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from kubectl_netpol.cluster.api import Api
    from kubectl_netpol.console import Console

EXAMPLES = """examples:
  kubectl netpol completion
  source <(kubectl completion bash)      once per shell, if kubectl itself is not completed yet"""
PROGRAM = "kubectl_complete-netpol"
_FILES, _NO_FILES = ":0", ":4"
_PATIENCE_SECONDS = 2.0
_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
_FIXED = {"--protocol": PROTOCOLS, "--expect": ("open", "blocked")}
_FILE_OPTIONS = ("-f", "--filename", "-F", "--suite", "--kubeconfig", "--on")
# The arguments of a connection, each with the option of `test` that takes its place.
_ROLES = {"--from-selector": "SOURCE", "--to-selector": "DESTINATION", "": "PORT"}
_LABEL_OPTIONS = ("--from", "--to", "--from-selector", "--to-selector")
_NAMESPACE_OPTIONS = ("-n", "--namespace", "--from-namespace", "--to-namespace")
_CLUSTER_OPTIONS = (*_NAMESPACE_OPTIONS, *_LABEL_OPTIONS, "-c", "--container")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    del parser  # no options


def run(arguments: argparse.Namespace, console: Console) -> int:
    del arguments  # none
    program = Path(sys.argv[0]).absolute()
    link = program.with_name(PROGRAM)
    console.data("# Make this link once (any folder of the PATH will do); then kubectl completes kubectl netpol too.")
    console.data(f"ln -s {shlex.quote(str(program))} {shlex.quote(str(link))}")
    return 0


class _Typed(NamedTuple):
    """A command line taken apart. `last`: what is being typed; `option`: the one whose value that is, or None."""

    command: str
    positional: tuple[str, ...]
    options: tuple[tuple[str, str], ...]
    last: str
    option: str | None

    @property
    def values(self) -> dict[str, str]:
        """The last value of each option."""
        return dict(self.options)


def complete(
    words: Sequence[str], commands: Mapping[str, str], build: Callable[[str], argparse.ArgumentParser], console: Console
) -> int:
    """Print the candidates for the last argument, as kubectl expects them; none where the cluster can't be asked."""
    if len(words) <= 1:
        last = words[0] if words else ""
        candidates: Iterable[str] = (f"{name}\t{text}" for name, text in commands.items() if name.startswith(last))
        return _print(candidates, _NO_FILES, console)
    if words[0] not in commands:
        return _print((), _NO_FILES, console)
    parser = build(words[0])
    typed = _take_apart(words, parser)
    if typed.option in _FILE_OPTIONS:
        return _print((), _FILES, console)
    if typed.option is None and typed.last.startswith("-"):
        found = (
            f"{option}\t{'as in kubectl' if action.help == SUPPRESS else action.help or ''}"
            for option, action in parser._option_string_actions.items()  # noqa: SLF001 - argparse has no public list
            if option.startswith(typed.last) and option.startswith("--")
        )
        return _print(found, _NO_FILES, console)
    try:
        offered = _of_prefix(_candidates(typed, parser, console), typed.last)
    except Exception:  # noqa: BLE001 - whatever is wrong, with the cluster or its answers: a prompt is no place for it
        offered = []
    return _print(offered, _NO_FILES, console)


def _print(candidates: Iterable[str], directive: str, console: Console) -> int:
    console.data("\n".join([*candidates, directive]))
    return 0


def _of_prefix(candidates: Iterable[str], last: str) -> list[str]:
    return sorted({candidate for candidate in candidates if candidate.startswith(last)})


def _take_apart(words: Sequence[str], parser: argparse.ArgumentParser) -> _Typed:
    actions = parser._option_string_actions  # noqa: SLF001 - argparse has no public list
    with_value = {option for option, action in actions.items() if action.nargs not in (0, "?")}
    positional: list[str] = []
    options: list[tuple[str, str]] = []
    waiting: str | None = None
    for word in words[1:-1]:
        name, equals, value = word.partition("=")
        if waiting:
            options.append((waiting, word))
            waiting = None
        elif word in with_value:
            waiting = word
        elif equals and name in with_value:
            options.append((name, value))
        elif word[:2] in with_value:
            options.append((word[:2], word[2:]))
        elif not word.startswith("-"):
            positional.append(word)
    last = words[-1]
    name, equals, value = last.partition("=")
    if waiting is None and equals and name in with_value:
        waiting, last = name, value
    return _Typed(words[0], tuple(positional), tuple(options), last, waiting)


def _candidates(typed: _Typed, parser: argparse.ArgumentParser, console: Console) -> Iterable[str]:
    option = typed.option
    if option in _FIXED:
        return _FIXED[option]
    if option is not None:
        action = parser._option_string_actions[option]  # noqa: SLF001 - argparse has no public list
        if action.choices:
            return map(str, action.choices)
        if option in ("--context", "--cluster", "--user"):
            from kubectl_netpol.cluster.kubeconfig import entries  # noqa: PLC0415 - only for a cluster

            return entries(f"{option.removeprefix('--')}s", typed.values.get("--kubeconfig"))
    role = _role(typed, parser) if option is None else None
    if role is None and option not in _CLUSTER_OPTIONS:
        return ()
    api, namespace = _open(typed, parser, console)
    if option in _NAMESPACE_OPTIONS:
        return (item["metadata"]["name"] for item in api.list("/api/v1/namespaces"))
    if option in _LABEL_OPTIONS:
        pods = api.list(f"/api/v1/namespaces/{namespace}/pods")
        return (
            f"{k}={v}"
            for pod in pods
            for k, v in (pod["metadata"].get("labels") or {}).items()
            if "pod-template-hash" not in k
        )
    if role is None:
        return _containers(api, namespace, typed.positional)
    return _names_for(role, api, namespace, typed)


def _role(typed: _Typed, parser: argparse.ArgumentParser) -> str | None:
    """What the next argument is: SOURCE, DESTINATION or PORT; None where the command takes no more."""
    if all(action.option_strings for action in parser._actions):  # noqa: SLF001 - argparse has no public list
        return None
    roles = [role for option, role in _ROLES.items() if option not in typed.values]
    return roles[len(typed.positional)] if len(typed.positional) < len(roles) else None


def _open(typed: _Typed, parser: argparse.ArgumentParser, console: Console) -> tuple[Api, str]:
    """The cluster and namespace of the options typed so far; NetpolError with -f, where there is none."""
    arguments = parser.parse_args([f"{option}={value}" for option, value in typed.options])
    if getattr(arguments, "filenames", None):
        raise NetpolError("manifests are not completed")
    inputs = open_inputs(cluster_options(arguments)._replace(request_timeout=_PATIENCE_SECONDS), (), console)
    if inputs.api is None:
        raise NetpolError("no cluster")
    return inputs.api, inputs.namespace


def _names_for(role: str, api: Api, namespace: str, typed: _Typed) -> Iterable[str]:
    if role == "PORT":
        return () if "--to-selector" in typed.values else _ports(api, namespace, typed.positional[-1])
    names = [*_names(api, namespace, "pods"), *_workloads(api, namespace)]
    if role == "DESTINATION":
        return [*names, *_names(api, namespace, "services")]
    return [*names, *_services(api, namespace)] if typed.command == "explain" else names


def _names(api: Api, namespace: str, resource: str) -> list[str]:
    return [item["metadata"]["name"] for item in api.list(f"/api/v1/namespaces/{namespace}/{resource}")]


def _services(api: Api, namespace: str) -> list[str]:
    return [f"svc/{name}" for name in _names(api, namespace, "services")]


def _workloads(api: Api, namespace: str) -> list[str]:
    found = api.gather({KINDS[kind].short: KINDS[kind].path(namespace) for kind in _WORKLOADS})
    return [
        f"{short}/{item['metadata']['name']}"
        for short, items in found.items()
        if isinstance(items, list)
        for item in items
    ]


def _ports(api: Api, namespace: str, destination: str) -> list[str]:
    """Numbers and names of the ports of a Service, or a pod, of that name."""
    reference = parse_reference(destination, namespace)
    path = f"/api/v1/namespaces/{reference.namespace}"
    found: list[Any] = []
    if reference.kind in (None, "Service"):
        services = _of_name(api.list(f"{path}/services"), reference.name)
        found += [port for service in services for port in service["spec"].get("ports") or ()]
    if not found and reference.kind in (None, "Pod"):
        pods = _of_name(api.list(f"{path}/pods"), reference.name)
        found += [port for pod in pods for c in pod["spec"]["containers"] for port in c.get("ports") or ()]
    numbers = [str(port.get("port") or port.get("containerPort")) for port in found]
    return numbers + [port["name"] for port in found if port.get("name")]


def _of_name(items: Iterable[Any], name: str) -> list[Any]:
    return [item for item in items if item["metadata"]["name"] == name]


def _containers(api: Api, namespace: str, positional: Sequence[str]) -> list[str]:
    """Those of the source pod."""
    if not positional:
        return []
    source = parse_reference(positional[0], namespace)
    pod = api.get(f"/api/v1/namespaces/{source.namespace}/pods/{source.name}")
    return [container["name"] for container in pod["spec"]["containers"]]
