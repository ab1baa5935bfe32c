"""Reads Calico's objects where Calico runs: policies, tiers, network sets, host endpoints.

Both forms: projectcalico.org/v3, and crd.projectcalico.org/v1 as they are stored.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, NamedTuple

from kubectl_netpol.fields import BadField, known_fields, mapping, optional_text, sequence, shown, texts
from kubectl_netpol.model.addresses import is_ip
from kubectl_netpol.model.calico import (
    DEFAULT_TIER,
    NAMESPACE,
    OF_ACCOUNT,
    OF_NAMESPACE,
    AllOf,
    CalicoPolicy,
    CalicoTier,
    Compare,
    HostEndpoint,
    NetworkSet,
    Selector,
    StagedKubernetes,
    Term,
)
from kubectl_netpol.model.policies import Direction
from kubectl_netpol.policies.calico_rules import read_nets, read_rule
from kubectl_netpol.policies.calico_selectors import IN_A_NAMESPACE, read_selector_text
from kubectl_netpol.policies.calico_strict import check_case, check_policy
from kubectl_netpol.policies.meta import last_change, read_labels
from kubectl_netpol.policies.networkpolicy import read_policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubectl_netpol.policies.meta import Object

_STORED = "crd.projectcalico.org/"
_METADATA = "projectcalico.org/metadata"
_COPY = "knp.default."
ORDER_OF_A_TIER = 1_000_000.0
_POLICY = (
    "tier",
    "order",
    "selector",
    "types",
    "ingress",
    "egress",
    "serviceAccountSelector",
    "performanceHints",
)
_GLOBAL = ("namespaceSelector", "doNotTrack", "preDNAT", "applyOnForward")


class _Read(NamedTuple):
    """An object to read. `stored`: it is from a cluster, or in the form of the store: nothing fills in defaults."""

    kind: str
    item: Object
    metadata: Object
    namespace: str
    name: str
    stored: bool


def read_calico_object(kind: str, item: Object, metadata: Object, namespace: str, name: str, *, stored: bool) -> Any:
    """`stored`: it is from a cluster, where defaults have been filled in. None for a copy of a NetworkPolicy."""
    stored = stored or "uid" in metadata or str(item.get("apiVersion")).startswith(_STORED)
    return _READERS[kind](_Read(kind, item, _metadata(metadata), namespace, name, stored))


def _metadata(metadata: Object) -> Object:
    """The metadata with what the stored form keeps in an annotation: labels, annotations, and a policy's name."""
    annotations = read_labels(metadata.get("annotations"), "metadata.annotations")
    written = annotations.get(_METADATA)
    if not written:
        return metadata
    path = f"metadata.annotations.{_METADATA}"
    try:
        kept = mapping(json.loads(written), path)
    except (ValueError, RecursionError):
        raise BadField(path, "is not JSON") from None
    labels = {
        **read_labels(metadata.get("labels"), "metadata.labels"),
        **read_labels(kept.get("labels"), f"{path}.labels"),
    }
    return {**metadata, "labels": labels, "shown": kept.get("name")}


def _policy(read: _Read) -> CalicoPolicy | None:
    kind, item, metadata, namespace, name, stored = read
    if name.startswith(_COPY):
        return None
    known_fields(item, "", ("apiVersion", "kind", "metadata", "spec", "status"))
    spec = mapping(item.get("spec"), "spec")
    staged = kind.startswith("Staged")
    own = ("stagedAction",) if staged else ()
    known_fields(spec, "spec", (*_POLICY, *own, *(() if namespace else _GLOBAL)))
    rules = tuple(
        read_rule(rule, direction, position, namespace)
        for direction in Direction
        for position, rule in enumerate(sequence(spec.get(direction.field), f"spec.{direction.field}"))
    )
    directions, unsure = _directions(spec, stored=stored)
    hosts_only = spec.get("doNotTrack") is True or spec.get("preDNAT") is True
    found = CalicoPolicy(
        kind,
        namespace,
        optional_text(metadata.get("shown"), "metadata.name") or name,
        optional_text(spec.get("tier"), "spec.tier") or DEFAULT_TIER,
        _order(spec.get("order"), stored=stored),
        _subject(spec, namespace),
        directions,
        rules,
        unsure,
        hosts_only,
        forwarded=hosts_only or spec.get("applyOnForward") is True,
        staged=_staged_action(spec) if staged else None,
        changed=last_change(metadata),
    )
    if not stored:
        check_policy(spec)
    return found


_STAGED_ACTIONS = ("Set", "Delete", "Learn", "Ignore")


def _staged_action(spec: Object) -> str:
    action = optional_text(spec.get("stagedAction"), "spec.stagedAction") or "Set"
    if action not in _STAGED_ACTIONS:
        raise BadField("spec.stagedAction", f"must be one of {', '.join(_STAGED_ACTIONS)}, got {shown(action)}")
    return action


