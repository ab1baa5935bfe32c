"""Every code that scripts may rely on: reasons, caveats, warnings and findings.

A code is never renamed and never gets another meaning. `docs/codes.md` explains each one.
"""

from __future__ import annotations

from enum import Enum


class Code(str, Enum):
    # Reasons: why a connection is not allowed.
    NO_RULE_ALLOWS = "no-rule-allows"
    OVERRIDING_POLICY = "overriding-policy"
    PERMISSION_MISSING = "permission-missing"
    DENIED_BY_RULE = "denied-by-rule"
    EQUAL_PRIORITIES = "equal-priorities"
    SELECTOR_NOT_EVALUATED = "selector-not-evaluated"
    DOMAIN_NAME = "domain-name"
    NODES_UNKNOWN = "nodes-unknown"
    NAMESPACE_LABELS_UNKNOWN = "namespace-labels-unknown"
    POD_ADDRESS_UNKNOWN = "pod-address-unknown"
    POD_NOT_RUNNING = "pod-not-running"
    POD_HAS_NO_IP = "pod-has-no-ip"
    HOST_NETWORK = "host-network"
    OWN_NODE = "own-node"
    OWN_SERVICE = "own-service"
    SOURCE_REWRITTEN = "source-rewritten"
    DESTINATION_REWRITTEN = "destination-rewritten"
    ENDPOINTS_DIFFER = "endpoints-differ"
    REPLICAS_DIFFER = "replicas-differ"
    SERVICE_HAS_NO_SUCH_PORT = "service-has-no-such-port"
    SERVICE_HAS_NO_ENDPOINTS = "service-has-no-endpoints"
    EXTERNAL_NAME = "external-name"
    HOST_NAME = "host-name"
    PLUGIN_VERSION = "plugin-version"
    PLUGIN_SETTING = "plugin-setting"
    CONTENT_DECIDES = "content-decides"
    AUTHENTICATION_DECIDES = "authentication-decides"
    API_SERVER_UNKNOWN = "api-server-unknown"
    RULE_NOT_EVALUATED = "rule-not-evaluated"
    SOURCE_PORT = "source-port"
    ACCOUNT_LABELS_UNKNOWN = "account-labels-unknown"
    ENDPOINTS_UNKNOWN = "endpoints-unknown"
    HOST_ENDPOINT = "host-endpoint"
    TIER_UNKNOWN = "tier-unknown"
    TYPES_UNKNOWN = "types-unknown"
    DENIED_BY_PLUGIN = "denied-by-plugin"

    # Caveats: the verdict is defined, but plugins are known to differ.
    IP_BLOCK_ON_POD = "ip-block-on-pod"
    END_PORT = "end-port"
    FAMILIES_DIFFER = "families-differ"
    SCTP = "sctp"
    METADATA_ADDRESS = "metadata-address"
    OWN_ADDRESS = "own-address"
    BASELINE_BY_DIRECTION = "baseline-by-direction"
    PROXY_DECIDES = "proxy-decides"
    UNKNOWN_KIND = "unknown-kind"
    PLUGIN_DIFFERS = "plugin-differs"
    PLUGIN_NOT_SEEN = "plugin-not-seen"

    # Warnings: a policy probably does not do what its author meant.
    POLICY_SELECTS_NOTHING = "policy-selects-nothing"
    PEER_MATCHES_NOTHING = "peer-matches-nothing"
    SERVICE_PORT_IN_RULE = "service-port-in-rule"
    NO_WAY_TO_DNS = "no-way-to-dns"
    SPLIT_RULE = "split-rule"
    SPLIT_PEER = "split-peer"
    NAMESPACE_NAME_LABEL = "namespace-name-label"
    UNKNOWN_NAMED_PORT = "unknown-named-port"
    REDUNDANT_RULE = "redundant-rule"
    PROBABLY_A_REPLY = "probably-a-reply"

    # Findings of `test`: the probe compared with the policies.
    OPEN = "open"
    PREDICTED = "predicted"
    NOT_ENFORCED = "policy-not-enforced"
    KIND_NOT_ENFORCED = "kind-not-enforced"
    CHANGED_RECENTLY = "changed-recently"
    ENFORCER_NAMED_PORT_FAULT = "enforcer-named-port-fault"
    ENFORCER_BOTH_ENDS_FAULT = "enforcer-both-ends-fault"
    OPEN_UNPREDICTED = "open-unpredicted"
    BLOCKED_BY_POLICY = "blocked-by-policy"
    REJECTED_BY_POLICY = "rejected-by-policy"
    NOTHING_LISTENS = "nothing-listens"
    NOTHING_LISTENS_AND_BLOCKED = "nothing-listens-and-blocked"
    REFUSED_THOUGH_LISTENING = "refused-though-listening"
    REFUSED = "refused"
    NO_READY_ENDPOINTS = "no-ready-endpoints"
    WRONG_SERVICE_PORT = "wrong-service-port"
    TIMED_OUT_THOUGH_ALLOWED = "timed-out-though-allowed"
    TIMED_OUT = "timed-out"
    UNREACHABLE = "unreachable"
    NAME_UNRESOLVED = "name-unresolved"
    DNS_BLOCKED = "dns-blocked"
    NO_ANSWER = "no-answer"
    NO_TOOL = "no-tool"
    EXEC_FORBIDDEN = "exec-forbidden"
    EXEC_FAILED = "exec-failed"
    PROXY_INTERCEPTS = "proxy-intercepts"
    SOURCE_NOT_RUNNING = "source-not-running"
    DESTINATION_NOT_RUNNING = "destination-not-running"
    NOT_PROBED = "not-probed"

    # Of checks of a suite: why it can't be told whether they are as expected.
    NO_CONTROL = "no-control"
    NOT_ASKED = "not-asked"

    def __str__(self) -> str:
        return self.value
