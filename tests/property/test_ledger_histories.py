"""Random honest histories against a plain list: no false alarm, no lost record, no broken proof."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from audit.attempts import Advance, AttemptState, CloseAttempt
from audit.bodies import Withdrawn
from audit.errors import AppendFailed
from audit.ledger import Entry, Ledger
from audit.merkle import verify_consistency, verify_inclusion
from audit.reader import StoredRecord
from tests.support.logs import (
    START,
    Clock,
    cleared_body,
    log_batch,
    log_failures,
    open_attempt,
    open_log,
    refuse_clip,
    release_clip,
)


class LedgerHistories(RuleBasedStateMachine):
    """Does to a ledger what pipelines, crashes and restarts do, and keeps a list beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.expected: list[bytes] = []
        self.kept: list[Entry] = []
        self.number = 0
        self.ledger: Ledger | None = None

    def teardown(self) -> None:
        if self.ledger is not None:
            self.ledger.engine.dispose()
        self.folder.cleanup()

    def next_number(self) -> int:
        self.number += 1
        return self.number

    def log(self) -> Ledger:
        assert self.ledger is not None
        return self.ledger

    def stored(self, start: int) -> list[StoredRecord]:
        found: list[StoredRecord] = []
        while page := self.log().entries(after=start + len(found) - 1):
            found += page
        return found

    def keep(self, *entries: Entry) -> None:
        self.expected += [each.record.canonical for each in self.stored(len(self.expected))]
        self.kept += entries

    @initialize()
    def open(self) -> None:
        self.ledger = open_log(Path(self.folder.name), clock=Clock())

    @rule()
    def open_again(self) -> None:
        if self.ledger is not None:
            self.ledger.engine.dispose()
        self.ledger = open_log(Path(self.folder.name), clock=Clock())

    @rule(count=st.integers(1, 8))
    def log_some(self, count: int) -> None:
        self.keep(*log_failures(self.log(), count, first=self.next_number()))

    @rule(count=st.integers(1, 300))
    def log_in_one_transaction(self, count: int) -> None:
        log_batch(self.log(), count)
        self.keep()

    @rule()
    def release(self) -> None:
        self.keep(release_clip(self.log(), self.next_number()))

    @rule()
    def refuse(self) -> None:
        self.keep(refuse_clip(self.log(), self.next_number()))

    @rule()
    def crash_and_withdraw(self) -> None:
        attempt = open_attempt(self.log(), self.next_number())
        record = self.log().record(Withdrawn("its process ended"), now=START, attempt=attempt)
        self.keep(
            self.log().commit(record, changes=[CloseAttempt(attempt, AttemptState.WITHDRAWN)])
        )

    @rule()
    def try_what_is_not_allowed(self) -> None:
        attempt = str(refuse_clip(self.log(), self.next_number()).record.attempt)
        body = cleared_body("clip", self.number)
        record = self.log().record(body, now=START, attempt=attempt)
        with pytest.raises(AppendFailed):
            self.log().commit(record, changes=[Advance(attempt, AttemptState.CLEARED)])
        self.keep()

    @rule(drawn=st.data())
    def commit_again(self, drawn: st.DataObject) -> None:
        if self.kept:
            old = drawn.draw(st.sampled_from(self.kept))
            assert self.log().commit(old.record).index == old.index

    @invariant()
    def the_log_is_the_list(self) -> None:
        if self.ledger is None or not self.expected:
            return
        assert [each.record.canonical for each in self.stored(0)] == self.expected

    @invariant()
    def old_proofs_hold(self) -> None:
        if self.ledger is None or not self.kept:
            return
        old, new = self.kept[-1], self.ledger.latest_checkpoint()
        verify_inclusion(old.leaf_hash, old.proof, old.checkpoint.root)
        proof = self.ledger.prove_consistency(old.checkpoint.size, new.size)
        verify_consistency(old.checkpoint.root, new.root, proof)

    @invariant()
    def the_check_raises_no_alarm(self) -> None:
        if self.ledger is not None:
            notes = [each.checkpoint.note for each in self.kept[-3:]]
            assert self.ledger.check(witnesses=notes).problems == ()


LedgerHistories.TestCase.settings = settings(
    max_examples=6,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestLedgerHistories = LedgerHistories.TestCase
