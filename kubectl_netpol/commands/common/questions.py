"""SOURCE DESTINATION PORT, asked of a world: what must be read for it, and the verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from kubectl_netpol.connection.dns import NAMESPACES as DNS_NAMESPACES
from kubectl_netpol.connection.predict import Prediction, predict
from kubectl_netpol.connection.resolve import (
    Reference,
    Resolved,
    parse_reference,
    resolve_destination,
    resolve_source,
    service_namespace,
)
from kubectl_netpol.connection.routes import request
from kubectl_netpol.errors import NetpolError
from kubectl_netpol.model.kinds import WORKLOADS
from kubectl_netpol.model.selectors import parse_selector

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kubectl_netpol.cluster.reader import Scope
    from kubectl_netpol.commands.common.inputs import Inputs
    from kubectl_netpol.model.snapshot import Snapshot

T = TypeVar("T")


def scope_of(*references: Reference, everywhere: bool, workloads: bool = False) -> Scope:
    """What must be read for questions about these. `everywhere`: also who else is matched, and who names them."""
    from kubectl_netpol.cluster.reader import Scope  # noqa: PLC0415 - only for a cluster

    namespaces = {reference.namespace for reference in references}
    namespaces |= {other for r in references if not r.kind and (other := service_namespace(r.name)) and not r.address}
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


def read_and_resolve(
    world: Inputs, references: Sequence[Reference], resolve: Callable[[Snapshot], T], *, everywhere: bool
) -> tuple[Snapshot, T]:
    """What `resolve` finds. Workloads are read only where pods and Services do not have the name."""
    snapshot = world.read(scope_of(*references, everywhere=everywhere))
    try:
        return snapshot, resolve(snapshot)
    except NetpolError:
        if world.snapshot is not None:
            raise
    snapshot = world.read(scope_of(*references, everywhere=everywhere, workloads=True))
    return snapshot, resolve(snapshot)


def find(world: Inputs, source: str, destination: str) -> tuple[Snapshot, Resolved, Resolved]:
    """Both ends by name."""
    here, there = (parse_reference(typed, world.namespace) for typed in (source, destination))

    def both(snapshot: Snapshot) -> tuple[Resolved, Resolved]:
        return resolve_source(snapshot, here), resolve_destination(snapshot, there)

    snapshot, ends = read_and_resolve(world, (here, there), both, everywhere=False)
    return snapshot, *ends


def ask(
    world: Inputs, source: str, destination: str, ports: Sequence[int | str], protocol: str
) -> tuple[Snapshot, list[Prediction]]:
    """The verdict on each port."""
    snapshot, here, there = find(world, source, destination)
    return snapshot, [predict(snapshot, request(snapshot, here, there, port, protocol)) for port in ports]


def ask_selected(
    world: Inputs,
    typed: tuple[str | None, str | None],
    selectors: tuple[str | None, str | None],
    ports: Sequence[int | str],
    protocol: str,
) -> tuple[Snapshot, list[Prediction]]:
    """The verdict on each pair and port, where one end or both are given by a label selector instead of by name."""
    references = [parse_reference(word, world.namespace) for word in typed if word is not None]
    here = parse_reference("pod/any", world.namespace)
    snapshot = world.read(scope_of(here, *references, everywhere=False, workloads=True))
    ends: list[list[Resolved]] = []
    for word, selector, resolve in zip(typed, selectors, (resolve_source, resolve_destination), strict=True):
        if word is not None:
            ends.append([resolve(snapshot, parse_reference(word, world.namespace))])
        else:
            ends.append(_selected(snapshot, world.namespace, selector or ""))
    pairs = [(a, b) for a in ends[0] for b in ends[1] if a.pod is not b.pod or a.pod is None]
    if not pairs:
        raise NetpolError(f"{ends[0][0].end.title} is the only pod at both ends", "name it twice to try that")
    return snapshot, [predict(snapshot, request(snapshot, a, b, port, protocol)) for a, b in pairs for port in ports]


def _selected(snapshot: Snapshot, namespace: str, typed: str) -> list[Resolved]:
    selector = parse_selector(typed)
    if gap := snapshot.gap("pods", namespace):
        raise NetpolError(gap.message)
    found = sorted(
        (pod for pod in snapshot.pods_in(namespace) if not pod.finished and selector.matches(pod.labels)),
        key=lambda pod: pod.name,
    )
    if not found:
        raise NetpolError(
            f'no running pod in namespace {namespace} matches "{typed}"', "kubectl get pods --show-labels"
        )
    return [Resolved(parse_reference(f"pod/{pod.name}", namespace), pod=pod) for pod in found]
