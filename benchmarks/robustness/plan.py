"""Which cells a run measures, and the workers that measure them."""

import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import cv2
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from benchmarks.robustness import cells, clips
from benchmarks.robustness.journal import Journal
from benchmarks.robustness.task import Outcome, Row, Setup, Task, Work
from tests.support.attacks import ATTACKS

PEER_CLIPS = ("bunny", "city", "flat", "tiny circle")
LINE_EVERY = 50  # cells: what a log file gets instead of a bar
AHEAD = 2  # tasks waiting for each worker, so that none waits for us


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a run is to measure."""

    clips: Sequence[str]
    attacks: Sequence[str]
    turns: int  # keys and payloads for each clip and attack
    peers: Sequence[str]
    null_runs: int


def tasks(wanted: Wanted) -> list[Task]:
    """Return the cells of a run in the order in which they are measured.

    The first key of every clip comes first, so that a run that is stopped has a whole picture.
    """
    ours = [
        Task(turn, clip, Work.MARK, attack=attack)
        for turn in range(wanted.turns)
        for clip in wanted.clips
        for attack in wanted.attacks
    ]
    quality = [Task(0, clip, Work.QUALITY) for clip in wanted.clips]
    theirs = [
        task
        for peer in wanted.peers
        for clip in wanted.clips
        if clip in PEER_CLIPS
        for task in (
            Task(0, clip, Work.PEER_QUALITY, peer=peer),
            *(Task(0, clip, Work.PEER, peer=peer, attack=attack) for attack in wanted.attacks),
        )
    ]
    first = len(wanted.clips) * len(wanted.attacks)
    return [*quality, *ours[:first], *theirs, *ours[first:], *null_tasks(wanted)]


def null_tasks(wanted: Wanted) -> Iterator[Task]:
    """Yield so many searches with wrong keys, over all pairs of clip and attack, then again."""
    pairs = [(clip, attack) for clip in wanted.clips for attack in wanted.attacks]
    rounds, rest = divmod(wanted.null_runs, max(len(pairs), 1))
    step = max(len(pairs) // max(rest, 1), 1)
    for turn in range(rounds):
        yield from (Task(turn, clip, Work.NULL, attack=attack) for clip, attack in pairs)
    for clip, attack in islice(pairs[::step], rest):
        yield Task(rounds, clip, Work.NULL, attack=attack)


def prepare(names: Sequence[str], cache: Path, folder: Path | None) -> dict[str, str]:
    """Fetch and draw clips into the cache; return why those are missing that cannot be had."""
    missing = {}
    # A process of its own: the packaged model takes torch, and a gigabyte with it.
    with _pool(1) as pool:
        for name in names:
            reason = pool.submit(_prepared, name, cache, folder).result()
            if reason:
                missing[name] = reason
    return missing


def _prepared(name: str, cache: Path, folder: Path | None) -> str:
    try:
        clips.prepare(clips.named(name), cache, folder)
    except clips.ClipMissing as error:
        return str(error)
    except ImportError as error:
        return f"needs countermark's extra `generate` ({error})"
    return ""


def measure(
    todo: Sequence[Task], setup: Setup, journal: Journal, *, workers: int, console: Console
) -> dict[Task, Row]:
    """Measure what the journal lacks, write each cell down at once; return the broken ones."""
    left = [task for task in todo if journal.lacks(task)]
    broken = {}
    with _progress(console) as progress:
        bar = progress.add_task("", total=len(todo), completed=len(todo) - len(left))
        for task, row in _rows(left, setup, workers):
            if row.get("outcome") == Outcome.BROKEN:
                broken[task] = row
            else:
                journal.keep(task, row)
            told = " ".join(filter(None, [task.work.value, task.peer, task.clip, task.attack]))
            progress.update(bar, advance=1, description=told)
            done = int(progress.tasks[bar].completed)
            if not console.is_terminal and done % LINE_EVERY == 0:
                console.print(f"{done} of {len(todo)}", markup=False)
    return broken


def _rows(left: Sequence[Task], setup: Setup, workers: int) -> Iterator[tuple[Task, Row]]:
    waiting: dict[Future[Row], Task] = {}
    coming = iter(left)
    with _pool(workers) as pool:
        try:
            while True:
                for task in islice(coming, workers * AHEAD - len(waiting)):
                    waiting[pool.submit(cells.run, task, setup)] = task
                if not waiting:
                    return
                done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    yield waiting.pop(future), future.result()
        except KeyboardInterrupt as error:
            raise SystemExit(
                "stopped; what is measured is kept, start the same command again to go on"
            ) from error
        except BrokenProcessPool as error:
            raise SystemExit(
                f"a worker ended ({error}): it said why above, or ran out of memory, or was "
                "killed; what is measured is kept, start the same command again"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _pool(workers: int) -> ProcessPoolExecutor:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # what a worker starts with: numpy asks once
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_alone)


def _alone() -> None:
    """One thread for each worker, or CPU times mean nothing; and no banners of encoders."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process hears it, and ends us
    cv2.setNumThreads(1)
    os.environ["SVT_LOG"] = "1"


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:50.50}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )


def all_attacks() -> list[str]:
    """Return the names of all attacks, in the order of the list."""
    return [attack.name for attack in ATTACKS]
