"""The one transaction that adds records: rows, tiles, head and signed checkpoint, or none of them.

1. Take the write lock and read the head (size, root).
2. Confirm it: it is what this process left, or the tiles and the signed checkpoint both say so, and
   it begins with what this home signed last.
3. Sort out repeats: the same record again gives its old index, other bytes under its id fail.
4. Per record that brings changes: savepoint, changes, row. A change that is refused takes only its
   own record with it; a database that fails takes the whole batch.
5. Extend the tree, move the head by compare-and-swap, write the changed tiles.
6. Sign the checkpoint, store it, drop the one it replaces within the same minute.
7. Commit. What is returned after that is durable. Then keep the checkpoint beside the key.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from audit.checkpoint import Checkpoint, SignedCheckpoint, open_checkpoint, sign_checkpoint
from audit.database import Access, require_transaction, translate, writing
from audit.derived import columns_of, derive
from audit.errors import AppendFailed, LedgerDamaged, RecordInvalid
from audit.last_signed import LastSigned
from audit.merkle import EMPTY_ROOT, InclusionProof, hash_leaf, prove_inclusion, root
from audit.note import NoteSigner
from audit.records import Record, Scope, to_ms
from audit.statements import (
    ADD_NOTE,
    ADD_RECORD,
    ADD_TILE,
    CHANGE_TILE,
    FIND_KNOWN,
    MOVE_HEAD,
    READ_HEAD,
    READ_NOTE,
    READ_TILE,
    THIN_NOTES,
)
from audit.tiles import ReadTile, TileAt, TiledTree

MINUTE_MS: Final = 60_000
"""Stored checkpoints are thinned to one in this time; see docs/spec/ledger.md."""


class Change(Protocol):
    """A row that must change together with a record: an attempt's state, a token, a sealed text."""

    def apply(self, connection: Connection, log: int, index: int) -> None:
        """Change the row.

        Args:
            connection: the transaction that also adds the record.
            log: id of the log's row; every table of a log carries it.
            index: the record's index in the log.

        Raises:
            AuditError: the change is not possible now; the record is not added either.
        """


@dataclass(frozen=True, slots=True)
class Appended:
    """Where a record stands, with the checkpoint of the transaction that added it."""

    index: int
    leaf_hash: bytes
    checkpoint: SignedCheckpoint
    proof: InclusionProof


@dataclass(slots=True, eq=False)
class Submission:
    """A record on its way in; `outcome` is set once the transaction ended, one way or the other.

    An outcome that is no error of ours is a fault in one of the changes.
    """

    record: Record
    changes: Sequence[Change]
    outcome: Appended | Exception | None = None
    index: int | None = field(default=None, init=False)


@dataclass(frozen=True, slots=True)
class _Head:
    """What the log's row says, or what this process last signed."""

    size: int
    root: bytes


