"""Random clusters as API objects for all laws, small enough that rules often match and often just miss.

A cluster has namespaces, nodes, pods, Services and policies. Its pods are of few kinds, most of which differ from
another one in one thing only: what a program may overlook when it takes pods for alike.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from hypothesis import strategies as st

from kubectl_netpol.manifests.reader import Reader
from kubectl_netpol.model.snapshot import Gap
from tests.support.plugin_policies import OF_PLUGIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kubectl_netpol.model.snapshot import Snapshot

Object = dict[str, Any]
Feature = Literal[
    "host network",
    "IPv4 in IPv6",
    "finished pods",
    "pods without an address",
    "pods without a status",
    "owners",
    "services",
    "tiers",
    "other policies",
    "unread namespaces",
]
NAMESPACES = ("a", "b", "c")
# Most pods and policies are in one namespace, where they meet.
PLACES = ("a", "a", "a", "b", "c")
KEYS = ("app", "tier", "app", "tier", "kubernetes.io/metadata.name", "pod-template-hash")
VALUES = ("x", "y", "", "a", "111")
NAMES = ("http", "dns")
PROTOCOLS = ("TCP", "UDP", "SCTP")
# What a question may name besides pods; no pod and no node has one of them but 10.0.0.1.
ADDRESSES = ("10.0.0.1", "10.0.0.99", "10.1.0.99", "fd00::99", "fd00:1::99", "198.51.100.7", "2001:db8::7")
NODE_ADDRESSES = {
    "n1": ("192.168.0.1", "192.168.1.1", "fd00:2::1"),
    "n2": ("192.168.0.2", "192.168.1.2", "fd00:2::2"),
}
NODE_LABELS = {"n1": {"app": "x"}, "n2": {"app": "y", "tier": ""}}
BLOCKS = (
    ("10.0.0.0/8", ("10.0.1.0/24", "10.1.0.0/16", "10.0.0.2/32")),
    ("0.0.0.0/0", ("10.0.0.0/15", "198.51.100.0/24", "192.168.0.0/24")),
    ("10.0.0.77/24", ("10.0.0.1/32", "10.0.0.4/30")),
    ("10.0.0.2/32", ()),
    ("192.168.0.0/16", ("192.168.0.1/32", "192.168.1.0/24")),
    ("fd00::/8", ("fd00:1::/32", "fd00:2::/64")),
    ("::/0", ("2001:db8::/32", "fd00::/16")),
)
# What of a pod's ports differs from pod to pod: the number or the protocol of a name, the names, a port of the node.
PORTS = (
    (),
    (("http", 80, "TCP", None),),
    (("http", 8080, "TCP", None), ("dns", 53, "UDP", None)),
    (("http", 80, "UDP", None), ("dns", 8080, "TCP", None)),
    ((None, 80, "TCP", None), ("http", 53, "TCP", 8080)),
)

labels = st.one_of(
    *(
        st.dictionaries(st.sampled_from(KEYS[:2]), st.sampled_from(VALUES[:4]), min_size=least, max_size=2)
        for least in (0, 1, 1)
    )
)
requirements = st.one_of(
    st.fixed_dictionaries(
        {
            "key": st.sampled_from(KEYS),
            "operator": st.sampled_from(("In", "NotIn")),
            "values": st.lists(st.sampled_from(VALUES), min_size=1, max_size=2, unique=True),
        }
    ),
    st.fixed_dictionaries({"key": st.sampled_from(KEYS), "operator": st.sampled_from(("Exists", "DoesNotExist"))}),
)
selectors: st.SearchStrategy[Object] = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"matchLabels": st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES), max_size=1)}),
    st.fixed_dictionaries({"matchExpressions": st.lists(requirements, min_size=1, max_size=2)}),
)
blocks = st.sampled_from(BLOCKS).flatmap(
    lambda block: st.fixed_dictionaries(
        {"cidr": st.just(block[0])},
        optional={"except": st.lists(st.sampled_from(block[1]), max_size=2, unique=True)} if block[1] else {},
    )
)
peers = st.one_of(
    st.fixed_dictionaries({"podSelector": selectors}),
    st.fixed_dictionaries({"namespaceSelector": selectors}),
    st.fixed_dictionaries({"podSelector": selectors, "namespaceSelector": selectors}),
    st.fixed_dictionaries({"ipBlock": blocks}),
)
ports: st.SearchStrategy[Object] = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"protocol": st.sampled_from(PROTOCOLS)}),
    st.fixed_dictionaries(
        {"port": st.sampled_from((80, 8080, 53, *NAMES))}, optional={"protocol": st.sampled_from(PROTOCOLS)}
    ),
    st.fixed_dictionaries(
        {"port": st.sampled_from((53, 80)), "endPort": st.sampled_from((80, 8080))},
        optional={"protocol": st.sampled_from(PROTOCOLS)},
    ),
)


def rules(field: str) -> st.SearchStrategy[Any]:
    """`ingress` or `egress` of a spec, null and [] included."""
    rule = st.fixed_dictionaries(
        {},
        optional={
            field: st.none() | st.lists(peers, max_size=3),
            "ports": st.none() | st.lists(ports, max_size=3),
        },
    )
    return st.none() | st.lists(rule, max_size=3)


_types = st.sampled_from((None, [], ["Ingress"], ["Egress"], ["Egress", "Ingress"], ["Egress", "Ingress"]))
_rules: dict[str, st.SearchStrategy[Any]] = {"ingress": rules("from"), "egress": rules("to")}
specs = st.one_of(
    st.fixed_dictionaries({"podSelector": st.just({}) | selectors, "policyTypes": _types}, optional=_rules),
    st.fixed_dictionaries({"podSelector": selectors}, optional=_rules),
)


def made(version: str, kind: str, name: str, namespace: str | None = None, **fields: Any) -> Object:
    """An API object; `labels` goes into its metadata."""
    metadata: Object = {"name": name, "namespace": namespace, "labels": fields.pop("labels", None)}
    metadata = {key: value for key, value in metadata.items() if value is not None}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


def policy(namespace: str, name: str, spec: Object) -> Object:
    return made("networking.k8s.io/v1", "NetworkPolicy", name, namespace, spec=spec)


@st.composite
def network_policies(draw: st.DrawFn, most: int) -> list[Object]:
    return [
        policy(draw(st.sampled_from(PLACES)), f"p{number}", draw(specs))
        for number in range(draw(st.integers(min(most, 1), most)))
    ]


# The policies of the Admin and Baseline tiers: ClusterNetworkPolicy, the kinds of v1alpha1, and Amazon's kind.

TIERS = ("Admin", "Baseline")
NETWORKS = (
    "0.0.0.0/0",
    "10.0.0.0/8",
    "10.0.0.0/24",
    "10.0.0.2/32",
    "192.168.0.0/16",
    "198.51.100.0/24",
    "::/0",
    "fd00::/8",
)
_numbers = st.sampled_from((53, 80, 8080))
_ranges = st.sampled_from(({"start": 53, "end": 80}, {"start": 80, "end": 8080}, {"start": 1, "end": 65535}))
_protocols = st.builds(
    lambda protocol, port: {protocol: {"destinationPort": port}},
    st.sampled_from(("tcp", "tcp", "udp", "sctp")),
    st.one_of(_numbers.map(lambda number: {"number": number}), _ranges.map(lambda limits: {"range": limits})),
)
_tier_ports = st.one_of(
    st.fixed_dictionaries(
        {"portNumber": st.fixed_dictionaries({"port": _numbers}, optional={"protocol": st.sampled_from(PROTOCOLS)})}
    ),
    st.builds(
        lambda protocol, limits: {"portRange": {**protocol, **limits}},
        st.sampled_from(({}, *({"protocol": protocol} for protocol in PROTOCOLS))),
        _ranges | st.just({"start": 80, "end": 53}),
    ),
)
_in_namespaces = st.fixed_dictionaries({"namespaceSelector": selectors, "podSelector": selectors})
_pod_peers = st.one_of(
    st.just({"namespaces": {}}),
    st.fixed_dictionaries({"namespaces": selectors}),
    st.fixed_dictionaries({"pods": _in_namespaces}),
)
# As v1alpha1 wrote them before 0.1.3.
_keys = st.lists(st.sampled_from(KEYS[:2]), max_size=2, unique=True)
_wrapped = st.one_of(
    st.fixed_dictionaries({"namespaceSelector": selectors}),
    st.fixed_dictionaries({"sameLabels": _keys}),
    st.fixed_dictionaries({"notSameLabels": _keys}),
)
_older_peers = st.one_of(
    st.fixed_dictionaries({"namespaces": _wrapped}),
    st.fixed_dictionaries({"pods": st.fixed_dictionaries({"namespaces": _wrapped, "podSelector": selectors})}),
)
_network_peers = st.fixed_dictionaries(
    {"networks": st.lists(st.sampled_from(NETWORKS), min_size=1, max_size=2, unique=True)}
)
_node_peers = st.fixed_dictionaries({"nodes": selectors})
_name_peers = st.just({"domainNames": ["*.example.com"]})


class TierKind(NamedTuple):
    """A kind of the tiers as the strategies need it. `tier` None: the spec says which."""

    version: str
    kind: str
    tier: str | None
    actions: tuple[str, ...]
    egress_peers: tuple[st.SearchStrategy[Object], ...]

    @property
    def ports(self) -> str:
        return "ports" if "v1alpha1" in self.version else "protocols"


_CNP = ("Accept", "Accept", "Deny", "Deny", "Pass")
_ANP = ("Allow", "Allow", "Deny", "Deny", "Pass")
_EVERY = (_network_peers, _node_peers, _name_peers)
CLUSTER_KINDS = tuple(
    TierKind(f"policy.networking.k8s.io/{version}", "ClusterNetworkPolicy", None, _CNP, _EVERY)
    for version in ("v1alpha2", "v1beta1")
)
ADMIN_KINDS = (
    TierKind("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy", "Admin", _ANP, _EVERY),
    TierKind("policy.networking.k8s.io/v1alpha1", "BaselineAdminNetworkPolicy", "Baseline", _ANP[:4], _EVERY[:2]),
)
AMAZON_KINDS = (
    TierKind("networking.k8s.aws/v1alpha1", "ClusterNetworkPolicy", None, _CNP, (_network_peers, _name_peers)),
)
_GENERATIONS = (CLUSTER_KINDS, CLUSTER_KINDS, ADMIN_KINDS, ADMIN_KINDS, AMAZON_KINDS)


@st.composite
def tier_rules(draw: st.DrawFn, kind: TierKind, direction: str, most: int = 3) -> list[Object]:
    """Rules of one direction. A port name is never beside a peer that is no pod, which the API server refuses."""
    pods = [_pod_peers, _pod_peers, *([_older_peers] if kind.tier else [])]
    named = st.sampled_from(NAMES).map(
        lambda name: {"namedPort" if kind.ports == "ports" else "destinationNamedPort": name}
    )
    by_number = _tier_ports if kind.ports == "ports" else _protocols
    found = []
    for _ in range(draw(st.integers(1, most))):
        among_pods = direction == "ingress" or draw(st.booleans())
        peer = st.one_of(*pods) if among_pods else st.one_of(*pods, *kind.egress_peers)
        rule: Object = {"action": draw(st.sampled_from(kind.actions))}
        rule["from" if direction == "ingress" else "to"] = draw(st.lists(peer, min_size=1, max_size=2))
        if draw(st.booleans()):
            port = st.one_of(by_number, named) if among_pods else by_number
            rule[kind.ports] = draw(st.lists(port, min_size=1, max_size=2))
        found.append(rule)
    return found


@st.composite
def tier_policies(
    draw: st.DrawFn, kind: TierKind, name: str, directions: tuple[str, ...] = ("ingress", "egress")
) -> Object:
    """One policy, with a number that others have too."""
    spec: Object = {"subject": draw(_subjects), "priority": draw(st.sampled_from((1, 2, 2, 3)))}
    spec |= {} if kind.tier else {"tier": draw(st.sampled_from(TIERS))}
    if kind.kind == "BaselineAdminNetworkPolicy":
        del spec["priority"]
        name = "default"
    for direction in draw(st.sampled_from(((directions[0],), (directions[-1],), directions))):
        spec[direction] = draw(tier_rules(kind, direction))
    return made(kind.version, kind.kind, name, spec=spec)


@st.composite
def tiers(draw: st.DrawFn, most: int = 5) -> list[Object]:
    """Two or more policies of one generation, now and then of two."""
    kinds = draw(st.sampled_from(_GENERATIONS))
    if draw(st.integers(0, 4)) == 0:
        kinds = (*kinds, *draw(st.sampled_from(_GENERATIONS)))
    found = {}
    for number in range(draw(st.integers(2, most))):
        item = draw(tier_policies(draw(st.sampled_from(kinds)), f"t{number}"))
        found[item["kind"], item["metadata"]["name"]] = item
    return [*found.values()]


_subjects = st.one_of(
    st.just({"namespaces": {}}),
    st.just({"namespaces": {}}),
    st.fixed_dictionaries({"namespaces": selectors}),
    st.fixed_dictionaries({"pods": _in_namespaces}),
)


# Kinds whose rules are not evaluated, each a strategy of whole objects: a further kind is a line of OTHER_POLICIES.

OTHER_POLICIES: tuple[st.SearchStrategy[Object], ...] = (
    st.builds(
        lambda namespace, selector: made(
            "cilium.io/v2", "CiliumNetworkPolicy", "c", namespace, spec={"endpointSelector": selector, "ingress": [{}]}
        ),
        st.sampled_from(NAMESPACES),
        selectors,
    ),
    st.builds(
        lambda selector: made("cilium.io/v2", "CiliumClusterwideNetworkPolicy", "c", spec=selector),
        st.sampled_from(({"nodeSelector": {}, "ingress": [{}]}, {"endpointSelector": {}, "egress": [{}]})),
    ),
    st.builds(
        lambda selector: made("projectcalico.org/v3", "GlobalNetworkPolicy", "g", spec=selector),
        st.sampled_from(
            ({"selector": "app == 'x'", "ingress": [{"action": "Allow"}]}, {"selector": "all()", "types": ["Egress"]})
        ),
    ),
)
GAPS = (
    Gap("networkpolicies", "a", "you may not list networkpolicies in namespace a"),
    Gap("namespaces", None, "you may not list namespaces", frozenset({"a"})),
    Gap("clusternetworkpolicies", "b", "you may not", policy_kind="ClusterNetworkPolicy"),
)


class Controller(NamedTuple):
    """What made a pod. `labels`: those that it adds, some with the pod's name or number in them."""

    kind: str
    name: str
    labels: Mapping[str, str] = {}


