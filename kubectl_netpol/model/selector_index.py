"""What a selector may match, and which selectors may match, found by labels without asking each."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, Generic, TypeVar

from kubectl_netpol.model.selectors import Operator

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from kubectl_netpol.model.selectors import LabelSelector, Requirement

T = TypeVar("T")


class ByLabels(Generic[T]):
    """Things with labels. `keys`: by these labels alone; None: by all."""

    def __init__(self, things: Iterable[tuple[Mapping[str, str], T]], keys: Collection[str] | None = None) -> None:
        self._things: list[T] = []
        self._keys = keys
        self._places: dict[tuple[str, str], list[int]] = {}
        for labels, thing in things:
            for key, value in labels.items():
                if keys is None or key in keys:
                    self._places.setdefault((key, value), []).append(len(self._things))
            self._things.append(thing)

    def that_may_match(self, selector: LabelSelector | None) -> list[T]:
        """In order; None matches all."""
        found: list[int] | None = None
        for one in selector.requirements if selector else ():
            if one.operator is Operator.IN and (self._keys is None or one.key in self._keys):
                places = [place for label in _labels(one) for place in self._places.get(label, ())]
                found = places if found is None or len(places) < len(found) else found
        return self._things if found is None else [self._things[place] for place in sorted(found)]


class BySelector(Generic[T]):
    """Things with selectors, of which None matches nothing."""

    def __init__(self, things: Iterable[tuple[LabelSelector | None, T]]) -> None:
        listed = [(selector, thing) for selector, thing in things if selector is not None]
        self._things = [thing for _, thing in listed]
        required = [
            [_labels(one) for one in selector.requirements if one.operator is Operator.IN] for selector, _ in listed
        ]
        common = Counter(label for labels in required for label in chain.from_iterable(labels))
        self._places: dict[tuple[str, str] | None, list[int]] = {}
        for place, labels in enumerate(required):
            rarest = min(labels, key=lambda one: sum(map(common.__getitem__, one)), default=(None,))
            for label in rarest:
                self._places.setdefault(label, []).append(place)

    def that_may_match(self, labels: Mapping[str, str]) -> list[T]:
        """Those whose selector may match these labels, in order."""
        places = [place for label in (None, *labels.items()) for place in self._places.get(label, ())]
        return [self._things[place] for place in sorted(places)]


def _labels(requirement: Requirement) -> tuple[tuple[str, str], ...]:
    """Those that fulfil it."""
    return tuple((requirement.key, value) for value in dict.fromkeys(requirement.values))
