"""Asks one classifier, and takes nothing but a whole, finite, in-range answer.

Every way in which an answer can be unusable raises `ClassifierFailed`; the caller must not release.
"""

import math
import numbers
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from safety.categories import Category
from safety.classifiers import FrameClassifier, PromptClassifier, Scored
from safety.deadline import Answered, Raised, TimedOut, ask
from safety.errors import ClassifierFailed
from safety.normalize import View

AnswerT = TypeVar("AnswerT")
_Asked = PromptClassifier | FrameClassifier


def ask_prompt(
    classifier: PromptClassifier, readings: Sequence[View], *, deadline_s: float
) -> list[Scored]:
    """Return the scores of a text: at least one for each category of the classifier.

    Args:
        classifier: whom to ask.
        readings: the views of the text, the raw one first.
        deadline_s: how long it may take, in seconds.

    Raises:
        ClassifierFailed: it raised, took too long, or its answer cannot be used.
    """
    answer = _settle(classifier, partial(classifier.score, readings), deadline_s)
    if not isinstance(answer, Sequence) or not all(isinstance(one, Scored) for one in answer):
        raise _failed(classifier, f"expected a sequence of scores, got {type(answer).__name__}")
    _require_categories(classifier, {scored.category for scored in answer})
    size = len(readings[0].text)
    for scored in answer:
        span = scored.span
        if span is not None and not 0 <= span.start <= span.end <= size:
            raise _failed(classifier, f"expected a span inside {size} characters, got {span}")
    return [
        replace(scored, score=_usable(classifier, scored.category, scored.score))
        for scored in answer
    ]


def ask_frames(
    classifier: FrameClassifier, pixels: NDArray[np.uint8], *, deadline_s: float
) -> list[dict[Category, float]]:
    """Return one mapping for each frame, each with all categories of the classifier.

    Args:
        classifier: whom to ask.
        pixels: RGB, (count, height, width, 3).
        deadline_s: how long it may take, in seconds.

    Raises:
        ClassifierFailed: it raised, took too long, or its answer cannot be used.
    """
    answer = _settle(classifier, partial(classifier.score, pixels), deadline_s)
    if not isinstance(answer, Sequence) or not all(isinstance(one, Mapping) for one in answer):
        raise _failed(classifier, f"expected a sequence of mappings, got {type(answer).__name__}")
    if len(answer) != len(pixels):
        raise _failed(classifier, f"expected {len(pixels)} answers, one a frame, got {len(answer)}")
    for scores in answer:
        _require_categories(classifier, set(scores))
    return [
        {category: _usable(classifier, category, score) for category, score in scores.items()}
        for scores in answer
    ]


def _settle(classifier: _Asked, call: Callable[[], AnswerT], deadline_s: float) -> AnswerT:
    match ask(call, deadline_s=deadline_s):
        case Answered(value):
            return value
        case TimedOut(seconds):
            raise _failed(classifier, f"no answer within {seconds:g} s")
        case Raised(error):
            raise _failed(classifier, f"it raised {type(error).__name__}: {error}") from error


def _require_categories(classifier: _Asked, answered: set[Category]) -> None:
    if answered != classifier.categories:
        missing = sorted(classifier.categories - answered)
        extra = sorted(str(category) for category in answered - classifier.categories)
        raise _failed(
            classifier,
            f"expected an answer for each of its categories and no other; missing {missing}, "
            f"not declared {extra}",
        )


def _usable(classifier: _Asked, category: Category, score: object) -> float:
    # A bool is a number in Python, and True would be a threshold that someone else chose.
    if not isinstance(score, bool) and isinstance(score, numbers.Real):
        value = float(score)
        if math.isfinite(value) and 0 <= value <= 1:
            return value
    raise _failed(classifier, f"expected a score from 0 to 1 for {category}, got {score!r}")


def _failed(classifier: _Asked, what: str) -> ClassifierFailed:
    return ClassifierFailed(
        f"the classifier {classifier.name!r} gave no usable answer: {what}; nothing is released "
        "until it does"
    )
