"""What Calico's selectors select: which pods are endpoints, and the labels of pods, sets and host endpoints."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.engine.calico_things import Things, is_endpoint
from kubectl_netpol.model.calico import HostEndpoint, Labels, NetworkSet
from kubectl_netpol.model.objects import Namespace, Pod, ServiceAccount
from kubectl_netpol.model.snapshot import Snapshot

POD = Pod("shop", "web", {"app": "web"}, ("10.0.0.1",))


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        pytest.param({}, True, id="a running pod"),
        pytest.param({"ips": (), "planned": True}, True, id="one that is planned"),
        pytest.param({"ips": ()}, False, id="one without an address"),
        pytest.param({"host_network": True}, False, id="one on the host network"),
        pytest.param({"phase": "Failed"}, False, id="one that has finished"),
        pytest.param({"annotations": {"cni.projectcalico.org/podIP": ""}}, False, id="one that has given it back"),
        pytest.param({"annotations": {"cni.projectcalico.org/podIP": "10.0.0.1/32"}}, True, id="one that has it"),
    ],
)
def test_endpoints(fields: dict[str, Any], found: object) -> None:
    assert is_endpoint(POD._replace(**fields)) is found


def things(*objects: Any, namespaces: tuple[Namespace, ...] = ()) -> Things:
    return Things(Snapshot(namespaces=namespaces, pods=[POD], plugin="Calico", plugin_objects=objects))


def test_the_labels_of_a_pod() -> None:
    own = {
        "app": "web",
        "projectcalico.org/namespace": "shop",
        "projectcalico.org/orchestrator": "k8s",
        "projectcalico.org/serviceaccount": "default",
        "pcns.projectcalico.org/name": "shop",
        "pcsa.projectcalico.org/name": "default",
    }
    known = things(ServiceAccount("shop", "default", {"team": "a"}), namespaces=(Namespace("shop", {"env": "x"}),))
    assert known.of_pod(POD) == Labels({**own, "pcns.env": "x", "pcsa.team": "a"})
    name = {"pcns.kubernetes.io/metadata.name": "shop"}
    assert things().of_pod(POD) == Labels({**own, **name}, ("pcns.", "pcsa."))
    assert known.of_pod(POD) is known.of_pod(POD), "made once"


def test_the_labels_of_sets_and_host_endpoints() -> None:
    found = things(
        NetworkSet("", "g", {"kind": "g"}, ("10.0.0.0/8", "fd00::/8")),
        NetworkSet("shop", "n", {"kind": "n"}, ("10.0.0.0/24",)),
        HostEndpoint("h", "n1", {"kind": "h"}, ("192.0.2.1", "fd00::1")),
        namespaces=(Namespace("shop", {"env": "x"}),),
    )
    in_shop = {"projectcalico.org/namespace": "shop", "pcns.projectcalico.org/name": "shop", "pcns.env": "x"}
    assert found.sets_at("10.0.0.9") == (Labels({"kind": "g"}), Labels({**in_shop, "kind": "n"}))
    assert found.sets_at("10.9.0.1") == (Labels({"kind": "g"}),)
    assert found.sets_at("fd00::1") == (Labels({"kind": "g"}), Labels({"kind": "h"}))
    assert found.sets_at("192.0.2.1") == (Labels({"kind": "h"}),)
    assert found.sets_at("192.0.2.2") == ()
    assert [labels.known["kind"] for labels in found.sets] == ["g", "n", "h"]


@pytest.mark.parametrize(
    ("nets", "planned", "found"),
    [
        pytest.param((), False, False, id="no set"),
        pytest.param(("203.0.113.0/24",), False, False, id="a set of outside addresses"),
        pytest.param(("10.0.0.0/24",), False, True, id="a set with the address of a pod"),
        pytest.param(("203.0.113.0/24",), True, True, id="a pod whose address is not known"),
    ],
)
def test_whether_sets_cover_pods(nets: tuple[str, ...], planned: object, found: object) -> None:
    pod = POD._replace(ips=(), planned=True) if planned else POD
    own = [NetworkSet("", "s", {}, nets)] if nets else []
    assert Things(Snapshot(pods=[pod], plugin="Calico", plugin_objects=own)).cover_pods is found
