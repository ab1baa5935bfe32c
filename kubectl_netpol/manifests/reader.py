"""Reads YAML, JSON and the API server's lists into one Snapshot.

What can't be read is a ManifestError that names source, document, object and field.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from kubectl_netpol.errors import ManifestError
from kubectl_netpol.fields import BadField, mapping, sequence, shown, text
from kubectl_netpol.manifests.objects import (
    read_endpoint_slice,
    read_namespace,
    read_node,
    read_service,
    read_service_account,
)
from kubectl_netpol.manifests.pods import read_pod, workload_reader
from kubectl_netpol.model.kinds import (
    BESIDE,
    KINDS,
    PLUGINS,
    TIERED,
    UNEVALUATED,
    WORKLOADS,
    is_built_in,
    kind_of,
    meant_kind,
    policy_kind,
)
from kubectl_netpol.model.objects import Owner, Pod, Workload
from kubectl_netpol.model.policies import Policy, UnevaluatedPolicy
from kubectl_netpol.model.snapshot import Gap, Snapshot
from kubectl_netpol.policies.networkpolicy import read_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kubectl_netpol.policies.meta import Object

SUITE = ("netpol/v1", "TestSuite")
_DEEPEST = 8


class Reader:
    """Collects objects for one Snapshot. Of an object given twice the last one counts, as in kubectl apply."""

    def __init__(self, *, default_namespace: str = "default", live: bool = False, plugin: str | None = None) -> None:
        """`default_namespace`: of objects without one. `live`: from an API server, where workloads have real pods.

        `plugin`: as in Snapshot; of files, where it is not given, the one whose own kinds are among them.
        """
        self.default_namespace = default_namespace
        self.live = live
        self.plugin = plugin
        self.skipped: Counter[str] = Counter()
        self._found: dict[str, dict[tuple[str, str], Any]] = {}
        self._depth = 0
        self._only_calico: tuple[str, str, str, BadField] | None = None

    def add_text(self, content: str, source: str) -> None:
        """Add every object of a YAML stream or JSON text. `source` names it in errors."""
        for number, document in enumerate(_documents(content, source), 1):
            if document is not None:
                self._add_document(document, f"{source}, document {number}")

    def add_items(self, kind: str, items: Iterable[Object]) -> None:
        """Add the items of an API server's list, which have no kind of their own.

        `kind`: its name in `model.kinds`, or as `policy_kind` names it.
        """
        for item in items:
            self._add(kind, item, "the API server's response")

    def found(self, *kinds: str) -> list[Any]:
        """What has been read of these kinds so far."""
        return [item for kind in kinds for item in self._found.get(kind, {}).values()]

    def snapshot(self, gaps: Iterable[Gap] = ()) -> Snapshot:
        def found(kind: str) -> list[Any]:
            return list(self._found.get(kind, {}).values())

        if self._only_calico and self.plugin != "Calico":
            raise _invalid(*self._only_calico)
        workloads = [workload for kind in WORKLOADS for workload in found(kind)]
        pods = found("Pod")
        if not self.live:
            pods += _templates(workloads, pods)
        return Snapshot(
            namespaces=found("Namespace"),
            pods=pods,
            policies=found("NetworkPolicy"),
            services=found("Service"),
            endpoint_slices=found("EndpointSlice"),
            nodes=found("Node"),
            workloads=workloads,
            tiered=[policy for kind in TIERED for policy in found(kind) if isinstance(policy, Policy)],
            unevaluated=[
                policy
                for kind in (*TIERED, *UNEVALUATED, *(kind for kind in self._found if kind not in KINDS))
                for policy in found(kind)
                if isinstance(policy, UnevaluatedPolicy)
            ],
            gaps=gaps,
            plugin=self.plugin or None,
            plugin_objects=self._plugin_objects(),
        )

    def _plugin_objects(self) -> list[Any]:
        kinds = (*PLUGINS.get(self.plugin, ()), "ServiceAccount") if self.plugin else ()
        return [item for item in self.found(*kinds) if not isinstance(item, UnevaluatedPolicy)]

    def _add_document(self, document: Any, where: str) -> None:
        if not isinstance(document, dict):
            got = "text" if isinstance(document, str) else shown(document)  # a text can be a whole file
            raise ManifestError(f"{where}: expected an object with apiVersion and kind, got {got}")
        kind = document.get("kind")
        version = document.get("apiVersion")
        if not isinstance(kind, str) or not isinstance(version, str) or not kind or not version:
            raise ManifestError(f"{where}: apiVersion or kind is missing")
        if kind.endswith("List") and "items" in document:
            self._add_list(document, where)
            return
        if (version, kind) == SUITE:
            raise ManifestError(f"{where}: a TestSuite is not a manifest", "kubectl netpol test -F FILE")
        group = version.rpartition("/")[0]
        if known := kind_of(kind, version):
            self._add(known.name, document, where)
        elif (meant := KINDS.get(kind)) and meant.version and is_built_in(group):
            raise ManifestError(f"{where}: no kind {kind} in apiVersion {version}", f"write {meant.api_version}")
        elif meant := meant_kind(kind, group):
            right = f"kind: {meant.api}" if group in meant.groups else f"{meant.api} of {meant.groups[0]}"
            raise ManifestError(f"{where}: no kind {kind} in apiVersion {version}", f"did you mean {right}?")
        elif name := policy_kind(kind, group):
            self._add(name, document, where)
        else:
            self.skipped[kind] += 1

    def _add_list(self, document: Object, where: str) -> None:
        if self._depth == _DEEPEST:
            raise ManifestError(f"{where}: lists are nested too deeply")
        try:
            items = sequence(document["items"], "items")
        except BadField as error:
            raise ManifestError(f"{where}: {error}", error.hint) from None
        self._depth += 1
        for index, item in enumerate(items):
            inner = item if not isinstance(item, dict) or "kind" in item else {**_typed(document), **item}
            self._add_document(inner, f"{where}, items[{index}]")
        self._depth -= 1

    def _add(self, kind: str, item: Object, where: str) -> None:
        name = "?"
        try:
            metadata = mapping(item.get("metadata"), "metadata")
            given = metadata.get("name")
            name = text(metadata.get("generateName") if given in (None, "") else given, "metadata.name")
            namespace = self._namespace(kind, metadata)
            if kind in _READERS:
                found = _READERS[kind](item, metadata, namespace, name)
            elif kind in TIERED:
                found = self._tiered(kind, item, metadata, name, where)
            elif self._plugin_of(kind):
                found = self._of_plugin(kind, item, metadata, namespace, name)
            elif kind in BESIDE:
                found = None
                self.skipped[KINDS[kind].api] += 1
            else:
                found = self._unevaluated(kind, item, namespace, name)
        except BadField as error:
            raise _invalid(where, kind, name, error) from None
        if found is not None:
            self._found.setdefault(kind, {})[namespace, name] = found

    def _namespace(self, kind: str, metadata: Object) -> str:
        """An empty one for an object that is in none. A kind that is not known may be of either scope."""
        known = KINDS.get(kind)
        if known and not known.namespaced:
            return ""
        namespace = metadata.get("namespace") or (self.default_namespace if known else "")
        return text(namespace, "metadata.namespace") if namespace else ""

    def _tiered(self, kind: str, item: Object, metadata: Object, name: str, where: str) -> Policy | UnevaluatedPolicy:
        """On a cluster, a policy of a later version than this program knows stops nothing: it is not evaluated."""
        from kubectl_netpol.policies.tiers import read_tiered  # noqa: PLC0415 - 3 ms, and most clusters have none
        from kubectl_netpol.policies.unevaluated import unread_tiered  # noqa: PLC0415 - the same

        try:
            return read_tiered(kind, item, metadata, name, lenient=self.live, names=self.plugin == "Calico")
        except BadField as error:
            if self.live:
                return unread_tiered(kind, item, name, str(error))
            found = read_tiered(kind, item, metadata, name, names=True)  # as Calico does: it drops such a rule
            self._only_calico = self._only_calico or (where, kind, name, error)
            return found

    def _plugin_of(self, kind: str) -> str | None:
        """The plugin that has the kind, if it is the one that decides."""
        plugin = next((plugin for plugin, kinds in PLUGINS.items() if kind in kinds), None)
        if plugin and self.plugin is None and not self.live:
            self.plugin = plugin
        return plugin if plugin == self.plugin else None

    def _of_plugin(self, kind: str, item: Object, metadata: Object, namespace: str, name: str) -> Any:
        """An object of the plugin that runs; on a cluster, one that can't be read is not evaluated."""
        try:
            if self.plugin == "Cilium":
                from kubectl_netpol.policies.cilium_rules import read_cilium_policy  # noqa: PLC0415 - where Cilium runs

                return read_cilium_policy(kind, item, metadata, name, namespace)
            from kubectl_netpol.policies.calico_objects import read_calico_object  # noqa: PLC0415 - where Calico runs

            return read_calico_object(kind, item, metadata, namespace, name, stored=self.live)
        except BadField as error:
            if not self.live:
                raise
            found = self._unevaluated(kind, item, namespace, name)
            return found and found._replace(because=str(error))

    def _unevaluated(self, kind: str, item: Object, namespace: str, name: str) -> UnevaluatedPolicy | None:
        """On a cluster, one that can't be read stops nothing either."""
        from kubectl_netpol.policies.unevaluated import read_unevaluated, unread_policy  # noqa: PLC0415 - the same

        try:
            return read_unevaluated(kind, item, name, namespace)
        except BadField:
            if not self.live:
                raise
            return unread_policy(kind, name, namespace)


