"""Findings about rules and policies without effect, since others allow the same for every pod that they are about."""

from __future__ import annotations

from heapq import merge
from itertools import chain, takewhile
from typing import TYPE_CHECKING

from kubectl_netpol.engine.codes import Code
from kubectl_netpol.engine.phrases import names_text, position_text
from kubectl_netpol.lint.context import pods_text
from kubectl_netpol.lint.cover import Numbered, Rules, covers_rule, covers_selector, place
from kubectl_netpol.lint.finding import Edit, Finding, Repair, Severity, found
from kubectl_netpol.lint.peers import without_rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kubectl_netpol.lint.context import Context
    from kubectl_netpol.model.policies import Direction, Policy, Rule


def redundant(context: Context, policy: Policy) -> tuple[Finding, ...]:
    """Of a namespace's policies together, all may be followed at once: none rests on what another one removes."""
    if context.snapshot.plugin == "Calico" and context.snapshot.plugin_objects:
        return ()  # they may stand between two NetworkPolicies
    if policy.namespace not in context.redundant:
        context.redundant[policy.namespace] = _Namespace(context, policy.namespace).findings()
    return context.redundant[policy.namespace].get(policy.name, ())


class _Namespace:
    """The policies of one namespace, of which those found redundant are gone for the ones after them."""

    def __init__(self, context: Context, namespace: str) -> None:
        self.context = context
        self.policies = list(context.snapshot.policies_in(namespace))
        self.order = {id(policy): number for number, policy in enumerate(self.policies)}
        self.alike: dict[frozenset[int], list[Policy]] = {}  # by the classes that they select
        for policy in self.policies:
            self.alike.setdefault(context.numbers(policy), []).append(policy)
        self.by_class: dict[int, list[frozenset[int]]] = {}
        for numbers in self.alike:
            for number in numbers:
                self.by_class.setdefault(number, []).append(numbers)
        self.sharing: dict[frozenset[int], list[frozenset[int]]] = {}
        self.gone: set[int] = set()  # ids of policies and of rules
        self.rules: dict[tuple[int, int, Direction], Rules] = {}

    def findings(self) -> dict[str, tuple[Finding, ...]]:
        return {policy.name: tuple(self._of(policy)) for policy in self.policies if self.context.selected(policy)}

    def _of(self, policy: Policy) -> Iterator[Finding]:
        """A policy whose every rule is covered by others is one finding, not several."""
        rules = [rule for direction in policy.directions for rule in policy.rules_of(direction)]
        others = list(takewhile(bool, (self._covered(policy, rule, own=False) for rule in rules)))
        covered = bool(rules) and len(others) == len(rules)
        if covered and all(self._isolated_anyway(policy, direction) for direction in policy.directions):
            self.gone.add(id(policy))
            yield self._policy_finding(policy, [other for by in others for other, _ in by])
            return
        for rule in rules:
            if by := self._covered(policy, rule, own=True):
                self.gone.add(id(rule))
                yield self._rule_finding(policy, rule, by)

    def _covered(self, policy: Policy, rule: Rule, *, own: bool) -> list[tuple[Policy, Rule]]:
        """The rules that together allow all that this one allows, for each pod that its policy selects; or none."""
        missing = set(self.context.numbers(policy))
        used: list[tuple[Policy, Rule]] = []
        for other, wide in self._wider(policy, rule, own=own):
            shared = missing & self.context.numbers(other)
            if shared:
                used.append((other, wide))
                missing -= shared
            if not missing:
                return used
        return []

    def _wider(self, policy: Policy, rule: Rule, *, own: bool) -> Iterator[tuple[Policy, Rule]]:
        """The rules that cover this one: its own policy's, those for all its pods whatever they are, and others."""
        if own:
            mine = self._rules([policy], rule.direction).that_may_cover(rule)
            yield from ((policy, wide) for _, _, wide in mine if self._covers(policy, rule, policy, wide))
        later = []
        for _, other, wide in self._of_others(policy, rule):
            if other is policy or id(other) in self.gone or not self._covers(policy, rule, other, wide):
                continue
            if _lasts(other, policy):
                yield other, wide
            else:
                later.append((other, wide))
        yield from later

    def _covers(self, policy: Policy, rule: Rule, other: Policy, wide: Rule) -> bool:
        """Whether the other rule makes this one redundant; of two that cover each other one does."""
        if wide is rule or id(wide) in self.gone or not covers_rule(wide, rule):
            return False
        return not (covers_rule(rule, wide) and self._stays(policy, rule, other, wide))

    def _of_others(self, policy: Policy, rule: Rule) -> Iterator[Numbered]:
        """Those that may cover it, in order, of the policies that select some of the same pods."""
        mine = self.context.numbers(policy)
        if mine not in self.sharing:
            self.sharing[mine] = list(dict.fromkeys(chain.from_iterable(map(self.by_class.__getitem__, mine))))
        found = (self._rules(self.alike[one], rule.direction).that_may_cover(rule) for one in self.sharing[mine])
        return merge(*found, key=place)

    def _rules(self, policies: Sequence[Policy], direction: Direction) -> Rules:
        key = id(policies[0]), len(policies), direction
        if key not in self.rules:
            self.rules[key] = Rules(
                Numbered(self.order[id(policy)], policy, rule)
                for policy in policies
                for rule in policy.rules_of(direction)
            )
        return self.rules[key]

    def _stays(self, policy: Policy, rule: Rule, other: Policy, wide: Rule) -> bool:
        """Whether of two rules that allow the same this one is the one to keep: for more pods, or the earlier."""
        if other is policy:
            return rule.position < wide.position
        mine, theirs = self.context.numbers(policy), self.context.numbers(other)
        return mine > theirs or (mine == theirs and self.order[id(policy)] < self.order[id(other)])

    def _isolated_anyway(self, policy: Policy, direction: Direction) -> bool:
        def isolates(other: Policy) -> bool:
            return other is not policy and id(other) not in self.gone and direction in other.directions

        return all(
            any(isolates(other) for numbers in self.by_class[number] for other in self.alike[numbers])
            for number in self.context.numbers(policy)
        )

    def _policy_finding(self, policy: Policy, others: Iterable[Policy]) -> Finding:
        by = {other.name: other for other in others}
        allow = "allows" if len(by) == 1 else "allow"
        message = f"{policy.name} has no effect: {names_text(list(by))} {allow} the same for every pod that it selects"
        proof = (f"it selects {pods_text(self.context.selected(policy))}",)
        severity = _severity(policy, by.values())
        return found(Code.REDUNDANT_POLICY, severity, policy, "", message, proof=proof, fix="delete it")

    def _rule_finding(self, policy: Policy, rule: Rule, by: list[tuple[Policy, Rule]]) -> Finding:
        here = position_text(rule.direction, rule.position)
        texts = [f"{other.name} {position_text(wide.direction, wide.position)}" for other, wide in by]
        everything = len(by) == 1 and not by[0][1].peers and not by[0][1].ports
        allow = "allows everything" if everything else "already allows it" if len(by) == 1 else "already allow it"
        message = f"{policy.name} {here} has no effect: {names_text(texts)} {allow}"
        severity = _severity(policy, [other for other, _ in by])
        repair = Repair((Edit("remove", f"spec.{here}"),), without_rule(policy, rule))
        proof = (f"for {pods_text(self.context.selected(policy))}",)
        path = f"spec.{here}"
        return found(
            Code.REDUNDANT_RULE, severity, policy, path, message, proof=proof, fix="remove the rule", repair=repair
        )


def _severity(policy: Policy, others: Iterable[Policy]) -> Severity:
    """A warning where it is so for the pods of tomorrow too."""
    return Severity.WARNING if all(_lasts(other, policy) for other in others) else Severity.INFO


def _lasts(other: Policy, policy: Policy) -> bool:
    """Whether the other one selects all that the policy selects, whatever the pods."""
    return covers_selector(other.pod_selector, policy.pod_selector)
