"""Recompute the whole log from its records and say in plain sentences what does not agree.

1. Rows: indices run from 0 without a gap up to the head's size.
2. Records: the stored bytes are a canonical record of this log, and hash to the stored leaf.
3. Columns: every derived column is what the bytes say.
4. Tiles: a tree built from the records alone gives every tile, and there is no other.
5. Head: its root is the root of that tree.
6. Checkpoints: each is signed by the log's key and gives the root at its size; the newest is
   of the head.
7. Witnesses: checkpoints kept outside this database agree as well. Only they show a log that was
   cut off or rewritten and signed again with a stolen key.
8. Attempts: every state is what the attempt's records say.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, Connection, Engine, Row, Table, select

from audit import tables
from audit.append import tile_reader
from audit.attempts import StoredAttempt, read_attempt
from audit.checkpoint import open_checkpoint
from audit.database import reading
from audit.derived import columns_of, derive
from audit.errors import ProofError, RecordInvalid
from audit.issued import Issued, TokenRow, note_token, token_disagreements
from audit.journeys import Step, disagreements
from audit.merkle import HASH_BYTES, hash_leaf, root
from audit.note import Verifier
from audit.records import Record
from audit.tiles import TILE_WIDTH, TiledTree

Progress: TypeAlias = Callable[[int, int], None]
"""(records done, records in all)"""

STEP: Final = 500
"""Records read at once: about a megabyte."""


class ProblemKind(StrEnum):
    """Which layer does not agree."""

    GAP = "gap"
    RECORD = "record"
    LEAF = "leaf"
    COLUMN = "column"
    TILE = "tile"
    HEAD = "head"
    CHECKPOINT = "checkpoint"
    WITNESS = "witness"
    ATTEMPT = "attempt"
    TOKEN = "token"  # noqa: S105 - a layer, not a secret


@dataclass(frozen=True, slots=True)
class Problem:
    """One disagreement.

    Attributes:
        kind: the layer.
        index: the record it is about, where it is about one.
        sentence: for people.
    """

    kind: ProblemKind
    index: int | None
    sentence: str


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a full check found; no problem means the log agrees with itself and its witnesses."""

    problems: tuple[Problem, ...]
    records: int
    size: int
    root: bytes


def check(
    engine: Engine,
    log: int,
    verifier: Verifier,
    *,
    progress: Progress | None = None,
    witnesses: Iterable[str] = (),
) -> CheckReport:
    """Check one log in one snapshot of the database, in the steps that the module lists.

    Args:
        engine: from `open_database`.
        log: id of the log's row.
        verifier: the log's public key.
        progress: told about every `STEP` records.
        witnesses: note texts of checkpoints kept elsewhere.
    """
    with reading(engine) as connection:
        run = _Check(connection, log, verifier)
        run.walk_records(progress or (lambda _done, _total: None))  # (1), (2), (3)
        run.compare_tiles()  # (4)
        run.compare_head()  # (5)
        run.compare_checkpoints()  # (6)
        for note in witnesses:
            run.compare_note(note, ProblemKind.WITNESS)  # (7)
        run.compare_attempts()  # (8)
        run.compare_tokens()  # (9)
        return CheckReport(tuple(run.problems), run.records, run.tree.size, run.tree.root())


