"""Reading a log: records with their proofs, lists, checkpoints, and the full check.

Nothing here needs a private key. Every entry that leaves has been compared with its own bytes and
proven under a signed checkpoint: an answer from an edited row is an error, never an answer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import InitVar, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, Engine, Row, select

from audit import integrity, tables
from audit.append import Appended, tile_reader
from audit.checkpoint import SignedCheckpoint, TlogProof, open_checkpoint
from audit.database import reading
from audit.derived import columns_of, derive
from audit.errors import LedgerDamaged, NotFound, ProofError, RecordInvalid
from audit.integrity import CheckReport, Progress
from audit.merkle import (
    ConsistencyProof,
    InclusionProof,
    hash_leaf,
    prove_consistency,
    prove_inclusion,
    verify_inclusion,
)
from audit.note import Verifier
from audit.records import Record, Scope
from audit.tiles import TiledTree

PAGE_LIMIT: Final = 1000
"""Records in one page of `entries`."""

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


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record as a list shows it: read, its leaf hash compared, not proven yet."""

    index: int
    leaf_hash: bytes
    record: Record


class LedgerReader:
    """Reads one log of a database; needs the log's public key and nothing secret."""

    def __init__(self, engine: Engine, *, scope: Scope, verifier: Verifier) -> None:
        """Open the log of `scope`.

        Raises:
            NotFound: the database holds no such log.
        """
        self.engine = engine
        self.scope = scope
        self.verifier = verifier
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
            LedgerDamaged: the stored checkpoint is not by the log's key.
        """
        with reading(self.engine) as connection:
            return self.checkpoint_in(connection)

    def checkpoint_in(self, connection: Connection) -> SignedCheckpoint:
        """Return the newest signed checkpoint of the snapshot that `connection` reads.

        Raises:
            NotFound: the log is still empty.
            LedgerDamaged: the stored checkpoint is not by the log's key.
        """
        stored = tables.checkpoint
        query = select(stored.c.note).where(stored.c.log == self.log_id)
        note = connection.execute(query.order_by(stored.c.size.desc()).limit(1)).scalar()
        if note is None:
            raise NotFound(f"{self.origin} has no record and no checkpoint yet")
        try:
            return open_checkpoint(note, self.verifier)
        except ProofError as error:
            raise LedgerDamaged(
                f"the newest checkpoint of {self.origin} is not by its key ({error}); run "
                "`countermark log check`"
            ) from error

    def get(self, index: int) -> Entry:
        """Return the record at `index`, proven under the newest checkpoint.

        Raises:
            NotFound: the log has no such record.
            LedgerDamaged: the row is not what was logged.
        """
        with reading(self.engine) as connection:
            rows = self._rows(connection, tables.record.c.idx == index)
            if not rows:
                raise NotFound(
                    f"{self.origin} has no record {index}; it has {self._size(connection)}"
                )
            return self._entries(connection, rows)[0]

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
        """Return up to `limit` records that follow index `after`; the last one's index pages on."""
        with reading(self.engine) as connection:
            rows = self._rows(connection, tables.record.c.idx > after, min(limit, PAGE_LIMIT))
            return tuple(read_row(row, self.origin) for row in rows)

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
        with reading(self.engine) as connection:
            hashes = tile_reader(connection, self.log_id)(level, n)
        if hashes is None:
            raise NotFound(f"{self.origin} has no tile {n} at level {level}")
        return hashes

    def check(
        self, *, progress: Progress | None = None, witnesses: Iterable[str] = ()
    ) -> CheckReport:
        """Recompute the whole log from its records and compare; see `integrity.check`.

        Args:
            progress: called with records done and records in all.
            witnesses: signed checkpoints kept outside this database, as note texts.
        """
        return integrity.check(
            self.engine, self.log_id, self.verifier, progress=progress, witnesses=witnesses
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
        found = (read_row(row, self.origin) for row in rows)
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

    def _size(self, connection: Connection) -> int:
        query = select(tables.log.c.size).where(tables.log.c.id == self.log_id)
        return int(connection.execute(query).scalar_one())

    def _tree(self, connection: Connection, size: int | None) -> TiledTree:
        there = self._size(connection)
        if size is not None and not 0 <= size <= there:
            raise NotFound(f"{self.origin} has {there} records, not {size}")
        return TiledTree(there if size is None else size, tile_reader(connection, self.log_id))

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


def read_row(row: Row[tuple[object, ...]], origin: str) -> StoredRecord:
    """Return the record of a row of `tables.record`, after comparing hash and columns.

    Raises:
        LedgerDamaged: the bytes are no record, or the row says something else than they do.
    """
    columns = row._mapping  # noqa: SLF001 - SQLAlchemy's documented name for it
    index, body = columns["idx"], columns["body"]
    if not isinstance(index, int) or not isinstance(body, bytes):
        raise LedgerDamaged(f"record {index!r} of {origin} is not stored as bytes")
    try:
        record = Record.parse(body)
    except RecordInvalid as error:
        raise LedgerDamaged(f"record {index} of {origin} is no record: {error}") from error
    leaf_hash = hash_leaf(body)
    differing = [] if leaf_hash == columns["leaf"] else ["leaf"]
    differing += [name for name, value in columns_of(derive(record)) if columns[name] != value]
    if differing:
        raise LedgerDamaged(
            f"record {index} of {origin} was changed: {', '.join(differing)} is not what its bytes "
            "say; run `countermark log check`"
        )
    return StoredRecord(index, leaf_hash, record)


def _log_id(engine: Engine, scope: Scope) -> int:
    with reading(engine) as connection:
        query = select(tables.log.c.id).where(tables.log.c.origin == str(scope))
        found = connection.execute(query).scalar()
    if found is None:
        raise NotFound(f"the database holds no log {scope}; run `countermark init`")
    return int(found)
