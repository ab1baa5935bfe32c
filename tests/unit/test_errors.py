"""Errors: their message, their hint, and what RBAC forbids."""

from __future__ import annotations

import pytest

from kubectl_netpol.errors import ClusterError, ForbiddenError, ManifestError, NetpolError, NotFoundError, UsageError


@pytest.mark.parametrize("kind", [NetpolError, UsageError, ManifestError, ClusterError, NotFoundError])
def test_an_error_has_a_message_and_perhaps_a_hint(kind: type[NetpolError]) -> None:
    assert (str(kind("no such pod")), kind("no such pod").hint) == ("no such pod", None)
    error = kind("no such pod", "kubectl get pods")
    assert (error.message, error.hint) == ("no such pod", "kubectl get pods")


@pytest.mark.parametrize(
    ("namespace", "hint"),
    [
        ("shop", "ask for permission to create pods/exec in namespace shop"),
        (None, "ask for permission to create pods/exec at the cluster scope"),
    ],
    ids=["in a namespace", "cluster-wide"],
)
def test_the_hint_of_a_forbidden_call_names_the_missing_permission(namespace: str | None, hint: str) -> None:
    error = ForbiddenError("pods is forbidden", verb="create", resource="pods/exec", namespace=namespace)
    assert (error.message, error.hint) == ("pods is forbidden", hint)
    assert (error.verb, error.resource, error.namespace) == ("create", "pods/exec", namespace)


def test_forbidden_and_not_found_are_errors_of_the_cluster() -> None:
    assert issubclass(ForbiddenError, ClusterError)
    assert issubclass(NotFoundError, ClusterError)
    assert not issubclass(ManifestError, ClusterError)