class _Check:
    """One run of the check: the tree recomputed so far, and what did not agree with it."""

    def __init__(self, connection: Connection, log: int, verifier: Verifier) -> None:
        self.problems: list[Problem] = []
        self.records = 0
        self.tree = TiledTree(0, lambda _level, _n: None)
        self._connection = connection
        self._log = log
        self._verifier = verifier
        self._steps: dict[str, list[Step]] = {}
        self._issued: dict[str, Issued] = {}
        head = select(tables.log.c.size, tables.log.c.root).where(tables.log.c.id == log)
        row = connection.execute(head).one()
        self._size = row.size if isinstance(row.size, int) else -1
        self._root = _blob(row.root)

    def walk_records(self, progress: Progress) -> None:
        """Read every record in order, compare its row, and put its leaf into the tree."""
        expected = 0
        for row in self._rows(tables.record, tables.record.c.idx):
            if not isinstance(row.idx, int) or row.idx < expected:
                self._report(
                    ProblemKind.GAP, None, f"a record stands at {row.idx!r}, where none can stand"
                )
                continue
            self._bridge_gap(expected, row.idx)
            self._compare_record(row)
            self.tree.append([hash_leaf(_blob(row.body))])
            expected = row.idx + 1
            self.records += 1
            if self.records % STEP == 0:
                progress(self.records, self._size)
        self._bridge_gap(expected, self._size)
        progress(self.records, self._size)

    def compare_tiles(self) -> None:
        """Compare each stored tile with the tree's."""
        expected = dict(self.tree.changed)
        for row in self._rows(tables.tile, tables.tile.c.level, tables.tile.c.n):
            hashes, found = expected.pop((row.level, row.n), None), _blob(row.hashes)
            if hashes is None:
                self._report(
                    ProblemKind.TILE, None, f"tile {row.n} of level {row.level} is one too many"
                )
            elif hashes != found:
                at = (row.n * TILE_WIDTH + _first_difference(hashes, found)) * (
                    TILE_WIDTH**row.level
                )
                self._report(
                    ProblemKind.TILE,
                    at,
                    f"tile {row.n} of level {row.level} is not what the records give, from record "
                    f"{at} on",
                )
        for level, n in sorted(expected):
            first = n * TILE_WIDTH ** (level + 1)
            self._report(ProblemKind.TILE, first, f"tile {n} of level {level} is missing")

    def compare_head(self) -> None:
        """Compare the head with the tree."""
        if self._size != self.tree.size:
            self._report(
                ProblemKind.HEAD,
                self._size,
                f"the head says {self._size} records, {self.tree.size} are there",
            )
        elif self._root != self.tree.root():
            self._report(
                ProblemKind.HEAD, None, f"the root of {self.tree.size} records is not the head's"
            )

    def compare_checkpoints(self) -> None:
        """Compare every stored checkpoint with the tree, and the newest with the head."""
        newest = 0
        for row in self._rows(tables.checkpoint, tables.checkpoint.c.size):
            newest = row.size
            found = self.compare_note(str(row.note), ProblemKind.CHECKPOINT)
            if found is not None and found != row.size:
                self._report(
                    ProblemKind.CHECKPOINT,
                    None,
                    f"the checkpoint filed under {row.size} records is of {found}",
                )
        if newest != self._size:
            self._report(
                ProblemKind.CHECKPOINT,
                None,
                f"the newest checkpoint covers {newest} of {self._size} records",
            )

    def compare_note(self, note: str, kind: ProblemKind) -> int | None:
        """Compare a signed checkpoint with the tree; return its size when it is readable."""
        where = "stored" if kind is ProblemKind.CHECKPOINT else "kept outside"
        try:
            found = open_checkpoint(note, self._verifier).checkpoint
        except ProofError as error:
            self._report(kind, None, f"a checkpoint {where} is not the log's: {error}")
            return None
        if found.size > self.tree.size:
            self._report(
                kind,
                self.tree.size,
                f"a checkpoint {where} covers {found.size} records, only {self.tree.size} are "
                "there: the log was cut off",
            )
        elif found.root != root(found.size, self.tree.subtree):
            self._report(
                kind,
                None,
                f"a checkpoint {where} has another root for the first {found.size} records: one of "
                "them was changed after it was signed",
            )
        return found.size

    def compare_attempts(self) -> None:
        """Compare the attempts' rows with their records."""
        rows = self._rows(tables.attempt, tables.attempt.c.id)
        stored: dict[str, StoredAttempt] = {}
        for row in rows:
            try:
                stored[row.id] = read_attempt(row)
            except ValueError:
                self._report(
                    ProblemKind.ATTEMPT,
                    None,
                    f"attempt {row.id} is in no known state, {row.state!r}",
                )
        for index, sentence in disagreements(self._steps, stored):
            self._report(ProblemKind.ATTEMPT, index, sentence)

    def compare_tokens(self) -> None:
        """Compare the tokens' rows with their records."""
        rows = self._rows(tables.token, tables.token.c.token_id)
        stored = {row.token_id: TokenRow(row.role, row.expires_ms, row.revoked_ms) for row in rows}
        for index, sentence in token_disagreements(self._issued, stored):
            self._report(ProblemKind.TOKEN, index, sentence)

    def _compare_record(self, row: Row[tuple[object, ...]]) -> None:
        """Compare one row with its own bytes."""
        body = _blob(row.body)
        if row.leaf != hash_leaf(body):
            self._report(
                ProblemKind.LEAF,
                row.idx,
                f"the leaf hash of record {row.idx} is not that of its bytes",
            )
        try:
            record = Record.parse(body)
        except RecordInvalid as error:
            self._report(ProblemKind.RECORD, row.idx, f"record {row.idx} cannot be read: {error}")
            return
        if str(record.scope) != self._verifier.name:
            self._report(
                ProblemKind.RECORD, row.idx, f"record {row.idx} is of another log, {record.scope}"
            )
        for name, value in columns_of(derive(record)):
            found = getattr(row, name)
            if found != value:
                self._report(
                    ProblemKind.COLUMN,
                    row.idx,
                    f"column {name} of record {row.idx} is {found!r}, its bytes say {value!r}",
                )
        note_token(self._issued, record, row.idx)
        if record.attempt is not None:
            self._steps.setdefault(record.attempt, []).append(Step.of(record, row.idx))

    def _bridge_gap(self, first: int, end: int) -> None:
        """Report records missing before `end`; their stored hashes let the rest be judged."""
        if first >= end:
            return
        missing = f"record {first} is" if end - first == 1 else f"records {first} to {end - 1} are"
        self._report(ProblemKind.GAP, first, f"{missing} missing")
        read = tile_reader(self._connection, self._log)
        while (at := self.tree.size) < end:
            n, offset = divmod(at, TILE_WIDTH)
            tile = _blob(read(0, n))
            tile = tile[offset * HASH_BYTES : (end - n * TILE_WIDTH) * HASH_BYTES]
            hashes = [tile[i : i + HASH_BYTES] for i in range(0, len(tile), HASH_BYTES)]
            if not hashes or len(hashes[-1]) != HASH_BYTES:
                # No hashes, no bridge: a head of a trillion records would be counted to the end.
                return
            self.tree.append(hashes)

    def _rows(self, table: Table, *order: ColumnElement[Any]) -> Iterator[Row[tuple[object, ...]]]:
        query = select(table).where(table.c.log == self._log).order_by(*order)
        with self._connection.execute(query.execution_options(yield_per=STEP)) as rows:
            yield from rows

    def _report(self, kind: ProblemKind, index: int | None, sentence: str) -> None:
        self.problems.append(Problem(kind, index, sentence))


def _blob(value: object) -> bytes:
    """Return bytes as they are and anything else as none: SQLite stores text in a blob's place."""
    return value if isinstance(value, bytes) else b""


def _first_difference(expected: bytes, found: bytes) -> int:
    """Return the position of the first hash that differs."""
    shorter = min(len(expected), len(found)) // HASH_BYTES
    for at in range(shorter):
        cut = slice(at * HASH_BYTES, (at + 1) * HASH_BYTES)
        if expected[cut] != found[cut]:
            return at
    return shorter
