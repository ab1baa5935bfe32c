"""Cilium's policies as they are read: what is refused as a whole, what the API server does not take, what is added."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from kubectl_netpol.fields import BadField
from kubectl_netpol.model.cilium import (
    CiliumPolicy,
    CiliumPort,
    Endpoints,
    Entity,
    NodesWith,
    NotEvaluated,
    PortItem,
)
from kubectl_netpol.model.policies import Direction, IPBlock
from kubectl_netpol.model.selectors import selector_text
from kubectl_netpol.policies.cilium_rules import read_cilium_policy

NAMESPACE = "k8s:io.kubernetes.pod.namespace"
INGRESS, EGRESS = Direction.INGRESS, Direction.EGRESS


def policy(body: str, namespace: str = "shop") -> CiliumPolicy:
    kind = "CiliumNetworkPolicy" if namespace else "CiliumClusterwideNetworkPolicy"
    return read_cilium_policy(kind, yaml.safe_load(body), {}, "p", namespace)


def spec(text: str, namespace: str = "shop") -> CiliumPolicy:
    return policy(f"spec: {{endpointSelector: {{}}, {text}}}", namespace)


def rule(text: str, namespace: str = "shop") -> Any:
    found = spec(text, namespace)
    assert not found.refused
    return found.sets[0].rules[0]


MANY = ",".join(41 * ["{port: a}"])
NAMES = "serverNames: [a]"
TLS = "terminatingTLS: {a: b}"
HTTP = "rules: {http: [{path: /}]}"


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("ingress: [{fromEndpoints: [{}], fromCIDR: [10.0.0.0/8]}]", "has both fromEndpoints and fromCIDR"),
        ("ingress: [{fromCIDR: [10.0.0.0/8], fromCIDRSet: [{cidr: 10.0.0.0/8}]}]", "has both fromCIDR and fromCIDRSet"),
        ("ingress: [{fromEntities: [all], fromNodes: [{}]}]", "has both fromEntities and fromNodes"),
        ("ingress: [{fromEntities: [all], fromGroups: [{aws: {}}]}]", "has both fromEntities and fromGroups"),
        ("egress: [{toEntities: [all], toFQDNs: [{matchName: a}]}]", "has both toEntities and toFQDNs"),
        ("egress: [{toCIDR: [10.0.0.0/8], toServices: [{}, {}]}]", "has both toCIDR and toServices"),
        ("egress: [{toFQDNs: [{matchName: a, matchPattern: b}]}]", "toFQDNs[0] has both matchName and matchPattern"),
        ("ingress: [{icmps: [{fields: []}], toPorts: [{ports: []}]}]", "has both icmps and toPorts"),
        (
            "ingress: [{fromCIDRSet: [{cidr: 10.0.0.0/8, except: [11.0.0.0/9]}]}]",
            "except 11.0.0.0/9 is not in 10.0.0.0/8",
        ),
        (
            "ingress: [{fromCIDRSet: [{cidr: 10.0.0.0/8, except: ['fd00::/9']}]}]",
            "except fd00::/9 is not in 10.0.0.0/8",
        ),
        (
            f"ingress: [{{toPorts: [{{ports: [{{port: '80', protocol: UDP}}], {HTTP}}}]}}]",
            "http on a port that is not TCP",
        ),
        (f"ingress: [{{toPorts: [{{ports: [{{port: '80'}}], {HTTP}}}]}}]", "http on a port that is not TCP"),
        (
            "ingress: [{toPorts: [{ports: [{port: '80', protocol: ANY}], rules: {kafka: [{}]}}]}]",
            "kafka on a port that is",
        ),
        ("ingress: [{toPorts: [{ports: [{port: '80'}], rules: {l7proto: x}}]}]", "l7proto on a port that is not TCP"),
        ("ingress: [{toPorts: [{ports: [{port: '0', protocol: TCP}], rules: {http: [{}]}}]}]", "http on port 0"),
        ("egress: [{toPorts: [{ports: [{port: '0', protocol: UDP}], rules: {dns: [{}]}}]}]", "dns on port 0"),
        ("ingress: [{toPorts: [{ports: [{port: '53'}], rules: {dns: [{}]}}]}]", "rules for dns at ingress"),
        (
            f"egress: [{{toPorts: [{{ports: [{{port: '80', protocol: TCP}}], serverNames: [a], {HTTP}}}]}}]",
            "serverNames and rules for http, without terminatingTLS",
        ),
        ("ingress: [], egress: []", "spec has no rule"),
        ("ingressDeny: [], egressDeny: null", "spec has no rule"),
        ("description: nothing", "spec has no rule"),
        ("ingress: [{fromEndpoints: [{matchExpressions: [{key: a, operator: In}]}]}]", "In needs values"),
        (
            "ingress: [{fromEndpoints: [{matchExpressions: [{key: a, operator: Exists, values: [b]}]}]}]",
            "takes no values",
        ),
    ],
)
def test_what_cilium_refuses_though_the_api_server_takes_it(text: str, because: str) -> None:
    found = spec(text)
    assert because in found.refused
    assert found.sets == ()


@pytest.mark.parametrize(
    "text",
    [
        "egress: [{toPorts: [{ports: [{port: '53'}], rules: {dns: [{}]}}]}]",
        "egress: [{toPorts: [{ports: [{port: '53', protocol: UDP}], rules: {dns: [{}]}}]}]",
        f"ingress: [{{toPorts: [{{ports: [{{port: '80', protocol: TCP}}], {HTTP}}}]}}]",
        "ingress: [{toPorts: [{ports: [{port: '80'}], rules: {http: []}}]}]",
        "ingress: [{toPorts: [{ports: [{port: '80'}], rules: {}}]}]",
        "ingress: [{fromEndpoints: [], fromCIDR: [10.0.0.0/8]}]",
        "ingress: [{icmps: [{fields: []}], toPorts: []}]",
        "ingress: [{fromCIDRSet: [{cidr: 10.0.0.0/8, except: [10.1.0.0/16]}]}]",
        f"egress: [{{toPorts: [{{ports: [{{port: '80', protocol: TCP}}], {NAMES}, {TLS}, {HTTP}}}]}}]",
    ],
)
def test_what_cilium_takes(text: str) -> None:
    assert not spec(text).refused


@pytest.mark.parametrize(
    ("body", "because"),
    [
        ("spec: {nodeSelector: {}, ingress: [{}]}", "spec has a nodeSelector, which is for cluster-wide policies"),
        ("spec: null", "it has neither spec nor specs"),
        ("specs: []", "it has neither spec nor specs"),
        ("specs: [{endpointSelector: {}, ingress: [{}]}, {endpointSelector: {}}]", "specs[1] has no rule"),
        (
            (
                "{spec: {endpointSelector: {}, ingress: [{}]}, "
                "status: {conditions: [{type: Valid, status: 'False', message: bad}]}}"
            ),
            "bad",
        ),
        (
            "{spec: {endpointSelector: {}, ingress: [{}]}, status: {conditions: [{type: Valid, status: 'False'}]}}",
            "its status says Valid: False",
        ),
        (
            "{spec: {endpointSelector: {}}, status: {conditions: [{type: Valid, status: 'False', message: bad}]}}",
            "bad",
        ),
    ],
)
def test_why_a_policy_is_refused_as_a_whole(body: str, because: str) -> None:
    assert policy(body).refused == because


@pytest.mark.parametrize(
    "content", ["rules: {http: [{path: /}]}", "rules: {kafka: [{}]}"], ids=["http on nodes", "kafka on nodes"]
)
def test_content_rules_are_refused_on_nodes(content: str) -> None:
    item = f"toPorts: [{{ports: [{{port: '80', protocol: TCP}}], {content}}}]"
    assert "on nodes" in policy(f"spec: {{nodeSelector: {{}}, ingress: [{{{item}}}]}}", "").refused


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("{spec: {ingress: [{}]}}", "spec: must have either endpointSelector or nodeSelector"),
        ("{spec: {endpointSelector: {}, nodeSelector: {}}}", "spec: must have either endpointSelector or nodeSelector"),
        ("{spec: {endpointSelector: null, ingress: [{}]}}", "spec.endpointSelector: expected an object, got null"),
        ("{spec: {endpointSelector: {}, ingres: [{}]}}", 'spec: unknown field "ingres"'),
        ("{spec: {endpointSelector: {a: b}}}", 'spec.endpointSelector: unknown field "a"'),
        (
            "{spec: {endpointSelector: {}, ingress: [{toEndpoints: []}]}}",
            'spec.ingress[0]: unknown field "toEndpoints"',
        ),
        (
            "{spec: {endpointSelector: {}, ingress: [{fromEntities: [all, nobody]}]}}",
            "spec.ingress[0].fromEntities[1]: must be one of all, world,",
        ),
        ("{spec: {endpointSelector: {}, ingress: [{fromCIDR: [10.0.0.1]}]}}", 'fromCIDR[0]: invalid CIDR "10.0.0.1"'),
        ("{spec: {endpointSelector: {}, ingress: [{fromCIDRSet: [{cidr: x}]}]}}", '[0].cidr: invalid CIDR "x"'),
        (
            "{spec: {endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: '80', protocol: HTTP}]}]}]}}",
            "spec.ingress[0].toPorts[0].ports[0].protocol: must be one of TCP,",
        ),
        (
            "{spec: {endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: 80}]}]}]}}",
            "spec.ingress[0].toPorts[0].ports[0].port: expected a string, got 80",
        ),
        (
            "{spec: {endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: a--b}]}]}]}}",
            'ports[0].port: invalid port name "a--b"',
        ),
        (
            "{spec: {endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: '70000'}]}]}]}}",
            "ports[0]: invalid port 70000: must be 0-65535",
        ),
        (
            "{spec: {endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: '1', endPort: 70000}]}]}]}}",
            "ports[0]: invalid port 70000: must be 0-65535",
        ),
        (
            f"{{spec: {{endpointSelector: {{}}, ingress: [{{toPorts: [{{ports: [{MANY}]}}]}}]}}}}",
            "toPorts[0].ports: must have at most 40 items, has 41",
        ),
        (
            "{spec: {endpointSelector: {matchExpressions: [{key: a, operator: Is}]}, ingress: [{}]}}",
            "spec.endpointSelector.matchExpressions[0].operator: must be one of In, NotIn,",
        ),
        ("{spek: {}}", 'unknown field "spek"'),
    ],
)
def test_what_the_api_server_does_not_take(body: str, error: str) -> None:
    with pytest.raises(BadField) as raised:
        policy(body)
    assert error in str(raised.value)


@pytest.mark.parametrize(
    ("entry", "error", "hint"),
    [
        pytest.param(
            "{matchName: '*.a.example'}",
            '.matchName: invalid domain name "*.a.example"',
            'write matchPattern: "*.a.example"',
            id="a wildcard is for matchPattern",
        ),
        pytest.param(
            "{matchName: a..example}",
            '.matchName: invalid domain name "a..example"',
            "write a name such as www.example.com",
            id="a name without anything between two dots",
        ),
        pytest.param("{matchName: .example}", '.matchName: invalid domain name ".example"', None, id="a leading dot"),
        pytest.param("{matchName: 'https://a'}", ".matchName: invalid domain name", None, id="a URL"),
        pytest.param("{matchName: 'a.example:443'}", ".matchName: invalid domain name", None, id="a name with a port"),
        pytest.param(
            f"{{matchName: {256 * 'a'}}}", ".matchName: invalid domain name", None, id="a name that is too long"
        ),
        pytest.param("{matchName: ''}", ".matchName: is empty", None, id="an empty name"),
        pytest.param("{matchPattern: 'a b'}", '.matchPattern: invalid domain name "a b"', None, id="a space"),
        pytest.param("{matchPattern: '*..a'}", '.matchPattern: invalid domain name "*..a"', None, id="two dots"),
        pytest.param("{matchname: a}", ': unknown field "matchname"', "did you mean matchName?", id="a misspelt field"),
    ],
)
def test_domain_names_that_the_api_server_does_not_take(entry: str, error: str, hint: str | None) -> None:
    dns = f"toPorts: [{{ports: [{{port: '53'}}], rules: {{dns: [{entry}]}}}}]"
    for field, where in ((f"toFQDNs: [{entry}]", "toFQDNs[0]"), (dns, "toPorts[0].rules.dns[0]")):
        with pytest.raises(BadField) as raised:
            spec(f"egress: [{{{field}}}]")
        assert str(raised.value).startswith(f"spec.egress[0].{where}{error}")
        assert hint in (None, raised.value.hint)


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param("{matchName: a.example}", id="a name"),
        pytest.param("{matchName: _tcp.A-b.example.}", id="a name with all that it can have, and a dot at its end"),
        pytest.param(f"{{matchName: {255 * 'a'}}}", id="the longest name"),
        pytest.param("{matchPattern: '*'}", id="every name"),
        pytest.param("{matchPattern: '**.a*.example.*'}", id="a pattern"),
        pytest.param("{matchName: null}", id="null"),
    ],
)
def test_domain_names_that_are_taken(entry: str) -> None:
    dns = f"toPorts: [{{ports: [{{port: '53'}}], rules: {{dns: [{entry}]}}}}]"
    assert not spec(f"egress: [{{toFQDNs: [{entry}], {dns}}}]").refused


def test_forty_ports_are_taken() -> None:
    ports = ",".join(40 * ["{port: a}"])
    assert len(rule(f"ingress: [{{toPorts: [{{ports: [{ports}]}}]}}]").items[0].ports) == 40


def peers(text: str, namespace: str = "shop", subject: str = "") -> str:
    """The selector of the one peer, as text."""
    body = f"spec: {{endpointSelector: {{{subject}}}, ingress: [{{fromEndpoints: [{text}]}}]}}"
    (found,) = policy(body, namespace).sets[0].rules[0].peers or ()
    assert isinstance(found, Endpoints)
    return selector_text(found.selector)


@pytest.mark.parametrize(
    ("text", "namespace", "selector"),
    [
        ("{}", "shop", f"{NAMESPACE}=shop"),
        ("{}", "", NAMESPACE),
        ("{matchLabels: {app: web}}", "shop", f"{NAMESPACE}=shop,any:app=web"),
        ("{matchLabels: {'k8s:app': web}}", "", f"{NAMESPACE},k8s:app=web"),
        ("{matchLabels: {'reserved:host': ''}}", "shop", "reserved:host="),
        ("{matchLabels: {'k8s:io.kubernetes.pod.namespace': x}}", "shop", f"{NAMESPACE}=x"),
        ("{matchLabels: {io.kubernetes.pod.namespace: x}}", "shop", "any:io.kubernetes.pod.namespace=x"),
        (
            "{matchExpressions: [{key: io.kubernetes.pod.namespace, operator: DoesNotExist}]}",
            "",
            "!any:io.kubernetes.pod.namespace",
        ),
        (
            "{matchLabels: {io.cilium.k8s.namespace.labels.team: x}}",
            "shop",
            "any:io.cilium.k8s.namespace.labels.team=x",
        ),
        (
            "{matchLabels: {'k8s:io.cilium.k8s.namespace.labels.team': x}}",
            "",
            f"{NAMESPACE},k8s:io.cilium.k8s.namespace.labels.team=x",
        ),
        (
            "{matchLabels: {'container:io.kubernetes.pod.namespace': x}}",
            "shop",
            f"{NAMESPACE}=shop,container:io.kubernetes.pod.namespace=x",
        ),
    ],
)
def test_what_is_added_to_a_peer(text: str, namespace: str, selector: str) -> None:
    assert peers(text, namespace) == selector


def test_nothing_is_added_where_the_subject_names_reserved_init() -> None:
    assert peers("{matchLabels: {app: web}}", "", "matchLabels: {'reserved:init': ''}") == "any:app=web"
    assert peers("{}", "", "matchLabels: {'reserved:host': ''}") == NAMESPACE


@pytest.mark.parametrize(
    ("subject", "namespace", "selector"),
    [
        ("{}", "shop", f"{NAMESPACE}=shop"),
        ("{}", "", ""),
        ("{matchLabels: {'k8s:io.kubernetes.pod.namespace': x, app: web}}", "shop", f"{NAMESPACE}=shop,any:app=web"),
        ("{matchLabels: {'k8s:io.kubernetes.pod.namespace': x}}", "", f"{NAMESPACE}=x"),
        (
            "{matchLabels: {io.kubernetes.pod.namespace: x}}",
            "shop",
            f"{NAMESPACE}=shop,any:io.kubernetes.pod.namespace=x",
        ),
    ],
)
def test_the_subject_of_a_namespaced_policy_is_in_its_own_namespace(
    subject: str, namespace: str, selector: str
) -> None:
    found = policy(f"spec: {{endpointSelector: {subject}, ingress: [{{}}]}}", namespace).sets[0]
    assert found.pods is not None
    assert selector_text(found.pods) == selector
    assert found.nodes is None


def test_the_subject_may_be_nodes() -> None:
    found = policy("spec: {nodeSelector: {matchLabels: {pool: x}}, ingress: [{}]}", "").sets[0]
    assert found.pods is None
    assert found.nodes is not None
    assert selector_text(found.nodes) == "any:pool=x"


@pytest.mark.parametrize(
    ("text", "peers"),
    [
        ("ingress: [{}]", None),
        ("ingress: [{fromEndpoints: []}]", ()),
        ("ingress: [{fromEndpoints: null}]", None),
        ("ingress: [{fromGroups: []}]", ()),
        ("egress: [{toGroups: [], toFQDNs: [], toServices: []}]", None),
        ("ingress: [{fromEntities: [world, host]}]", (Entity.WORLD, Entity.HOST)),
        ("ingress: [{fromCIDR: [10.0.0.0/8]}]", (IPBlock("10.0.0.0/8"),)),
        (
            "ingress: [{fromCIDRSet: [{cidr: 10.0.0.0/8, except: [10.1.0.0/16]}]}]",
            (IPBlock("10.0.0.0/8", ("10.1.0.0/16",)),),
        ),
        ("ingress: [{fromCIDRSet: [{cidrGroupRef: g}]}]", (NotEvaluated("cidrGroupRef g"),)),
        ("ingress: [{fromCIDRSet: [{cidrGroupSelector: {}}]}]", (NotEvaluated("cidrGroupSelector"),)),
        ("egress: [{toFQDNs: [{matchName: a.b}]}]", (NotEvaluated("a.b", domain_names=True),)),
        ("egress: [{toFQDNs: [{matchPattern: '*.b'}]}]", (NotEvaluated("*.b", domain_names=True),)),
        ("egress: [{toFQDNs: [{}]}]", (NotEvaluated("?", domain_names=True),)),
        ("egress: [{toGroups: [{aws: {}}]}]", (NotEvaluated("toGroups"),)),
        ("egress: [{toServices: [{k8sService: {}}]}]", (NotEvaluated("toServices", outside=False),)),
    ],
)
def test_peers(text: str, peers: object) -> None:
    assert rule(text).peers == peers


def test_a_policy_that_selects_nodes_as_peers_says_so() -> None:
    found = spec("ingress: [{fromEntities: [all]}, {fromNodes: [{matchLabels: {pool: x}}]}]")
    assert found.selects_nodes
    assert isinstance((found.sets[0].rules[1].peers or ())[0], NodesWith)
    assert not spec("ingress: [{fromEntities: [all]}, {}]").selects_nodes


@pytest.mark.parametrize(
    ("port", "read"),
    [
        ("{port: '80'}", CiliumPort(None, 80, 80)),
        ("{port: '80', protocol: ANY}", CiliumPort(None, 80, 80)),
        ("{port: '80', protocol: TCP}", CiliumPort("TCP", 80, 80)),
        ("{port: '80', endPort: 90}", CiliumPort(None, 80, 90)),
        ("{port: '80', endPort: 8}", CiliumPort(None, 80, 80)),
        ("{port: '80', endPort: 0}", CiliumPort(None, 80, 80)),
        ("{port: '0', protocol: UDP}", CiliumPort("UDP", 1, 65535)),
        ("{port: '0', endPort: 9}", CiliumPort(None, 1, 65535)),
        ("{port: WEB}", CiliumPort(None, name="web")),
        ("{port: web, endPort: 9, protocol: SCTP}", CiliumPort("SCTP", name="web")),
    ],
)
def test_ports(port: str, read: CiliumPort) -> None:
    assert rule(f"ingress: [{{toPorts: [{{ports: [{port}]}}]}}]").items == (PortItem((read,)),)


@pytest.mark.parametrize(
    ("item", "content"),
    [
        ("rules: {http: [{}]}", "http"),
        ("rules: {kafka: [{}]}", "kafka"),
        ("rules: {l7proto: x}", "l7proto"),
        ("rules: {http: []}", ""),
        ("serverNames: [a]", "serverNames"),
        ("terminatingTLS: {secret: {}}", "terminatingTLS"),
        ("originatingTLS: {secret: {}}", "originatingTLS"),
        ("listener: {name: a}", "listener"),
    ],
)
def test_content_is_what_a_proxy_decides_by(item: str, content: str) -> None:
    found = rule(f"egress: [{{toPorts: [{{ports: [{{port: '80', protocol: TCP}}], {item}}}]}}]")
    assert found.items[0].content == content


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("ingress: [{}]", None),
        ("ingress: [{toPorts: []}]", None),
        ("ingress: [{toPorts: [{}]}]", (PortItem(()),)),
        ("ingress: [{toPorts: [{ports: []}]}]", (PortItem(()),)),
    ],
)
def test_an_empty_list_of_ports_is_none_and_an_empty_item_is_one(text: str, items: object) -> None:
    assert rule(text).items == items


@pytest.mark.parametrize(
    ("text", "takes_part", "isolates"),
    [
        ("ingress: [{}]", (INGRESS,), (INGRESS,)),
        ("ingressDeny: [{}]", (INGRESS,), (INGRESS,)),
        ("ingress: [], egress: [{}]", (EGRESS,), (EGRESS,)),
        ("egressDeny: [{}], ingress: [{}]", (INGRESS, EGRESS), (INGRESS, EGRESS)),
        ("ingress: [{}], egress: [{}], enableDefaultDeny: {ingress: false}", (INGRESS, EGRESS), (EGRESS,)),
        ("ingress: [{}], enableDefaultDeny: {ingress: true, egress: true}", (INGRESS,), (INGRESS,)),
        ("ingress: [{}], enableDefaultDeny: {ingress: null}", (INGRESS,), (INGRESS,)),
        ("ingress: [{}], enableDefaultDeny: {}", (INGRESS,), (INGRESS,)),
    ],
)
def test_who_takes_part_and_who_asks_for_default_deny(text: str, takes_part: object, isolates: object) -> None:
    found = spec(text).sets[0]
    assert (found.takes_part, found.isolates) == (takes_part, isolates)


@pytest.mark.parametrize(
    ("mode", "asked"), [("required", True), ("test-always-fail", True), ("disabled", False), ("", False)]
)
def test_authentication(mode: str, *, asked: bool) -> None:
    assert rule(f"ingress: [{{authentication: {{mode: '{mode}'}}}}]").authentication is asked


def test_requires_is_not_evaluated() -> None:
    assert "fromRequires" in spec("ingress: [{fromRequires: [{}]}]").sets[0].because
    assert "toRequires" in spec("egress: [{toRequires: [{}]}]").sets[0].because
    assert not spec("ingress: [{fromRequires: []}]").sets[0].because


def test_spec_and_specs_stand_beside_each_other() -> None:
    found = policy("{spec: {endpointSelector: {}, ingress: [{}]}, specs: [{endpointSelector: {}, egress: [{}]}]}")
    assert [(one.path, one.takes_part) for one in found.sets] == [("", (INGRESS,)), ("specs[0].", (EGRESS,))]
