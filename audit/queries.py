"""What auditors ask the log: records by kind, time, decision, attempt or clip, a page at a time.

Every page carries the signed checkpoint it was read under, so that somebody who doubts a list can
replay the whole range (`LedgerReader.entries`) and compare. Pages follow the index, never an
offset: page one thousand costs what page one costs.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, select

from audit import tables
from audit.checkpoint import SignedCheckpoint
from audit.database import reading
from audit.derived import StoredRecord, read_row
from audit.errors import LedgerDamaged, NotFound
from audit.reader import MAX_INDEX, LedgerReader
from audit.records import to_ms
from audit.vocabulary import Decision, RecordKind

PAGE_LIMIT: Final = 500
"""Records on one page: about a megabyte."""


class Order(StrEnum):
    """Which end of the log a list starts from."""

    OLDEST_FIRST = "oldest_first"
    NEWEST_FIRST = "newest_first"


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """What to list; a field left out does not restrict.

    Attributes:
        kinds: any of these kinds.
        since: not before this time, aware.
        until: before this time, aware.
        decision: of the verdict.
        attempt: everything of one attempt.
        clip_id: everything that names one clip.
    """

    kinds: frozenset[RecordKind] = frozenset()
    since: datetime | None = None
    until: datetime | None = None
    decision: Decision | None = None
    attempt: str | None = None
    clip_id: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a list.

    Attributes:
        records: in the order asked for.
        next_after: pass it as `after` for the next page; None when this is the last.
        checkpoint: the log as it was when the page was read; None while it is empty.
    """

    records: tuple[StoredRecord, ...]
    next_after: int | None
    checkpoint: SignedCheckpoint | None


def list_records(
    reader: LedgerReader,
    wanted: RecordFilter,
    *,
    order: Order = Order.NEWEST_FIRST,
    after: int | None = None,
    limit: int = PAGE_LIMIT,
) -> Page:
    """Return one page of the records that match.

    Args:
        reader: the log.
        wanted: what to list.
        order: from which end.
        after: index that the page before ended with; None for the first page.
        limit: records at most, up to `PAGE_LIMIT`.

    Raises:
        LedgerDamaged: a row on the page is not what was logged, or lies beyond the log's head.
        RecordNewer: a later version of countermark wrote one of them.
    """
    idx = tables.record.c.idx
    newest_first = order is Order.NEWEST_FIRST
    conditions = [tables.record.c.log == reader.log_id, *_conditions(wanted)]
    if after is not None:
        after = max(-1, min(after, MAX_INDEX))
        conditions.append(idx < after if newest_first else idx > after)
    wide = max(1, min(limit, PAGE_LIMIT))
    query = select(tables.record).where(*conditions)
    query = query.order_by(idx.desc() if newest_first else idx).limit(wide + 1)
    with reading(reader.engine) as connection:
        rows = connection.execute(query).all()
        try:
            checkpoint = reader.checkpoint_in(connection)
        except NotFound:
            checkpoint = None
    # SQLAlchemy's documented name for a row's columns by name is _mapping.
    records = tuple(read_row(row._mapping, reader.origin) for row in rows[:wide])  # noqa: SLF001
    size = 0 if checkpoint is None else checkpoint.size
    for each in records:
        if each.index >= size:
            raise LedgerDamaged(
                f"record {each.index} of {reader.origin} lies beyond its head; run `countermark "
                "log check`"
            )
    next_after = records[-1].index if len(rows) > wide else None
    return Page(records, next_after, checkpoint)


def _conditions(wanted: RecordFilter) -> list[ColumnElement[bool]]:
    columns = tables.record.c
    found: list[ColumnElement[bool]] = []
    if wanted.kinds:
        found.append(columns.kind.in_(sorted(kind.value for kind in wanted.kinds)))
    if wanted.since is not None:
        found.append(columns.time_ms >= to_ms(wanted.since))
    if wanted.until is not None:
        found.append(columns.time_ms < to_ms(wanted.until))
    for column, value in (
        (columns.decision, None if wanted.decision is None else str(wanted.decision)),
        (columns.attempt, wanted.attempt),
        (columns.clip_id, wanted.clip_id),
    ):
        if value is not None:
            found.append(column == value)
    return found
