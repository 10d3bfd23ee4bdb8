"""After a crash: finish or withdraw what was recorded and not published.

A clip whose `released` record is durable and whose signed file is whole gets its public name; any
other attempt of a dead process is withdrawn. Attempts of living processes are not touched. Doing
it twice, or in two processes at once, is harmless.

An attempt of another place (`audit.lease`) whose heartbeat stopped may belong to a process that
only sleeps, and its paths may mean other files here. So a released one is left to its own place,
since its clip may be public there; any other is withdrawn in the log alone, which a process that
wakes up finds out at its next record.

Working copies and sealed clips follow the attempts: what no process works in, and no unfinished or
held attempt needs, goes.
"""

import logging
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from audit.attempts import CLOSED, UNFINISHED, Attempts, AttemptState, CloseAttempt, StoredAttempt
from audit.bodies import Withdrawn
from audit.errors import AppendFailed, NotFound
from audit.home import Home
from audit.lease import Lease
from audit.ledger import Ledger
from generator.errors import PublishFailed
from generator.holding import DRAFT, SEALED
from generator.private_folder import is_abandoned
from generator.publish import discard_unpublished, file_sha256, is_public, publish

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recovered:
    """What recovery did, and a sentence for each attempt that it could not close."""

    finished: int = 0
    withdrawn: int = 0
    failures: tuple[str, ...] = ()


class _Ending(StrEnum):
    """What became of an attempt."""

    FINISHED = "finished"
    WITHDRAWN = "withdrawn"
    LEFT = "left"  # to its own place, or to another recovery that was faster


def recover(ledger: Ledger, home: Home, clock: Callable[[], datetime]) -> Recovered:
    """Close every attempt that a dead process left open; what cannot be closed now is logged."""
    attempts = Attempts(ledger.engine, ledger.log_id)
    endings: Counter[_Ending] = Counter()
    failures: list[str] = []
    for found in attempts.expired(clock()):
        try:
            endings[_close(ledger, attempts, found, clock)] += 1
        except OSError as error:
            failures.append(
                f"attempt {found.id} is {found.state} and was not closed ({error}); "
                "countermark tries again when it starts next"
            )
            logger.warning("%s", failures[-1])
    _drop_working_copies(attempts, home)
    _drop_sealed(attempts, home)
    return Recovered(endings[_Ending.FINISHED], endings[_Ending.WITHDRAWN], tuple(failures))


def settle(
    ledger: Ledger, attempt: StoredAttempt, clock: Callable[[], datetime], *, why: str
) -> bool:
    """Publish a released attempt, or withdraw whatever cannot be; return whether it is public.

    Args:
        ledger: the log.
        attempt: leased to this process.
        clock: gives the time of the record.
        why: what the record says of an attempt that is withdrawn.

    Raises:
        OSError: it cannot be seen whether the clip is public; nothing was recorded.
    """
    if attempt.state is AttemptState.RELEASED and _published(ledger, attempt):
        Attempts(ledger.engine, ledger.log_id).mark_published(attempt.id)
        return True
    if attempt.public_path is not None:
        discard_unpublished(Path(attempt.public_path), attempt.id)
    _withdraw(ledger, attempt, clock, why)
    return False


def _close(
    ledger: Ledger, attempts: Attempts, found: StoredAttempt, clock: Callable[[], datetime]
) -> _Ending:
    if not found.lease.is_of_this_place:
        return _close_from_elsewhere(ledger, attempts, found, clock)
    try:
        mine = attempts.take_over(found.id, Lease.of_this_process(clock()), now=clock())
    except AppendFailed:
        return _Ending.LEFT
    why = f"its process ended while the attempt was {found.state}"
    try:
        public = settle(ledger, mine, clock, why=why)
    except OSError:
        attempts.give_back(found.id, found.lease)
        raise
    return _Ending.FINISHED if public else _Ending.WITHDRAWN


def _close_from_elsewhere(
    ledger: Ledger, attempts: Attempts, found: StoredAttempt, clock: Callable[[], datetime]
) -> _Ending:
    if found.state is AttemptState.RELEASED or attempts.get(found.id) != found:
        return _Ending.LEFT  # an attempt that changed while we looked is alive after all
    try:
        _withdraw(ledger, found, clock, "its process at another place gave no sign of life")
    except AppendFailed:
        return _Ending.LEFT
    return _Ending.WITHDRAWN


def _withdraw(
    ledger: Ledger, attempt: StoredAttempt, clock: Callable[[], datetime], why: str
) -> None:
    record = ledger.record(Withdrawn(why=why), now=clock(), attempt=attempt.id)
    ledger.commit(record, changes=[CloseAttempt(attempt.id, AttemptState.WITHDRAWN)])


def _published(ledger: Ledger, attempt: StoredAttempt) -> bool:
    """Give a released clip its public name if its file is whole; tell whether it has it now."""
    if attempt.released is None or attempt.staged_path is None or attempt.public_path is None:
        return False
    target, staged = Path(attempt.public_path), Path(attempt.staged_path)
    sha256 = str(ledger.get(attempt.released).record.body["file_sha256"])
    if not is_public(target, sha256):
        if not staged.is_file() or file_sha256(staged) != sha256:
            return False
        try:
            publish(staged, target, sha256=sha256, attempt_id=attempt.id)
        except PublishFailed:
            return is_public(target, sha256)
    discard_unpublished(target, attempt.id)
    return True


def _drop_working_copies(attempts: Attempts, home: Home) -> None:
    """Remove the folders that nobody works in any more; they hold clips in the clear."""
    for folder in home.private.iterdir():
        # Asked in this order: a copy is made before its attempt is recorded.
        if not is_abandoned(folder):
            continue
        attempt = _attempt(attempts, folder.name)
        if attempt is None or attempt.state not in UNFINISHED:
            shutil.rmtree(folder, ignore_errors=True)


def _drop_sealed(attempts: Attempts, home: Home) -> None:
    """Remove sealed clips that no record holds, and drafts that nobody writes any more."""
    for path in home.held.iterdir():
        attempt = _attempt(attempts, path.stem.removeprefix("."))
        if attempt is None or path.suffix not in {SEALED, DRAFT}:
            continue  # none of ours
        is_held = attempt.state is AttemptState.HELD
        if attempt.state in CLOSED or (is_held and path.suffix == DRAFT):
            path.unlink(missing_ok=True)


def _attempt(attempts: Attempts, attempt_id: str) -> StoredAttempt | None:
    try:
        return attempts.get(attempt_id)
    except NotFound:
        return None
