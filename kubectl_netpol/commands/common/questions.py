"""Predictions for SOURCE DESTINATION PORT, and what must be read for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.connection.dns import NAMESPACES as DNS_NAMESPACES
from kubectl_netpol.connection.predict import predict
from kubectl_netpol.connection.resolve import (
    Resolved,
    Role,
    declared_ports,
    look_up,
    namespaces_of,
    parse_reference,
    resolve_destination,
    resolve_source,
)
from kubectl_netpol.connection.routes import request
from kubectl_netpol.engine.phrases import count
from kubectl_netpol.errors import NetpolError, UsageError
from kubectl_netpol.model.kinds import WORKLOADS
from kubectl_netpol.model.ports import parse_ports, single_ports
from kubectl_netpol.model.selectors import parse_selector
from kubectl_netpol.model.snapshot import Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kubectl_netpol.commands.common.inputs import Inputs
    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.connection.resolve import Reference
    from kubectl_netpol.connection.routes import Request
    from kubectl_netpol.model.ports import SinglePort
    from kubectl_netpol.model.snapshot import Snapshot


def scope_of(*references: Reference, everywhere: bool, workloads: bool = False) -> Scope:
    """What must be read for questions about these. `everywhere`: also the pods and policies of all namespaces."""
    namespaces = {reference.namespace for reference in references}
    namespaces |= {other for r in references if not r.kind and not r.address for other in namespaces_of(r.name)}
    wide = {"pods", "networkpolicies"} if everywhere else set()
    if any(reference.address or reference.kind == "Node" for reference in references):
        # It may be the address of any pod, or of a Service, or a node port: then that namespace's policies count.
        wide |= {"pods", "services", "networkpolicies", "endpointslices"}
    return Scope(
        namespaces=frozenset(namespaces),
        everywhere=frozenset(wide),
        nodes=any(reference.address or reference.kind == "Node" for reference in references),
        workloads=workloads or any(reference.kind in WORKLOADS for reference in references),
        services_in=frozenset(DNS_NAMESPACES[:1]),
    )


def read_for(inputs: Inputs, *asked: tuple[Reference, Role], everywhere: bool) -> Snapshot:
    """What a question about these needs. Workloads are read only where no pod and no Service has the name.

    `everywhere`: also which pods of the whole cluster the policies speak of.
    """
    references = [reference for reference, _ in asked]
    scope = scope_of(*references, everywhere=everywhere)._replace(peers=everywhere)
    snapshot = inputs.read(scope)
    if inputs.live and any(look_up(snapshot, reference, role) is None for reference, role in asked):
        snapshot = inputs.read(scope._replace(workloads=True))
    return snapshot


def ask(
    inputs: Inputs, source: str, destination: str, ports: Sequence[SinglePort]
) -> tuple[Snapshot, list[Prediction]]:
    """The prediction for each port; where there is none, for each that the destination declares."""
    here, there = (parse_reference(typed, inputs.namespace) for typed in (source, destination))
    snapshot = read_for(inputs, (here, Role.SOURCE), (there, Role.DESTINATION), everywhere=False)
    return snapshot, answers(snapshot, Question(inputs.namespace, (source, destination), (None, None), ports))


class Need(NamedTuple):
    """A connection as typed in one argument, "SOURCE DESTINATION PORT"."""

    source: str
    destination: str
    ports: tuple[SinglePort, ...]


def parse_need(typed: str) -> Need:
    """UsageError if these are no three words, or if the port is none."""
    words = typed.split()
    if len(words) != 3:  # noqa: PLR2004 - SOURCE DESTINATION PORT
        raise UsageError(f'expected "SOURCE DESTINATION PORT", got "{typed}"', '--need "san nginx 80"')
    return Need(words[0], words[1], single_ports(parse_ports(words[2])))


def ask_needs(inputs: Inputs, needs: Sequence[Need]) -> tuple[Snapshot, list[Request]]:
    """What is needed, and all pods and policies there are."""
    ends = [[parse_reference(word, inputs.namespace) for word in (need.source, need.destination)] for need in needs]
    references = [reference for pair in ends for reference in pair]
    snapshot = inputs.read(scope_of(*references, everywhere=True, workloads=True))
    found = []
    for need, (here, there) in zip(needs, ends, strict=True):
        resolved = resolve_source(snapshot, here), resolve_destination(snapshot, there, here.namespace)
        found += [request(snapshot, *resolved, one.port, one.protocol) for one in need.ports]
    return snapshot, found


def refuse_too_many(pairs: int, most: int) -> None:
    """UsageError if more than `most` pairs (--max) would be probed."""
    if pairs > most:
        raise UsageError(
            f"{count(pairs, 'pair')} to probe, more than --max {most}", f"add --max {pairs} to probe them all"
        )


class Question(NamedTuple):
    """Source and destination, each by its name or by a label selector, and the ports; none: all that are declared.

    `namespace`: of both.
    """

    namespace: str
    names: tuple[str | None, str | None]
    selectors: tuple[str | None, str | None]
    ports: Sequence[SinglePort]


def read_for_all(inputs: Inputs, questions: Iterable[Question]) -> Snapshot:
    """What `answers` needs for all of these, by one read."""
    references = [parse_reference(name, q.namespace) for q in questions for name in (*q.names, "pod/any") if name]
    return inputs.read(scope_of(*references, everywhere=False, workloads=True))


def answers(snapshot: Snapshot, question: Question) -> list[Prediction]:
    """The prediction for each pair and port. A pod that a selector puts at both ends is no pair with itself."""
    ends: list[list[Resolved]] = []
    namespace, names, selectors, ports = question
    beside = parse_reference(names[0], namespace).namespace if names[0] else None
    for name, selector, role in zip(names, selectors, (Role.SOURCE, Role.DESTINATION), strict=True):
        if name is None:
            ends.append(_selected(snapshot, namespace, selector or ""))
        elif role is Role.SOURCE:
            ends.append([resolve_source(snapshot, parse_reference(name, namespace))])
        else:
            ends.append([resolve_destination(snapshot, parse_reference(name, namespace), beside)])
    pairs = [(a, b) for a in ends[0] for b in ends[1] if a.pod is not b.pod or None not in names]
    if not pairs:
        raise NetpolError(f"{ends[0][0].end.title} is the only pod at both ends", "name it twice to try that")
    return [
        predict(snapshot, request(snapshot, a, b, port.port, port.protocol))
        for a, b in pairs
        for port in ports or declared_ports(b)
    ]


def _selected(snapshot: Snapshot, namespace: str, typed: str) -> list[Resolved]:
    selector = parse_selector(typed)
    if gap := snapshot.gap("pods", namespace, selector):
        raise NetpolError(gap.message)
    found = sorted(
        (pod for pod in snapshot.pods_in(namespace) if not pod.finished and selector.matches(pod.labels)),
        key=lambda pod: pod.name,
    )
    if not found:
        raise NetpolError(
            f'no running pod in namespace {namespace} matches "{typed}"', "kubectl get pods --show-labels"
        )
    return [Resolved(pod=pod, typed=f"pod/{pod.name}") for pod in found]
