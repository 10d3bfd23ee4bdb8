"""What a prompt is about, whatever its words: sentence vectors against scenes of harm.

A prompt is read as a whole and window by window (`windows.py`); each becomes a vector
(`minilm_encoder`), and the head says what that vector comes to (`kernel_head`). The head was
trained on scenes written for this project and on harmless public prompts by training/gates; what it
misses is in docs/model-card-gates.md. It reads English. In other languages it sees little, so a low
score says little there.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from safety.classifiers import Scored
from safety.classifiers.kernel_head import KernelHead
from safety.classifiers.minilm_encoder import (
    MOST_TOKENS,
    VOCABULARY_SHA256,
    WEIGHTS_SHA256,
    MiniLM,
    Tokens,
    known,
)
from safety.classifiers.windows import stretches
from safety.normalize import View
from safety.verdict import TextSpan

HEAD_SHA256 = "7f6e9a118f7d3bb8518758ccfc575bbc6bc1bd8570cfd8deb2b22069c77ee51f"
# Of this file, the windows, the tokenizer and the making of scores: raised when an answer could
# change. Versions of onnxruntime and tokenizers are not in it.
RULES = "2"
HALF_AS_LIKELY = -0.7  # logarithm of odds: a less likely kind of the same stretch is not reported


@dataclass(frozen=True, slots=True)
class _Read:
    """One stretch of one view."""

    ids: tuple[int, ...]
    span: TextSpan
    windows: int  # distinct ones, of the view that it belongs to


def open_classifier(*, threads: int) -> "SceneClassifier":
    """Load network, vocabulary and head.

    Raises:
        ClassifierUnavailable: one of them is missing or not the one we know.
    """
    head = Path(str(resources.files("safety") / "classifiers" / "minilm_head.npz"))
    content = known(head, HEAD_SHA256, "pip install --force-reinstall countermark")
    return SceneClassifier(MiniLM(threads=threads), KernelHead.parse(content))


class SceneClassifier:
    """The classifier `minilm`."""

    name = "minilm"

    def __init__(self, encoder: MiniLM, head: KernelHead) -> None:
        self._encoder = encoder
        self._head = head
        self.categories = frozenset(head.categories)
        parts = f"{WEIGHTS_SHA256}:{VOCABULARY_SHA256}:{HEAD_SHA256}:{RULES}"
        self.digest = hashlib.sha256(parts.encode()).hexdigest()

    def score(self, views: Sequence[View]) -> Sequence[Scored]:
        """Return the highest score of every category over all stretches of all views."""
        best = {category: Scored(category, 0.0) for category in self._head.categories}
        read = self._stretches(views)
        if not read:
            return list(best.values())  # no token: an empty text, or nothing but spaces
        raw, kinds = self._head.read(self._encoder.vectors([each.ids for each in read]))
        if not (np.isfinite(raw).all() and np.isfinite(kinds).all()):
            raise ValueError("the network gave something that is no number")  # the gate closes
        for each, harm, odds in zip(read, raw, kinds, strict=True):
            for category, less in zip(self._head.categories, odds, strict=True):
                if less < HALF_AS_LIKELY:
                    continue
                score = self._head.score(float(harm + less), each.windows)
                if score > best[category].score:
                    best[category] = Scored(category, score, each.span)
        return list(best.values())

    def _stretches(self, views: Sequence[View]) -> list[_Read]:
        """Return what is to be read, each distinct list of tokens once."""
        found: dict[tuple[int, ...], _Read] = {}
        for view in views:
            for each in self._of_view(view):
                known = found.setdefault(each.ids, each)
                if each.windows < known.windows:
                    found[each.ids] = each  # the score that is held against it is the higher one
        return list(found.values())

    def _of_view(self, view: View) -> list[_Read]:
        tokens = self._encoder.tokens(view.text)
        spans = stretches(view.text, tokens.spans, most=MOST_TOKENS)
        distinct = {tokens.ids[start:end]: (start, end) for start, end in reversed(spans)}
        # Only what differs counts: saying the same again makes no mistake likelier.
        return [
            _Read(ids, _span(view, tokens, start, end), len(distinct))
            for ids, (start, end) in distinct.items()
        ]


def _span(view: View, tokens: Tokens, start: int, end: int) -> TextSpan:
    return view.span(tokens.spans[start][0], tokens.spans[end - 1][1])
