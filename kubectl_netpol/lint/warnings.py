"""All warnings about a pod, a policy, a namespace's policies or a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.analysis.isolation import Explanation, peer_pods
from kubectl_netpol.analysis.peers import index_of
from kubectl_netpol.connection.dns import resolvers_blocked
from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.verdict import Note, Verdict
from kubectl_netpol.lint.peers import similar_label_hint, split_peers, split_rules, unmatched_peers
from kubectl_netpol.lint.ports import mistaken_ports
from kubectl_netpol.lint.redundancy import redundant_rules
from kubectl_netpol.lint.replies import probable_reply
from kubectl_netpol.model.policies import Direction, Policy
from kubectl_netpol.model.selectors import selector_text

if TYPE_CHECKING:
    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.model.snapshot import Snapshot


def pod_warnings(snapshot: Snapshot, explanation: Explanation) -> list[Note]:
    """About the policies that select the pod, and its access to DNS."""
    pod = explanation.pod
    notes: list[Note] = []
    if pod.host_network and explanation.selected_by and not snapshot.plugin:
        message = f"{pod.name} uses the host network: the API leaves open whether policies apply to it"
        notes.append(Note(Code.HOST_NETWORK, message))
    own = [policy for policy in explanation.selected_by if policy.kind == "NetworkPolicy"]
    notes += [note for policy in own for note in policy_warnings(snapshot, policy)]
    for side in (explanation.ingress, explanation.egress):
        notes += redundant_rules(tuple(entry for entry in side.rules if entry.policy.kind == "NetworkPolicy"))
    if blocked := resolvers_blocked(snapshot, pod):
        message = f"{pod.name} can't resolve names: its egress isolation blocks {blocked.port_title}"
        allow = f"kubectl netpol allow {' '.join(blocked.allow_arguments(pod.name))} -n {pod.namespace}"
        notes.append(Note(Code.NO_WAY_TO_DNS, f"{message}; allow it: {allow}"))
    return list(dict.fromkeys(notes))


def namespace_warnings(snapshot: Snapshot, namespace: str, *, partial: bool = False) -> list[Note]:
    """`partial` as in `policy_warnings`."""
    policies = snapshot.policies_in(namespace)
    return [note for policy in policies for note in policy_warnings(snapshot, policy, partial=partial)]


def connection_warnings(snapshot: Snapshot, prediction: Prediction) -> list[Note]:
    """About the policies behind the verdict; none where the connection is allowed."""
    if prediction.verdict is Verdict.ALLOWED:
        return []
    policies = {policy.key: policy for side in (prediction.egress, prediction.ingress) for policy in side.isolated_by}
    own = [policy for policy in policies.values() if policy.kind == "NetworkPolicy"]
    notes = [note for policy in own for note in policy_warnings(snapshot, policy, partial=True)]
    return list(dict.fromkeys((*probable_reply(snapshot, prediction), *notes)))


def policy_warnings(snapshot: Snapshot, policy: Policy, *, partial: bool = False) -> list[Note]:
    """About one policy by itself. `partial`: other namespaces were not read, so peers in them are skipped."""
    known: dict[tuple[int, bool], tuple[Policy, list[Note]]] = snapshot.memo.setdefault("warnings", {})
    found = known.get((id(policy), partial))
    if found is None:
        found = known[id(policy), partial] = policy, _policy_warnings(snapshot, policy, partial=partial)
    return found[1]


def _policy_warnings(snapshot: Snapshot, policy: Policy, *, partial: bool) -> list[Note]:
    if snapshot.gap("pods", policy.namespace):
        return []
    selected = index_of(snapshot).selected(policy)
    if not selected:
        near = similar_label_hint(policy.pod_selector, [pod.labels for pod in snapshot.pods_in(policy.namespace)])
        message = (
            f"{policy.name} selects no pod ({selector_text(policy.pod_selector) or 'the namespace has no pods'}){near}"
        )
        return [Note(Code.POLICY_SELECTS_NOTHING, message)]
    notes: list[Note] = []
    for direction in policy.directions:
        rules = policy.rules_of(direction)
        notes += split_rules(policy, rules)
        for rule in rules:
            matches = peer_pods(snapshot, policy, rule)
            notes += split_peers(policy, rule)
            if partial:
                matches = tuple(match for match in matches if match.peer and match.peer.namespace_selector is None)
            notes += unmatched_peers(snapshot, policy, rule, matches)
            targets = selected
            if direction is Direction.EGRESS and rule.ports:
                targets = tuple({pod.key: pod for match in matches for pod in match.pods}.values())
            notes += mistaken_ports(snapshot, policy, rule, targets)
    return notes
