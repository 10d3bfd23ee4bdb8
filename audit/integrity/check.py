"""Recompute the whole log from its records and say in plain sentences what does not agree.

 1. Rows: indices run from 0 without a gap up to the head's size.
 2. Records: the stored bytes are a canonical record of this log, and hash to the stored leaf.
 3. Columns: every derived column is what the bytes say.
 4. Tiles: a tree built from the records alone gives every tile, and there is no other.
 5. Head: its root is the root of that tree.
 6. Checkpoints: each is signed by the log's key and gives the root at its size; the newest is
    of the head.
 7. Beginning: record 0 says that this log begins here, under this key.
 8. Witnesses: what this home signed last, and checkpoints kept elsewhere, agree as well. Only they
    show a log that was cut off, restored from a backup, or rewritten and signed again.
 9. References: what a record says of other records is so.
10. Attempts, tokens, sealed texts: every row is what the records say of it. Of an attempt that is
    its state, its clip and the four indices; where its files lie and whose lease it is, no record
    says. Of a sealed text and a wrapped key that is whose they are and how long, without opening
    them.
11. File (SQLite): tables, indexes and triggers are those of the migrations, and every index agrees
    with its table. A stale index would hide a record from every look-up while all proofs hold.
12. Times: no record is far from the time at which it was signed. A warning, for clocks go wrong.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, Table, select

from audit import tables
from audit.attempts import StoredAttempt, read_attempt
from audit.database import reading
from audit.errors import LedgerDamaged
from audit.integrity.beginning import compare_beginning
from audit.integrity.file import compare_pages, compare_schema, missing_tables
from audit.integrity.problems import CheckReport, Found, ProblemKind, Progress
from audit.integrity.references import References
from audit.integrity.sealing import SealedRow, Sealing
from audit.integrity.times import Times
from audit.integrity.tree import compare_checkpoints, compare_head, compare_note, compare_tiles
from audit.integrity.walk import STEP, RecordWalk, blob
from audit.issued import IssuedTokens, TokenRow
from audit.journeys import Step, disagreements
from audit.last_signed import LastSigned
from audit.merkle import EMPTY_ROOT
from audit.note import Verifier
from audit.records import Record


def check(
    engine: Engine,
    log: int,
    verifier: Verifier,
    *,
    last_signed: LastSigned | None = None,
    progress: Progress | None = None,
    witnesses: Iterable[str] = (),
) -> CheckReport:
    """Check one log in one snapshot of the database, in the steps that the module lists.

    Args:
        engine: from `open_database`.
        log: id of the log's row.
        verifier: the log's public key.
        last_signed: what this home signed last, where that is known.
        progress: told about every `STEP` records.
        witnesses: note texts of checkpoints kept elsewhere.

    Raises:
        LedgerDamaged: the database is too broken to be read to the end.
    """
    found = Found()
    # Before the snapshot: what is signed while the check runs would lie beyond it.
    kept = _kept(last_signed, found)
    with reading(engine) as connection:
        if missing_tables(connection):
            compare_schema(found, connection)
            return CheckReport((*found.problems,), (*found.warnings,), 0, 0, EMPTY_ROOT)
        run = _Check(connection, log, verifier, found)
        run.walk(progress or (lambda _done, _total: None))  # (1), (2), (3)
        run.compare_tree()  # (4), (5), (6)
        compare_beginning(found, run.first, verifier)  # (7)
        run.compare_witnesses(kept, "that this home signed last")  # (8)
        run.compare_witnesses(witnesses, "kept outside")
        run.compare_rows()  # (10)
        compare_schema(found, connection)  # (11)
        compare_pages(found, connection)
    tree = run.records.tree
    return CheckReport(
        (*found.problems,), (*found.warnings,), run.records.count, tree.size, tree.root()
    )


def _kept(last_signed: LastSigned | None, found: Found) -> list[str]:
    try:
        kept = last_signed and last_signed.read()
    except LedgerDamaged as error:
        found.report(ProblemKind.WITNESS, None, str(error))
        return []
    return [kept.note] if kept else []


class _Check:
    """One run: reads rows, and hands records and rows to the rules of the other modules."""

    def __init__(self, connection: Connection, log: int, verifier: Verifier, found: Found) -> None:
        self.first: Record | None = None
        self._connection = connection
        self._log = log
        self._verifier = verifier
        self._found = found
        head = select(tables.log.c.size, tables.log.c.root).where(tables.log.c.id == log)
        row = connection.execute(head).one()
        self._size = row.size if isinstance(row.size, int) else -1
        self._root = blob(row.root)
        self._steps: dict[str, list[Step]] = {}
        self._references = References(found)
        self._tokens = IssuedTokens()
        self._sealing = Sealing(found)
        signed = self._rows(tables.checkpoint, tables.checkpoint.c.size)
        self._times = Times((row.size, row.time_ms) for row in signed)
        self.records = RecordWalk(found, verifier.name, self._size)

    def walk(self, progress: Progress) -> None:
        """Read every record in order."""
        self.records.read(self._connection, self._log, self._see, progress)
        self._times.report(self._found)  # (12)

    def _see(self, index: int, record: Record) -> None:
        """Tell the rules of a record that agrees with its row."""
        if index == 0:
            self.first = record
        self._times.see(index, record)
        self._references.see(index, record)  # (9)
        self._tokens.see(index, record)
        self._sealing.see(index, record)
        if record.attempt is not None:
            self._steps.setdefault(record.attempt, []).append(Step.of(record, index))

    def compare_tree(self) -> None:
        """Compare tiles, head and stored checkpoints with the tree of the records."""
        tree = self.records.tree
        tiles = self._rows(tables.tile, tables.tile.c.level, tables.tile.c.n)
        compare_tiles(self._found, tree, tiles)
        compare_head(self._found, tree, self._size, self._root)
        notes = self._rows(tables.checkpoint, tables.checkpoint.c.size)
        compare_checkpoints(self._found, tree, self._verifier, notes, self._size)

    def compare_witnesses(self, notes: Iterable[str], where: str) -> None:
        """Compare checkpoints that lie outside the database."""
        for note in notes:
            compare_note(
                self._found, self.records.tree, self._verifier, note, ProblemKind.WITNESS, where
            )

    def compare_rows(self) -> None:
        """Compare the rows beside the records with what the records say of them."""
        stored: dict[str, StoredAttempt] = {}
        for row in self._rows(tables.attempt, tables.attempt.c.id):
            try:
                stored[row.id] = read_attempt(row)
            except ValueError:
                sentence = f"attempt {row.id} is in no known state, {row.state!r}"
                self._found.report(ProblemKind.ATTEMPT, None, sentence)
        for index, sentence in disagreements(self._steps, stored):
            self._found.report(ProblemKind.ATTEMPT, index, sentence)
        tokens = self._rows(tables.token, tables.token.c.token_id)
        for where, sentence in self._tokens.disagreements(map(TokenRow.of, tokens)):
            self._found.report(ProblemKind.TOKEN, where, sentence)
        texts = self._rows(tables.sealed, tables.sealed.c.commitment)
        keys = self._rows(tables.subject_key, tables.subject_key.c.subject)
        self._sealing.compare(
            {row.commitment: SealedRow(row.subject, row.ciphertext) for row in texts},
            {row.subject: row.wrapped for row in keys},
        )

    def _rows(self, table: Table, *order: ColumnElement[Any]) -> Iterator[Row[tuple[object, ...]]]:
        query = select(table).where(table.c.log == self._log).order_by(*order)
        with self._connection.execute(query.execution_options(yield_per=STEP)) as rows:
            yield from rows
