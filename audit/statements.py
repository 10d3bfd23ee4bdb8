"""The SQL of an append, put together once: building it anew cost as much as running it.

Parameters: `log_` the log's id, and those that each statement names. (SQLAlchemy keeps the columns'
own names for the values of an UPDATE.)
"""

from typing import Final

from sqlalchemy import bindparam, delete, insert, select, update

from audit import tables

_log, _record, _tile, _note = tables.log.c, tables.record.c, tables.tile.c, tables.checkpoint.c

READ_HEAD: Final = (
    select(_log.size, _log.root).where(_log.id == bindparam("log_")).with_for_update()
)
"""The head, locked until the transaction ends."""

MOVE_HEAD: Final = (
    update(tables.log)
    .where(
        _log.id == bindparam("log_"),
        _log.size == bindparam("old_size"),
        _log.root == bindparam("old_root"),
    )
    .values(size=bindparam("new_size"), root=bindparam("new_root"))
)
"""Compare-and-swap: moves the head only if it still is where it was read."""

FIND_KNOWN: Final = select(_record.id, _record.body, _record.idx).where(
    _record.log == bindparam("log_"), _record.id.in_(bindparam("ids", expanding=True))
)
"""Records of a batch that already stand in the log."""

ADD_RECORD: Final = insert(tables.record)

_one_tile = (
    _tile.log == bindparam("log_"),
    _tile.level == bindparam("level_"),
    _tile.n == bindparam("n_"),
)
READ_TILE: Final = select(_tile.hashes).where(*_one_tile)
CHANGE_TILE: Final = update(tables.tile).where(*_one_tile).values(hashes=bindparam("hashes_"))
ADD_TILE: Final = insert(tables.tile)

READ_NOTE: Final = select(_note.note).where(
    _note.log == bindparam("log_"), _note.size == bindparam("size_")
)
"""The checkpoint of one size."""

_newest = (
    select(_note.size)
    .where(_note.log == bindparam("log_"))
    .order_by(_note.size.desc())
    .limit(1)
    .scalar_subquery()
)
THIN_NOTES: Final = delete(tables.checkpoint).where(
    _note.log == bindparam("log_"), _note.size == _newest, _note.time_ms >= bindparam("minute")
)
"""Drops the newest checkpoint if it was stored since `minute`; a newer one takes its place."""

ADD_NOTE: Final = insert(tables.checkpoint)
