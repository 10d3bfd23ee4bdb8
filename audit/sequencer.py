"""Group commit: many threads submit, one transaction at a time takes everything that waits.

There is no thread of its own. Whoever gets the lock is the sequencer for as long as it holds it: it
takes all submissions that have queued up, its own among them, and writes them in one transaction.
The others find their outcome set when they get the lock. So a commit waits for at most two
transactions, nothing has to be started or stopped, and an error comes out where the record came in.
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
        self._turn = threading.Lock()
        self._waiting: deque[Submission] = deque()

    def commit(self, record: Record, changes: Sequence[Change]) -> Appended:
        """Return once the record is durable.

        Raises:
            AuditError: why it is not: whatever the transaction or one of the changes raised.
        """
        mine = Submission(record, changes)
        self._waiting.append(mine)
        with self._turn:
            while mine.outcome is None:
                self._write_waiting()
        if isinstance(mine.outcome, Appended):
            return mine.outcome
        # Raised anew: the same failure may end the commits of several threads.
        raise type(mine.outcome)(*mine.outcome.args) from mine.outcome

    def _write_waiting(self) -> None:
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), BATCH_LIMIT))]
        try:
            self._append(batch)
        except AuditError as error:
            for each in batch:
                each.outcome = error
        finally:
            # Also when something unforeseen comes through: nobody may wait for an outcome forever.
            for each in batch:
                each.outcome = each.outcome or AppendFailed(
                    "the transaction that this record was part of broke off; nothing was recorded"
                )
