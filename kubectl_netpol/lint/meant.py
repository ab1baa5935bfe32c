"""What a selector that matches nothing was probably meant to say: keys are compared with keys, values with values."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.model.selectors import LabelSelector, Operator, Requirement, requirement_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# Under each of these people name what a pod runs.
_NAMES = ("app", "app.kubernetes.io/name", "k8s-app", "name", "run", "app.kubernetes.io/component", "component")
_SHORT = 5  # below, another letter in place of one makes another word: api and app
_ROWS = "qwertyuiop asdfghjkl zxcvbnm"


class Meant(NamedTuple):
    """One requirement, and the one that would match pods that are there."""

    wrong: Requirement
    right: Requirement

    @property
    def text(self) -> str:
        return f"; did you mean {requirement_text(self.right)}?"

    def applied(self, selector: LabelSelector) -> LabelSelector:
        return LabelSelector(tuple(self.right if one == self.wrong else one for one in selector.requirements))


def meant(selector: LabelSelector, labels: Iterable[Mapping[str, str]]) -> Meant | None:
    """A change of one requirement, to a label spelt nearly alike, by which the selector matches some of these."""
    for entry in labels:
        missed = [requirement for requirement in selector.requirements if not requirement.matches(entry)]
        if len(missed) == 1 and (right := near_miss(missed[0], entry)):
            return Meant(missed[0], right)
    return None


class Slips:
    """Of many label sets those that a selector may miss by one label spelt nearly alike, without asking each."""

    def __init__(self, labels: Iterable[Mapping[str, str]]) -> None:
        self._places: dict[tuple[str, str], list[int]] = {}
        for place, entry in enumerate(labels):
            for label in entry.items():
                self._places.setdefault(label, []).append(place)
        self._keys: dict[object, list[str]] = {}
        self._values: dict[tuple[str, object], list[str]] = {}
        for key in dict.fromkeys(key for key, _ in self._places):
            for slip in slips(key):
                self._keys.setdefault(slip, []).append(key)
            for name in (True,) if key in _NAMES else ():
                self._keys.setdefault(name, []).append(key)
        for key, value in self._places:
            for slip in slips(value):
                self._values.setdefault((key, slip), []).append(value)

    def near(self, selector: LabelSelector) -> list[int]:
        """The places of the label sets that `meant` may find, and of others; in order."""
        wanted = (one for one in selector.requirements if one.operator is Operator.IN)
        labels = dict.fromkeys(label for one in wanted for label in self._near(one))
        return sorted({place for label in labels for place in self._places.get(label, ())})

    def _near(self, requirement: Requirement) -> Iterator[tuple[str, str]]:
        own, values = requirement.key, requirement.values
        for value in values:
            yield from ((own, other) for slip in slips(value) for other in self._values.get((own, slip), ()))
        for slip in (*slips(own), own in _NAMES):
            yield from ((key, value) for key in self._keys.get(slip, ()) for value in values)


def slips(word: str) -> Iterator[tuple[str, str]]:
    """What two words share that are `alike`, and others may: their digits, and what is left without one letter."""
    lower = word.lower()
    digits = "".join(filter(str.isdigit, lower))
    yield digits, lower
    for at, character in enumerate(lower):
        if not character.isdigit():
            yield digits, lower[:at] + lower[at + 1 :]


def near_miss(wrong: Requirement, labels: Mapping[str, str]) -> Requirement | None:
    """The requirement spelt as these labels are, or None where that is more than a slip."""
    if wrong.operator is not Operator.IN:
        return None
    if wrong.key in labels:
        other = labels[wrong.key]
        near = next((value for value in wrong.values if alike(value, other)), None)
        values = tuple(other if value == near else value for value in wrong.values)
        return wrong._replace(values=values) if near else None
    for key, value in labels.items():
        if value in wrong.values and (alike(wrong.key, key) or (wrong.key in _NAMES and key in _NAMES)):
            return wrong._replace(key=key)
    return None


def alike(one: str, other: str) -> bool:
    """Whether one is probably a slip of the other: one letter left out, added, swapped or changed.

    A short word is another one with another letter, unless that one is beside it on the keyboard.

    Numbers count: web-1 is not a slip of web-2. So does case alone.
    """
    if one == other or min(len(one), len(other)) < 2:  # noqa: PLR2004 - of one letter there is nothing to slip from
        return False
    if abs(len(one) - len(other)) > 1:
        return False
    if one.lower() == other.lower():
        return True
    head = _common(one, other)
    tail = min(_common(one[::-1], other[::-1]), min(len(one), len(other)) - head)
    mine, theirs = one[head : len(one) - tail], other[head : len(other) - tail]
    if any(character.isdigit() for character in mine + theirs):
        return False
    if len(mine) == len(theirs) == 2:  # noqa: PLR2004 - a pair
        return mine == theirs[::-1]
    if {len(mine), len(theirs)} == {0, 1}:
        return True
    return len(mine) == len(theirs) == 1 and (len(one) >= _SHORT or _neighbours(mine, theirs))


def _neighbours(one: str, other: str) -> bool:
    """Whether two letters are side by side on a keyboard."""
    return one + other in _ROWS or other + one in _ROWS


def _common(one: str, other: str) -> int:
    """The length of the beginning that they share."""
    return next(
        (at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), min(len(one), len(other))
    )
