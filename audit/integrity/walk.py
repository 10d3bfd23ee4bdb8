"""Read every record once: its row against its bytes, its leaf into the tree."""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from sqlalchemy import Connection, select

from audit import tables
from audit.append import tile_reader
from audit.derived import COLUMNS, derive, values_of
from audit.errors import RecordInvalid, RecordNewer
from audit.integrity.problems import Found, ProblemKind, Progress, and_more
from audit.merkle import HASH_BYTES, hash_leaf
from audit.records import Record
from audit.tiles import TILE_WIDTH, ReadTile, TiledTree

STEP: Final = 500
"""Records read at once: about a megabyte."""

MOST_SHOWN: Final = 300
"""Characters of a value that a sentence shows: hashes of pictures take a thousand bytes."""

Listener: TypeAlias = Callable[[int, Record], None]
"""(index, record)"""

_RECORD: Final = tables.record.c


class RecordWalk:
    """The records of one log in order, and the tree that they give."""

    def __init__(self, found: Found, origin: str, size: int) -> None:
        """Prepare to read.

        Args:
            found: where problems are reported.
            origin: the log's name.
            size: how many records the head says there are.
        """
        self.count = 0
        self.tree = TiledTree(0, lambda _level, _n: None)
        self._found = found
        self._origin = origin
        self._size = size
        self._newer: list[int] = []

    def read(
        self, connection: Connection, log: int, listener: Listener, progress: Progress
    ) -> None:
        """Read all of them and tell `listener` of each that can be read."""
        stored = tile_reader(connection, log)
        query = (
            select(_RECORD.idx, _RECORD.leaf, _RECORD.body, *(_RECORD[name] for name in COLUMNS))
            .where(_RECORD.log == log)
            .order_by(_RECORD.idx)
            .execution_options(yield_per=STEP)
        )
        with connection.execute(query) as rows:
            for part in rows.partitions():
                self._read_part(part, stored, listener)
                progress(self.count, self._size)
        self._bridge_gap(self.tree.size, self._size, stored)
        self._report_newer()
        progress(self.count, self._size)

    def _read_part(
        self, rows: Sequence[Sequence[object]], stored: ReadTile, listener: Listener
    ) -> None:
        expected, leaves = self.tree.size, list[bytes]()
        for index, leaf, body, *columns in rows:
            if not isinstance(index, int) or index < expected:
                sentence = f"a record stands at {index!r}, where none can stand"
                self._found.report(ProblemKind.GAP, None, sentence)
                continue
            if index > expected:
                self.tree.append(leaves)
                leaves.clear()
                self._bridge_gap(expected, index, stored)
            leaves.append(hash_leaf(blob(body)))
            if leaf != leaves[-1]:
                sentence = f"the leaf hash of record {index} is not that of its bytes"
                self._found.report(ProblemKind.LEAF, index, sentence)
            record = self._parse(index, blob(body))
            if record is not None:
                self._compare_columns(index, record, tuple(columns))
                listener(index, record)
            expected = index + 1
            self.count += 1
        self.tree.append(leaves)

    def _parse(self, index: int, body: bytes) -> Record | None:
        try:
            record = Record.parse(body)
        except RecordNewer:
            self._newer.append(index)
            return None
        except RecordInvalid as error:
            sentence = f"record {index} cannot be read: {error}"
            self._found.report(ProblemKind.RECORD, index, sentence)
            return None
        if str(record.scope) != self._origin:
            sentence = f"record {index} is of another log, {record.scope}"
            self._found.report(ProblemKind.RECORD, index, sentence)
        return record

    def _compare_columns(self, index: int, record: Record, stored: tuple[object, ...]) -> None:
        expected = values_of(derive(record))
        if expected == stored:
            return
        for name, value, kept in zip(COLUMNS, expected, stored, strict=True):
            if value != kept:
                said, meant = repr(kept)[:MOST_SHOWN], repr(value)[:MOST_SHOWN]
                sentence = f"column {name} of record {index} is {said}, its bytes say {meant}"
                self._found.report(ProblemKind.COLUMN, index, sentence)

    def _bridge_gap(self, first: int, end: int, stored: ReadTile) -> None:
        """Report records missing before `end`; their stored hashes let the rest be judged."""
        if first >= end:
            return
        missing = f"record {first} is" if end - first == 1 else f"records {first} to {end - 1} are"
        self._found.report(ProblemKind.GAP, first, f"{missing} missing")
        while (at := self.tree.size) < end:
            n, offset = divmod(at, TILE_WIDTH)
            tile = blob(stored(0, n))
            tile = tile[offset * HASH_BYTES : (end - n * TILE_WIDTH) * HASH_BYTES]
            hashes = [tile[i : i + HASH_BYTES] for i in range(0, len(tile), HASH_BYTES)]
            if not hashes or len(hashes[-1]) != HASH_BYTES:
                # No hashes, no bridge: a head of a trillion records would be counted to the end.
                return
            self.tree.append(hashes)

    def _report_newer(self) -> None:
        if self._newer:
            sentence = (
                f"record {self._newer[0]} was written by a later version of countermark; its leaf "
                "was checked and what it says was not: use the newest version"
            )
            more = and_more(len(self._newer) - 1)
            self._found.report(ProblemKind.NEWER, self._newer[0], sentence + more)


def blob(value: object) -> bytes:
    """Return bytes as they are and anything else as none: SQLite stores text in a blob's place."""
    return value if isinstance(value, bytes) else b""
