"""Group commit: many threads submit, one transaction at a time takes everything that waits.

There is no thread of its own. Whoever finds nobody writing is the sequencer for one transaction:
it takes all submissions that have queued up, its own among them. The others wait, and one of those
that it did not take goes next. So a commit waits for at most two transactions, nothing has to be
started or stopped, and an error comes out where its record came in.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from audit.append import Appended, Change, Submission
from audit.errors import AppendFailed, AuditError
from audit.records import Record

BATCH_LIMIT: Final = 1000
"""Records in one transaction; beyond this the cost per record no longer falls."""


class Sequencer:
    """Puts the submissions of all threads of this process into one order."""

    def __init__(self, append: Callable[[Sequence[Submission]], None]) -> None:
        self._append = append
        self._changed = threading.Condition()
        self._waiting: deque[Submission] = deque()
        self._writing = False

    def commit(self, record: Record, changes: Sequence[Change]) -> Appended:
        """Return once the record is durable.

        Raises:
            AuditError: why it is not: whatever the transaction or one of the changes raised.
            Exception: a fault in one of the changes, which only the thread that brought it sees.
        """
        mine = Submission(record, changes)
        with self._changed:
            self._waiting.append(mine)
        while mine.outcome is None:
            batch = self._take_turn(mine)
            if batch:
                self._write(batch)
        if isinstance(mine.outcome, Appended):
            return mine.outcome
        if isinstance(mine.outcome, AuditError):
            # Raised anew: the same failure may end the commits of several threads.
            raise type(mine.outcome)(*mine.outcome.args) from mine.outcome
        raise mine.outcome

    def _take_turn(self, mine: Submission) -> list[Submission]:
        """Wait for an outcome or for the turn; with the turn, return what waits."""
        with self._changed:
            self._changed.wait_for(lambda: mine.outcome is not None or not self._writing)
            if mine.outcome is not None:
                return []
            self._writing = True
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), BATCH_LIMIT))]

    def _write(self, batch: Sequence[Submission]) -> None:
        try:
            self._append(batch)
        except AuditError as error:
            for each in batch:
                each.outcome = error
        finally:
            # Also when something unforeseen comes through: nobody may wait for an outcome forever.
            for each in batch:
                each.outcome = each.outcome or AppendFailed(
                    "the transaction that this record was part of broke off; commit it again, "
                    "which is harmless if it was recorded after all"
                )
            with self._changed:
                self._writing = False
                self._changed.notify_all()
