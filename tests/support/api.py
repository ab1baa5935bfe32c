"""An API server in this process, for code that takes an Api: lists and objects by path, and a clock."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

from kubectl_netpol.errors import ClusterError, ForbiddenError, NotFoundError
from kubectl_netpol.model.kinds import KINDS, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from kubectl_netpol.cluster.api import Api

Object = dict[str, Any]


class FakeApi:
    """Answers with what is at a path: a list of items, an object, or an error to raise.

    A list that is not there is empty, an object that is not there is a NotFoundError. `asked` has every path.
    """

    def __init__(self, found: Mapping[str, Any] | None = None, *, now: float | None = None) -> None:
        self.found: dict[str, Any] = {"/apis": groups(), **(found or {})}
        self.asked: list[str] = []
        self.patched: list[tuple[str, Any]] = []
        self.clock = now

    @property
    def api(self) -> Api:
        return cast("Api", self)

    def prepare(self) -> None:
        """There is nothing to connect to."""

    def read_ahead(self, paths: Iterable[str]) -> None:
        """There is nothing to wait for."""

    def get(self, path: str, *, accept: str = "") -> Any:
        assert accept.startswith("application/json;g=apidiscovery.k8s.io;v=v2;") == (path == "/apis")
        return self._answer(path, NotFoundError(f"{path} not found"))

    def list(
        self, path: str, read: Callable[[Object], Any] | None = None, *, query: Sequence[Any] = (), accept: str = ""
    ) -> Any:
        """`metadata` asked for is answered with that alone, and without what the field selector leaves out."""
        found = self._answer(path, [])
        if "PartialObjectMetadata" in accept:
            assert dict(query)["fieldSelector"].count("!=") == 2
            found = [{"metadata": item["metadata"]} for item in found if _is_running(item)]
        return list(map(read, found)) if read else found

    def gather(self, paths: Mapping[Any, str], read: Callable[[Any, Object], Any] | None = None) -> dict[Any, Any]:
        def one(key: Any) -> Any:
            try:
                return self.list(paths[key], partial(read, key) if read else None)
            except (ForbiddenError, NotFoundError) as error:
                return error

        return {key: one(key) for key in paths}

    def patch(self, path: str, body: Any, _content_type: str) -> Any:
        self.patched.append((path, body))
        return self._answer(path, {})

    def now(self) -> float | None:
        return self.clock

    def _answer(self, path: str, missing: Any) -> Any:
        self.asked.append(path)
        answer = self.found.get(path, missing)
        if isinstance(answer, ClusterError):
            raise answer
        return answer


def _is_running(item: Object) -> bool:
    finished = (item.get("status") or {}).get("phase") in ("Succeeded", "Failed")
    return not finished and not (item.get("spec") or {}).get("hostNetwork")


def forbidden(path: str) -> ForbiddenError:
    """What RBAC answers a list at this path with."""
    *front, resource = path.split("/")
    namespace = front[-1] if front[-2:-1] == ["namespaces"] else None
    return ForbiddenError("forbidden", verb="list", resource=resource, namespace=namespace)


def groups(**versions: str) -> Object:
    """An answer of /apis: these groups with the kinds of the table that they have, in each of their versions.

    Dots in the groups' names are written as underscores, "v2 v2alpha1" is two versions.
    """
    found = []
    for written, words in versions.items():
        name = written.replace("_", ".")
        kinds = [kind for kind in KINDS.values() if name in kind.groups]
        resources = [resource(kind.api, kind.resource, namespaced=kind.namespaced) for kind in kinds]
        found.append(group(name, **dict.fromkeys(words.split(), resources)))
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": found}


def group(name: str, **versions: list[Object]) -> Object:
    """A group of an aggregated discovery, the resources by version."""
    listed = [{"version": version, "resources": found, "freshness": "Current"} for version, found in versions.items()]
    return {"metadata": {"name": name}, "versions": listed}


def resource(kind: str, plural: str, *, namespaced: bool = True, verbs: str = "get list") -> Object:
    """A resource of an aggregated discovery."""
    return {
        "resource": plural,
        "responseKind": {"group": "", "version": "", "kind": kind},
        "scope": "Namespaced" if namespaced else "Cluster",
        "verbs": verbs.split(),
    }


def lists(objects: Iterable[Object]) -> dict[str, list[Object]]:
    """The objects as an API server lists them: by namespace and in all, without kind and apiVersion."""
    found: dict[str, list[Object]] = {}
    for item in objects:
        kind = kind_of(item["kind"], item["apiVersion"])
        assert kind, item
        bare = {key: value for key, value in item.items() if key not in ("kind", "apiVersion")}
        for namespace in {None, item["metadata"].get("namespace")}:
            found.setdefault(kind.path(namespace), []).append(bare)
    return found
