"""What one policy does: whom it selects, whom it lets through, what would change without it, and who is missed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.analysis.changes import changes_between
from kubectl_netpol.analysis.peers import index_of
from kubectl_netpol.engine.layers import selecting_policies
from kubectl_netpol.engine.plugins import plugin_of
from kubectl_netpol.model.policies import Action
from kubectl_netpol.model.selectors import LabelSelector, Requirement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_netpol.analysis.change import Changes
    from kubectl_netpol.analysis.peers import RulePeers
    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.policies import Direction, Policy, Rule
    from kubectl_netpol.model.snapshot import Snapshot


class Missed(NamedTuple):
    """A pod that the policy does not select, and the conditions of its selectors that the labels do not meet."""

    pod: Pod
    lacks: tuple[Requirement, ...]


class PolicyExplanation(NamedTuple):
    """`policy`: with the directions in which its rules are asked.

    `isolates`: the directions in which it blocks, of the pods that it selects, what no rule decides.
    `rules`: the policy's, with the pods that their peers match now. `without`: what its deletion would change.
    `missed`: the pods that its selectors could mean, the ones with the fewest labels amiss first; of a plugin's own
    kinds none, whose selectors have grammars of their own. `refused`: why it is not in force at all, or "".
    `may_isolate`: the directions of which it is not known whether it isolates in them.
    """

    policy: Policy
    selects: tuple[Pod, ...]
    isolates: tuple[Direction, ...]
    rules: tuple[RulePeers, ...]
    without: Changes
    missed: tuple[Missed, ...]
    refused: str = ""
    may_isolate: tuple[Direction, ...] = ()


def all_policies(snapshot: Snapshot) -> tuple[Policy, ...]:
    """Every policy whose rules are evaluated, of any kind; where Cilium runs, none of a tier."""
    plugin = plugin_of(snapshot)
    if plugin is None:
        return snapshot.evaluated
    return tuple(policy for policy in plugin.policies if policy.tier is None or snapshot.plugin != "Cilium")


def explain_policy(snapshot: Snapshot, policy: Policy) -> PolicyExplanation:
    alive = [pod for pod in snapshot.pods if not pod.finished]
    selects = tuple(pod for pod in alive if any(one.key == policy.key for one in selecting_policies(snapshot, pod)))
    subject = selects[0] if selects else None
    rules = [index_of(snapshot).rule_peers(policy, rule, subject) for rule in _rules(snapshot, policy)]
    # Cilium asks the rules of a direction that policyTypes leaves out.
    more = {entry.rule.direction: None for entry in rules if entry.rule.direction not in policy.directions}
    directions = (*policy.directions, *more)
    isolates = {direction: _isolates(snapshot, policy, direction) for direction in directions}
    return PolicyExplanation(
        policy._replace(directions=directions),
        selects,
        tuple(direction for direction, isolating in isolates.items() if isolating),
        tuple(rules),
        changes_between(snapshot, _without(snapshot, policy)),
        tuple(_missed(snapshot, policy, (pod for pod in alive if pod not in selects))),
        _refused(snapshot, policy),
        tuple(direction for direction, isolating in isolates.items() if isolating is None),
    )


def _isolates(snapshot: Snapshot, policy: Policy, direction: Direction) -> bool | None:
    plugin = plugin_of(snapshot)
    return plugin.isolates(policy, direction) if plugin else policy.tier is None


def _rules(snapshot: Snapshot, policy: Policy) -> list[Rule]:
    """In the order in which they are asked: on Cilium the denies of all rule sets come first."""
    plugin = plugin_of(snapshot)
    if plugin is None:
        return [rule for direction in policy.directions for rule in policy.rules_of(direction)]
    found = [rule for own, rule in plugin.rules if own.key == policy.key]
    return sorted(found, key=lambda rule: rule.action is not Action.DENY) if snapshot.plugin == "Cilium" else found


def _refused(snapshot: Snapshot, policy: Policy) -> str:
    """Why the plugin takes nothing of it."""
    for own in snapshot.plugin_objects:
        if getattr(own, "title", "") == policy.key and (why := getattr(own, "refused", "")):
            return f"{snapshot.plugin} refuses it: {why}"
    return ""


def _without(snapshot: Snapshot, policy: Policy) -> Snapshot:
    kept = [one for one in snapshot.evaluated if one.key != policy.key]
    own = [one for one in snapshot.plugin_objects if getattr(one, "title", "") != policy.key]
    return snapshot.with_policies(kept, own)


def _missed(snapshot: Snapshot, policy: Policy, pods: Iterable[Pod]) -> list[Missed]:
    """Of a NetworkPolicy in its namespace, of a tier's policy in all, where none is on the host network."""
    found: list[Missed] = []
    if policy.kind != "NetworkPolicy" and policy.tier is None:
        return found
    for pod in pods:
        if policy.kind == "NetworkPolicy":
            if pod.namespace != policy.namespace:
                continue
            namespace: tuple[Requirement, ...] = ()
        elif pod.host_network:
            continue
        else:
            labels = snapshot.namespace(pod.namespace).labels
            selector = policy.namespace_selector or LabelSelector()
            namespace = tuple(one for one in selector.requirements if not one.matches(labels))
        own = tuple(one for one in policy.pod_selector.requirements if not one.matches(pod.labels))
        found.append(Missed(pod, (*namespace, *own)))
    return sorted(found, key=lambda missed: (len(missed.lacks), missed.pod.key))
