"""What all checks ask of the snapshot, worked out once: pods in classes, and whom policies and peers match."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.analysis.groups import label_keys
from kubectl_netpol.engine.layers import applies
from kubectl_netpol.engine.rules import peer_matches
from kubectl_netpol.lint.meant import Slips
from kubectl_netpol.model.addresses import parse_ip
from kubectl_netpol.model.selector_index import ByLabels

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_netpol.lint.finding import Finding
    from kubectl_netpol.model.objects import Pod, Service
    from kubectl_netpol.model.policies import IPBlock, Peer, Policy
    from kubectl_netpol.model.selectors import LabelSelector
    from kubectl_netpol.model.snapshot import Snapshot

# Set anew for each generation of pods, so a selector with them matches until the next rollout.
GENERATION_LABELS = (
    "pod-template-hash",
    "controller-revision-hash",
    "pod-template-generation",
    "controller-uid",
    "batch.kubernetes.io/controller-uid",
)
JOB_NAME_LABELS = ("job-name", "batch.kubernetes.io/job-name")
# Set on each pod by itself: they are on no template.
REPLICA_LABELS = (
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/job-completion-index",
    *JOB_NAME_LABELS,
)


class PodClass(NamedTuple):
    """Pods of one namespace with the same labels and ports, none of them finished; `pod` is the first."""

    number: int
    pod: Pod
    size: int


class Matched(NamedTuple):
    """The classes that a peer matches. `unknown`: there may be more. `hosts`: pods on the host network that it names.

    Policies leave open what a peer matches of those, so they are no part of `classes`.
    """

    classes: tuple[PodClass, ...]
    unknown: bool
    hosts: tuple[PodClass, ...]


class Context:
    """`complete`: every pod that there is was read, as from a cluster; manifests may be a part of it.

    `unseen`: kinds of objects that were skipped and make pods. `partial`: other namespaces were not read at all.
    """

    def __init__(
        self, snapshot: Snapshot, *, complete: bool = True, unseen: tuple[str, ...] = (), partial: bool = False
    ) -> None:
        self.snapshot = snapshot
        self.complete = complete
        self.unseen = unseen
        self.partial = partial
        self._classes: dict[str, tuple[PodClass, ...]] = {}
        self._by_labels: dict[str, ByLabels[PodClass]] = {}
        self._slips: dict[str, Slips] = {}
        self._keys = set(label_keys(snapshot, snapshot.evaluated))
        self._number = 0
        self._matched: dict[object, Matched] = {}
        self._selected: dict[object, tuple[PodClass, ...]] = {}
        self._numbers: dict[object, frozenset[int]] = {}
        self.warnings: dict[int, list[Finding]] = {}
        self.redundant: dict[str, dict[str, tuple[Finding, ...]]] = {}
        self.in_block: dict[IPBlock, list[str]] = {}
        self._addresses: dict[int, list[tuple[int, Pod]]] = {}
        self._public: dict[str, list[Service]] | None = None
        self.services_by_port: dict[tuple[int, str], list[Service]] | None = None

    def classes_in(self, namespace: str) -> tuple[PodClass, ...]:
        if namespace not in self._classes:
            members: dict[object, list[Pod]] = {}
            for pod in self.snapshot.pods_in(namespace):
                if not pod.finished:
                    key = frozenset(pod.labels.items()), pod.ports, pod.host_network
                    members.setdefault(key, []).append(pod)
            first = self._number
            self._number += len(members)
            self._classes[namespace] = tuple(
                PodClass(number, pods[0], len(pods)) for number, pods in enumerate(members.values(), first)
            )
        return self._classes[namespace]

    def classes(self) -> Iterable[PodClass]:
        for namespace in self.snapshot.pod_namespaces:
            yield from self.classes_in(namespace)

    def _that_may_match(self, namespace: str, selector: LabelSelector | None) -> list[PodClass]:
        if namespace not in self._by_labels:
            classes = ((one.pod.labels, one) for one in self.classes_in(namespace))
            self._by_labels[namespace] = ByLabels(classes, self._keys)
        return self._by_labels[namespace].that_may_match(selector)

    def nearly_matched(self, namespace: str, selector: LabelSelector) -> list[PodClass]:
        """The classes that the selector may miss by one label spelt nearly alike, and others."""
        classes = self.classes_in(namespace)
        if namespace not in self._slips:
            self._slips[namespace] = Slips(one.pod.labels for one in classes)
        return [classes[place] for place in self._slips[namespace].near(selector)]

    def selected(self, policy: Policy) -> tuple[PodClass, ...]:
        """The classes that the policy surely selects."""
        if policy.kind == "NetworkPolicy":
            key: object = (policy.namespace, policy.pod_selector)
            if key not in self._selected:
                candidates = self._that_may_match(policy.namespace, policy.pod_selector)
                self._selected[key] = tuple(found for found in candidates if policy.selects(found.pod))
            return self._selected[key]
        if id(policy) not in self._selected:
            self._selected[id(policy)] = tuple(
                found for found in self.classes() if applies(self.snapshot, policy, found.pod) is True
            )
        return self._selected[id(policy)]

    def numbers(self, policy: Policy) -> frozenset[int]:
        """The numbers of those classes."""
        key: object = (policy.namespace, policy.pod_selector) if policy.kind == "NetworkPolicy" else id(policy)
        if key not in self._numbers:
            self._numbers[key] = frozenset(found.number for found in self.selected(policy))
        return self._numbers[key]

    def matched(self, policy: Policy, peer: Peer) -> Matched:
        """Whom a peer that selects pods matches."""
        own = policy.namespace if peer.namespace_selector is None else ""
        key = (peer.namespace_selector, peer.pod_selector, own, peer.same_labels, peer.other_labels, peer.unreadable)
        if key not in self._matched:
            self._matched[key] = self._match(policy, peer)
        return self._matched[key]

    def _match(self, policy: Policy, peer: Peer) -> Matched:
        classes: list[PodClass] = []
        hosts: list[PodClass] = []
        unread = self.snapshot.gap("pods", policy.namespace if peer.namespace_selector is None else None)
        unknown = bool(unread) or peer.selects_by_own_namespace
        for namespace in () if peer.selects_by_own_namespace else self.reach(policy, peer):
            for found in self._that_may_match(namespace, peer.pod_selector):
                matched = peer_matches(self.snapshot, policy, peer, found.pod, None)
                if matched is True:
                    (hosts if found.pod.host_network else classes).append(found)
                elif matched:
                    unknown = True
        return Matched(tuple(classes), unknown, tuple(hosts))

    def reach(self, policy: Policy, peer: Peer) -> tuple[str, ...]:
        """The namespaces with pods that the peer may select."""
        if peer.namespace_selector is None:
            return (policy.namespace,)
        selector, snapshot = peer.namespace_selector, self.snapshot
        return tuple(
            name for name in snapshot.pod_namespaces if snapshot.namespace(name).selected_by(selector) is not False
        )

    def addresses(self, version: int) -> list[tuple[int, Pod]]:
        """The pods' own addresses of a family, as numbers and in order, and whose they are."""
        if version not in self._addresses:
            own = (pod for pod in self.snapshot.pods if not (pod.finished or pod.host_network))
            listed = [(parse_ip(text), pod) for pod in own for text in pod.ips]
            numbered = [(int(ip), pod) for ip, pod in listed if ip.version == version]
            self._addresses[version] = sorted(numbered, key=itemgetter(0))
        return self._addresses[version]

    def public_services(self, namespace: str) -> list[Service]:
        """Those of the namespace that are reached from outside the cluster."""
        if self._public is None:
            self._public = {}
            for service in self.snapshot.services:
                if service.type in ("LoadBalancer", "NodePort") or service.addresses:
                    self._public.setdefault(service.namespace, []).append(service)
        return self._public.get(namespace, [])

    def can_tell(self, selector: LabelSelector | None, namespaces: Iterable[str]) -> bool:
        """False where a selector asks for labels that a controller will put on planned pods of these namespaces."""
        keys = {requirement.key for requirement in selector.requirements} if selector else set()
        if keys.isdisjoint((*GENERATION_LABELS, *REPLICA_LABELS)):
            return True
        return not any(found.pod.planned for name in namespaces for found in self.classes_in(name))


def pods_text(classes: Iterable[PodClass], most: int = 3) -> str:
    """Their first pods with what counts: "shop/web (app=web), shop/api (app=api) and 3 more"."""
    listed = list(classes)
    texts = [f"{found.pod.key} ({labels_text(found.pod)})" for found in listed[:most]]
    more = sum(found.size for found in listed) - len(texts)
    return ", ".join(texts) + (f" and {more} more" if more > 0 else "")


def labels_text(pod: Pod) -> str:
    return ",".join(f"{key}={value}" for key, value in pod.labels.items()) or "no labels"