CONTROLLERS = (
    *(Controller("ReplicaSet", f"web-{hash_}", {"pod-template-hash": hash_}) for hash_ in ("111", "222")),
    Controller(
        "StatefulSet",
        "db",
        {
            "controller-revision-hash": "db-1",
            "statefulset.kubernetes.io/pod-name": "pod-{number}",
            "apps.kubernetes.io/pod-index": "{number}",
        },
    ),
    Controller("DaemonSet", "agent", {"controller-revision-hash": "1", "pod-template-generation": "1"}),
    Controller("Job", "copy", {"job-name": "copy", "batch.kubernetes.io/job-name": "copy", "controller-uid": "1"}),
    Controller("Node", "n1"),
)


class PodKind(NamedTuple):
    """What pods may differ in besides name and addresses. `subnet`: the second half of their IPv4 network."""

    namespace: str
    labels: dict[str, str]
    account: str | None
    controller: Controller | None
    families: tuple[int, ...]
    subnet: str
    ports: tuple[tuple[str | None, int, str, int | None], ...]
    node: str | None
    host_network: bool
    state: str


def _pod_fields(without: Mapping[Feature, str]) -> dict[str, st.SearchStrategy[Any]]:
    states = ["Running"] * 12 + ["Unready"]
    states += [] if "finished pods" in without else ["Succeeded", "Failed"]
    states += [] if "pods without an address" in without else ["Pending"]
    states += [] if "pods without a status" in without else ["Planned"]
    owners: tuple[Controller | None, ...] = () if "owners" in without else CONTROLLERS
    return {
        "namespace": st.sampled_from(PLACES),
        "labels": labels,
        "account": st.sampled_from((None, None, "robot")),
        "controller": st.sampled_from((None, None, *owners)),
        "families": st.sampled_from(((4,), (4,), (4, 6), (6, 4), (6,))),
        "subnet": st.sampled_from(("0.0", "0.0", "0.1", "1.0", *(() if "IPv4 in IPv6" in without else ("mapped",)))),
        "ports": st.sampled_from(PORTS),
        "node": st.sampled_from(("n1", "n2", "n1", "n2", None)),
        "host_network": st.sampled_from((False, False, False, "host network" not in without)),
        "state": st.sampled_from(states),
    }


