"""Policies of Cilium's and Calico's own kinds for the laws, over the labels, addresses and ports of `clusters`."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Object = dict[str, Any]

# Cilium

_keys = st.sampled_from(
    ("app", "app", "k8s:tier", "any:app", "pod-template-hash", "io.cilium.k8s.namespace.labels.tier")
)
_values = st.sampled_from(("x", "y", "web", ""))
_expressions = st.one_of(
    st.fixed_dictionaries(
        {
            "key": _keys,
            "operator": st.sampled_from(("In", "NotIn")),
            "values": st.lists(_values, min_size=1, max_size=2),
        }
    ),
    st.fixed_dictionaries({"key": _keys, "operator": st.sampled_from(("Exists", "DoesNotExist"))}),
)
_names = st.sampled_from(("k8s:io.kubernetes.pod.namespace", "io.kubernetes.pod.namespace"))
selectors = st.one_of(
    st.just({}),
    st.builds(lambda key, value: {"matchLabels": {key: value}}, _keys, _values),
    st.builds(lambda key, name: {"matchLabels": {key: name}}, _names, st.sampled_from(("a", "b"))),
    st.builds(lambda found: {"matchExpressions": found}, st.lists(_expressions, min_size=1, max_size=2)),
)
_entities = st.sampled_from(("all", "world", "cluster", "host", "remote-node", "kube-apiserver", "health"))
_cidrs = st.sampled_from(("0.0.0.0/0", "10.0.0.0/8", "192.168.0.0/16", "198.51.100.0/24", "fd00::/8"))
_ports = st.fixed_dictionaries(
    {"port": st.sampled_from(("80", "8080", "0", "http", "dns"))},
    optional={"protocol": st.sampled_from(("TCP", "UDP", "ANY")), "endPort": st.just(9000)},
)
_items = st.fixed_dictionaries({}, optional={"ports": st.lists(_ports, max_size=2)})


@st.composite
def _cilium_rules(draw: st.DrawFn, end: str) -> Object:
    peers: Object = draw(
        st.sampled_from(
            (
                {},
                {f"{end}Endpoints": st.lists(selectors, max_size=2)},
                {f"{end}Entities": st.lists(_entities, max_size=2)},
                {f"{end}CIDR": st.lists(_cidrs, max_size=2)},
            )
        )
    )
    found = {field: draw(entries) for field, entries in peers.items()}
    return {**found, **({"toPorts": draw(st.lists(_items, max_size=2))} if draw(st.booleans()) else {})}


@st.composite
def cilium_specs(draw: st.DrawFn, denies: bool | None = None) -> Object:  # noqa: FBT001 - None is either
    """The spec of a CiliumNetworkPolicy or CiliumClusterwideNetworkPolicy."""
    spec: Object = {"endpointSelector": draw(selectors)}
    for direction, end in (("ingress", "from"), ("egress", "to")):
        if denies is not True and draw(st.booleans()):
            spec[direction] = draw(st.lists(_cilium_rules(end), max_size=2))
        if denies is not False and draw(st.booleans()):
            spec[f"{direction}Deny"] = draw(st.lists(_cilium_rules(end), max_size=2))
    if draw(st.booleans()):
        spec["enableDefaultDeny"] = {field: draw(st.booleans()) for field in ("ingress", "egress")}
    return spec


@st.composite
def cilium_policies(draw: st.DrawFn, most: int, prefix: str = "c") -> list[Object]:
    found = []
    for number in range(draw(st.integers(1, most))):
        namespace = draw(st.sampled_from(("a", "a", "b", None)))
        kind = "CiliumNetworkPolicy" if namespace else "CiliumClusterwideNetworkPolicy"
        metadata = {"name": f"{prefix}{number}", **({"namespace": namespace} if namespace else {})}
        spec = draw(cilium_specs())
        found.append({"apiVersion": "cilium.io/v2", "kind": kind, "metadata": metadata, "spec": spec})
    return found


# Calico

_NETS = ("0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/24", "192.168.0.0/16", "198.51.100.0/24")
_OF_ONE_VERSION = (_NETS, _NETS, _NETS, ("fd00::/8",))  # the nets of one rule
_texts = st.sampled_from(
    ("all()", "app == 'x'", "app == 'y'", "app != 'x'", "has(tier)", "!has(app)", "app in {'x', 'web'} || tier == ''")
)
_of_namespaces = st.sampled_from(("all()", "app == 'x'", "projectcalico.org/name == 'b'", "global()", "!has(app)"))
_entity_ports = st.lists(st.sampled_from((80, "53:8080", "http", "dns")), min_size=1, max_size=2)


@st.composite
def _calico_rules(draw: st.DrawFn) -> Object:
    rule: Object = {"action": draw(st.sampled_from(("Allow", "Allow", "Deny", "Deny", "Pass", "Log")))}
    nets = draw(st.sampled_from(_OF_ONE_VERSION))
    for end in ("source", "destination"):
        if draw(st.booleans()):
            rule[end] = draw(
                st.fixed_dictionaries(
                    {},
                    optional={
                        "selector": _texts,
                        "notSelector": _texts,
                        "namespaceSelector": _of_namespaces,
                        "nets": st.lists(st.sampled_from(nets), min_size=1, max_size=1),
                        "notNets": st.lists(st.sampled_from(nets[-4:]), min_size=1, max_size=1),
                    },
                )
            )
    if draw(st.booleans()):
        rule["protocol"] = draw(st.sampled_from(("TCP", "TCP", "UDP")))
        if draw(st.booleans()):
            field = draw(st.sampled_from(("ports", "ports", "notPorts")))
            rule.setdefault("destination", {})[field] = draw(_entity_ports)
    return rule


@st.composite
def _calico_policy(draw: st.DrawFn, name: str, tiers: tuple[str, ...]) -> Object:
    namespace = draw(st.sampled_from(("a", "a", "b", None)))
    spec: Object = {"tier": draw(st.sampled_from(tiers)), "selector": draw(_texts)}
    spec["types"] = draw(st.sampled_from((["Ingress"], ["Egress"], ["Ingress", "Egress"])))
    if draw(st.booleans()):
        spec["order"] = draw(st.sampled_from((1, 1000, 2000.5)))
    for direction in ("ingress", "egress"):
        if direction.capitalize() in spec["types"]:
            spec[direction] = draw(st.lists(_calico_rules(), max_size=3))
    if namespace is None and draw(st.booleans()):
        spec["namespaceSelector"] = draw(_of_namespaces.filter(lambda text: text != "global()"))
    kind = "NetworkPolicy" if namespace else "GlobalNetworkPolicy"
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": "projectcalico.org/v3", "kind": kind, "metadata": metadata, "spec": spec}


@st.composite
def calico_policies(draw: st.DrawFn, most: int, prefix: str = "c") -> list[Object]:
    """Policies, now and then with a tier and a set of their own."""
    found: list[Object] = []
    tiers: tuple[str, ...] = ("default", "default")
    if draw(st.booleans()):
        tiers = (*tiers, "sec")
        spec = {
            "order": draw(st.sampled_from((5, 2_000_000))),
            "defaultAction": draw(st.sampled_from(("Pass", "Deny"))),
        }
        found.append({"apiVersion": "projectcalico.org/v3", "kind": "Tier", "metadata": {"name": "sec"}, "spec": spec})
    if draw(st.booleans()):
        metadata = {"name": f"{prefix}s", "labels": {"app": draw(st.sampled_from(("x", "y")))}}
        nets = draw(st.lists(st.sampled_from((*_NETS[1:], "fd00::/8")), min_size=1, max_size=2, unique=True))
        found.append(
            {
                "apiVersion": "projectcalico.org/v3",
                "kind": "GlobalNetworkSet",
                "metadata": metadata,
                "spec": {"nets": nets},
            }
        )
    found += [draw(_calico_policy(f"{prefix}{number}", tiers)) for number in range(draw(st.integers(1, most)))]
    return found


OF_PLUGIN = {"Cilium": cilium_policies, "Calico": calico_policies}
