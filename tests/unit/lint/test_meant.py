"""What a selector was probably meant to say: keys are compared with keys, values with values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpol.lint.meant import Near, Slips, alike, meant, slips
from kubectl_netpol.model.selectors import LabelSelector, parse_selector, selector_text

PODS = [{"app": "web", "tier": "back"}, {"app.kubernetes.io/name": "prometheus-adapter"}, {"k8s-app": "dns"}]


@pytest.mark.parametrize(
    ("selector", "text", "whole"),
    [
        pytest.param("app=wbe", "; did you mean app=web?", "app=web", id="two letters swapped"),
        pytest.param("ap=web", "; did you mean app=web?", "app=web", id="a letter missing in the key"),
        pytest.param("app=we", "; did you mean app=web?", "app=web", id="a letter missing in the value"),
        pytest.param("app=Web", "; did you mean app=web?", "app=web", id="another case"),
        pytest.param("app=wen", "; did you mean app=web?", "app=web", id="the letter beside it on the keyboard"),
        pytest.param(
            "app in (nothing,wbe)",
            "; did you mean app in (nothing,web)?",
            "app in (nothing,web)",
            id="any of several values",
        ),
        pytest.param("tier=back,app=wbe", "; did you mean app=web?", "tier=back,app=web", id="the second requirement"),
        pytest.param("name=web", "; did you mean app=web?", "app=web", id="another of the keys that name what runs"),
        pytest.param("app=dns", "; did you mean k8s-app=dns?", "k8s-app=dns", id="the same, of another pod"),
        pytest.param("app=web", None, None, id="a label that exists"),
        pytest.param("zone=north", None, None, id="nothing is close"),
        pytest.param("app!=web", None, None, id="only required labels have a hint"),
        pytest.param("app.kubernetes.io/name=prometheus", None, None, id="a longer name is another thing"),
        pytest.param("app=api", None, None, id="the same key with quite another value"),
        pytest.param("tier=bakc,app=wbe", None, None, id="two slips at once are a guess"),
        pytest.param("zone=web", None, None, id="the value under a key that means something else"),
    ],
)
def test_the_label_that_was_probably_meant(selector: str, text: str | None, whole: str | None) -> None:
    wrong = parse_selector(selector)
    found = meant(wrong, PODS)
    assert (found and found.text, found and selector_text(found.applied(wrong))) == (text, whole)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param("frontend", "frontned", True, id="swapped"),
        pytest.param("frontend", "frontendd", True, id="doubled"),
        pytest.param("backend", "backand", True, id="another letter in a long word"),
        pytest.param("sam", "san", True, id="a neighbour on the keyboard"),
        pytest.param("nas", "mas", True, id="the same, the other way round"),
        pytest.param("api", "app", False, id="another letter in a short word"),
        pytest.param("web-1", "web-2", False, id="numbers count"),
        pytest.param("v1", "v", False, id="so does one more"),
        pytest.param("web", "web1", False, id="so does one more of the other"),
        pytest.param("web1", "weba", False, id="a number in place of a letter"),
        pytest.param("weba", "web1", False, id="a letter in place of a number"),
        pytest.param("a", "b", False, id="one letter"),
        pytest.param("web", "web", False, id="the same"),
        pytest.param("cache", "cart", False, id="two letters"),
        pytest.param("prometheus", "prometheus-adapter", False, id="a whole word more"),
        pytest.param("abcd", "acbd", True, id="swapped in the middle"),
        pytest.param("abxy", "abpq", False, id="a pair that is not swapped"),
    ],
)
def test_a_slip_is_one_letter(one: str, other: str, same: bool) -> None:  # noqa: FBT001 - a column
    assert alike(one, other) is same
    assert alike(other, one) is same


WORDS = st.text("ab1A-", min_size=1, max_size=6) | st.sampled_from(
    ["app", "web", "wbe", "run", "name", "ap", "k8s-app"]
)


@given(WORDS, st.integers(0, 6), st.sampled_from(["", "x", "q1"]), st.booleans())
def test_words_that_are_alike_share_a_slip(word: str, at: int, new: str, swap: bool) -> None:  # noqa: FBT001 - drawn
    other = word[:at] + new + (word[at : at + 2][::-1] + word[at + 2 :] if swap else word[at + 1 :])
    if other and alike(word, other):
        assert set(slips(word)) & set(slips(other))


LABELS = st.dictionaries(WORDS, WORDS, max_size=3)


@given(st.lists(LABELS, max_size=5), LABELS)
def test_no_label_that_may_be_meant_is_left_out(pods: list[dict[str, str]], wanted: dict[str, str]) -> None:
    selector = LabelSelector.of(wanted)
    near = Slips(pods).near(selector)
    assert near == sorted(set(near))
    assert meant(selector, [pods[place] for place in near]) == meant(selector, pods)


def test_of_very_many_words_all_may_be_alike() -> None:
    few, many = ([f"web{number}" for number in range(count)] for count in (10_000, 10_001))
    assert Near(few).to("webx7") == ["web7"]
    assert list(Near(many).to("webx7")) == many
