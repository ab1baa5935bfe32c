"""The layers of policies that are asked about a pod, in order: the Admin tier, NetworkPolicy, the Baseline tier.

Which kind of policy goes into which layer is decided here alone; what a layer answers, in `walk`.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.phrases import names_text
from kubectl_netpol.engine.plugins import plugin_of
from kubectl_netpol.engine.verdict import Note
from kubectl_netpol.model.policies import Tier
from kubectl_netpol.model.selector_index import BySelector

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.model.policies import Direction, Policy, Rule, UnevaluatedPolicy
    from kubectl_netpol.model.snapshot import Snapshot


class RuleList(NamedTuple):
    """The rules of one policy in one direction. `ordered`: the first that matches decides; else each one counts.

    `unknown`: why it is not known whether the policy applies to the pod.
    """

    policy: Policy
    rules: tuple[Rule, ...]
    ordered: bool = True
    unknown: Note | None = None


class InOrder(NamedTuple):
    """Asked one after the other, until one decides."""

    steps: tuple[Step, ...]


class AtOnce(NamedTuple):
    """Of the same precedence: any that matches may be the one that decides."""

    steps: tuple[Step, ...]


Step: TypeAlias = "RuleList | InOrder | AtOnce"


class Layer(NamedTuple):
    """`isolates`: what no rule decides is blocked; else the next layer is asked, and after the last it is allowed.

    `at_end`: why that is blocked, where the rule lists do not say. `lets_node`: the pod's own node is let through.
    `unknown`: why it is not known what this layer says.
    `either`: one of these holds instead of this layer, the first one unless what its Note says is so.
    """

    step: Step
    isolates: bool = False
    unknown: Note | None = None
    lets_node: bool = False
    at_end: Note | None = None
    either: tuple[tuple[tuple[Layer, ...], Note | None], ...] = ()


NOTHING = AtOnce(())


def layers_of(snapshot: Snapshot, pod: Pod, direction: Direction) -> tuple[Layer, ...]:
    """The layers with policies that apply to the pod in this direction, in the order in which they are asked."""
    if pod.finished:
        return ()
    if plugin := plugin_of(snapshot):
        return plugin.layers(pod, direction)
    middle: tuple[Layer, ...] = ()
    isolating = isolating_policies(snapshot, pod, direction)
    if isolating:
        step = AtOnce(tuple([RuleList(policy, policy.rules_of(direction), ordered=False) for policy in isolating]))
        middle = (Layer(step, isolates=True),)
    if not (snapshot.tiered or snapshot.unevaluated or snapshot.gaps):
        return middle
    if gap := snapshot.gap("networkpolicies", pod.namespace):
        middle = (unknown_layer(Note(Code.PERMISSION_MISSING, gap.message)),)
    return (
        *_not_evaluated(snapshot, pod, direction, after=False),
        *_tier(snapshot, pod, direction, Tier.ADMIN),
        *middle,
        *(_not_evaluated(snapshot, pod, direction, after=True) if not isolating else ()),
        *(_tier(snapshot, pod, direction, Tier.BASELINE) if not isolating else ()),
    )


def policies_of(layers: Iterable[Layer], *, isolating: bool) -> tuple[Policy, ...]:
    """The policies of the layers that block what no rule decides, or of the others; as they are asked."""
    found: dict[int, Policy] = {}
    for layer in layers:
        if layer.isolates is isolating:
            found.update((id(policy), policy) for policy in _policies_in(layer.step) if policy.name)
    return tuple(found.values())


def _policies_in(step: Step) -> Iterator[Policy]:
    if isinstance(step, RuleList):
        yield step.policy
    else:
        for inner in step.steps:
            yield from _policies_in(inner)


def applies(snapshot: Snapshot, policy: Policy, pod: Pod) -> bool | None:
    """Whether a policy of any evaluated kind selects the pod; None where that is unknown."""
    if policy.tier is None:
        return policy.selects(pod)
    return policy.selects_in(snapshot.namespace(pod.namespace), pod)


def selecting_policies(snapshot: Snapshot, pod: Pod) -> tuple[Policy, ...]:
    """The policies that select the pod, those of tiers only if they do for sure."""
    if plugin := plugin_of(snapshot):
        return plugin.selecting(pod)
    own = (policy for policy in _that_may_select(snapshot, pod) if policy.selects(pod))
    return (*own, *(policy for policy in snapshot.tiered if applies(snapshot, policy, pod)))


def _that_may_select(snapshot: Snapshot, pod: Pod) -> list[Policy]:
    """The NetworkPolicies of the pod's namespace, but for those that require a label that it lacks."""
    known: dict[str, BySelector[Policy]] = snapshot.memo.setdefault("policies by selector", {})
    found = known.get(pod.namespace)
    if found is None:
        policies = snapshot.policies_in(pod.namespace)
        found = known[pod.namespace] = BySelector((policy.pod_selector, policy) for policy in policies)
    return found.that_may_match(pod.labels)


def isolating_policies(snapshot: Snapshot, pod: Pod, direction: Direction) -> tuple[Policy, ...]:
    """The NetworkPolicies that isolate the pod in that direction, in the order they were read.

    Where a plugin decides, all policies that do by its reading.
    """
    if plugin := plugin_of(snapshot):
        return plugin.isolating(pod, direction)
    known: dict[tuple[int, Direction], tuple[Pod, tuple[Policy, ...]]] = snapshot.memo.setdefault("isolating", {})
    found = known.get((id(pod), direction))
    if found is None or found[0] is not pod:
        policies = _that_may_select(snapshot, pod)
        isolating = tuple([policy for policy in policies if direction in policy.directions and policy.selects(pod)])
        found = known[id(pod), direction] = pod, isolating
    return found[1]


