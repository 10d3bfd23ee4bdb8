"""A process that is killed in the middle of a journey, or waits in the middle of one.

    python -m tests.support.crash HOME SOURCE OUT POINT

SOURCE is a clip to protect, or `make` for a small one that the embedded model generates. The
process kills itself with SIGKILL, which no handler sees: at the begin of a phase, in the middle of
one, between two system calls, or just after a commit. At the point `wait` it says `waiting` on
stdout in the middle of marking, and goes on once a line comes in.
"""

import itertools
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NoReturn

from audit.attempts import Attempts
from audit.home import Home
from audit.ledger import Ledger
from audit.records import Record
from generator.gates import Gates
from generator.holding import Holding
from generator.journal import Journal
from generator.journey import Journey
from generator.pipeline import Pipeline
from generator.progress import Phase, Progress
from generator.request import MakeRequest, ProtectRequest, Request
from generator.settings import Settings
from generator.wiring import open_model
from safety.categories import Category
from tests.support.classifiers import ChosenFrameClassifier
from tests.support.press import open_press, press_gates

WAIT = "wait"
MIDDLES = {
    "middle of the output gate": (Phase.OUTPUT_GATE, 10),
    "middle of marking": (Phase.MARKING, 10),
    WAIT: (Phase.MARKING, 3),
}
# What the frame classifier says on the way to a point: the press holds from 0.70 on and refuses
# from 0.85 on.
SCORES = {"inside sealing": 0.75, "after sealing": 0.75, "after hold": 0.75, "after refuse": 0.9}
UNRECORDED = "before the attempt is recorded"
BETWEEN = (
    UNRECORDED,
    *("before link", "after link", "before noting it published", "after noting it published"),
    "inside a commit",
)
POINTS = (
    # Those of `protect`: it loads no model and generates nothing.
    *(phase.value for phase in Phase if phase not in {Phase.LOADING, Phase.GENERATING}),
    *(point for point in MIDDLES if point != WAIT),
    *BETWEEN,
    *SCORES,
)
MAKE = "make"
MAKE_POINTS = ("middle of generating", Phase.OUTPUT_GATE.value, Phase.SIGNING.value, "before link")
PROMPT = "a big yellow circle moving right on a blue background"


def die(*_: Any, **__: Any) -> NoReturn:  # noqa: ANN401 - stands in for any function
    """End this process as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise SystemExit  # not reached


def main(home: str, source: str, target: str, point: str) -> None:
    """Run a journey that dies at `point`."""
    _arm(point)
    phase, done = MIDDLES.get(point, (None, 0))
    if point == "middle of generating":
        phase, done = Phase.GENERATING, 2

    def listener(progress: Progress) -> None:
        in_the_middle = progress.phase is phase and progress.done == done
        if point == WAIT and in_the_middle:
            print("waiting", flush=True)  # noqa: T201 - told to whoever started us
            sys.stdin.readline()
        elif in_the_middle or (progress.phase.value == point and progress.done == 0):
            die()

    with _opened(Home(Path(home)), source, point) as pipeline:
        pipeline.run(_request(source, Path(target)), listener)


def _request(source: str, target: Path) -> Request:
    if source != MAKE:
        return ProtectRequest(Path(source), target)
    # As small as the mark still holds on.
    return MakeRequest(PROMPT, target, width=128, height=128, frames=9, steps=3)


def _opened(home: Home, source: str, point: str) -> AbstractContextManager[Pipeline]:
    model = open_model(home, Settings.load(home.settings)) if source == MAKE else None
    return open_press(home, gates=_gates(point), model=model)


def _gates(point: str) -> Gates | None:
    score = SCORES.get(point)
    if score is None:
        return None
    answer = {Category.SEXUAL_CONTENT: score}
    return press_gates(ChosenFrameClassifier(lambda frames: [answer] * len(frames)))


def _arm(point: str) -> None:
    """Break what a point lies in or behind."""
    if point in {"before link", "after link"}:
        os.link = _dying(os.link, before=point == "before link")
    if point == UNRECORDED:
        Journal.open = die  # type: ignore[method-assign]  # likewise
    if point == "before noting it published":
        Attempts.mark_published = die  # type: ignore[method-assign]  # the point is to break it
    behind: dict[str, tuple[type, str]] = {
        "after noting it published": (Attempts, "mark_published"),
        "after hold": (Journey, "hold"),
        "after refuse": (Journey, "refuse"),
        "inside sealing": (Holding, "_encrypt"),  # all is written, and nothing has its name
        "after sealing": (Holding, "seal"),
    }
    if point in behind:
        owner, name = behind[point]
        setattr(owner, name, _dying(getattr(owner, name), before=False))
    if point == "inside a commit":
        Ledger.commit = _dying_commit(Ledger.commit)  # type: ignore[method-assign]  # likewise


def _dying(function: Callable[..., Any], *, before: bool) -> Callable[..., Any]:
    def dying(*args: Any, **options: Any) -> Any:  # noqa: ANN401 - as the function
        if not before:
            function(*args, **options)
        die()

    return dying


def _dying_commit(commit: Callable[..., Any]) -> Callable[..., Any]:
    """Die inside the transaction of the second record: half of it is written, none is committed."""
    seen = itertools.count(1)

    def dying(ledger: Ledger, record: Record, *, changes: Sequence[Any] = ()) -> Any:  # noqa: ANN401
        deadly = [_Deadly()] if next(seen) == 2 else []
        return commit(ledger, record, changes=[*changes, *deadly])

    return dying


class _Deadly:
    """A change that ends the process inside the transaction."""

    def apply(self, connection: object, log: int, index: int) -> None:
        """Die."""
        die(connection, log, index)


if __name__ == "__main__":
    main(*sys.argv[1:])
