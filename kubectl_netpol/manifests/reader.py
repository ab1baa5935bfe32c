"""Reads YAML, JSON and the API server's lists into one Snapshot.

What can't be read is a ManifestError that names source, document, object and field.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from kubectl_netpol.errors import ManifestError
from kubectl_netpol.fields import BadField, known_fields, mapping, sequence, shown, text
from kubectl_netpol.manifests.json_text import is_json, load_stream
from kubectl_netpol.manifests.objects import (
    read_endpoint_slice,
    read_endpoints,
    read_namespace,
    read_node,
    read_service,
    read_service_account,
)
from kubectl_netpol.manifests.pods import read_pod, workload_reader
from kubectl_netpol.manifests.replicas import Named, replicas_of
from kubectl_netpol.manifests.strict import check_object, check_read, check_times
from kubectl_netpol.model.kinds import (
    BESIDE,
    KINDS,
    PLUGINS,
    STAGED,
    TIERED,
    UNEVALUATED,
    WORKLOADS,
    kind_of,
    meant_kind,
    policy_kind,
    right_version,
)
from kubectl_netpol.model.policies import Policy, UnevaluatedPolicy
from kubectl_netpol.model.snapshot import Gap, Snapshot
from kubectl_netpol.model.workloads import planned_pods, without_missing_owners
from kubectl_netpol.policies.meta import labels_or_any
from kubectl_netpol.policies.networkpolicy import read_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kubectl_netpol.model.objects import EndpointSlice, Workload
    from kubectl_netpol.policies.meta import Object

    Read: TypeAlias = "tuple[str, str, Any]"  # namespace, name, and what it is

SUITE = ("netpol/v1", "TestSuite")
_DEEPEST = 8


class Reader:
    """Collects objects for one Snapshot. Of an object given twice the last one counts, as in kubectl apply."""

    def __init__(
        self,
        *,
        default_namespace: str = "default",
        live: bool = False,
        plugin: str | None = None,
        named: Named | None = None,
    ) -> None:
        """`default_namespace`: of objects without one. `live`: from an API server, where workloads have real pods.

        `plugin`: as in Snapshot; of files, where it is not given, the one whose own kinds are among them.
        `named`: labels of controllers that policies read elsewhere name.
        """
        self.default_namespace = default_namespace
        self.live = live
        self.plugin = plugin
        self.skipped: Counter[str] = Counter()
        self._found: dict[str, dict[tuple[str, str], Any]] = {}
        self._odd: dict[tuple[str, str], UnevaluatedPolicy] = {}  # NetworkPolicies with a peer that can't be read
        self._named = Named(named or {})
        self._naming: list[Object] = []  # policies not yet looked at for what they name
        self._given: dict[tuple[str, tuple[str, str]], Object] = {}  # workloads
        self._gaps: list[Gap] = []
        self._depth = 0
        self._generated: dict[tuple[str, str], int] = {}
        self._adding = ""  # the name of the object that is being added
        self._only_calico: tuple[str, str, str, BadField] | None = None

    def add_text(self, content: str, source: str) -> None:
        """Add every object of a YAML stream or JSON text. `source` names it in errors."""
        for number, document in enumerate(_documents(content, source), 1):
            if document is not None:
                self._add_document(document, f"{source}, document {number}")

    def add_found(self, content: str, source: str) -> bool:
        """Add the objects of a file that was found in a folder; False, and nothing added, where it is no manifest.

        Those are a chart's templates, and what has neither apiVersion nor kind: values.yaml, package.json.
        """
        template = "{{" in content
        try:
            documents = list(_documents(content, source))
            if template:
                Reader(default_namespace=self.default_namespace, plugin=self.plugin).add_text(content, source)
        except ManifestError:
            if template or "apiVersion" not in content:
                return False
            raise
        found = [document for document in documents if document is not None]
        if found and not any(isinstance(one, dict) and "apiVersion" in one and "kind" in one for one in found):
            return False
        self.add_text(content, source)
        return True

    def add_items(self, kind: str, items: Iterable[Object]) -> None:
        """Add the items of an API server's list, which have no kind of their own.

        `kind`: its name in `model.kinds`, or as `policy_kind` names it.
        """
        for item in items:
            if self.live:
                self.take(kind, [self.read_item(kind, item, self.default_namespace)])
            else:
                self._add(kind, item, "the API server's response")

    def read_item(self, kind: str, item: Object, listed_in: str | None = None) -> Read:
        """An item of an API server's list, for `take`. BadField for one that is no object of the API at all.

        One with a field that can't be read stops nothing: a policy may decide, and the lack of another is a gap.
        `listed_in`: the namespace of the list.
        """
        metadata, name = _named(item)
        check_times(metadata)
        namespace = self._namespace(kind, metadata, listed_in or "")
        try:
            return namespace, name, self._value(kind, item, metadata, (namespace, name), "")
        except (BadField, RecursionError) as error:
            because = str(error) if isinstance(error, BadField) else "nested too deeply"
            title = "/".join(filter(None, (namespace, KINDS[kind].short, name)))
            message = f"{title} can't be read: {because}"
            if kind in STAGED:  # never enforced
                return namespace, name, None
            if kind in BESIDE:  # rules of any namespace may speak of it
                return namespace, name, Gap(KINDS[kind].resource, None, message, policy_kind=kind, name=name)
            where = name if kind == "Namespace" else namespace or None
            return namespace, name, Gap(KINDS[kind].resource, where, message, name=name, labels=labels_or_any(metadata))

    def take(self, kind: str, found: Iterable[Read]) -> None:
        """Add what `read_item` returned."""
        for namespace, name, value in found:
            if isinstance(value, Gap):
                self._gaps.append(value)
            elif value is not None:
                self._found.setdefault(kind, {})[namespace, name] = value

    def found(self, *kinds: str) -> list[Any]:
        """What has been read of these kinds so far."""
        return [item for kind in kinds for item in self._found.get(kind, {}).values()]

    @property
    def named(self) -> Named:
        """The labels of controllers that the policies read so far name, and those of `named`."""
        for item in self._naming:
            self._named.add({field: value for field, value in item.items() if field != "metadata"})
        self._naming.clear()
        return self._named

    def kinds(self) -> tuple[str, ...]:
        """The kinds of which something has been read so far."""
        return tuple(self._found)

    def snapshot(self, gaps: Iterable[Gap] = ()) -> Snapshot:
        if self._only_calico and self.plugin != "Calico":
            raise _invalid(*self._only_calico)
        if self.plugin == "Cilium" and self._odd:  # nothing in its reading of a rule can be unknown
            self._found["NetworkPolicy"].update(self._odd)
        workloads = [workload for kind in WORKLOADS for workload in self._workloads(kind)]
        pods = self.found("Pod")
        if not self.live:
            workloads = without_missing_owners(workloads)
            pods += planned_pods(workloads, pods)
        return Snapshot(
            namespaces=self.found("Namespace"),
            pods=pods,
            policies=[policy for policy in self.found("NetworkPolicy") if isinstance(policy, Policy)],
            services=self.found("Service"),
            endpoint_slices=self._endpoint_slices(),
            nodes=self.found("Node"),
            workloads=workloads,
            tiered=[policy for kind in TIERED for policy in self.found(kind) if isinstance(policy, Policy)],
            unevaluated=[
                policy
                for kind in (
                    "NetworkPolicy",
                    *TIERED,
                    *UNEVALUATED,
                    *(kind for kind in self._found if kind not in KINDS),
                )
                for policy in self.found(kind)
                if isinstance(policy, UnevaluatedPolicy)
            ],
            gaps=[*gaps, *self._gaps],
            plugin=self.plugin or None,
            plugin_objects=self._plugin_objects(),
        )

    def _workloads(self, kind: str) -> list[Workload]:
        """With the replicas that policies tell apart."""
        found = self._found.get(kind, {})
        if not found or not self.named:
            return list(found.values())
        return [
            workload._replace(replicas=replicas_of(kind, self._given[kind, key], workload.template, self.named))
            for key, workload in found.items()
        ]

    def _endpoint_slices(self) -> list[EndpointSlice]:
        """Endpoints count for a Service of which no EndpointSlice was read: the server copies them into one."""
        slices: list[EndpointSlice] = self.found("EndpointSlice")
        with_slices = {(one.namespace, one.service) for one in slices}
        copied = (one for found in self.found("Endpoints") for one in found)
        return [*slices, *(one for one in copied if (one.namespace, one.service) not in with_slices)]

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
        if kind.endswith("List") and ("items" in document or kind == "List" or kind_of(kind[:-4], version)):
            self._add_list(document, where)
            return
        if (version, kind) == SUITE:
            raise ManifestError(f"{where}: a TestSuite is not a manifest", "kubectl netpol test -F FILE")
        group = version.rpartition("/")[0]
        if known := kind_of(kind, version):
            self._add(known.name, document, where)
        elif right := right_version(kind, version):
            raise ManifestError(f"{where}: no kind {kind} in apiVersion {version}", f"write {right}")
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
            items = _items(document)
        except BadField as error:
            raise ManifestError(f"{where}: {error}", error.hint) from None
        self._depth += 1
        for index, item in enumerate(items):
            inner = item if not isinstance(item, dict) or "kind" in item else {**_typed(document), **item}
            self._add_document(inner, f"{where}, items[{index}]")
        self._depth -= 1

    def _add(self, kind: str, item: Object, where: str) -> None:
        """Of several with the same generateName, each is kept by a name of its own."""
        name = "?"
        try:
            if self.live:
                self.take(kind, [self.read_item(kind, item, self.default_namespace)])
                return
            metadata, name = _named(item)
            if not metadata.get("name"):
                number = self._generated[kind, name] = self._generated.get((kind, name), 0) + 1
                name = name if number == 1 else f"{name}#{number}"
            self._adding = name
            check_object(kind, item)
            namespace = self._namespace(kind, metadata, self.default_namespace)
            found = self._value(kind, item, metadata, (namespace, name), where)
            if kind in _READERS:
                check_read(kind, item, found)
        except BadField as error:
            raise _invalid(where, kind, name, error) from None
        self.take(kind, [(namespace, name, found)])
        if found is not None:
            self._remember(kind, item, (namespace, name))

    def _remember(self, kind: str, item: Object, key: tuple[str, str]) -> None:
        """What tells the replicas of a workload apart."""
        if kind in WORKLOADS:
            self._given[kind, key] = item
        elif kind not in _READERS:
            self._naming.append(item)

    def _value(self, kind: str, item: Object, metadata: Object, key: tuple[str, str], where: str) -> Any:
        """What it is in a snapshot, None for what is not in it."""
        namespace, name = key
        if kind in _READERS:
            return _READERS[kind](item, metadata, namespace, name)
        if kind in TIERED:
            return self._tiered(kind, item, metadata, name, where)
        return self._policy(kind, item, metadata, namespace, name)

    def _namespace(self, kind: str, metadata: Object, default: str) -> str:
        """An empty one for an object that is in none. A kind that is not known may be of either scope."""
        known = KINDS.get(kind)
        if known and not known.namespaced:
            return ""
        namespace = metadata.get("namespace") or (default if known else "")
        return text(namespace or None, "metadata.namespace") if namespace or known else ""

    def _policy(self, kind: str, item: Object, metadata: Object, namespace: str, name: str) -> Any:
        """A NetworkPolicy, or an object of a kind that not every cluster has; None for one that does not matter."""
        if kind == "NetworkPolicy":
            return self._networkpolicy(item, metadata, namespace, name)
        if self._plugin_of(kind):
            return self._of_plugin(kind, item, metadata, namespace, name)
        if kind in BESIDE:
            self.skipped[KINDS[kind].api] += 1
            return None
        return self._unevaluated(kind, item, namespace, name)

    def _networkpolicy(self, item: Object, metadata: Object, namespace: str, name: str) -> Policy | UnevaluatedPolicy:
        """On a cluster, one of a later version, or that an older server took, stops nothing."""
        try:
            return read_policy(item, metadata, namespace, name)
        except BadField as error:
            if not self.live:
                raise
            from kubectl_netpol.policies.unevaluated import unread_networkpolicy  # noqa: PLC0415 - as below

            try:
                found = read_policy(item, metadata, namespace, name, lenient=True)
            except BadField:
                found = None
            unread = unread_networkpolicy(item, name, namespace, str(error))
            if found:
                self._odd[namespace, name] = unread
            return found or unread

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
            if not self.live or kind in BESIDE:
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


def _named(item: Object) -> tuple[Object, str]:
    """Its metadata, and the name in it."""
    metadata = mapping(item.get("metadata"), "metadata")
    given = metadata.get("name")
    return metadata, text(metadata.get("generateName") if given in (None, "") else given, "metadata.name")


def _items(document: Object) -> list[Any]:
    if "items" not in document:
        known_fields(document, "", ("apiVersion", "kind", "metadata", "items"))
        raise BadField("items", "is missing")
    return sequence(document["items"], "items")


def _invalid(where: str, kind: str, name: str, error: BadField) -> ManifestError:
    return ManifestError(f"{where} ({kind} {name}): {error}", error.hint)


def _documents(content: str, source: str) -> Iterator[Any]:
    content = content.removeprefix("\ufeff")
    if is_json(content):
        try:
            found = list(load_stream(content))
        except ValueError:  # flow-style YAML, or a duplicate key, which the YAML loader names
            pass
        except RecursionError:
            raise ManifestError(f"{source}, document 1: nested too deeply") from None
        else:
            yield from found
            return
    from kubectl_netpol.manifests.yaml_text import load_all  # noqa: PLC0415 - PyYAML costs 15 ms and JSON does not need it

    yield from load_all(content, source, _matters)


@lru_cache(maxsize=1024)  # comparing names costs 0.5 ms
def _matters(version: str, kind: str) -> bool:
    """Whether an object of this kind says more than that it is there."""
    group = version.rpartition("/")[0]
    known = kind in KINDS or kind.endswith("List") or kind_of(kind, version) or policy_kind(kind, group)
    return bool(known or meant_kind(kind, group))


def _typed(lists: Object) -> Object:
    """The apiVersion and kind that the items of a typed list (PodList) leave out."""
    return {"apiVersion": lists["apiVersion"], "kind": lists["kind"].removesuffix("List")}


_READERS: dict[str, Callable[[Object, Object, str, str], Any]] = {
    "Namespace": read_namespace,
    "Node": read_node,
    "Pod": read_pod,
    "Service": read_service,
    "Endpoints": read_endpoints,
    "EndpointSlice": read_endpoint_slice,
    "ServiceAccount": read_service_account,
    **{kind: workload_reader(kind) for kind in WORKLOADS},
}
