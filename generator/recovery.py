"""After a crash: finish or withdraw what was recorded and not published.

A clip whose `released` record is durable and whose signed file is whole gets its public name; any
other attempt of a dead process is withdrawn. Attempts of living processes are not touched. Doing
it twice, or in two processes at once, is harmless.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from audit.attempts import Attempts, AttemptState, CloseAttempt, StoredAttempt
from audit.bodies import Withdrawn
from audit.errors import AppendFailed
from audit.lease import Lease
from audit.ledger import Ledger
from generator.errors import PublishFailed
from generator.publish import discard_unpublished, file_sha256, publish

ORPHAN_AGE_S = (
    24 * 3600
)  # a working folder that no attempt names and no process can still be filling


@dataclass(frozen=True, slots=True)
class Recovered:
    """What recovery did."""

    finished: int = 0
    withdrawn: int = 0


def recover(ledger: Ledger, private: Path, clock: Callable[[], datetime]) -> Recovered:
    """Close every attempt that a dead process left open."""
    attempts = Attempts(ledger.engine, ledger.log_id)
    finished = withdrawn = 0
    for found in attempts.expired(clock()):
        try:
            mine = attempts.take_over(found.id, Lease.of_this_process(clock()), now=clock())
        except AppendFailed:
            continue  # another recovery was faster
        if settle(ledger, mine, clock):
            finished += 1
        else:
            withdrawn += 1
    _remove_orphans(ledger, private, clock)
    return Recovered(finished, withdrawn)


def settle(ledger: Ledger, attempt: StoredAttempt, clock: Callable[[], datetime]) -> bool:
    """Publish a released attempt, or withdraw whatever cannot be; return whether it is public."""
    attempts = Attempts(ledger.engine, ledger.log_id)
    published = attempt.state is AttemptState.RELEASED and _published(ledger, attempt)
    if published:
        attempts.mark_published(attempt.id)
    else:
        why = f"its process ended while the attempt was {attempt.state.value}"
        record = ledger.record(Withdrawn(why=why), now=clock(), attempt=attempt.id)
        ledger.commit(record, changes=[CloseAttempt(attempt.id, AttemptState.WITHDRAWN)])
        if attempt.public_path is not None:
            discard_unpublished(Path(attempt.public_path), attempt.id)
    if attempt.folder is not None:
        shutil.rmtree(attempt.folder, ignore_errors=True)
    return published


def _published(ledger: Ledger, attempt: StoredAttempt) -> bool:
    """Give a released clip its public name if its file is whole; tell whether it has it now."""
    if attempt.released is None or attempt.staged_path is None or attempt.public_path is None:
        return False
    target, staged = Path(attempt.public_path), Path(attempt.staged_path)
    sha256 = str(ledger.get(attempt.released).record.body["file_sha256"])
    if target.is_file() and file_sha256(target) == sha256:
        discard_unpublished(target, attempt.id)
        return True
    try:
        if not staged.is_file() or file_sha256(staged) != sha256:
            return False
        publish(staged, target, sha256=sha256, attempt_id=attempt.id)
    except (PublishFailed, OSError):
        return False
    return True


def _remove_orphans(ledger: Ledger, private: Path, clock: Callable[[], datetime]) -> None:
    """Remove working folders from before their attempt was recorded, once they are old."""
    attempts = Attempts(ledger.engine, ledger.log_id)
    kept = {attempt.id for attempt in attempts.in_state(*AttemptState)}
    for folder in private.iterdir():
        age_s = clock().timestamp() - folder.stat().st_mtime
        if folder.name not in kept and age_s > ORPHAN_AGE_S:
            shutil.rmtree(folder, ignore_errors=True)
