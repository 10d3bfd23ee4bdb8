"""Lists of records: filters that mean what they say, and pages that lose and repeat nothing."""

from datetime import timedelta
from pathlib import Path

import pytest

from audit.bodies import Failed
from audit.errors import LedgerDamaged
from audit.ledger import Ledger
from audit.queries import Order, RecordFilter, list_records
from audit.vocabulary import RecordKind, Stage
from tests.support.logs import (
    START,
    log_body,
    log_failures,
    open_log,
    refuse_clip,
    release_clip,
)
from tests.support.tamper import run


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_log(tmp_path)


def indices(ledger: Ledger, wanted: RecordFilter) -> list[int]:
    page = list_records(ledger, wanted, order=Order.OLDEST_FIRST)
    return [each.index for each in page.records]


def test_filters_restrict_together(ledger: Ledger) -> None:
    release_clip(ledger, 1)  # 0 attempt, 1 cleared, 2 released
    refused = refuse_clip(ledger, 2)  # 3 attempt, 4 refused
    log_body(ledger, Failed(Stage.SIGN, "e"), at=START + timedelta(hours=2))  # 5

    kinds = frozenset({RecordKind.CLEARED, RecordKind.REFUSED})
    assert indices(ledger, RecordFilter(kinds=kinds)) == [1, 4]
    assert indices(ledger, RecordFilter(decision="block")) == [4]
    assert indices(ledger, RecordFilter(decision="allow")) == [1]
    assert indices(ledger, RecordFilter(attempt=refused.record.attempt)) == [3, 4]
    assert indices(ledger, RecordFilter(clip_id="clip-1")) == [0, 1, 2]
    assert indices(ledger, RecordFilter(since=START + timedelta(hours=1))) == [5]
    assert indices(ledger, RecordFilter(until=START)) == []
    assert indices(ledger, RecordFilter(kinds=kinds, decision="allow")) == [1]


@pytest.mark.parametrize("order", list(Order))
def test_pages_lose_and_repeat_nothing(ledger: Ledger, order: Order) -> None:
    log_failures(ledger, 10)
    seen: list[int] = []
    after = None
    for _ in range(5):
        page = list_records(ledger, RecordFilter(), order=order, after=after, limit=3)
        seen += [each.index for each in page.records]
        after = page.next_after
        if after is None:
            break

    assert seen == (list(range(10)) if order is Order.OLDEST_FIRST else list(range(9, -1, -1)))


def test_a_page_carries_the_checkpoint_it_was_read_under(ledger: Ledger) -> None:
    assert list_records(ledger, RecordFilter()).checkpoint is None
    entry = log_failures(ledger, 2)[-1]

    assert list_records(ledger, RecordFilter()).checkpoint == entry.checkpoint


def test_an_edited_row_on_the_page_is_an_error(ledger: Ledger, tmp_path: Path) -> None:
    refuse_clip(ledger, 1)
    run(tmp_path / "countermark.db", "UPDATE record SET decision = 'allow' WHERE idx = 1")

    with pytest.raises(LedgerDamaged, match="record 1 of silver/press was changed: decision"):
        list_records(ledger, RecordFilter(decision="allow"))