@st.composite
def pod_kinds(draw: st.DrawFn, least: int, most: int, without: Mapping[Feature, str]) -> list[PodKind]:
    """One to three kinds, and others that differ from one of these in one field."""
    fields = _pod_fields(without)
    kinds = draw(st.lists(st.builds(PodKind, **fields), min_size=1, max_size=3))
    found = [*kinds]
    while len(found) < least or (len(found) < most and draw(st.booleans())):
        field = draw(st.sampled_from(sorted(fields)))
        found.append(draw(st.sampled_from(kinds))._replace(**{field: draw(fields[field])}))
    return found[:most]


def pod_of(kind: PodKind, number: int) -> Object:
    """The pod of that number. A finished one has the address of the pod before it: addresses are given again."""
    spec: Object = {
        "nodeName": kind.node,
        "hostNetwork": kind.host_network,
        **({"serviceAccountName": kind.account} if kind.account else {}),
        "containers": [
            {
                "name": "c",
                "ports": [
                    {"name": name, "containerPort": port, "protocol": protocol, "hostPort": on_node}
                    for name, port, protocol, on_node in kind.ports
                ],
            }
        ],
    }
    pod = made("v1", "Pod", f"pod-{number}", kind.namespace, labels=kind.labels, spec=spec)
    if kind.controller:
        owner = {"kind": kind.controller.kind, "name": kind.controller.name, "controller": True}
        pod["metadata"]["ownerReferences"] = [owner]
        own = {key: value.format(number=number) for key, value in kind.controller.labels.items()}
        pod["metadata"]["labels"] = {**kind.labels, **own}
    if kind.state == "Planned":
        return pod
    of_node = NODE_ADDRESSES[kind.node][::2] if kind.node else ()
    pod["status"] = {
        "phase": "Running" if kind.state == "Unready" else kind.state,
        "conditions": [{"type": "Ready", "status": str(kind.state == "Running")}],
        "hostIPs": [{"ip": address} for address in of_node],
    }
    if kind.state != "Pending":
        by_family = {4: of_node[0], 6: of_node[1]} if kind.host_network and of_node else _addresses(kind, number)
        listed = [by_family[family] for family in kind.families]
        pod["status"] |= {"podIP": listed[0], "podIPs": [{"ip": address} for address in listed]}
    return pod