def _invalid(where: str, kind: str, name: str, error: BadField) -> ManifestError:
    return ManifestError(f"{where} ({kind} {name}): {error}", error.hint)


def _templates(workloads: list[Workload], pods: list[Pod]) -> list[Pod]:
    """The planned pods: of workloads that no other workload controls and that have no pods of their own yet."""
    known = {(workload.namespace, Owner(workload.kind, workload.name)) for workload in workloads}
    owners = {(pod.namespace, pod.owner) for pod in pods}
    found = []
    for workload in workloads:
        own = (workload.namespace, Owner(workload.kind, workload.name))
        owner = (workload.namespace, workload.template.owner)
        if workload.scaled_down or own in owners or (owner != own and owner in known):
            continue
        running = (pod for pod in pods if not pod.planned and pod.namespace == workload.namespace)
        if not workload.selector or not any(workload.selector.matches(pod.labels) for pod in running):
            found.append(workload.template)
    return found


def _documents(content: str, source: str) -> Iterator[Any]:
    content = content.removeprefix("\ufeff")
    if content.lstrip()[:1] in ("{", "["):
        try:
            yield json.loads(content, object_pairs_hook=_object)
        except ValueError:  # flow-style YAML, several JSON documents, or a duplicate key, which the YAML loader names
            pass
        except RecursionError:
            raise ManifestError(f"{source}, document 1: nested too deeply") from None
        else:
            return
    from kubectl_netpol.manifests.yaml_text import load_all  # noqa: PLC0415 - PyYAML costs 15 ms and JSON does not need it

    yield from load_all(content, source)


def _object(pairs: list[tuple[str, Any]]) -> Object:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _typed(lists: Object) -> Object:
    """The apiVersion and kind that the items of a typed list (PodList) leave out."""
    return {"apiVersion": lists["apiVersion"], "kind": lists["kind"].removesuffix("List")}


_READERS: dict[str, Callable[[Object, Object, str, str], Any]] = {
    "Namespace": read_namespace,
    "Node": read_node,
    "Pod": read_pod,
    "Service": read_service,
    "EndpointSlice": read_endpoint_slice,
    "ServiceAccount": read_service_account,
    "NetworkPolicy": read_policy,
    **{kind: workload_reader(kind) for kind in WORKLOADS},
}
