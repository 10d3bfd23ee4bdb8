"""The ledger: append a record and get its proof.

    engine = create_database(home / "countermark.db")
    create_log(engine, Scope("silver", "press"))
    ledger = Ledger(engine, scope=…, signer=signer, clock=clock, last_signed=last_signed)
    entry = ledger.commit(ledger.record(body, now=now))
    entry.index, entry.checkpoint.note, entry.tlog_proof

What needs no private key is in `reader.py`. An `Entry` is only made by these two classes, after
its record is durable and its proof has been checked: whoever holds one need not ask the log again.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Engine, insert, select

from audit import tables
from audit.append import Appender, Change
from audit.bodies import Body
from audit.database import writing
from audit.errors import RecordInvalid
from audit.last_signed import LastSigned
from audit.merkle import EMPTY_ROOT
from audit.note import NoteSigner
from audit.reader import Entry, LedgerReader, StoredRecord
from audit.records import Record, Scope
from audit.sequencer import Sequencer

__all__ = ["Entry", "Ledger", "LedgerReader", "StoredRecord", "create_log"]


def create_log(engine: Engine, scope: Scope) -> None:
    """Add an empty log of this name, unless there is one.

    Only `countermark init` does: whoever opens a log that is gone must hear so.
    """
    query = select(tables.log.c.id).where(tables.log.c.origin == str(scope))
    with writing(engine) as connection:
        if connection.execute(query).scalar() is None:
            values = {"origin": str(scope), "size": 0, "root": EMPTY_ROOT}
            connection.execute(insert(tables.log).values(**values))


class Ledger(LedgerReader):
    """The same log, with the key to append to it. Safe to use from many threads."""

    def __init__(
        self,
        engine: Engine,
        *,
        scope: Scope,
        signer: NoteSigner,
        clock: Callable[[], datetime],
        last_signed: LastSigned,
    ) -> None:
        """Open the log of `scope`.

        Args:
            engine: from `open_database`, for writing.
            scope: whose log; its text is the origin in every checkpoint.
            signer: the log's key, named like the origin.
            clock: gives the aware time that stored checkpoints are filed under.
            last_signed: what the key signed last; the log must begin with it.

        Raises:
            RecordInvalid: the key has another name than the log.
            LedgerDamaged: the database holds no such log.
        """
        if signer.name != str(scope):
            raise RecordInvalid(f"the log key is named {signer.name!r}; expected {str(scope)!r}")
        super().__init__(engine, scope=scope, verifier=signer.verifier, last_signed=last_signed)
        appender = Appender(engine, self.log_id, scope, signer, clock, last_signed)
        self._sequencer = Sequencer(appender.append)

    def record(
        self, body: Body, *, now: datetime, attempt: str | None = None, actor: str | None = None
    ) -> Record:
        """Make a record for this log; it stands nowhere until `commit`."""
        return Record.of(body, scope=self.scope, now=now, attempt=attempt, actor=actor)

    def commit(self, record: Record, *, changes: Sequence[Change] = ()) -> Entry:
        """Append a record, and change rows with it, in one durable transaction.

        Committing the same record again returns its entry and changes nothing.

        Args:
            record: of this log's deployment and tenant.
            changes: rows that must change together with it or not at all.

        Raises:
            RecordInvalid: the record is for another log, or its id stands for other bytes.
            LedgerLocked: the database is locked or read-only.
            LedgerDamaged: the log was changed from outside; nothing is built on it.
            AppendFailed: the database refused.
            AuditError: what a change raised.
        """
        if record.scope != self.scope:
            raise RecordInvalid(f"the record is for {record.scope}, this log is {self.scope}")
        return self._entry(record, self._sequencer.commit(record, changes))
