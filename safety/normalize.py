"""Views of a prompt: the text as sent, as the model sees it, and with common disguises taken off.

Undoing a disguise can damage an innocent text, so a view is only ever *added*: classifiers score
every view and the worst answer holds, and no view takes the place of the prompt in the model or the
record.

The views, each built on the one before it, for the raw text and for the text that the model sees:

1. `raw`, `model`: untouched.
2. `folded`: HTML entities and base64 decoded, NFKC, all dashes made one, invisible characters and
   stacked accents removed, look-alike letters of other scripts folded inside mixed-script words.
3. `joined`: letters that were spaced out, dotted or starred brought together.
4. `leet_i`, `leet_l`: digits and signs inside words read as letters, with 1 as i and as l.

Every character of a view knows which stretch of the original it came from. Every step is
idempotent. The steps themselves, pure functions from text to edits, are in `safety.disguises` and
`safety.lookalikes`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from safety.disguises import (
    Edit,
    dash_edits,
    encoding_edits,
    invisible_edits,
    joining_edits,
    leet_i_edits,
    leet_l_edits,
    nfkc_edits,
)
from safety.errors import InputUnexaminable
from safety.lookalikes import confusable_edits
from safety.verdict import TextSpan

MAX_CHARACTERS = 20_000  # eight times what the 512 tokens of Wan's text encoder hold in English
MAX_ROUNDS = 16  # nobody nests encodings deeper in good faith


class ViewName(StrEnum):
    """What was done to the text."""

    RAW = "raw"
    MODEL = "model"
    FOLDED = "folded"
    JOINED = "joined"
    LEET_I = "leet_i"
    LEET_L = "leet_l"


@dataclass(frozen=True, slots=True)
class View:
    """One reading of a text, with its way back to the original.

    Attributes:
        name: what was done.
        text: the reading.
        starts: for each character of `text`, where its source begins in the original.
        ends: for each character of `text`, where its source ends in the original, excluded.
        glued: for each character of `text`, whether it was brought together from spaced letters, so
            that word boundaries around it are not known.
    """

    name: ViewName
    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    glued: tuple[bool, ...]

    @classmethod
    def of(cls, text: str, name: ViewName = ViewName.RAW) -> Self:
        """Return the text as it is."""
        size = len(text)
        return cls(name, text, tuple(range(size)), tuple(range(1, size + 1)), (False,) * size)

    def span(self, start: int, end: int) -> TextSpan:
        """Return the stretch of the original that `text[start:end]` came from."""
        if start >= end:
            raise ValueError(f"expected a stretch of at least one character, got {start} to {end}")
        return TextSpan(min(self.starts[start:end]), max(self.ends[start:end]), self.name.value)

    def edited(self, edits: Iterable[Edit], name: ViewName) -> "View":
        """Return the view after replacing stretches; edits are in order and do not overlap."""
        text: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        glued: list[bool] = []
        done = 0
        for edit in [*edits, Edit(len(self.text), len(self.text), "")]:
            text.append(self.text[done : edit.start])
            starts.extend(self.starts[done : edit.start])
            ends.extend(self.ends[done : edit.start])
            glued.extend(self.glued[done : edit.start])
            if edit.text:
                source = self.span(edit.start, edit.end)
                size = len(edit.text)
                text.append(edit.text)
                starts.extend([source.start] * size)
                ends.extend([source.end] * size)
                glued.extend([edit.glued or any(self.glued[edit.start : edit.end])] * size)
            done = edit.end
        return View(name, "".join(text), tuple(starts), tuple(ends), tuple(glued))


def views(raw: str, *, as_model_sees: str) -> tuple[View, ...]:
    """Return the distinct readings of a prompt, the untouched ones first.

    Args:
        raw: the prompt as it was sent; spans refer to it.
        as_model_sees: the prompt after the generator's own cleaning and truncation.

    Raises:
        InputUnexaminable: a text is too long, or nests encodings too deep, to be read in full.
    """
    for text in (raw, as_model_sees):
        if len(text) > MAX_CHARACTERS:
            raise InputUnexaminable(
                f"the prompt has {len(text)} characters, at most {MAX_CHARACTERS} are examined; "
                "shorten it"
            )
    bases = [View.of(raw)]
    if as_model_sees != raw:
        bases.append(_model_view(raw, as_model_sees))
    distinct = {view.text: view for view in bases}
    for base in bases:
        folded = fold(base)
        joined = join(folded)
        for view in (folded, joined, read_leet(joined, one="i"), read_leet(joined, one="l")):
            distinct.setdefault(view.text, view)
    return tuple(distinct.values())


def fold(view: View) -> View:
    """Decode, bring to NFKC, make dashes one, drop what cannot be seen, fold look-alikes."""
    steps = (encoding_edits, nfkc_edits, dash_edits, invisible_edits, confusable_edits)
    return _until_stable(view, steps, ViewName.FOLDED)


def join(view: View) -> View:
    """Bring spaced, dotted and starred letters together."""
    return _until_stable(view, (joining_edits,), ViewName.JOINED)


def read_leet(view: View, *, one: str) -> View:
    """Read digits and signs inside words as letters; `one` says how to read the digit 1: i or l."""
    if one == "i":
        return _until_stable(view, (leet_i_edits,), ViewName.LEET_I)
    return _until_stable(view, (leet_l_edits,), ViewName.LEET_L)


def _until_stable(
    view: View, steps: tuple[Callable[[str], list[Edit]], ...], name: ViewName
) -> View:
    """Repeat the steps until none changes anything: taking one disguise off may show another."""
    for _ in range(MAX_ROUNDS):
        before = view.text
        for step in steps:
            if edits := step(view.text):
                view = view.edited(edits, name)
        if view.text == before:
            return view
    raise InputUnexaminable(
        f"the prompt still changes after {MAX_ROUNDS} rounds of decoding; send it as plain text"
    )


def _model_view(raw: str, as_model_sees: str) -> View:
    """Map the model's text to the raw one: exactly at both ends, as one stretch between."""
    shorter = min(len(raw), len(as_model_sees))
    head = 0
    while head < shorter and raw[head] == as_model_sees[head]:
        head += 1
    tail = 0
    while tail < shorter - head and raw[-1 - tail] == as_model_sees[-1 - tail]:
        tail += 1
    middle = len(as_model_sees) - head - tail
    end = len(raw) - tail
    return View(
        ViewName.MODEL,
        as_model_sees,
        (*range(head), *([head] * middle), *range(end, len(raw))),
        (*range(1, head + 1), *([end] * middle), *range(end + 1, len(raw) + 1)),
        (False,) * len(as_model_sees),
    )
