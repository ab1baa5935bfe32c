"""Which kinds of policy the server has beside NetworkPolicy: by its discovery, in one request where it can do that."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from kubectl_netpol.cluster.decode import as_object, shapes
from kubectl_netpol.concurrency import map_concurrently, start
from kubectl_netpol.errors import ClusterError
from kubectl_netpol.fields import BadField, mapping, objects, optional_text, sequence, shown, text, texts
from kubectl_netpol.model.kinds import KINDS, POLICY_GROUPS, is_built_in, policy_kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_netpol.cluster.api import Api

    _Resource: TypeAlias = tuple[str, str, bool, tuple[str, ...]]  # plural, kind, namespaced, verbs

# What kubectl asks for; a server before 1.26 answers with its groups alone.
_ACCEPT = ",".join(
    [
        *(f"application/json;g=apidiscovery.k8s.io;v={v};as=APIGroupDiscoveryList" for v in ("v2", "v2beta1")),
        "application/json",
    ]
)


class PolicyKind(NamedTuple):
    """A kind that the server has; `name` as `policy_kind` names it, `version` the one to read."""

    name: str
    group: str
    version: str
    plural: str
    namespaced: bool

    @property
    def resource(self) -> str:
        """As in "you may not list ciliumnetworkpolicies.cilium.io"."""
        return f"{self.plural}.{self.group}"

    def path(self, namespace: str | None) -> str:
        """The path of its list, in one namespace or (None) in all."""
        where = f"/namespaces/{namespace}" if namespace else ""
        return f"/apis/{self.group}/{self.version}{where}/{self.plural}"


class Discovered(NamedTuple):
    """`silent`: API groups that do not answer, so that which kinds they have is not known."""

    kinds: tuple[PolicyKind, ...]
    silent: tuple[str, ...] = ()


class Discovery:
    """Asks while the caller does something else."""

    def __init__(self, api: Api) -> None:
        self._found = Discovered(())
        self._error: Exception | None = None
        self._done = threading.Event()
        if not start(partial(self._ask, api)):
            self._ask(api)

    def result(self) -> Discovered:
        """Waits for it. Not knowing which policies there are must not pass for there being none: then an error."""
        self._done.wait()
        if self._error:
            raise self._error
        return self._found

    def _ask(self, api: Api) -> None:
        try:
            self._found = discover(api)
        except Exception as error:  # noqa: BLE001 - raised again in the caller's thread
            self._error = error
        finally:
            self._done.set()


def discover(api: Api) -> Discovered:
    """ClusterError where the server, or a group that has a kind of the table, can't be asked."""
    answer = api.get("/apis", accept=_ACCEPT)
    found: list[PolicyKind] = []
    silent: list[str] = []
    with shapes("response to /apis"):
        answer = as_object(answer)
        _check_whole(answer)
        if "groups" in answer:
            groups = _ask_groups(api, objects(_some(answer["groups"], "groups"), "groups"))
        elif "items" in answer:
            groups = _aggregated(objects(_some(answer["items"], "items"), "items"))
        else:
            raise BadField("", "expected a list of API groups")
        for group, version, resources in groups:
            if resources is None:
                found += _expected(group, version)
                silent += [] if group in POLICY_GROUPS or is_built_in(group) else [group]
            found += _policy_kinds(group, version, resources or ())
    return Discovered(_to_read(found), tuple(dict.fromkeys(silent)))


def _check_whole(answer: dict[str, Any]) -> None:
    """BadField for what is another list, or cut: it would pass for one without policies."""
    kind, expected = answer.get("kind"), "APIGroupList" if "groups" in answer else "APIGroupDiscoveryList"
    if kind not in (None, expected):
        raise BadField("kind", f"expected {expected}, got {shown(kind)}")
    metadata = mapping(answer.get("metadata"), "metadata")
    if metadata.get("continue") or metadata.get("remainingItemCount"):
        raise BadField("metadata", "the list is cut")


