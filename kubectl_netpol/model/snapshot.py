"""The snapshot: everything that was read from a cluster or from manifests, and look-ups in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kubectl_netpol.model.addresses import parse_ip
from kubectl_netpol.model.kinds import PLUGINS
from kubectl_netpol.model.objects import EndpointSlice, Namespace, Node, Pod, Service, Workload
from kubectl_netpol.model.selectors import METADATA_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kubectl_netpol.model.policies import Policy, UnevaluatedPolicy
    from kubectl_netpol.model.selectors import LabelSelector


class Scope(NamedTuple):
    """What a question needs of a cluster: the objects of `namespaces`, of the resources in `everywhere` all of them.

    `services_in`: namespaces whose Services and pods are needed besides. `peers`: of the pods in all other namespaces
    only whether peers of the policies match them is needed.
    """

    namespaces: frozenset[str]
    everywhere: frozenset[str] = frozenset()
    nodes: bool = False
    workloads: bool = False
    services_in: frozenset[str] = frozenset()
    endpoints: bool = True
    peers: bool = False


class Gap(NamedTuple):
    """Objects that could not be read: those of one namespace, or (None) of every namespace that is not in `readable`.

    `policy_kind`: the kind of policy, other than NetworkPolicy, that they are of; `after`: one that is asked last.
    `unknown_kind`: they are of a kind that is not known and may decide: a caveat.
    `name`: it is only the object of this name, which has a field that can't be read; `labels`: its labels, if they can.
    """

    resource: str
    namespace: str | None
    message: str
    readable: frozenset[str] = frozenset()
    policy_kind: str = ""
    after: bool = False
    unknown_kind: bool = False
    name: str = ""
    labels: Mapping[str, str] | None = None

    def may_match(self, selector: LabelSelector) -> bool:
        """Whether an object that it leaves out may have labels that the selector matches."""
        return self.labels is None or selector.matches(self.labels)

    def hides(self, namespace: str | None) -> bool:
        """Whether it leaves out objects of that namespace, or (None) of any."""
        if namespace is None:
            return True
        return namespace not in self.readable if self.namespace is None else self.namespace == namespace


class Snapshot:
    """Immutable. What could not be read is a gap, not an empty list.

    `plugin`: the network plugin whose reading of the policies is the verdict (Cilium, Calico); None: the API's.
    `plugin_objects`: the objects of its own kinds. `memo`: what the engine has worked out of all this.

    `policies`: NetworkPolicies. `tiered`: policies of the Admin and Baseline tiers. `unevaluated`: of other kinds.
    """

    __slots__ = (
        "_pods_by_key",
        "_pods_by_namespace",
        "_policies_by_namespace",
        "endpoint_slices",
        "gaps",
        "memo",
        "namespaces",
        "nodes",
        "plugin",
        "plugin_objects",
        "pods",
        "policies",
        "services",
        "tiered",
        "unevaluated",
        "workloads",
    )

    def __init__(
        self,
        *,
        namespaces: Iterable[Namespace] = (),
        pods: Iterable[Pod] = (),
        policies: Iterable[Policy] = (),
        services: Iterable[Service] = (),
        endpoint_slices: Iterable[EndpointSlice] = (),
        nodes: Iterable[Node] = (),
        workloads: Iterable[Workload] = (),
        tiered: Iterable[Policy] = (),
        unevaluated: Iterable[UnevaluatedPolicy] = (),
        gaps: Iterable[Gap] = (),
        plugin: str | None = None,
        plugin_objects: Iterable[Any] = (),
    ) -> None:
        self.namespaces = {namespace.name: namespace for namespace in namespaces}
        self.pods = tuple(pods)
        self.policies = tuple(policies)
        self.services = tuple(services)
        self.endpoint_slices = tuple(endpoint_slices)
        self.nodes = tuple(nodes)
        self.workloads = tuple(workloads)
        self.tiered = tuple(tiered)
        self.unevaluated = tuple(unevaluated)
        self.gaps = tuple(gaps)
        self.plugin = plugin
        self.memo: dict[str, Any] = {}
        self.plugin_objects = tuple(plugin_objects)
        self._pods_by_namespace: dict[str, list[Pod]] = {}
        self._pods_by_key: dict[tuple[str, str], Pod] = {}
        for pod in self.pods:
            self._pods_by_namespace.setdefault(pod.namespace, []).append(pod)
            # A template has its workload's name, and comes after the pods.
            self._pods_by_key.setdefault((pod.namespace, pod.name), pod)
        self._policies_by_namespace: dict[str, list[Policy]] = {}
        for policy in self.policies:
            self._policies_by_namespace.setdefault(policy.namespace, []).append(policy)

    def namespace(self, name: str) -> Namespace:
        """The namespace; if it was not read, an incomplete one with the label that the API server always sets."""
        return self.namespaces.get(name) or Namespace(name, {METADATA_NAME: name}, complete=False)

    def pod(self, namespace: str, name: str) -> Pod | None:
        return self._pods_by_key.get((namespace, name))

    @property
    def pod_namespaces(self) -> tuple[str, ...]:
        """The namespaces with pods, in the order they were read."""
        return tuple(self._pods_by_namespace)

    def pods_in(self, namespace: str) -> tuple[Pod, ...]:
        return tuple(self._pods_by_namespace.get(namespace, ()))

    def policies_in(self, namespace: str) -> tuple[Policy, ...]:
        """In the order they were read."""
        return tuple(self._policies_by_namespace.get(namespace, ()))

    def selected_by_service(self, service: Service) -> tuple[Pod, ...]:
        """The pods that the Service's selector matches and that have not finished; none if it has no selector."""
        if service.selector is None:
            return ()
        matches = service.selector.matches
        return tuple(pod for pod in self.pods_in(service.namespace) if not pod.finished and matches(pod.labels))

    def service(self, namespace: str, name: str) -> Service | None:
        return next((s for s in self.services if s.namespace == namespace and s.name == name), None)

    def node(self, name: str) -> Node | None:
        return next((node for node in self.nodes if node.name == name), None)

    def is_template(self, pod: Pod) -> bool:
        """Whether the pod is the template of a workload."""
        return pod.planned and any(found is pod for workload in self.workloads for found in workload.templates)

    def is_one_of_several(self, pod: Pod) -> bool:
        """Whether the pod is the template of a workload that may have other pods just like it."""
        several = (workload for workload in self.workloads if not workload.single)
        return pod.planned and any(found is pod for workload in several for found in workload.templates)

    def pod_at(self, address: str) -> Pod | None:
        """The pod with this address; finished and host-network pods have none of their own."""
        ip = parse_ip(address)
        for pod in self.pods:
            if pod.ips and not pod.finished and not pod.host_network and any(parse_ip(own) == ip for own in pod.ips):
                return pod
        return None

    def node_at(self, address: str) -> Node | None:
        """The node with this address, by its own status or by the hostIPs of a pod."""
        ip = parse_ip(address)
        for node in self.nodes:
            if any(parse_ip(own) == ip for own in node.addresses):
                return node
        for pod in self.pods:
            if pod.node and any(parse_ip(own) == ip for own in pod.host_ips):
                return Node(pod.node, pod.host_ips)
        return None

    def gap(self, resource: str, namespace: str | None, selector: LabelSelector | None = None) -> Gap | None:
        """Why objects of this resource in that namespace (None: in any) are missing, or None if they were read.

        `selector`: of those that it matches.
        """
        gaps = (gap for gap in self.gaps if gap.resource == resource and gap.hides(namespace))
        return next((gap for gap in gaps if selector is None or gap.may_match(selector)), None)

    def unread(self, resource: str, namespace: str | None) -> tuple[str, ...]:
        """Why single objects of this resource in that namespace (None: in any) could not be read."""
        gaps = (gap for gap in self.gaps if gap.name and gap.resource == resource and gap.hides(namespace))
        return tuple(dict.fromkeys(gap.message for gap in gaps))

    @property
    def evaluated(self) -> tuple[Policy, ...]:
        """The policies of every kind whose rules are evaluated."""
        return (*self.policies, *self.tiered)

    def of_networkpolicies(self, plugin: str | None) -> Snapshot:
        """A copy without the policies of the network plugin, in the reading of this one, or (None) the API's."""
        found: Snapshot | None = self.memo.get(f"of {plugin}")
        if found is not None:
            return found
        own = PLUGINS.get(self.plugin or "", ())
        found = self.memo[f"of {plugin}"] = self._with(
            unevaluated=(policy for policy in self.unevaluated if policy.kind not in own),
            gaps=(gap for gap in self.gaps if gap.policy_kind not in own),
            plugin=plugin,
            plugin_objects=(),
        )
        return found

    def with_policies(self, policies: Iterable[Policy], plugin_objects: Iterable[Any] | None = None) -> Snapshot:
        """A copy with these policies, of every evaluated kind, and these objects of the plugin, instead of its own."""
        policies = tuple(policies)
        return self._with(
            policies=(policy for policy in policies if policy.tier is None),
            tiered=(policy for policy in policies if policy.tier),
            plugin_objects=self.plugin_objects if plugin_objects is None else plugin_objects,
        )

    def with_pod(self, pod: Pod) -> Snapshot:
        """A copy with one more pod."""
        return self._with(pods=(*self.pods, pod))

    def _with(self, **changed: Any) -> Snapshot:
        own = {
            "namespaces": self.namespaces.values(),
            "pods": self.pods,
            "policies": self.policies,
            "services": self.services,
            "endpoint_slices": self.endpoint_slices,
            "nodes": self.nodes,
            "workloads": self.workloads,
            "tiered": self.tiered,
            "unevaluated": self.unevaluated,
            "gaps": self.gaps,
            "plugin": self.plugin,
            "plugin_objects": self.plugin_objects,
        }
        return Snapshot(**{**own, **changed})
