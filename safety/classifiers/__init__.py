"""What a classifier is, and how the ones that the configuration names are found.

Classifiers are found by entry point, the built-in ones too, so that a plug-in takes the same path:

    [project.entry-points."countermark.prompt_classifiers"]
    lexicon = "safety.classifiers.lexicon:open_classifier"

An entry point names a function `open_classifier(*, threads: int)` that returns a `PromptClassifier`
or a `FrameClassifier`. Only names listed in the settings are imported: what runs in a safety
process is the operator's choice. docs/plugins.md shows one from start to end.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from safety.categories import Category
from safety.deadline import Answered, Raised, TimedOut, ask
from safety.errors import ClassifierUnavailable
from safety.normalize import View
from safety.verdict import TextSpan

PROMPT_CLASSIFIERS = "countermark.prompt_classifiers"
FRAME_CLASSIFIERS = "countermark.frame_classifiers"
OPENING_DEADLINE_S = 300.0  # importing torch and reading gigabytes of weights from a slow disk


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


ClassifierT = TypeVar("ClassifierT", bound=PromptClassifier | FrameClassifier)


@dataclass(frozen=True, slots=True)
class Loaded(Generic[ClassifierT]):
    """A classifier and where its code came from, for the record.

    Attributes:
        classifier: ready to score.
        distribution: name of the installed distribution.
        version: its version.
    """

    classifier: ClassifierT
    distribution: str
    version: str


def load_prompt_classifiers(
    names: Iterable[str], *, threads: int = 1
) -> tuple[Loaded[PromptClassifier], ...]:
    """Load the prompt classifiers of these names, and no others.

    Raises:
        ClassifierUnavailable: one is not installed, is offered twice, or cannot start.
    """
    return tuple(
        _load(_find(PROMPT_CLASSIFIERS, name), threads, _as_prompt_classifier) for name in names
    )


def load_frame_classifiers(
    names: Iterable[str], *, threads: int = 1
) -> tuple[Loaded[FrameClassifier], ...]:
    """Load the frame classifiers of these names, and no others.

    Raises:
        ClassifierUnavailable: one is not installed, is offered twice, or cannot start.
    """
    return tuple(
        _load(_find(FRAME_CLASSIFIERS, name), threads, _as_frame_classifier) for name in names
    )


def _load(
    point: EntryPoint, threads: int, as_kind: Callable[[object], ClassifierT | None]
) -> Loaded[ClassifierT]:
    """Import and open a classifier: code that we may not have written, and that may raise anything.

    Raises:
        ClassifierUnavailable: it cannot be opened, or is not what it is offered as.
    """
    match ask(lambda: _opened(point, threads, as_kind), deadline_s=OPENING_DEADLINE_S):
        case Answered(loaded):
            return loaded
        case TimedOut(seconds):
            raise ClassifierUnavailable(
                f"the classifier {point.name!r} did not start within {seconds:g} s; repair it, or "
                "take it out of the settings and the policy"
            )
        case Raised(ClassifierUnavailable() as error):
            raise error
        case Raised(ImportError() as error):
            raise ClassifierUnavailable(
                f"the classifier {point.name!r} needs {error.name or 'a module'}, which is not "
                "installed; install the extra that brings it, for the built-in ones: "
                "pip install 'countermark[gates]'"
            ) from error
        case Raised(error):
            raise ClassifierUnavailable(
                f"the classifier {point.name!r} cannot start: {type(error).__name__}: {error}; "
                "repair it, or take it out of the settings and the policy"
            ) from error


def _opened(
    point: EntryPoint, threads: int, as_kind: Callable[[object], ClassifierT | None]
) -> Loaded[ClassifierT]:
    classifier = as_kind(point.load()(threads=threads))
    if classifier is None:
        raise ClassifierUnavailable(
            f"{point.value} is offered in {point.group} but does not return a classifier of that "
            "kind; see docs/plugins.md"
        )
    if classifier.name != point.name:
        raise ClassifierUnavailable(
            f"the classifier offered as {point.name!r} calls itself {classifier.name!r}; a policy "
            "could not name it safely"
        )
    source = point.dist
    return Loaded(
        classifier, source.name if source else "unknown", source.version if source else "unknown"
    )


def _as_prompt_classifier(opened: object) -> PromptClassifier | None:
    return opened if isinstance(opened, PromptClassifier) else None


def _as_frame_classifier(opened: object) -> FrameClassifier | None:
    return opened if isinstance(opened, FrameClassifier) else None


def _find(group: str, name: str) -> EntryPoint:
    # One distribution can stand on the path twice (an editable install); two distributions may not
    # offer the same name, or which code runs would depend on the order of the path.
    offers = {
        (point.dist.name if point.dist else "", point.value): point
        for point in entry_points(group=group, name=name)
    }
    if not offers:
        raise ClassifierUnavailable(
            f"no installed distribution offers {name!r} in {group}; install the one that does, or "
            "take the name out of the settings"
        )
    if len(offers) > 1:
        raise ClassifierUnavailable(
            f"{name!r} in {group} is offered by {', '.join(sorted(dist for dist, _ in offers))}; "
            "uninstall all but one"
        )
    return next(iter(offers.values()))
