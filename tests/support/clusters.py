"""Random clusters as API objects, small enough that rules often match and often just miss."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Object = dict[str, Any]
NAMESPACES = ("a", "b", "c")
KEYS = ("app", "tier", "kubernetes.io/metadata.name")
VALUES = ("x", "y", "", "a")
NAMES = ("http", "dns")
PROTOCOLS = ("TCP", "UDP", "SCTP")
ADDRESSES = ("10.0.0.1", "10.0.1.1", "10.1.0.1", "fd00::1", "fd00:1::1", "198.51.100.7", "2001:db8::7")
BLOCKS = (
    ("10.0.0.0/8", ("10.0.1.0/24", "10.1.0.0/16")),
    ("0.0.0.0/0", ("10.0.0.0/15", "198.51.100.0/24")),
    ("10.0.0.77/24", ("10.0.0.1/32",)),
    ("fd00::/8", ("fd00:1::/32",)),
    ("::/0", ("2001:db8::/32", "fd00::/16")),
)

labels = st.dictionaries(st.sampled_from(KEYS[:2]), st.sampled_from(VALUES), max_size=2)
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
        {"cidr": st.just(block[0])}, optional={"except": st.lists(st.sampled_from(block[1]), max_size=2, unique=True)}
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


specs = st.fixed_dictionaries(
    {"podSelector": selectors},
    optional={
        "policyTypes": st.sampled_from((None, [], ["Ingress"], ["Egress"], ["Egress", "Ingress"])),
        "ingress": rules("from"),
        "egress": rules("to"),
    },
)


@st.composite
def pods(draw: st.DrawFn, number: int) -> Object:
    containers = [
        {
            "name": "c",
            "ports": [
                {"name": name, "containerPort": draw(st.sampled_from((80, 8080, 53))), "protocol": protocol}
                for name, protocol in draw(st.sampled_from(((), (("http", "TCP"),), (("http", "TCP"), ("dns", "UDP")))))
            ],
        }
    ]
    address = draw(st.sampled_from((*ADDRESSES[:5], None)))
    status = {"phase": draw(st.sampled_from(("Running", "Running", "Running", "Failed"))), "podIP": address}
    metadata = {"namespace": draw(st.sampled_from(NAMESPACES)), "name": f"pod-{number}", "labels": draw(labels)}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": containers},
        **({"status": status} if address else {}),
    }


def policy(namespace: str, name: str, spec: Object) -> Object:
    metadata = {"namespace": namespace, "name": name}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


@st.composite
def clusters(draw: st.DrawFn) -> list[Object]:
    """Namespaces, two to four pods, up to five policies."""
    spaces = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": draw(labels)}}
        for name in NAMESPACES
    ]
    found = [draw(pods(number)) for number in range(draw(st.integers(2, 4)))]
    written = [
        policy(draw(st.sampled_from(NAMESPACES)), f"p{number}", draw(specs))
        for number in range(draw(st.integers(0, 5)))
    ]
    return [*spaces, *found, *written]
