"""What a journey says of itself while it runs."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Phase(StrEnum):
    """The part of the journey that takes time right now, in the order of the journey."""

    PROMPT_GATE = "checking the prompt"
    LOADING = "loading the model"
    GENERATING = "generating"
    OUTPUT_GATE = "checking the frames"
    MARKING = "marking and encoding"
    READING_BACK = "reading the mark back"
    SIGNING = "signing"
    PUBLISHING = "publishing"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a phase has come; unknown totals and times are None, never guessed as zero."""

    phase: Phase
    done: int = 0
    total: int | None = None
    unit: str = "frames"
    seconds_left: float | None = None


class ProgressListener(Protocol):
    """Whoever wants to know: a terminal, a job row, a stream of events."""

    def __call__(self, progress: Progress) -> None:
        """Take note; raising `generator.errors.Cancelled` stops the journey at this point."""


def nobody(progress: Progress) -> None:
    """Listen to nothing."""
    del progress