def _staged_kubernetes(read: _Read) -> StagedKubernetes:
    _, item, metadata, namespace, name, _ = read
    spec = dict(mapping(item.get("spec"), "spec"))
    action = _staged_action(spec)
    spec.pop("stagedAction", None)
    return StagedKubernetes(read_policy({"spec": spec}, metadata, namespace, name), action)


def _order(value: Any, *, stored: bool) -> float | None:
    """Some clients have stored it as text."""
    if value is None:
        return None
    if isinstance(value, str) and not stored:
        raise BadField("spec.order", f"expected a number, got {shown(value)}", "write a number, without quotes")
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise BadField("spec.order", f"expected a number, got {shown(value)}")
    try:
        order = float(value)
    except ValueError:
        order = math.nan
    if not math.isfinite(order):
        raise BadField("spec.order", f"expected a number, got {shown(value)}")
    return order


def _subject(spec: Object, namespace: str) -> Selector:
    """The pods. A namespaced policy stays in its namespace; all() of a namespaceSelector is "in a namespace"."""
    parts = [
        Term(NAMESPACE, Compare.EQUAL, (namespace,)) if namespace else None,
        read_selector_text(spec.get("namespaceSelector"), "spec.namespaceSelector", OF_NAMESPACE, whole=IN_A_NAMESPACE),
        read_selector_text(spec.get("serviceAccountSelector"), "spec.serviceAccountSelector", OF_ACCOUNT),
        read_selector_text(spec.get("selector"), "spec.selector"),
    ]
    return AllOf(tuple(part for part in parts if part is not None))


def _directions(spec: Object, *, stored: bool) -> tuple[tuple[Direction, ...], tuple[Direction, ...]]:
    """`types`, and directions that it may or may not have.

    Absent, they are filled in by what rules there are; nobody does so for a stored object, which means both.
    """
    types = texts(spec.get("types"), "spec.types")
    for index, name in enumerate(types):
        if name.capitalize() not in ("Ingress", "Egress"):
            raise BadField(f"spec.types[{index}]", f"must be Ingress or Egress, got {shown(name)}")
    if types:
        given = {name.capitalize() for name in types}
        return tuple(direction for direction in Direction if direction.value in given), ()
    if stored:
        return tuple(Direction), ()
    if not spec.get("egress"):
        return (Direction.INGRESS,), ()
    if spec.get("ingress"):
        return tuple(Direction), ()
    # An empty list counts as absent for calicoctl and the API server, as present where v3 is served by CRDs.
    return (Direction.EGRESS,), ((Direction.INGRESS,) if "ingress" in spec and spec["ingress"] is not None else ())


def _tier(read: _Read) -> CalicoTier:
    spec = mapping(read.item.get("spec"), "spec")
    known_fields(spec, "spec", ("order", "defaultAction"))
    action = (optional_text(spec.get("defaultAction"), "spec.defaultAction") or "Deny").capitalize()
    if action not in ("Deny", "Pass"):
        raise BadField("spec.defaultAction", f"must be Deny or Pass, got {shown(spec['defaultAction'])}")
    if not read.stored:
        check_case(spec.get("defaultAction"), "spec.defaultAction", ("Deny", "Pass"))
    order = _order(spec.get("order"), stored=read.stored)
    return CalicoTier(read.name, ORDER_OF_A_TIER if order is None else order, action == "Pass")


def _network_set(read: _Read) -> NetworkSet:
    _, item, metadata, namespace, name, _ = read
    spec = mapping(item.get("spec"), "spec")
    known_fields(spec, "spec", ("nets",))
    labels = read_labels(metadata.get("labels"), "metadata.labels")
    return NetworkSet(namespace, name, labels, read_nets(spec.get("nets"), "spec.nets"))


def _host_endpoint(read: _Read) -> HostEndpoint:
    _, item, metadata, _, name, _ = read
    spec = mapping(item.get("spec"), "spec")
    addresses = texts(spec.get("expectedIPs"), "spec.expectedIPs")
    for index, address in enumerate(addresses):
        if not is_ip(address):
            raise BadField(f"spec.expectedIPs[{index}]", f"expected an IP address, got {shown(address)}")
    node = optional_text(spec.get("node"), "spec.node") or ""
    return HostEndpoint(name, node, read_labels(metadata.get("labels"), "metadata.labels"), addresses)


_READERS: dict[str, Callable[[_Read], Any]] = {
    "CalicoNetworkPolicy": _policy,
    "GlobalNetworkPolicy": _policy,
    "StagedNetworkPolicy": _policy,
    "StagedGlobalNetworkPolicy": _policy,
    "StagedKubernetesNetworkPolicy": _staged_kubernetes,
    "Tier": _tier,
    "NetworkSet": _network_set,
    "GlobalNetworkSet": _network_set,
    "HostEndpoint": _host_endpoint,
}
