"""Which kinds of policy a server has: by its aggregated discovery, or group by group where it has none."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpol.cluster.discovery import Discovered, Discovery, PolicyKind, discover
from kubectl_netpol.errors import ClusterError, NotFoundError
from tests.support.api import FakeApi, group, groups, resource

Object = dict[str, Any]
CILIUM = PolicyKind("CiliumNetworkPolicy", "cilium.io", "v2", "ciliumnetworkpolicies", namespaced=True)
WIDE = PolicyKind(
    "CiliumClusterwideNetworkPolicy", "cilium.io", "v2", "ciliumclusterwidenetworkpolicies", namespaced=False
)
TEAM = PolicyKind("TeamNetworkPolicy.example.com", "example.com", "v1", "teams", namespaced=True)
TEAMS, POD = resource("TeamNetworkPolicy", "teams"), resource("Pod", "pods")


def aggregated(*found: Object) -> Object:
    return {"kind": "APIGroupDiscoveryList", "items": list(found)}


def calico(version: str, group_name: str) -> PolicyKind:
    return PolicyKind("CalicoNetworkPolicy", group_name, version, "networkpolicies", namespaced=True)


def discovered(answer: Any, **found: Any) -> Discovered:
    return discover(FakeApi({"/apis": answer, **found}).api)


def stale(name: str, *found: Object) -> Object:
    return {
        "metadata": {"name": name},
        "versions": [{"version": "v3", "freshness": "Stale", **({"resources": list(found)} if found else {})}],
    }


@pytest.mark.parametrize(
    ("answer", "kinds"),
    [
        pytest.param(aggregated(), (), id="no groups"),
        pytest.param(groups(apps="v1", networking_k8s_io="v1", batch="v1"), (), id="Kubernetes' own"),
        pytest.param(groups(cilium_io="v2"), (CILIUM, WIDE), id="kinds of the table"),
        pytest.param(
            groups(cilium_io="v3 v2"),
            (CILIUM._replace(version="v3"), WIDE._replace(version="v3")),
            id="the version that the server prefers",
        ),
        pytest.param(
            aggregated({"metadata": {"name": "cilium.io"}, "versions": [{"version": "v2", "resources": None}]}),
            (CILIUM, WIDE),
            id="a group of policies without resources",
        ),
        pytest.param(
            aggregated(
                group(
                    "cilium.io", v2=[{**resource("CiliumNetworkPolicy", "ciliumnetworkpolicies"), "responseKind": None}]
                )
            ),
            (CILIUM,),
            id="a kind of the table that is not said",
        ),
        pytest.param(aggregated(group("example.com", v1=[POD, TEAMS])), (TEAM,), id="a kind that is not known"),
        pytest.param(aggregated(group("example.com", v2=[POD], v1=[TEAMS])), (TEAM,), id="a kind of one version only"),
        pytest.param(
            aggregated(group("example.com", v1=[resource("TeamNetworkPolicy", "teams", verbs="get create")])),
            (),
            id="a kind that can't be listed",
        ),
        pytest.param(
            aggregated(group("example.com", v1=[{**TEAMS, "responseKind": None}])), (), id="a resource without a kind"
        ),
        pytest.param(
            aggregated(
                group("crd.projectcalico.org", v1=[resource("NetworkPolicy", "networkpolicies")]),
                group("projectcalico.org", v3=[resource("NetworkPolicy", "networkpolicies")]),
            ),
            (calico("v3", "projectcalico.org"),),
            id="a kind of two groups, in the first of the table",
        ),
        pytest.param(
            aggregated(
                group(
                    "policy.networking.k8s.io",
                    v1=[resource("AdminNetworkPolicy", "anps", namespaced=False)],
                    v1alpha1=[resource("AdminNetworkPolicy", "anps", namespaced=False)],
                )
            ),
            (PolicyKind("AdminNetworkPolicy", "policy.networking.k8s.io", "v1alpha1", "anps", namespaced=False),),
            id="a kind whose version is known",
        ),
        pytest.param(
            aggregated(
                group("policy.networking.k8s.io", v1=[resource("AdminNetworkPolicy", "anps", namespaced=False)])
            ),
            (PolicyKind("AdminNetworkPolicy", "policy.networking.k8s.io", "v1", "anps", namespaced=False),),
            id="a kind in another version than the known one",
        ),
        pytest.param(
            aggregated(stale("example.com", TEAMS)), (TEAM._replace(version="v3"),), id="what was known before"
        ),
        pytest.param(
            aggregated(stale("kubeovn.io")),
            (
                PolicyKind("SecurityGroup", "kubeovn.io", "v3", "security-groups", namespaced=False),
                PolicyKind("Subnet", "kubeovn.io", "v3", "subnets", namespaced=False),
            ),
            id="a group of the table that does not answer: its lists will say why",
        ),
        pytest.param(aggregated(stale("metrics.k8s.io")), (), id="one of Kubernetes' own that does not answer"),
    ],
)
def test_one_answer_says_which_kinds_of_policy_there_are(answer: Any, kinds: tuple[PolicyKind, ...]) -> None:
    assert discovered(answer) == Discovered(kinds)


def test_a_group_that_does_not_answer_is_named() -> None:
    answer = aggregated(stale("example.com"), stale("other.example.com"), *groups(cilium_io="v2")["items"])
    assert discovered(answer) == Discovered((CILIUM, WIDE), ("example.com", "other.example.com"))


# A server before 1.26 answers with its groups.

LISTED = {"name": "teams", "kind": "TeamNetworkPolicy", "namespaced": True, "verbs": ["list"]}


def api_groups(**versions: str) -> Object:
    found = []
    for name, words in versions.items():
        served = [{"version": version} for version in words.split()]
        found.append({"name": name.replace("_", "."), "versions": served, "preferredVersion": served[-1]})
    return {"kind": "APIGroupList", "groups": found}


def listed(*found: Object) -> Object:
    return {"kind": "APIResourceList", "resources": list(found)}


def test_group_by_group_only_those_are_asked_that_may_have_such_kinds() -> None:
    names = {"apps": "v1", "networking_k8s_io": "v1", "example_com": "v2 v1", "policy_networking_k8s_io": "v1alpha1"}
    fake = FakeApi(
        {
            "/apis": api_groups(**names),
            "/apis/example.com/v1": listed({**LISTED, "name": "teams/status"}, LISTED),
            "/apis/example.com/v2": listed(LISTED),
            "/apis/policy.networking.k8s.io/v1alpha1": {"resources": None},
        }
    )
    assert discover(fake.api) == Discovered((TEAM,)), "in the version that the server prefers"
    assert sorted(fake.asked) == [
        "/apis", "/apis/example.com/v1", "/apis/example.com/v2", "/apis/policy.networking.k8s.io/v1alpha1",
    ]  # fmt: skip


def test_a_group_of_the_table_that_does_not_answer_is_an_error() -> None:
    with pytest.raises(ClusterError, match="it is down"):
        discovered(api_groups(cilium_io="v2"), **{"/apis/cilium.io/v2": ClusterError("it is down")})


def test_any_other_group_that_does_not_answer_is_named() -> None:
    answer = discovered(api_groups(example_com="v2 v1"), **{"/apis/example.com/v2": listed(LISTED)})
    assert answer == Discovered((TEAM._replace(version="v2"),), ("example.com",))


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"items": 7}, id="items that are no list"),
        pytest.param({"items": None}, id="no items: every server has groups"),
        pytest.param({"groups": None}, id="no groups"),
        pytest.param(aggregated({"metadata": {"name": "a"}, "versions": []}), id="an empty list of versions"),
        pytest.param({"items": [7]}, id="an item that is no object"),
        pytest.param({}, id="neither items nor groups"),
        pytest.param(aggregated({"metadata": {"name": "cilium.io"}}), id="no versions"),
        pytest.param(aggregated({"metadata": {}, "versions": [{"version": "v2"}]}), id="no name"),
        pytest.param(aggregated({"metadata": {"name": "a"}, "versions": [{}]}), id="a version without its name"),
        pytest.param(aggregated(group("a.b", v1=[{"resource": "pods"}])), id="a resource without a scope"),
        pytest.param(aggregated(group("a.b", v1=[3])), id="a resource that is no object"),  # type: ignore[list-item] # that is the point
        pytest.param({"groups": 7}, id="groups that are no list"),
        pytest.param({"groups": [7]}, id="a group that is no object"),
        pytest.param({"groups": [{"name": "cilium.io"}]}, id="a group without a version"),
        pytest.param({"groups": [{"name": "cilium.io", "preferredVersion": {}}]}, id="a group's version without name"),
        pytest.param([], id="a list"),
        pytest.param(None, id="null"),
        pytest.param({"kind": "Foo", "items": []}, id="a list of something else"),
        pytest.param({"kind": "APIGroupDiscoveryList", "groups": []}, id="one list with the entries of the other"),
        pytest.param({"metadata": {"continue": "x"}, "items": []}, id="a list that goes on"),
        pytest.param({"metadata": {"remainingItemCount": 4}, "items": []}, id="a list that is cut"),
    ],
)
def test_an_answer_of_another_form_is_an_error(answer: Any) -> None:
    with pytest.raises(ClusterError) as caught:
        discovered(answer)
    assert caught.value.message.startswith("invalid response to /apis: ")


def test_a_group_that_does_not_say_what_it_has_is_named() -> None:
    odd = {"kind": "Status"}
    assert discovered(api_groups(example_com="v1"), **{"/apis/example.com/v1": odd}).silent == ("example.com",)


def test_of_a_group_of_the_table_that_does_not_say_what_it_has_all_kinds_are_listed() -> None:
    found = discovered(api_groups(cilium_io="v2"), **{"/apis/cilium.io/v2": {"kind": "Status"}})
    assert found == Discovered((CILIUM, WIDE))


@pytest.mark.parametrize("odd", [7, [7], [{"name": 7}]], ids=["a number", "a list of numbers", "a name that is none"])
def test_resources_of_another_form_are_an_error(odd: Any) -> None:
    with pytest.raises(ClusterError, match="invalid response to /apis/cilium"):
        discovered(api_groups(cilium_io="v2"), **{"/apis/cilium.io/v2": {"resources": odd}})


# In another thread.


def test_the_result_is_waited_for() -> None:
    assert Discovery(FakeApi({"/apis": groups(cilium_io="v2")}).api).result() == Discovered((CILIUM, WIDE))


def test_what_fails_there_fails_here() -> None:
    error = NotFoundError("no")
    with pytest.raises(NotFoundError) as caught:
        Discovery(FakeApi({"/apis": error}).api).result()
    assert caught.value is error


@pytest.mark.parametrize(
    ("namespace", "path"),
    [
        ("shop", "/apis/cilium.io/v2/namespaces/shop/ciliumnetworkpolicies"),
        (None, "/apis/cilium.io/v2/ciliumnetworkpolicies"),
    ],
)
def test_the_path_of_a_list_and_the_name_in_messages(namespace: str | None, path: str) -> None:
    assert CILIUM.path(namespace) == path
    assert CILIUM.resource == "ciliumnetworkpolicies.cilium.io"
