"""Real, tiny classifiers whose answers a test chooses: scores, and every way to have none.

They pass through the same gate, threads and checks as any other. They are not stand-ins for a
model: they are what a plug-in author could ship by mistake.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from safety import Category, Scored
from safety.normalize import View

DIGEST = "0" * 64


@dataclass(frozen=True, slots=True)
class ChosenPromptClassifier:
    """Answers every text with what the test chose."""

    answer: Callable[[Sequence[View]], Sequence[Scored]]
    name: str = "chosen"
    digest: str = DIGEST
    categories: frozenset[Category] = frozenset({Category.HATE})

    def score(self, views: Sequence[View]) -> Sequence[Scored]:
        """Return the chosen answer."""
        return self.answer(views)


@dataclass(frozen=True, slots=True)
class ChosenFrameClassifier:
    """Answers every batch of frames with what the test chose."""

    answer: Callable[[NDArray[np.uint8]], Sequence[Mapping[Category, float]]]
    name: str = "chosen"
    digest: str = DIGEST
    categories: frozenset[Category] = frozenset({Category.SEXUAL_CONTENT})

    def score(self, frames: NDArray[np.uint8]) -> Sequence[Mapping[Category, float]]:
        """Return the chosen answer."""
        return self.answer(frames)


def text_scored(score: float) -> ChosenPromptClassifier:
    """Return a classifier that gives every text this score."""
    return ChosenPromptClassifier(lambda _: [Scored(Category.HATE, score)])


def frames_scored_by_brightness() -> ChosenFrameClassifier:
    """Return a classifier whose score is the mean brightness of the frame: 0 black, 1 white."""
    return ChosenFrameClassifier(
        lambda frames: [{Category.SEXUAL_CONTENT: float(frame.mean()) / 255} for frame in frames]
    )


def raises(error: BaseException) -> Callable[[object], list[object]]:
    """Return an answer that raises."""

    def answer(_: object) -> list[object]:
        raise error

    return answer


def hangs(seconds: float) -> Callable[[object], list[object]]:
    """Return an answer that comes too late, and would allow."""

    def answer(_: object) -> list[object]:
        time.sleep(seconds)
        return []

    return answer
