"""What a journey says of itself while it runs."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol


class Phase(StrEnum):
    """The part of the journey that takes time right now, in the order of the journey."""

    PROMPT_GATE = "checking the prompt"
    LOADING = "loading the model"
    GENERATING = "generating"
    OPENING = "opening the clip"
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


class Paced:
    """Passes progress on, with an estimate of the time left in every phase that has a total.

    The estimate is the pace since the first thing was done, so that what a phase takes to begin
    (loading, opening, the first step) is not counted for each of the others. Whoever knows better
    has said so in `seconds_left`.

    Args:
        listener: who wants to know.
        clock: seconds that only go forward.
    """

    def __init__(self, listener: ProgressListener, clock: Callable[[], float]) -> None:
        self._listener, self._clock = listener, clock
        self._last = Progress(Phase.PROMPT_GATE)
        self._first_done, self._first_at = 0, 0.0

    def __call__(self, progress: Progress) -> None:
        """Pass on; raising in the listener comes out here."""
        # A phase may also begin again: marking, at a higher strength.
        is_new = progress.phase is not self._last.phase or progress.done < self._last.done
        if is_new or not self._first_done:
            self._first_done, self._first_at = progress.done, self._clock()
        self._last = progress
        if progress.seconds_left is None:
            progress = replace(progress, seconds_left=self._estimate(progress))
        self._listener(progress)

    def _estimate(self, progress: Progress) -> float | None:
        since = progress.done - self._first_done
        if progress.total is None or not self._first_done or since <= 0:
            return None
        pace = (self._clock() - self._first_at) / since
        return max(0.0, pace * (progress.total - progress.done))
