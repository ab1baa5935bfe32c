"""What an index finds is what asking each selector finds, and others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpol.model.selector_index import ByLabels, BySelector
from kubectl_netpol.model.selectors import LabelSelector, Operator, Requirement

WEB, DB = {"app": "web", "tier": "x"}, {"app": "db", "tier": "x"}
KEYS, VALUES = st.sampled_from("abc"), st.sampled_from("12")
LABELS = st.dictionaries(KEYS, VALUES)
REQUIREMENTS = st.builds(
    lambda key, operator, values: Requirement(key, operator, tuple(values) if "In" in operator.value else ()),
    KEYS,
    st.sampled_from(Operator),
    st.lists(VALUES, min_size=1, max_size=3),
)
SELECTORS = st.builds(lambda found: LabelSelector(tuple(found)), st.lists(REQUIREMENTS, max_size=3))


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        pytest.param(None, [WEB, DB, {}], id="no selector: all"),
        pytest.param(LabelSelector(), [WEB, DB, {}], id="an empty one: all"),
        pytest.param(LabelSelector.of({"app": "db"}), [DB], id="a label"),
        pytest.param(LabelSelector.of({"tier": "x", "app": "db"}), [DB], id="of two labels the rarer one"),
        pytest.param(LabelSelector.of({"app": "none"}), [], id="a label that nothing has"),
        pytest.param(
            LabelSelector((Requirement("app", Operator.NOT_IN, ("db",)),)), [WEB, DB, {}], id="what must not be: all"
        ),
    ],
)
def test_what_a_selector_may_match(selector: LabelSelector | None, found: list[dict[str, str]]) -> None:
    assert ByLabels((labels, labels) for labels in (WEB, DB, {})).that_may_match(selector) == found


def test_a_label_that_is_not_looked_at_leaves_nothing_out() -> None:
    index = ByLabels([(WEB, "web"), (DB, "db")], keys={"tier"})
    assert index.that_may_match(LabelSelector.of({"app": "db"})) == ["web", "db"]


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        pytest.param(WEB, ["web", "web of x", "any"], id="by a label, and what matches any"),
        pytest.param({"tier": "x"}, ["any"], id="of two labels the rarer one is asked for"),
        pytest.param({}, ["any"], id="no labels"),
    ],
)
def test_which_selectors_may_match(labels: dict[str, str], found: list[str]) -> None:
    selectors = {
        "web": LabelSelector.of({"app": "web"}),
        "web of x": LabelSelector.of({"tier": "x", "app": "web"}),
        "db of x": LabelSelector.of({"tier": "x", "app": "db"}),
        "db too": LabelSelector.of({"tier": "x", "app": "db", "run": "db"}),
        "any": LabelSelector(),
        "none": None,
    }
    assert BySelector((selector, name) for name, selector in selectors.items()).that_may_match(labels) == found


@given(st.lists(LABELS, max_size=5), st.lists(SELECTORS, max_size=5))
def test_nothing_that_matches_is_left_out_and_the_order_stays(
    all_labels: list[dict[str, str]], selectors: list[LabelSelector]
) -> None:
    by_labels = ByLabels((labels, place) for place, labels in enumerate(all_labels))
    by_selector = BySelector((selector, place) for place, selector in enumerate(selectors))
    for selector in selectors:
        found = by_labels.that_may_match(selector)
        assert [place for place in found if selector.matches(all_labels[place])] == [
            place for place, labels in enumerate(all_labels) if selector.matches(labels)
        ]
        assert found == sorted(set(found))
    for labels in all_labels:
        found = by_selector.that_may_match(labels)
        assert [place for place in found if selectors[place].matches(labels)] == [
            place for place, selector in enumerate(selectors) if selector.matches(labels)
        ]
        assert found == sorted(set(found))
