"""Reading a log: records with their proofs, lists, checkpoints, and the full check.

Nothing here needs a private key. Every entry that leaves has been compared with its own bytes and
proven under a signed checkpoint: an answer from an edited row is an error, never an answer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import InitVar, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, Engine, Row, select

from audit import tables
from audit.append import Appended, tile_reader
from audit.checkpoint import SignedCheckpoint, TlogProof, open_checkpoint
from audit.database import reading
from audit.derived import StoredRecord, read_row
from audit.errors import LedgerDamaged, NotFound, ProofError
from audit.integrity import CheckReport, Progress
from audit.integrity.check import check
from audit.last_signed import LastSigned
from audit.merkle import (
    ConsistencyProof,
    InclusionProof,
    prove_consistency,
    prove_inclusion,
    verify_inclusion,
)
from audit.note import Verifier
from audit.records import Record, Scope
from audit.tiles import TiledTree

__all__ = ["Entry", "LedgerReader", "StoredRecord"]

PAGE_LIMIT: Final = 1000
"""Records in one page of `entries`."""

LEVELS: Final = 8
"""Levels of tiles that 2**63 records take, at eight levels of the tree in each."""

MAX_INDEX: Final = 2**63 - 1
"""The largest that a database column holds."""

_GRANT: Final = object()


@dataclass(frozen=True, slots=True)
class Entry:
    """A record that stands in the log, and the proof of it.

    Attributes:
        index: its place, from 0.
        leaf_hash: SHA-256 over 0x00 and the record's bytes.
        record: the record.
        checkpoint: a signed checkpoint that covers it.
        proof: leads from the leaf to that checkpoint's root.
    """

    index: int
    leaf_hash: bytes
    record: Record
    checkpoint: SignedCheckpoint
    proof: InclusionProof
    grant: InitVar[object]

    def __post_init__(self, grant: object) -> None:
        if grant is not _GRANT:
            raise TypeError("an Entry comes from a Ledger; commit or look up the record")
        verify_inclusion(self.leaf_hash, self.proof, self.checkpoint.root)

    @property
    def time(self) -> datetime:
        """When the record says it happened, aware, UTC."""
        return self.record.time

    @property
    def tlog_proof(self) -> str:
        """The proof as a C2SP tlog-proof text file."""
        return TlogProof(self.proof, self.checkpoint).text


class LedgerReader:
    """Reads one log of a database; needs the log's public key and nothing secret."""

    def __init__(
        self,
        engine: Engine,
        *,
        scope: Scope,
        verifier: Verifier,
        last_signed: LastSigned | None = None,
    ) -> None:
        """Open the log of `scope`.

        Args:
            engine: from `open_database`.
            scope: whose log.
            verifier: its public key.
            last_signed: what that key signed last, where that is known; the check asks for it.

        Raises:
            LedgerDamaged: the database holds no such log.
        """
        self.engine = engine
        self.scope = scope
        self.verifier = verifier
        self._last_signed = last_signed
        self.log_id = _log_id(engine, scope)

    @property
    def origin(self) -> str:
        """The log's name in checkpoints."""
        return str(self.scope)

    @property
    def vkey(self) -> str:
        """The log's public key as text, for those who check its notes."""
        return self.verifier.vkey

    @property
    def size(self) -> int:
        """How many records there are."""
        with reading(self.engine) as connection:
            return self._size(connection)

    def latest_checkpoint(self) -> SignedCheckpoint:
        """Return the newest signed checkpoint.

        Raises:
            NotFound: the log is still empty.
            LedgerDamaged: the stored checkpoint is not by the log's key, or not of its head.
        """
        with reading(self.engine) as connection:
            return self.checkpoint_in(connection)

    def checkpoint_in(self, connection: Connection) -> SignedCheckpoint:
        """Return the newest signed checkpoint of the snapshot that `connection` reads.

        Raises:
            NotFound: the log is still empty.
            LedgerDamaged: the stored checkpoint is not by the log's key, or not of its head.
        """
        size, stored = self._size(connection), tables.checkpoint
        query = select(stored.c.note).where(stored.c.log == self.log_id)
        note = connection.execute(query.order_by(stored.c.size.desc()).limit(1)).scalar()
        if note is None and size == 0:
            raise NotFound(f"{self.origin} has no record and no checkpoint yet")
        try:
            signed = open_checkpoint(str(note), self.verifier)
        except ProofError as error:
            raise LedgerDamaged(
                f"the newest checkpoint of {self.origin} is not by its key ({error}); run "
                "`countermark log check`"
            ) from error
        if signed.size != size:
            raise LedgerDamaged(
                f"the head of {self.origin} says {size} records, its newest checkpoint "
                f"{signed.size}; run `countermark log check`"
            )
        return signed

    def get(self, index: int) -> Entry:
        """Return the record at `index`, proven under the newest checkpoint.

        Raises:
            NotFound: the log has no such record.
            LedgerDamaged: the row is not what was logged.
        """
        with reading(self.engine) as connection:
            size = self._size(connection)
            # Beyond the head one look more: a row there is one that somebody hid.
            rows = self._rows(connection, tables.record.c.idx == max(-1, min(index, MAX_INDEX)))
            if rows and index >= size:
                raise self._hidden(index)
            if rows:
                return self._entries(connection, rows)[0]
        if 0 <= index < size:
            raise self._missing(index)
        raise NotFound(f"{self.origin} has no record {index}; it has {size}")

    def find_by_id(self, record_id: str) -> tuple[Entry, ...]:
        """Return the record with this id: one entry or none."""
        return self._find(tables.record.c.id == record_id)

    def find_by_file(self, file_sha256: str) -> tuple[Entry, ...]:
        """Return the records that name a file by the SHA-256 of its bytes, in hexadecimal."""
        return self._find(tables.record.c.file_sha256 == file_sha256)

    def find_by_mark(self, mark_id: str) -> tuple[Entry, ...]:
        """Return the records of the clip with this watermark id, in hexadecimal."""
        return self._find(tables.record.c.mark_id == mark_id)

    def find_by_media(self, media_digest: str) -> tuple[Entry, ...]:
        """Return the records of the clip with this digest of its media packets."""
        return self._find(tables.record.c.media_digest == media_digest)

    def find_by_manifest(self, manifest_label: str) -> tuple[Entry, ...]:
        """Return the records of the C2PA manifest with this label (URN)."""
        return self._find(tables.record.c.manifest_label == manifest_label)

    def find_by_clip(self, clip_id: str) -> tuple[Entry, ...]:
        """Return the records that name this clip."""
        return self._find(tables.record.c.clip_id == clip_id)

    def find_by_attempt(self, attempt: str) -> tuple[Entry, ...]:
        """Return everything that belongs to one attempt, in order."""
        return self._find(tables.record.c.attempt == attempt)

    def entries(self, *, after: int = -1, limit: int = PAGE_LIMIT) -> tuple[StoredRecord, ...]:
        """Return up to `limit` records that follow index `after`; the last one's index pages on.

        Raises:
            LedgerDamaged: one of them is missing, is not what was logged, or lies beyond the head.
        """
        after, limit = max(after, -1), min(limit, PAGE_LIMIT)
        with reading(self.engine) as connection:
            rows = self._rows(connection, tables.record.c.idx > min(after, MAX_INDEX), limit)
            expected = range(after + 1, min(self._size(connection), after + 1 + limit))
        found = tuple(self._read(row) for row in rows)
        indices = [each.index for each in found]
        if indices != list(expected):
            missing = sorted(set(expected) - set(indices))
            raise self._missing(missing[0]) if missing else self._hidden(indices[-1])
        return found

    def prove(self, index: int, size: int | None = None) -> InclusionProof:
        """Return the proof that record `index` stands in the first `size` records.

        Raises:
            ProofInvalid: there is no such record in a log of that size.
            NotFound: the log is smaller than `size`.
        """
        with reading(self.engine) as connection:
            tree = self._tree(connection, size)
            return prove_inclusion(index, tree.size, tree.subtree)

    def prove_consistency(self, old_size: int, size: int | None = None) -> ConsistencyProof:
        """Return the proof that the log of `size` records begins with that of `old_size`.

        Raises:
            ProofInvalid: the old log is empty or larger than the new one.
            NotFound: the log is smaller than `size`.
        """
        with reading(self.engine) as connection:
            tree = self._tree(connection, size)
            return prove_consistency(old_size, tree.size, tree.subtree)

    def root(self, size: int | None = None) -> bytes:
        """Return the root over the first `size` records.

        Raises:
            NotFound: the log is smaller than `size`.
        """
        with reading(self.engine) as connection:
            return self._tree(connection, size).root()

    def tile(self, level: int, n: int) -> bytes:
        """Return the hashes of a tile, one after another; the last tile of a level is not full.

        Raises:
            NotFound: there is no such tile.
        """
        if not 0 <= level < LEVELS or not 0 <= n <= MAX_INDEX:
            raise NotFound(f"{self.origin} has no tile {n} at level {level}")
        with reading(self.engine) as connection:
            hashes = tile_reader(connection, self.log_id)(level, n)
        if hashes is None:
            raise NotFound(f"{self.origin} has no tile {n} at level {level}")
        return hashes

    def check(
        self, *, progress: Progress | None = None, witnesses: Iterable[str] = ()
    ) -> CheckReport:
        """Recompute the whole log from its records and compare; see `integrity/check.py`.

        Args:
            progress: called with records done and records in all.
            witnesses: signed checkpoints kept outside this database, as note texts.
        """
        return check(
            self.engine,
            self.log_id,
            self.verifier,
            last_signed=self._last_signed,
            progress=progress,
            witnesses=witnesses,
        )

    def _find(self, condition: ColumnElement[bool]) -> tuple[Entry, ...]:
        with reading(self.engine) as connection:
            return self._entries(connection, self._rows(connection, condition))

    def _rows(
        self, connection: Connection, condition: ColumnElement[bool], limit: int = PAGE_LIMIT
    ) -> Sequence[Row[tuple[object, ...]]]:
        query = select(tables.record).where(tables.record.c.log == self.log_id, condition)
        return connection.execute(query.order_by(tables.record.c.idx).limit(limit)).all()

    def _entries(
        self, connection: Connection, rows: Sequence[Row[tuple[object, ...]]]
    ) -> tuple[Entry, ...]:
        if not rows:
            return ()
        checkpoint = self.checkpoint_in(connection)
        tree = self._tree(connection, checkpoint.size)
        found = [self._read(row) for row in rows]
        for each in found:
            if each.index >= checkpoint.size:
                raise self._hidden(each.index)
        return tuple(
            self._entry(
                each.record,
                Appended(
                    each.index,
                    each.leaf_hash,
                    checkpoint,
                    prove_inclusion(each.index, tree.size, tree.subtree),
                ),
            )
            for each in found
        )

    def _read(self, row: Row[tuple[object, ...]]) -> StoredRecord:
        return read_row(row._mapping, self.origin)  # noqa: SLF001 - SQLAlchemy's documented name

    def _size(self, connection: Connection) -> int:
        query = select(tables.log.c.size).where(tables.log.c.id == self.log_id)
        size = connection.execute(query).scalar_one()
        if not isinstance(size, int) or size < 0:
            raise LedgerDamaged(f"the head of {self.origin} says {size!r} records; that is no size")
        return size

    def _tree(self, connection: Connection, size: int | None) -> TiledTree:
        there = self._size(connection)
        if size is not None and not 0 <= size <= there:
            raise NotFound(f"{self.origin} has {there} records, not {size}")
        return TiledTree(there if size is None else size, tile_reader(connection, self.log_id))

    def _missing(self, index: int) -> LedgerDamaged:
        return LedgerDamaged(
            f"record {index} of {self.origin} is missing; run `countermark log check`"
        )

    def _hidden(self, index: int) -> LedgerDamaged:
        return LedgerDamaged(
            f"record {index} of {self.origin} lies beyond its head; run `countermark log check`"
        )

    def _entry(self, record: Record, where: Appended) -> Entry:
        try:
            return Entry(
                where.index, where.leaf_hash, record, where.checkpoint, where.proof, grant=_GRANT
            )
        except ProofError as error:
            raise LedgerDamaged(
                f"record {where.index} of {self.origin} is not under its checkpoint: {error}; run "
                "`countermark log check`"
            ) from error


def _log_id(engine: Engine, scope: Scope) -> int:
    with reading(engine) as connection:
        query = select(tables.log.c.id).where(tables.log.c.origin == str(scope))
        found = connection.execute(query).scalar()
    if found is None:
        raise LedgerDamaged(
            f"the database holds no log {scope}, and there is a key that signs it; restore it from "
            "a backup"
        )
    return int(found)
