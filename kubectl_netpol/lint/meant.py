"""What a selector that matches nothing was probably meant to say: keys are compared with keys, values with values."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.model.selectors import LabelSelector, Operator, Requirement, requirement_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

# Under each of these people name what a pod runs.
_NAMES = ("app", "app.kubernetes.io/name", "k8s-app", "name", "run", "app.kubernetes.io/component", "component")
_SHORT = 5  # below, another letter in place of one makes another word: api and app
_MOST_WORDS = 10_000  # of which what they share is kept: it takes 3 kB a word
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
    """Of many label sets those that a selector may miss by one label spelt nearly alike, without asking each.

    A label is looked at when a selector is about its key: pods have many that none names.
    """

    def __init__(self, labels: Iterable[Mapping[str, str]]) -> None:
        self._labels = tuple(labels)
        self._keys = Near({key for entry in self._labels for key in entry})
        self._places: dict[str, dict[str, list[int]]] = {}
        self._values: dict[str, Near] = {}

    def near(self, selector: LabelSelector) -> list[int]:
        """The places of the label sets that `meant` may find, and of others; in order."""
        wanted = (one for one in selector.requirements if one.operator is Operator.IN)
        labels = dict.fromkeys(label for one in wanted for label in self._near(one))
        return sorted({place for key, value in labels for place in self._of(key).get(value, ())})

    def _near(self, requirement: Requirement) -> Iterator[tuple[str, str]]:
        own, values = requirement.key, requirement.values
        if own not in self._values:
            self._values[own] = Near(self._of(own))
        for value in values:
            yield from ((own, other) for other in self._values[own].to(value))
        names = [key for key in _NAMES if key in self._keys.words] if own in _NAMES else ()
        for key in (*names, *self._keys.to(own)):
            yield from ((key, value) for value in values)

    def _of(self, key: str) -> dict[str, list[int]]:
        """By the values of this label the places of those that have it."""
        found = self._places.get(key)
        if found is None:
            found = self._places[key] = {}
            for place, entry in enumerate(self._labels):
                if key in entry:
                    found.setdefault(entry[key], []).append(place)
        return found


class Near:
    """Words, of which those that may be `alike` to another are found by what they share."""

    def __init__(self, words: Collection[str]) -> None:
        self.words = words
        self._by_slip: dict[object, list[str]] = {}
        if len(words) <= _MOST_WORDS:
            for word in words:
                for slip in slips(word):
                    self._by_slip.setdefault(slip, []).append(word)

    def to(self, word: str) -> Iterable[str]:
        if len(self.words) > _MOST_WORDS:
            return self.words
        return [other for slip in slips(word) for other in self._by_slip.get(slip, ())]


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
