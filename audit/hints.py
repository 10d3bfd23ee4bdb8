"""What stands in columns of its own and leads to records: read whole, and believed by nobody.

A picture's hash or a mark's id in a column is what the database says, not the log. Whoever is led
to a record by one asks the reader for that record, which is then proven.
"""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, select

from audit import tables
from audit.database import reading
from audit.reader import PAGE_LIMIT, LedgerReader


def frame_hashes(ledger: LedgerReader, *, after: int = -1) -> Iterator[tuple[int, bytes]]:
    """Yield the index of each cleared clip that follows `after`, and its pictures' hashes."""
    for index, hashes in _column(ledger, tables.record.c.frame_hashes, after):
        if isinstance(hashes, bytes):
            yield index, hashes


def mark_ids(ledger: LedgerReader, *, after: int = -1) -> Iterator[tuple[int, str]]:
    """Yield the index of each record with a mark that follows `after`, and its hexadecimal id."""
    for index, mark_id in _column(ledger, tables.record.c.mark_id, after):
        if isinstance(mark_id, str):
            yield index, mark_id


def _column(
    ledger: LedgerReader, column: ColumnElement[object], after: int
) -> Iterator[tuple[int, object]]:
    """Yield where a column says something, and what, out of an index that covers it."""
    of_record = tables.record.c
    query = (
        select(of_record.idx, column)
        .where(of_record.log == ledger.log_id, of_record.idx > after, column.is_not(None))
        .order_by(of_record.idx)
        .execution_options(yield_per=PAGE_LIMIT)
    )
    with reading(ledger.engine) as connection:
        for index, value in connection.execute(query):
            if isinstance(index, int):  # SQLite stores anything anywhere
                yield index, value
