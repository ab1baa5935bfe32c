"""The codes are what scripts rely on: none is renamed, dropped or given twice."""

from __future__ import annotations

import json
import re

import pytest

from kubectl_netpol.engine.codes import Code

# Add to this list; never change or remove an entry.
PUBLISHED = {
    "reasons": """
        no-rule-allows overriding-policy permission-missing namespace-labels-unknown pod-address-unknown
        pod-not-running pod-has-no-ip host-network own-node own-service source-rewritten destination-rewritten
        endpoints-differ service-has-no-such-port service-has-no-endpoints external-name host-name denied-by-rule
        equal-priorities selector-not-evaluated domain-name nodes-unknown plugin-version plugin-setting content-decides
        authentication-decides api-server-unknown rule-not-evaluated source-port account-labels-unknown
        endpoints-unknown host-endpoint tier-unknown types-unknown denied-by-plugin replicas-differ
    """,
    "caveats": """
        ip-block-on-pod end-port families-differ no-common-family sctp own-address baseline-by-direction plugin-differs
        plugin-not-seen proxy-decides unknown-kind metadata-address
    """,
    "warnings": """
        policy-selects-nothing peer-matches-nothing service-port-in-rule no-way-to-dns split-rule split-peer
        namespace-name-label unknown-named-port redundant-rule probably-a-reply redundant-policy rule-matches-nothing
        open-to-world
        no-default-deny undeclared-port same-priority unreachable-rule controller-label refused-by-server
        except-outside-block block-holds-pods host-address-in-except types-contradict-rules impossible-port
        policy-misses-pod not-in-without-key opens-replies clients-behind-nodes no-way-to-api-server node-dns-cache
    """,
    "findings": """
        open predicted policy-not-enforced changed-recently enforcer-named-port-fault enforcer-both-ends-fault
        open-unpredicted blocked-by-policy rejected-by-policy nothing-listens nothing-listens-and-blocked
        refused-though-listening refused no-ready-endpoints wrong-service-port timed-out-though-allowed timed-out
        unreachable name-unresolved dns-blocked no-answer no-tool exec-forbidden exec-failed proxy-intercepts
        source-not-running destination-not-running not-probed kind-not-enforced
    """,
    "reasons of checks": "no-control not-asked",
}


@pytest.mark.parametrize("group", PUBLISHED)
def test_every_published_code_is_still_there(group: str) -> None:
    assert [code for code in PUBLISHED[group].split() if code not in {known.value for known in Code}] == []


def test_every_code_is_published_once() -> None:
    published = [code for codes in PUBLISHED.values() for code in codes.split()]
    assert sorted(published) == sorted(member.value for member in Code.__members__.values())


@pytest.mark.parametrize("code", [pytest.param(code, id=code.value) for code in Code])
def test_a_code_is_written_as_its_value(code: Code) -> None:
    # In an f-string, an Enum that is a str too is its name in some versions of Python, and its value in others.
    assert (str(code), f"{code}", json.loads(json.dumps(code))) == (code.value,) * 3
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", code.value)
