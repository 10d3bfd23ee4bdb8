"""Attempts: the allowed steps, the leases, and what recovery may touch."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from audit.attempts import (
    CLOSED,
    STEPS,
    Advance,
    Attempts,
    AttemptState,
    CloseAttempt,
    OpenAttempt,
    state_after,
)
from audit.bodies import Failed, Withdrawn
from audit.errors import AppendFailed, NotFound
from audit.lease import Lease
from audit.ledger import Ledger
from audit.vocabulary import RecordKind, Stage
from tests.support.logs import START, begin, open_attempt, open_log, refuse_clip, release_clip


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_log(tmp_path)


@pytest.fixture
def attempts(ledger: Ledger) -> Attempts:
    return Attempts(ledger.engine, ledger.log_id)


def dead_lease() -> Lease:
    """Return a lease of this machine whose process has ended: nobody started at tick 1 as ours."""
    return replace(Lease.of_this_process(START), process_start=1)


def test_a_released_clip_has_its_indices(ledger: Ledger, attempts: Attempts) -> None:
    entry = release_clip(ledger, 1)

    found = attempts.get(str(entry.record.attempt))

    assert (found.opened, found.cleared, found.released) == (0, 1, 2)
    assert found.state is AttemptState.RELEASED
    assert attempts.find_by_clip("clip-1") == found


def test_publishing_ends_the_journey_and_can_be_said_twice(
    ledger: Ledger, attempts: Attempts
) -> None:
    attempt = str(release_clip(begin(ledger), 1).record.attempt)

    attempts.mark_published(attempt)
    attempts.mark_published(attempt)

    assert attempts.get(attempt).state is AttemptState.PUBLISHED
    assert ledger.check().problems == ()


def test_what_is_not_released_cannot_be_published(ledger: Ledger, attempts: Attempts) -> None:
    attempt = open_attempt(ledger, 1)

    with pytest.raises(AppendFailed, match="is open; it cannot become published"):
        attempts.mark_published(attempt)


def test_a_refused_attempt_cannot_be_released(ledger: Ledger) -> None:
    attempt = str(refuse_clip(ledger, 1).record.attempt)
    record = ledger.record(Failed(Stage.SIGN, "e"), now=START, attempt=attempt)

    with pytest.raises(AppendFailed, match="is refused; it cannot become cleared"):
        ledger.commit(record, changes=[Advance(attempt, AttemptState.CLEARED)])

    assert ledger.size == 2


def test_an_attempt_that_was_not_opened_cannot_advance(ledger: Ledger) -> None:
    record = ledger.record(Failed(Stage.SIGN, "e"), now=START)

    with pytest.raises(AppendFailed, match="open it first"):
        ledger.commit(record, changes=[Advance("nobody", AttemptState.CLEARED)])


def test_a_clip_id_is_used_once(ledger: Ledger) -> None:
    open_attempt(ledger, 1)

    with pytest.raises(AppendFailed, match="UNIQUE"):
        open_attempt(ledger, 1)
    assert ledger.size == 1


@pytest.mark.parametrize("state", [AttemptState.CLEARED, AttemptState.PUBLISHED])
def test_only_an_end_closes_an_attempt(ledger: Ledger, state: AttemptState) -> None:
    attempt = open_attempt(ledger, 1)
    record = ledger.record(Failed(Stage.SIGN, "e"), now=START, attempt=attempt)

    with pytest.raises(AppendFailed, match="does not end an attempt"):
        ledger.commit(record, changes=[CloseAttempt(attempt, state)])


def test_a_living_process_keeps_its_attempts(ledger: Ledger, attempts: Attempts) -> None:
    open_attempt(ledger, 1)

    assert attempts.expired(START + timedelta(days=3)) == ()


def test_recovery_sees_what_a_dead_process_left(ledger: Ledger, attempts: Attempts) -> None:
    open_attempt(ledger, 1)
    left = "01a20302-01e7-7806-9672-ba8b6d0fc9a1"
    body = Failed(Stage.SIGN, "e")
    ledger.commit(
        ledger.record(body, now=START), changes=[OpenAttempt(left, "clip-2", dead_lease())]
    )

    assert [each.id for each in attempts.expired(START)] == [left]


def test_one_of_two_recoveries_takes_an_attempt(ledger: Ledger, attempts: Attempts) -> None:
    left = "01a20302-01e7-7806-9672-ba8b6d0fc9a1"
    ledger.commit(
        ledger.record(Failed(Stage.SIGN, "e"), now=START),
        changes=[OpenAttempt(left, "clip-2", dead_lease())],
    )
    mine = Lease.of_this_process(START)

    taken = attempts.take_over(left, mine, now=START)

    assert taken.lease == mine
    assert attempts.expired(START) == ()
    with pytest.raises(AppendFailed, match="it is left alone"):
        attempts.take_over(left, replace(mine, pid=1), now=START)


def test_two_threads_of_one_process_do_not_both_take_an_attempt(
    ledger: Ledger, attempts: Attempts
) -> None:
    left = "01a20302-01e7-7806-9672-ba8b6d0fc9a1"
    ledger.commit(
        ledger.record(Failed(Stage.SIGN, "e"), now=START),
        changes=[OpenAttempt(left, "clip-2", dead_lease())],
    )
    mine = Lease.of_this_process(START)
    attempts.take_over(left, mine, now=START)

    with pytest.raises(AppendFailed, match="it is left alone"):
        attempts.take_over(left, mine, now=START)

    attempts.give_back(left, dead_lease())
    assert [each.id for each in attempts.expired(START)] == [left]


def test_a_withdrawn_attempt_is_closed_by_its_record(ledger: Ledger, attempts: Attempts) -> None:
    attempt = open_attempt(begin(ledger), 1)
    record = ledger.record(Withdrawn("the process ended"), now=START, attempt=attempt)

    ledger.commit(record, changes=[CloseAttempt(attempt, AttemptState.WITHDRAWN)])

    assert attempts.get(attempt).closed == 3
    assert ledger.check().problems == ()


def test_a_heartbeat_is_kept(ledger: Ledger, attempts: Attempts) -> None:
    attempt = open_attempt(ledger, 1)
    before = attempts.get(attempt).lease.heartbeat_ms

    attempts.beat(attempt, START + timedelta(seconds=10))

    assert attempts.get(attempt).lease.heartbeat_ms == before + 10_000
    with pytest.raises(NotFound):
        attempts.beat("nobody", START)


def test_a_held_clip_waits_for_nobody_s_process(ledger: Ledger, attempts: Attempts) -> None:
    left = "01a20302-01e7-7806-9672-ba8b6d0fc9a1"
    ledger.commit(
        ledger.record(Failed(Stage.SIGN, "e"), now=START),
        changes=[OpenAttempt(left, "clip-2", dead_lease()), Advance(left, AttemptState.HELD)],
    )

    assert attempts.expired(START) == ()
    assert [each.id for each in attempts.in_state(AttemptState.HELD)] == [left]


def test_nothing_follows_a_closed_state() -> None:
    assert all(not STEPS[state] for state in CLOSED)
    assert AttemptState.PUBLISHED in CLOSED


def test_the_state_is_that_of_the_last_record_that_moves_it() -> None:
    assert state_after([]) is None
    assert state_after([RecordKind.ATTEMPT, RecordKind.VERIFICATION]) is AttemptState.OPEN
    assert state_after([RecordKind.ATTEMPT, RecordKind.CLEARED]) is AttemptState.CLEARED
