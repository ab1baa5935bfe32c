"""The numbered checks, and what a finding is about."""

from __future__ import annotations

import re

import pytest

from kubectl_netpol.lint.finding import CHECKS, Severity, Subject

# Add to this list; never change or remove an entry.
PUBLISHED = """
NP001 policy-selects-nothing
NP002 peer-matches-nothing
NP003 service-port-in-rule
NP004 split-peer
NP005 split-rule
NP006 namespace-name-label
NP007 no-way-to-dns
NP008 unknown-named-port
NP009 redundant-rule
NP010 redundant-policy
NP011 rule-matches-nothing
NP012 open-to-world
NP013 no-default-deny
NP014 undeclared-port
NP015 same-priority
NP016 unreachable-rule
NP017 controller-label
NP018 refused-by-server
NP019 except-outside-block
NP020 block-holds-pods
NP021 host-address-in-except
NP022 types-contradict-rules
NP023 impossible-port
NP024 host-network
NP025 policy-misses-pod
NP026 not-in-without-key
NP027 opens-replies
NP028 clients-behind-nodes
NP029 no-way-to-api-server
NP030 node-dns-cache
"""


def test_numbers_and_codes_are_never_renamed() -> None:
    assert [f"{check.number} {check.code}" for check in CHECKS] == PUBLISHED.split("\n")[1:-1]


@pytest.mark.parametrize("check", [pytest.param(check, id=check.number) for check in CHECKS])
def test_a_title_is_the_beginning_of_a_sentence(check: object) -> None:
    assert re.fullmatch(r"[A-Z][^.]*", getattr(check, "title"))  # noqa: B009 - a column


def test_severities_are_in_order() -> None:
    assert [one.rank for one in (Severity.ERROR, Severity.WARNING, Severity.INFO)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("subject", "title"),
    [
        pytest.param(Subject("NetworkPolicy", "shop", "web"), "shop/web", id="a NetworkPolicy"),
        pytest.param(Subject("Namespace", "", "shop"), "shop", id="a namespace"),
        pytest.param(Subject("AdminNetworkPolicy", "", "a"), "AdminNetworkPolicy a", id="a policy of a tier"),
    ],
)
def test_what_it_is_about(subject: Subject, title: str) -> None:
    assert subject.title == title
