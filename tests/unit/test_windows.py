"""What is looked at of a text: all of it, a sentence by itself, and nothing longer than allowed."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safety.classifiers.windows import LONGEST, PIECE, SHORT_TEXT, stretches

WORD = re.compile(r"\w+|[^\w\s]")
TEXTS = st.lists(
    st.sampled_from(["a", "cat", "sits", "there", ".", "!", ";", "\n", "。", "-", "rain"]),
    max_size=200,
).map(" ".join)


def spans(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in WORD.finditer(text)]


@given(text=TEXTS, most=st.integers(min_value=40, max_value=150))
def test_every_token_is_looked_at_and_no_stretch_is_too_long(text: str, most: int) -> None:
    found = stretches(text, spans(text), most=most)

    count = len(spans(text))
    assert {token for start, end in found for token in range(start, end)} == set(range(count))
    assert len(set(found)) == len(found)
    for start, end in found:
        assert 0 <= start < end <= count
        assert end - start <= max(LONGEST, PIECE) or (start, end) == (0, count)
        assert end - start <= most
    assert ((0, count) in found) or count == 0 or count > most


@pytest.mark.parametrize("before", [1, 7, 40])
@pytest.mark.parametrize("after", [0, 3, 40])
def test_a_sentence_between_others_is_looked_at_by_itself(before: int, after: int) -> None:
    padding = "The boat lies in the harbour and waits. "
    sentence = "Somebody opens the door of the cellar."
    text = padding * before + sentence + (" " + padding) * after
    tokens = spans(text)

    found = stretches(text, tokens, most=510)

    assert sentence in {text[tokens[start][0] : tokens[end - 1][1]] for start, end in found}


def test_a_short_text_is_one_stretch() -> None:
    text = "One. Two three four. Five six seven."

    assert len(spans(text)) <= SHORT_TEXT
    assert stretches(text, spans(text), most=510) == ((0, len(spans(text))),)


def test_a_text_without_tokens_has_no_stretch() -> None:
    assert stretches("", [], most=510) == ()