def _addresses(kind: PodKind, number: int) -> dict[int, str]:
    host = number if kind.state in ("Succeeded", "Failed") and number else number + 1
    if kind.subnet == "mapped":
        return {4: f"::ffff:10.0.0.{host}", 6: f"fd00::{host}"}
    return {4: f"10.{kind.subnet}.{host}", 6: f"fd00:{kind.subnet[0]}::{host}"}


@st.composite
def workloads(draw: st.DrawFn, pods: list[Object]) -> list[Object]:
    """The workloads of some of the pods, whose labels become those that the workload's selector wants."""
    found = []
    owned: dict[tuple[str, str, str], list[Object]] = {}
    for pod in pods:
        for owner in pod["metadata"].get("ownerReferences", ()):
            owned.setdefault((pod["metadata"]["namespace"], owner["kind"], owner["name"]), []).append(pod)
    for (namespace, kind, name), own in owned.items():
        if kind not in ("ReplicaSet", "StatefulSet", "DaemonSet") or not draw(st.booleans()):
            continue
        labels = {"app": "web" if kind == "ReplicaSet" else name}
        for pod in own:
            pod["metadata"]["labels"] |= labels
        if kind == "ReplicaSet":
            spec = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}
            found.append(made("apps/v1", "Deployment", "web", namespace, spec=spec))
            labels = {**labels, "pod-template-hash": name.removeprefix("web-")}
        spec = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}
        found.append(made("apps/v1", kind, name, namespace, spec=spec))
        if kind == "ReplicaSet":
            owner = {"kind": "Deployment", "name": "web", "controller": True}
            found[-1]["metadata"]["ownerReferences"] = [owner]
    return found


