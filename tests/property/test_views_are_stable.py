"""What must hold for every text, however odd."""

# Letters that look like others are what is tested here.
# ruff: noqa: RUF001

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from safety.disguises import nfkc_edits
from safety.normalize import View, ViewName, fold, join, read_leet, views

# Plain text, whole Unicode, and the characters that the disguises are made of.
texts = st.one_of(
    st.text(max_size=60),
    st.text(
        alphabet="aeo cs.1347@$!*-_&#;lmt\u0430\u0435\u043e\u0301\u200b\u200dＡ한ᄒ", max_size=80
    ),
    st.lists(
        st.sampled_from(["&amp;", "amp;", "#38;", "&#97;", "YWJj", "c a l m", "n4", "U.S."])
    ).map(" ".join),
)


@given(texts)
@settings(max_examples=300, deadline=None)
def test_every_step_changes_nothing_the_second_time(text: str) -> None:
    folded = fold(View.of(text))
    joined = join(folded)
    leet_i, leet_l = read_leet(joined, one="i"), read_leet(joined, one="l")

    assert fold(View.of(folded.text)).text == folded.text
    assert join(View.of(joined.text)).text == joined.text
    assert read_leet(View.of(leet_i.text), one="i").text == leet_i.text
    assert read_leet(View.of(leet_l.text), one="l").text == leet_l.text


@given(texts)
@settings(max_examples=300, deadline=None)
def test_normalising_piece_by_piece_equals_normalising_the_whole(text: str) -> None:
    pieces = View.of(text).edited(nfkc_edits(text), ViewName.FOLDED)

    assert pieces.text == unicodedata.normalize("NFKC", text)


@given(texts, texts)
@settings(max_examples=200, deadline=None)
def test_every_character_of_every_view_comes_from_inside_the_raw_text(raw: str, seen: str) -> None:
    found = views(raw, as_model_sees=seen)

    assert found[0].text == raw
    for view in found:
        assert len(view.text) == len(view.starts) == len(view.ends) == len(view.glued)
        assert all(0 <= a <= b <= len(raw) for a, b in zip(view.starts, view.ends, strict=True))