class Appender:
    """Adds batches of records to one log. Not for two threads at once; see `sequencer.py`."""

    def __init__(
        self,
        engine: Engine,
        log: int,
        scope: Scope,
        signer: NoteSigner,
        clock: Callable[[], datetime],
        last_signed: LastSigned,
    ) -> None:
        self._engine = engine
        self._log = log
        self._scope = scope
        self._signer = signer
        self._clock = clock
        self._last_signed = last_signed
        self._signed: _Head | None = None
        self._edge: Mapping[TileAt, bytes] = {}

    def append(self, batch: Sequence[Submission]) -> None:
        """Make the batch durable and set each submission's outcome.

        Raises:
            LedgerLocked: the database is locked or read-only; nothing was added.
            LedgerDamaged: the head is not what was signed; nothing was added.
            AppendFailed: the database refused; nothing was added.
        """
        with writing(self._engine) as connection:
            before = self._head(connection)  # (1)
            tree = self._confirmed_tree(connection, before)  # (2)
            added = self._add_rows(connection, batch, tree.size)
            if added:
                tree.append([hash_leaf(each.record.canonical) for each in added])
                head = _Head(tree.size, tree.root())
                self._move_head(connection, before, head, tree)
                checkpoint: SignedCheckpoint | None = self._sign(connection, head)
            else:
                head = before
                checkpoint = self._latest(connection, head)
            # A record that stands there already may need a tile that is not at hand yet.
            outcomes = _outcomes(batch, tree, checkpoint) if checkpoint is not None else ()
        # (7) Only now is anything true.
        self._signed, self._edge = head, tree.edge()
        if checkpoint is not None and added:
            self._last_signed.keep(checkpoint)
        for each, outcome in outcomes:
            each.outcome = outcome

    def _head(self, connection: Connection) -> _Head:
        row = connection.execute(READ_HEAD, {"log_": self._log}).one()
        if not isinstance(row.size, int) or not isinstance(row.root, bytes):
            raise LedgerDamaged(
                f"the head of {self._scope} is no size and root; run `countermark log check`"
            )
        return _Head(row.size, row.root)

    def _confirmed_tree(self, connection: Connection, head: _Head) -> TiledTree:
        """Return the tree at `head`, refusing to build on one that was changed from outside."""
        read = tile_reader(connection, self._log)
        if head == self._signed:
            return TiledTree(head.size, read, self._edge)
        tree = TiledTree(head.size, read)
        if tree.root() != head.root:
            raise LedgerDamaged(
                f"the tiles of {self._scope} do not give the root of its {head.size} records; run "
                "`countermark log check`"
            )
        self._latest(connection, head)
        # A log never signs two stories: what this process signed must be the beginning of the head.
        if self._signed and not _extends(tree, self._signed):
            raise LedgerDamaged(
                f"{self._scope} no longer begins with the {self._signed.size} records signed "
                "before; run `countermark log check`"
            )
        kept = self._last_signed.read()
        if kept and not _extends(tree, _Head(kept.size, kept.root)):
            raise LedgerDamaged(
                f"{self._scope} has {tree.size} records and does not begin with the {kept.size} "
                f"that {self._last_signed.path} says were signed; find the newest database, or go "
                "on in a new home"
            )
        return tree

    def _latest(self, connection: Connection, head: _Head) -> SignedCheckpoint | None:
        """Return the stored checkpoint of `head`, which must be there and ours."""
        if head.size == 0:
            return None
        where = {"log_": self._log, "size_": head.size}
        note = connection.execute(READ_NOTE, where).scalar()
        if note is not None:
            signed = open_checkpoint(note, self._signer.verifier)
            if signed.checkpoint == Checkpoint(str(self._scope), head.size, head.root):
                return signed
        raise LedgerDamaged(
            f"{self._scope} has {head.size} records and no checkpoint that says so; run "
            "`countermark log check`"
        )

    def _add_rows(
        self, connection: Connection, batch: Sequence[Submission], size: int
    ) -> list[Submission]:
        """Insert the rows of the new records and return their submissions in order."""
        known = self._known(connection, batch)  # (3)
        added: list[Submission] = []
        plain: list[dict[str, object]] = []
        for each in batch:
            bytes_before, each.index = known.get(each.record.id, (b"", None))
            if each.index is not None:
                if bytes_before != each.record.canonical:
                    each.outcome = RecordInvalid(
                        f"record id {each.record.id} stands at index {each.index} with other "
                        "bytes; give a new record a new id"
                    )
                continue
            index = size + len(added)
            row = record_row(self._log, index, each.record)
            if not each.changes:
                plain.append(row)
            elif not self._change(connection, each, index, row):
                continue
            each.index = index
            known[each.record.id] = (each.record.canonical, index)
            added.append(each)
        if plain:
            connection.execute(ADD_RECORD, plain)
        return added

    def _known(
        self, connection: Connection, batch: Sequence[Submission]
    ) -> dict[str, tuple[bytes, int | None]]:
        """Return bytes and index of those records of the batch that already stand in the log."""
        ids = [each.record.id for each in batch]
        rows = connection.execute(FIND_KNOWN, {"log_": self._log, "ids": ids})
        return {row.id: (row.body, row.idx) for row in rows}

    def _change(
        self, connection: Connection, each: Submission, index: int, row: dict[str, object]
    ) -> bool:
        """(4) Apply a submission's changes and insert its row; when refused undo both.

        Raises:
            SQLAlchemyError: the database failed, so that nothing of the batch is certain.
            AppendFailed: it took the whole transaction back.
        """
        savepoint = connection.begin_nested()
        try:
            for change in each.changes:
                change.apply(connection, self._log, index)
            connection.execute(ADD_RECORD, row)
        except IntegrityError as error:
            each.outcome = translate(error, Access.WRITE)
        except SQLAlchemyError:
            raise
        except Exception as error:  # noqa: BLE001 - raised again in the thread that brought it
            each.outcome = error
        if each.outcome is None:
            savepoint.commit()
            return True
        savepoint.rollback()
        require_transaction(connection)
        return False

    def _move_head(
        self, connection: Connection, before: _Head, head: _Head, tree: TiledTree
    ) -> None:
        """(5) Move the head, unless somebody else did, and write the tiles."""
        heads = {
            "old_size": before.size,
            "old_root": before.root,
            "new_size": head.size,
            "new_root": head.root,
        }
        moved = connection.execute(MOVE_HEAD, {"log_": self._log, **heads})
        if moved.rowcount != 1:
            raise AppendFailed(
                f"another process moved {self._scope} past {before.size} records; try again"
            )
        for (level, n), hashes in tree.changed.items():
            tile = {"log_": self._log, "level_": level, "n_": n, "hashes_": hashes}
            if not connection.execute(CHANGE_TILE, tile).rowcount:
                added = {"log": self._log, "level": level, "n": n, "hashes": hashes}
                connection.execute(ADD_TILE, added)

    def _sign(self, connection: Connection, head: _Head) -> SignedCheckpoint:
        """(6) Sign and store the checkpoint of `head`, while it can still become durable."""
        require_transaction(connection)
        signed = sign_checkpoint(Checkpoint(str(self._scope), head.size, head.root), self._signer)
        now_ms = to_ms(self._clock())
        minute = now_ms - now_ms % MINUTE_MS
        connection.execute(THIN_NOTES, {"log_": self._log, "minute": minute})
        row = {"log": self._log, "size": head.size, "time_ms": now_ms, "note": signed.note}
        connection.execute(ADD_NOTE, row)
        return signed