@st.composite
def services(draw: st.DrawFn) -> list[Object]:
    """Up to two Services that select pods, and one without selector, whose endpoint may be a pod, a node or neither."""
    found = []
    for number in range(draw(st.integers(0, 2))):
        selected = draw(
            st.dictionaries(st.sampled_from(KEYS[:2]), st.sampled_from(("x", "y", "web")), min_size=1, max_size=1)
        )
        port = {"port": 80, "targetPort": draw(st.sampled_from((80, 8080, "http"))), "nodePort": 30080 + number}
        spec = {"type": "NodePort", "clusterIP": f"10.96.0.{number + 1}", "selector": selected, "ports": [port]}
        found.append(made("v1", "Service", f"svc-{number}", draw(st.sampled_from(PLACES)), spec=spec))
    if draw(st.integers(0, 3)) == 0:
        namespace = draw(st.sampled_from(PLACES))
        found.append(made("v1", "Service", "bare", namespace, spec={"clusterIP": "10.96.0.9", "ports": [{"port": 80}]}))
        endpoint = draw(st.sampled_from(("10.0.0.1", "10.0.1.2", "10.200.0.1", "192.168.0.2", "192.168.1.1")))
        found.append(
            made(
                "discovery.k8s.io/v1",
                "EndpointSlice",
                "bare",
                namespace,
                labels={"kubernetes.io/service-name": "bare"},
                ports=[{"port": 80}],
                endpoints=[{"addresses": [endpoint]}],
            )
        )
    return found


