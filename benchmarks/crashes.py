"""Kill journeys with SIGKILL and count what was left wrong.

    python -m benchmarks.crashes [ROUNDS] [--make-rounds N]

ROUNDS (50) processes each take a drawn clip through the whole journey and are killed: at each point
of `tests.support.crash`, every third one at a random moment. N (4) more generate a small clip with
the embedded model and are killed likewise; without torch they are left out, and the result says so.
Recovery runs after each. Counted are public clips without a `released` record, attempts of dead
processes left open, clips left in the clear or sealed without a record, and what the check of the
log finds. One more process stands in the middle of a journey all the time: whatever recovery
changes of its attempt or its files is counted too, and at the end it must release its clip.
"""

import argparse
import importlib.util
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from audit.attempts import UNFINISHED, Attempts, AttemptState, StoredAttempt
from audit.home import Home
from audit.ledger import Ledger
from audit.vocabulary import RecordKind
from audit.wiring import now
from benchmarks.stamp import keep
from generator.publish import file_sha256
from generator.recovery import Recovered, recover
from tests.support.crash import MAKE, MAKE_POINTS, POINTS, WAIT
from tests.support.drawing import drawn_video
from tests.support.press import new_home, opened_log

LONGEST_S = 12.0  # a journey of the drawn clip on a busy machine
WRONG = (
    *("public without record", "public and withdrawn", "left open", "left in the clear"),
    *("sealed without record", "not closed", "live one touched", "live one not released"),
    "problems in the log",
)


@dataclass(frozen=True, slots=True)
class Bench:
    """A home, a clip to protect, and what went wrong or was done so far."""

    home: Home
    folder: Path
    source: Path
    wrong: Counter[str]
    recovered: Counter[str]


@dataclass(frozen=True, slots=True)
class LiveJourney:
    """A journey that stands still in another process, and how it looked when it stopped there."""

    process: "subprocess.Popen[str]"
    attempt: StoredAttempt
    files: dict[str, tuple[int, int]]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("rounds", type=int, nargs="?", default=50)
    parser.add_argument("--make-rounds", type=int, default=4)
    asked = parser.parse_args()
    makes = asked.make_rounds if importlib.util.find_spec("torch") is not None else 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bench = Bench(
            home=new_home(folder / "home"),
            folder=folder,
            source=drawn_video(folder / "in.mp4", 12),
            wrong=Counter(dict.fromkeys(WRONG, 0)),
            recovered=Counter(),
        )
        draw = random.Random(1)
        with standing_journey(bench) as live:
            for number in range(asked.rounds):
                at_random = draw.uniform(1.0, LONGEST_S) if number % 3 == 2 else None
                point = "never" if at_random else POINTS[(number - (number + 1) // 3) % len(POINTS)]
                play(bench, live, str(bench.source), point, at_random)
            for number in range(makes):
                play(bench, live, MAKE, MAKE_POINTS[number % len(MAKE_POINTS)], None)
        with opened_log(bench.home) as ledger:
            bench.wrong["problems in the log"] = len(ledger.check().problems)
    keep(
        {
            "rounds": asked.rounds,
            "make_rounds": makes or "left out: torch is not installed",
            "recovery": dict(bench.recovered),
            "wrong": dict(bench.wrong),
        }
    )


@contextmanager
def standing_journey(bench: Bench) -> Iterator[LiveJourney]:
    """Keep a journey open in a process of its own; at the end it must release its clip."""
    target = bench.folder / "live.mp4"
    process = subprocess.Popen(
        command(bench, str(bench.source), target, WAIT),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    if process.stdout is None or process.stdout.readline() != "waiting\n":
        raise RuntimeError("the standing journey did not come to its middle")
    with opened_log(bench.home) as ledger:
        (attempt,) = Attempts(ledger.engine, ledger.log_id).in_state(AttemptState.OPEN)
    try:
        yield LiveJourney(process, attempt, files_in(bench.home.private / attempt.id))
    except BaseException:
        process.kill()
        raise
    process.communicate("go on\n")
    with opened_log(bench.home) as ledger:
        bench.wrong["live one not released"] = int(
            process.returncode != 0 or not is_released(ledger, target)
        )


def play(
    bench: Bench, live: LiveJourney, source: str, point: str, kill_after_s: float | None
) -> None:
    """Kill one journey, recover, and count what is wrong."""
    target = bench.folder / f"out-{len(list(bench.folder.iterdir()))}.mp4"
    process = subprocess.Popen(command(bench, source, target, point), stderr=subprocess.PIPE)
    if kill_after_s is not None:
        time.sleep(kill_after_s)
        os.kill(process.pid, signal.SIGKILL)
    _, told = process.communicate()
    ended = process.returncode
    # At a random moment it may have ended already; at a point it must have killed itself.
    if ended != -signal.SIGKILL and (ended != 0 or kill_after_s is None):
        raise RuntimeError(f"{point!r} ended with {ended}: {told.decode(errors='replace')}")
    with opened_log(bench.home) as ledger:
        if target.exists() and not ledger.find_by_file(file_sha256(target)):
            bench.wrong["public without record"] += 1
        done = recover(ledger, bench.home, now)
        bench.recovered.update(finished=done.finished, withdrawn=done.withdrawn)
        count_left_overs(bench, live, ledger, done)
        if target.exists() and not is_released(ledger, target):
            bench.wrong["public and withdrawn"] += 1
    print(f"{source}: {point}", done, dict(bench.wrong), flush=True)


def count_left_overs(bench: Bench, live: LiveJourney, ledger: Ledger, done: Recovered) -> None:
    attempts = Attempts(ledger.engine, ledger.log_id)
    open_ones = [each.id for each in attempts.in_state(*UNFINISHED)]
    held = {f"{each.id}.sealed" for each in attempts.in_state(AttemptState.HELD)}
    folders = [path.name for path in bench.home.private.iterdir()]
    sealed = [path.name for path in bench.home.held.iterdir()]
    bench.wrong["left open"] += len(set(open_ones) - {live.attempt.id})
    bench.wrong["left in the clear"] += len(set(folders) - {live.attempt.id})
    bench.wrong["sealed without record"] += len(set(sealed) ^ held)
    bench.wrong["not closed"] += len(done.failures)
    bench.wrong["live one touched"] += int(is_touched(bench, live, attempts))


def is_touched(bench: Bench, live: LiveJourney, attempts: Attempts) -> bool:
    """Tell whether anybody but its own process changed the standing journey."""
    found = attempts.get(live.attempt.id)
    same_row = (found.state, found.lease.pid) == (live.attempt.state, live.attempt.lease.pid)
    same_files = files_in(bench.home.private / found.id) == live.files
    return not same_row or not same_files or live.process.poll() is not None


def files_in(folder: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of change of every file in a folder that may be gone."""
    if not folder.is_dir():
        return {}
    found = {path.name: path.stat() for path in folder.iterdir()}
    return {name: (stat.st_size, stat.st_mtime_ns) for name, stat in found.items()}


def is_released(ledger: Ledger, target: Path) -> bool:
    """Tell whether the log says that a public file was released, and not withdrawn since."""
    kinds = {
        entry.record.kind
        for found in ledger.find_by_file(file_sha256(target))
        for entry in ledger.find_by_attempt(str(found.record.attempt))
    }
    return RecordKind.RELEASED in kinds and RecordKind.WITHDRAWN not in kinds


def command(bench: Bench, source: str, target: Path, point: str) -> list[str]:
    journey = (str(bench.home.path), source, str(target), point)
    return [sys.executable, "-m", "tests.support.crash", *journey]


if __name__ == "__main__":
    main()
