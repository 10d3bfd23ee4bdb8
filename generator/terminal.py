"""Progress on a terminal: the phase, how far it is, and how long it will take."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bars

from generator.progress import Phase, Progress, ProgressListener


@contextmanager
def terminal_progress() -> Iterator[ProgressListener]:
    """Give a listener that draws on stderr; where that is no terminal, a line for each phase."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}"),
        TextColumn("{task.fields[left]}"),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        yield _Drawn(bars)


class _Lines:
    """One line for each phase as it begins."""

    def __init__(self) -> None:
        self._phase: Phase | None = None

    def __call__(self, progress: Progress) -> None:
        if progress.phase is not self._phase:
            self._phase = progress.phase
            sys.stderr.write(f"{progress.phase.value} …\n")


class _Drawn:
    """One bar, relabelled from phase to phase."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._task = bars.add_task("starting", total=None, unit="", left="")

    def __call__(self, progress: Progress) -> None:
        self._bars.update(
            self._task,
            description=progress.phase.value,
            completed=progress.done,
            total=progress.total,
            unit=progress.unit if progress.total else "",
            left=_left(progress.seconds_left),
        )


def _left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d} left"
