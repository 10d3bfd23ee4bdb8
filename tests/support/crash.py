"""A process that is killed in the middle of a journey.

    python -m tests.support.crash HOME IN OUT POINT

It kills itself with SIGKILL, which no handler sees: at the begin of a phase, in the middle of one,
or between two system calls of the publication.
"""

import itertools
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from audit.attempts import Attempts
from audit.home import Home
from audit.ledger import Ledger
from audit.records import Record
from generator.progress import Phase, Progress
from generator.request import ProtectRequest
from tests.support.press import open_press

MIDDLES = {"middle of the output gate": Phase.OUTPUT_GATE, "middle of marking": Phase.MARKING}
BETWEEN = ("before link", "after link", "before noting it published", "inside a commit")
POINTS = (*(phase.value for phase in Phase if phase is not Phase.LOADING), *MIDDLES, *BETWEEN)


def die(*_: Any, **__: Any) -> NoReturn:  # noqa: ANN401 - stands in for any function
    """End this process as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise SystemExit  # not reached


def main(home: str, source: str, target: str, point: str) -> None:
    """Run a journey that dies at `point`."""
    if point in {"before link", "after link"}:
        os.link = _dying_link(os.link, point)
    if point == "before noting it published":
        Attempts.mark_published = die  # type: ignore[method-assign]  # the point is to break it
    if point == "inside a commit":
        Ledger.commit = _dying_commit(Ledger.commit)  # type: ignore[method-assign]  # likewise

    def listener(progress: Progress) -> None:
        middle = MIDDLES.get(point) is progress.phase and progress.done == 10
        if middle or (progress.phase.value == point and progress.done == 0):
            die()

    with open_press(Home(Path(home))) as pipeline:
        pipeline.run(ProtectRequest(Path(source), Path(target)), listener)


def _dying_link(link: Callable[..., None], point: str) -> Callable[..., None]:
    def dying(*args: Any, **options: Any) -> None:  # noqa: ANN401 - as os.link
        if point == "before link":
            die()
        link(*args, **options)
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