def tile_reader(connection: Connection, log: int) -> ReadTile:
    """Return a function that reads one tile of a log from its row."""

    def read(level: int, n: int) -> bytes | None:
        where = {"log_": log, "level_": level, "n_": n}
        found = connection.execute(READ_TILE, where).scalar()
        # SQLite keeps whatever type it is given: text in a tile's place is no tile.
        return found if isinstance(found, bytes) else None

    return read


def record_row(log: int, index: int, record: Record) -> dict[str, object]:
    """Return the row that stores `record` at `index`."""
    return {
        "log": log,
        "idx": index,
        "leaf": hash_leaf(record.canonical),
        "body": record.canonical,
        **dict(columns_of(derive(record))),
    }


def _extends(tree: TiledTree, before: _Head) -> bool:
    if before.size > tree.size:
        return False
    return (root(before.size, tree.subtree) if before.size else EMPTY_ROOT) == before.root


def _outcomes(
    batch: Sequence[Submission], tree: TiledTree, checkpoint: SignedCheckpoint
) -> list[tuple[Submission, Appended]]:
    """Return what becomes of every submission that has no outcome yet."""
    return [
        (
            each,
            Appended(
                index=each.index,
                leaf_hash=hash_leaf(each.record.canonical),
                checkpoint=checkpoint,
                proof=prove_inclusion(each.index, tree.size, tree.subtree),
            ),
        )
        for each in batch
        if each.outcome is None and each.index is not None
    ]