def _node(name: str, addresses: Iterable[str]) -> Object:
    listed = [{"type": "InternalIP", "address": address} for address in addresses]
    return made("v1", "Node", name, labels=NODE_LABELS[name], status={"addresses": listed})


@st.composite
def clusters(
    draw: st.DrawFn,
    *,
    pods: tuple[int, int] = (2, 4),
    policies: int = 5,
    without: Mapping[Feature, str] | None = None,
    plugin: str = "",
) -> list[Object]:
    """`pods`: the fewest and the most. `without`: what a law can't cope with, and why. `plugin`: has policies too."""
    without = without or {}
    known = NAMESPACES
    if "unread namespaces" not in without:
        known = draw(st.sampled_from((NAMESPACES, NAMESPACES, NAMESPACES[:2], NAMESPACES[1:])))
    found = [made("v1", "Namespace", name, labels=draw(labels)) for name in known]
    number_of_addresses = draw(st.sampled_from((1, 2, 3)))
    found += [
        _node(name, NODE_ADDRESSES[name][:number_of_addresses])
        for name in draw(st.sampled_from((("n1", "n2"), ("n1", "n2"), ("n1",), ())))
    ]
    kinds = draw(pod_kinds(*pods, without))
    running = [pod_of(kind, number) for number, kind in enumerate(kinds)]
    found += [*running, *draw(workloads(running))]
    if "services" not in without:
        found += draw(services())
    found += draw(network_policies(policies))
    if "tiers" not in without and draw(st.booleans()):
        found += draw(tiers())
    if plugin:
        found += draw(OF_PLUGIN[plugin](3))
    elif "other policies" not in without and draw(st.integers(0, 3)) == 0:
        found.append(draw(st.one_of(*OTHER_POLICIES)))
    return found


def read(objects: Iterable[Object], gaps: Iterable[Gap] = (), plugin: str = "") -> Snapshot:
    """`plugin`: the one that decides; "" is none, whatever kinds there are."""
    reader = Reader(plugin=plugin)
    reader.add_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}), "law")
    return reader.snapshot(gaps)
