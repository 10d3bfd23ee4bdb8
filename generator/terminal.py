"""Progress on a terminal: the phase, how far it is, and how long it will take."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn
from rich.progress import Progress as Bars

from generator.progress import Paced, Phase, Progress, ProgressListener

LINE_EVERY_S = 10.0  # off a terminal: often enough to see that it lives, seldom enough for a log
LONGEST_PHASE = max(len(phase.value) for phase in Phase)


@contextmanager
def terminal_progress() -> Iterator[ProgressListener]:
    """Give a listener that draws on stderr; where that is no terminal, it writes a few lines."""
    if not sys.stderr.isatty():
        yield Paced(Lines(sys.stderr, time.monotonic), time.monotonic)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[amount]}"),
        TextColumn("{task.fields[left]}"),
    )
    # It leaves with the last phase: what stays on the screen is the outcome.
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        yield Paced(_Drawn(bars), time.monotonic)


class Lines:
    """A line for each phase as it begins, and one now and then while it goes on.

    Args:
        stream: where to write.
        clock: seconds that only go forward.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float]) -> None:
        self._stream, self._clock = stream, clock
        self._phase: Phase | None = None
        self._written_at = clock()
        stream.write("starting …\n")

    def __call__(self, progress: Progress) -> None:
        """Write a line if one is due."""
        now = self._clock()
        if progress.phase is self._phase and now - self._written_at < LINE_EVERY_S:
            return
        self._phase, self._written_at = progress.phase, now
        words = (progress.phase.value, amount(progress), left(progress))
        self._stream.write(", ".join(word for word in words if word) + " …\n")
        self._stream.flush()


class _Drawn:
    """One bar, relabelled from phase to phase; it only pulses where the end is not known."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._task = bars.add_task("starting", total=None, amount="", left="")
        self._phase: Phase | None = None

    def __call__(self, progress: Progress) -> None:
        if progress.phase is not self._phase:
            self._phase = progress.phase
            self._bars.reset(self._task)  # a bar that was full once would stay so
        self._bars.update(
            self._task,
            description=f"{progress.phase.value:<{LONGEST_PHASE}}",  # or the bar would jump
            completed=progress.done,
            total=progress.total,
            amount=amount(progress),
            left=left(progress),
        )


def amount(progress: Progress) -> str:
    """Return how far it is in words, such as `7 of 20 steps`; nothing where no end is known."""
    if progress.total is None:
        return ""
    return f"{progress.done} of {progress.total} {progress.unit}"


def left(progress: Progress) -> str:
    """Return the time left in words, such as `0:12 left`; nothing where none is known."""
    if progress.seconds_left is None or progress.done == progress.total:
        return ""
    whole = str(timedelta(seconds=round(progress.seconds_left)))
    return f"{whole.removeprefix('0:').removeprefix('0')} left"
