"""What a classifier is, and how the ones that the configuration names are found.

Classifiers are found by entry point, the built-in ones too, so that a plug-in takes the same path:

    [project.entry-points."countermark.prompt_classifiers"]
    lexicon = "safety.classifiers.lexicon:open_classifier"

An entry point names a function `open_classifier(*, threads: int)` that returns a `PromptClassifier`
or a `FrameClassifier`. Only names listed in the settings are imported: what runs in a safety process
is the operator's choice. docs/plugins.md shows one from start to end.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from safety.categories import Category
from safety.errors import ClassifierUnavailable
from safety.normalize import View
from safety.verdict import TextSpan

PROMPT_CLASSIFIERS = "countermark.prompt_classifiers"
FRAME_CLASSIFIERS = "countermark.frame_classifiers"


@dataclass(frozen=True, slots=True)
class Scored:
    """The answer of a prompt classifier for one category.

    Attributes:
        category: one of the classifier's categories.
        score: 0 to 1; 0 when nothing was found.
        span: where, in the original text; None means the whole of it.
    """

    category: Category
    score: float
    span: TextSpan | None = None


@runtime_checkable
class PromptClassifier(Protocol):
    """Scores the views of a text.

    It answers for every category that it declares, at least once, with 0 where it found nothing: an
    answer that is missing is taken for a failure, and the gate closes.
    """

    @property
    def name(self) -> str:
        """What the policy calls it."""

    @property
    def digest(self) -> str:
        """SHA-256, hex, of whatever its answers depend on: weights, word list."""

    @property
    def categories(self) -> frozenset[Category]:
        """What it looks for."""

    def score(self, views: Sequence[View]) -> Sequence[Scored]:
        """Return at least one score for each category; the worst of a category holds."""


@runtime_checkable
class FrameClassifier(Protocol):
    """Scores frames one by one."""

    @property
    def name(self) -> str:
        """What the policy calls it."""

    @property
    def digest(self) -> str:
        """SHA-256, hex, of whatever its answers depend on."""

    @property
    def categories(self) -> frozenset[Category]:
        """What it looks for."""

    def score(self, frames: NDArray[np.uint8]) -> Sequence[Mapping[Category, float]]:
        """Return one mapping for each frame, each with every category of the classifier.

        Args:
            frames: RGB, (count, height, width, 3).
        """


@dataclass(frozen=True, slots=True)
class Loaded[ClassifierT]:
    """A classifier and where its code came from, for the record.

    Attributes:
        classifier: ready to score.
        distribution: name of the installed distribution.
        version: its version.
    """

    classifier: ClassifierT
    distribution: str
    version: str