def _aggregated(groups: list[dict[str, Any]]) -> Iterator[tuple[str, str, list[_Resource] | None]]:
    """(group, version, resources) of an APIGroupDiscoveryList, the preferred version first.

    Resources None: of a server behind this one that does not answer, and did not before; or of a group of policies
    that has none at all.
    """
    for group in groups:
        name = text(mapping(group.get("metadata"), "metadata").get("name"), "metadata.name")
        versions = _some(group.get("versions"), f"versions of {name}")
        for version in objects(versions or _some(None, f"versions of {name}"), f"versions of {name}"):
            resources = objects(version.get("resources"), f"resources of {name}")
            silent = not resources and (version.get("freshness") == "Stale" or name in POLICY_GROUPS)
            found = None if silent else [_discovered(item, name) for item in resources]
            yield name, text(version.get("version"), f"version of {name}"), found


def _discovered(item: dict[str, Any], group: str) -> _Resource:
    """Where it does not say its kind, that of the table."""
    plural = text(item.get("resource"), "resource")
    kind = optional_text(mapping(item.get("responseKind"), "responseKind").get("kind"), "responseKind.kind")
    known = (one.api for one in KINDS.values() if one.resource == plural and group in one.groups)
    namespaced = text(item.get("scope"), "scope") == "Namespaced"
    return plural, kind or next(known, ""), namespaced, texts(_some(item.get("verbs"), "verbs"), "verbs")


def _some(value: Any, path: str) -> list[Any]:
    """A list that is there: one without it would pass for one without policies."""
    if value is None:
        raise BadField(path, "is missing")
    return sequence(value, path)


def _ask_groups(api: Api, groups: list[dict[str, Any]]) -> Iterator[tuple[str, str, list[_Resource] | None]]:
    """(group, version, resources) of the groups of an APIGroupList that may have such kinds.

    Resources None: of a group that does not say which it has.
    """
    wanted = []
    for group in groups:
        name = text(group.get("name"), "groups.name")
        preferred = mapping(group.get("preferredVersion"), "preferredVersion")
        entries = [preferred, *objects(group.get("versions"), "versions")]
        versions = dict.fromkeys(text(entry.get("version"), f"version of {name}") for entry in entries)
        if name in POLICY_GROUPS or not is_built_in(name):
            wanted += [(name, version) for version in versions]

    def ask(place: tuple[str, str]) -> list[_Resource] | None:
        path = f"/apis/{place[0]}/{place[1]}"
        try:
            answer = api.get(path)
            with shapes(f"response to {path}"):
                return [_listed(item) for item in objects(answer["resources"], "resources")]
        except (ClusterError, KeyError) as error:
            if place[0] in POLICY_GROUPS and not isinstance(error, KeyError):
                raise
            return None

    for (name, version), resources in zip(wanted, map_concurrently(ask, wanted), strict=True):
        yield name, version, resources


def _listed(item: dict[str, Any]) -> _Resource:
    verbs = texts(_some(item.get("verbs"), "verbs"), "verbs")
    return text(item.get("name"), "name"), text(item.get("kind"), "kind"), item.get("namespaced") is True, verbs


def _policy_kinds(group: str, version: str, resources: Iterable[_Resource]) -> Iterator[PolicyKind]:
    for plural, kind, namespaced, verbs in resources:
        name = policy_kind(kind, group)
        if name and "/" not in plural and "list" in verbs:
            yield PolicyKind(name, group, version, plural, namespaced)


def _expected(group: str, version: str) -> Iterator[PolicyKind]:
    """The kinds of a group that does not say which it has; listing them says why."""
    for name, kind in KINDS.items():
        if policy_kind(kind.api, group) == name:  # not for a kind that only others have
            yield PolicyKind(name, group, version, kind.resource, kind.namespaced)


def _to_read(found: Iterable[PolicyKind]) -> tuple[PolicyKind, ...]:
    """Each kind once: in the first of its groups and the version that the table has, or else the server prefers."""
    chosen: dict[str, PolicyKind] = {}
    for one in found:
        other = chosen.get(one.name)
        if other is None or _rank(one) < _rank(other):
            chosen[one.name] = one
    return tuple(chosen.values())


def _rank(one: PolicyKind) -> tuple[int, bool]:
    kind = KINDS.get(one.name)
    return (kind.groups.index(one.group), one.version != kind.version) if kind else (0, False)
