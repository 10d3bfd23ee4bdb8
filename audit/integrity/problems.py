"""What a check can find: damage, by the layer that disagrees, and what only deserves a look."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

Progress: TypeAlias = Callable[[int, int], None]
"""(records done, records in all)"""


class ProblemKind(StrEnum):
    """Which layer does not agree."""

    SCHEMA = "schema"
    FILE = "file"
    BEGINNING = "beginning"
    GAP = "gap"
    RECORD = "record"
    LEAF = "leaf"
    COLUMN = "column"
    TILE = "tile"
    HEAD = "head"
    CHECKPOINT = "checkpoint"
    WITNESS = "witness"
    REFERENCE = "reference"
    ATTEMPT = "attempt"
    TOKEN = "token"  # noqa: S105 - a layer, not a secret
    SEALED = "sealed"
    # The two that are no damage.
    TIME = "time"
    NEWER = "newer"


WARNINGS: Final = frozenset({ProblemKind.TIME, ProblemKind.NEWER})
"""What an honest log can show too: a clock that was wrong, a record that a later version wrote."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One disagreement.

    Attributes:
        kind: the layer.
        index: the record it is about, where it is about one.
        sentence: for people.
    """

    kind: ProblemKind
    index: int | None
    sentence: str


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a full check found; no problem means the log agrees with itself and its witnesses.

    Attributes:
        problems: each of them is damage.
        warnings: what was not checked, or looks odd; no damage.
        records: how many were read.
        size: how many the tree that was recomputed has.
        root: over these.
    """

    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    records: int
    size: int
    root: bytes


def and_more(count: int) -> str:
    """Return how a sentence about the first of several ends."""
    return f" (and {count} more like it)" if count else ""


@dataclass(slots=True)
class Found:
    """What one run of the check has found so far."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def report(self, kind: ProblemKind, index: int | None, sentence: str) -> None:
        """Add a disagreement."""
        into = self.warnings if kind in WARNINGS else self.problems
        into.append(Problem(kind, index, sentence))