def tiered_policies(snapshot: Snapshot, pod: Pod, direction: Direction) -> tuple[Policy, ...]:
    """The policies of both tiers that apply to the pod, or may, and have rules for this direction; as they are asked.

    The Baseline tier is left out where a NetworkPolicy isolates the pod, since it is not asked then.
    Where a plugin decides, all policies that have a say and do not isolate.
    """
    if plugin := plugin_of(snapshot):
        isolating = plugin.isolating(pod, direction)
        return tuple([policy for policy in plugin.asked(pod, direction) if policy not in isolating])
    if not snapshot.tiered:
        return ()
    isolated = bool(isolating_policies(snapshot, pod, direction))
    tiers = (Tier.ADMIN,) if isolated else (Tier.ADMIN, Tier.BASELINE)
    return tuple(found.policy for tier in tiers for found in _in_tier(snapshot, pod, direction, tier))


def _tier(snapshot: Snapshot, pod: Pod, direction: Direction, tier: Tier) -> Iterator[Layer]:
    """One tier. How policies of two API groups or generations mix in it is open, so each is asked at once."""
    found = _in_tier(snapshot, pod, direction, tier)
    if not found:
        return
    kinds = dict.fromkeys(entry.policy.kind for entry in found)
    steps = [_by_priority([entry for entry in found if entry.policy.kind == kind]) for kind in kinds]
    yield Layer(steps[0] if len(steps) == 1 else AtOnce(tuple(steps)))


def _in_tier(snapshot: Snapshot, pod: Pod, direction: Direction, tier: Tier) -> list[RuleList]:
    """The policies of the tier that apply to the pod, or may, the lowest priority number first."""
    found = []
    for policy in snapshot.tiered:
        if policy.tier is not tier or direction not in policy.directions:
            continue
        selected = applies(snapshot, policy, pod)
        if selected is not False:
            unknown = _why_unknown(snapshot, policy, pod) if selected is None else None
            found.append(RuleList(policy, policy.rules_of(direction), unknown=unknown))
    return sorted(found, key=_priority)


def _by_priority(found: Sequence[RuleList]) -> Step:
    steps: list[Step] = []
    for _, group in groupby(found, key=_priority):
        same = tuple(group)
        steps.append(same[0] if len(same) == 1 else AtOnce(same))
    return steps[0] if len(steps) == 1 else InOrder(tuple(steps))


def _priority(entry: RuleList) -> int:
    return entry.policy.priority


def _why_unknown(snapshot: Snapshot, policy: Policy, pod: Pod) -> Note:
    if policy.unreadable:
        return Note(Code.SELECTOR_NOT_EVALUATED, f"it is not known whether {policy.title} selects {pod.key}")
    return labels_unknown(snapshot, pod.namespace)


def labels_unknown(snapshot: Snapshot, namespace: str) -> Note:
    """Why a selector can't be matched against the labels of a namespace."""
    if gap := snapshot.gap("namespaces", namespace):
        return Note(Code.PERMISSION_MISSING, gap.message)
    return Note(Code.NAMESPACE_LABELS_UNKNOWN, f"the labels of namespace {namespace} are unknown")


def not_evaluated(snapshot: Snapshot, pod: Pod, direction: Direction) -> Iterator[Layer]:
    """Where a plugin decides: layers for what may select the pod, and is another's or could not be read."""
    for after in (False, True):
        yield from _not_evaluated(snapshot, pod, direction, after=after)


def _not_evaluated(snapshot: Snapshot, pod: Pod, direction: Direction, *, after: bool) -> Iterator[Layer]:
    """A layer for the first policy that may select the pod and whose rules are not evaluated, or could not be read."""
    namespace = snapshot.namespace(pod.namespace)
    for policy in snapshot.unevaluated:
        if policy.beside or policy.after is not after or direction not in policy.directions:
            continue
        if policy.may_select(pod, namespace):
            because = policy.because or "its rules are not evaluated"
            message = f"{policy.title} may decide for {pod.key}: {because}"
            yield unknown_layer(Note(Code.OVERRIDING_POLICY, message))
            return
    for gap in snapshot.gaps:
        if gap.policy_kind and gap.after is after and gap.hides(pod.namespace):
            yield unknown_layer(Note(Code.PERMISSION_MISSING, gap.message))
            return


def beside(snapshot: Snapshot, pods: Sequence[Pod], direction: Direction) -> Iterator[Note]:
    """What may refuse a connection of these pods although no layer has it.

    Policies that a proxy asks, and policies of kinds that are not known and could not be read.
    """
    titles = [
        policy.title
        for policy in snapshot.unevaluated
        if policy.beside and direction in policy.directions and _may_select_any(snapshot, policy, pods)
    ]
    if titles:
        message = f"a proxy may refuse requests that the network lets through, by {names_text(titles)}"
        yield Note(Code.PROXY_DECIDES, message)
    for gap in snapshot.gaps:
        if gap.unknown_kind and any(gap.hides(pod.namespace) for pod in pods):
            yield Note(Code.UNKNOWN_KIND, gap.message)
            return


def _may_select_any(snapshot: Snapshot, policy: UnevaluatedPolicy, pods: Sequence[Pod]) -> bool:
    return any(policy.may_select(pod, snapshot.namespace(pod.namespace)) for pod in pods)


def unknown_layer(reason: Note) -> Layer:
    """One of which it is not known what it says."""
    return Layer(NOTHING, unknown=reason)
