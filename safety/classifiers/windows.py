"""The stretches of a text that are looked at one by one, so that padding drowns less of it.

A vector of a whole text is the mean of its parts: one harmful sentence in a long harmless story
hardly moves it. So every sentence is looked at by itself as well, and one that is long, or has no
full stops at all, in overlapping pieces.
"""

import re
from collections.abc import Iterator, Sequence

_STOPS = r".!?;\n\u3002\uff01\uff1f\uff1b"  # and those of Chinese
SENTENCE = re.compile(f"[^{_STOPS}]+[{_STOPS}]*")
SHORT_TEXT = 12  # tokens: not divided
SHORTEST = 4  # tokens: a sentence below goes with the one after it
LONGEST = 32  # tokens: a sentence above is looked at in pieces
PIECE, STEP = 24, 12  # tokens

Span = tuple[int, int]


def stretches(text: str, spans: Sequence[Span], *, most: int) -> tuple[Span, ...]:
    """Return what is looked at of a text, as numbers of tokens, end excluded: windows and whole.

    Every token lies in one at least, no stretch comes twice, and a text without tokens has none.

    Args:
        text: the text.
        spans: where each token lies in it, in characters, in order.
        most: tokens that a stretch may have; a longer text is not looked at as a whole.
    """
    count = len(spans)
    if count == 0:
        return ()
    whole = [(0, count)] if count <= most else []
    if count <= SHORT_TEXT:
        return tuple(whole)
    parts = (
        piece
        for start, end in _sentences(text, spans)
        for piece in (_pieces(start, end) if end - start > LONGEST else [(start, end)])
    )
    return tuple(dict.fromkeys([*parts, *whole]))


def _sentences(text: str, spans: Sequence[Span]) -> Iterator[Span]:
    start = token = 0
    for sentence in SENTENCE.finditer(text):
        while token < len(spans) and spans[token][1] <= sentence.end():
            token += 1
        # What is left after the last sentence that counts goes with it.
        if token - start >= SHORTEST and len(spans) - token >= SHORTEST:
            yield start, token
            start = token
    yield start, len(spans)


def _pieces(start: int, end: int) -> Iterator[Span]:
    """Yield pieces of `PIECE` tokens, the last one up to the end and as long as the others."""
    yield from ((at, at + PIECE) for at in range(start, end - PIECE, STEP))
    yield end - PIECE, end
