"""Random honest histories against a plain list: no false alarm, no lost record, no broken proof."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from audit.append import Change, Submission
from audit.attempts import Advance, AttemptState, CloseAttempt, OpenAttempt
from audit.bodies import Attempt, Body, Failed, PolicyText, Refused, Withdrawn
from audit.errors import AppendFailed
from audit.lease import Lease
from audit.ledger import Entry, Ledger
from audit.merkle import verify_consistency, verify_inclusion
from audit.reader import StoredRecord
from audit.records import Record, uuid7
from audit.vocabulary import Decision, PromptState, Stage
from tests.support.logs import (
    POLICY,
    POLICY_TEXT,
    START,
    Clock,
    cleared_body,
    deployment_body,
    open_log,
    released_body,
    verdict,
)


class LedgerHistories(RuleBasedStateMachine):
    """Does to a ledger what pipelines, crashes and restarts do, and keeps a list beside it.

    The list holds the bytes that were submitted; nothing on it comes out of the ledger.
    """

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

    def record(self, body: Body, attempt: str | None = None) -> Record:
        return self.log().record(body, now=START, attempt=attempt)

    def submit(self, body: Body, *changes: Change, attempt: str | None = None) -> int:
        record = self.record(body, attempt)
        entry = self.log().commit(record, changes=changes)
        assert entry.index == len(self.expected)
        self.expected.append(record.canonical)
        self.kept.append(entry)
        return entry.index

    def open_attempt(self, number: int) -> str:
        attempt, clip_id = uuid7(START), f"clip-{number}"
        body = Attempt("protect", clip_id, POLICY, {}, PromptState.NOT_AVAILABLE)
        change = OpenAttempt(attempt, clip_id, Lease.of_this_process(START))
        self.submit(body, change, attempt=attempt)
        return attempt

    def stored(self) -> list[StoredRecord]:
        found: list[StoredRecord] = []
        while page := self.log().entries(after=len(found) - 1):
            found += page
        return found

    @initialize()
    def open(self) -> None:
        self.ledger = open_log(Path(self.folder.name), clock=Clock())
        self.submit(deployment_body())
        self.submit(PolicyText("tests", POLICY, POLICY_TEXT))

    @rule()
    def open_again(self) -> None:
        if self.ledger is not None:
            self.ledger.engine.dispose()
        self.ledger = open_log(Path(self.folder.name), clock=Clock())

    @rule(count=st.integers(1, 4))
    def log_some(self, count: int) -> None:
        for _ in range(count):
            self.submit(Failed(Stage.SIGN, f"error_{self.next_number()}"))

    @rule(count=st.integers(1, 300))
    def log_in_one_transaction(self, count: int) -> None:
        records = [self.record(Failed(Stage.SIGN, f"batch_{n}")) for n in range(count)]
        self.log()._sequencer._append([Submission(record, ()) for record in records])
        self.expected += [record.canonical for record in records]

    @rule()
    def release(self) -> None:
        number = self.next_number()
        attempt, clip_id = self.open_attempt(number), f"clip-{number}"
        cleared = self.submit(
            cleared_body(clip_id, number),
            Advance(attempt, AttemptState.CLEARED),
            attempt=attempt,
        )
        body = released_body(clip_id, number, cleared)
        self.submit(body, Advance(attempt, AttemptState.RELEASED), attempt=attempt)

    @rule()
    def refuse(self) -> None:
        attempt = self.open_attempt(self.next_number())
        body = Refused(Stage.PROMPT, verdict(Decision.BLOCK))
        self.submit(body, CloseAttempt(attempt, AttemptState.REFUSED), attempt=attempt)

    @rule()
    def crash_and_withdraw(self) -> None:
        attempt = self.open_attempt(self.next_number())
        change = CloseAttempt(attempt, AttemptState.WITHDRAWN)
        self.submit(Withdrawn("its process ended"), change, attempt=attempt)

    @rule()
    def try_what_is_not_allowed(self) -> None:
        number = self.next_number()
        attempt = self.open_attempt(number)
        change = Advance(attempt, AttemptState.PUBLISHED)
        with pytest.raises(AppendFailed):
            self.log().commit(
                self.record(cleared_body(f"clip-{number}", number), attempt), changes=[change]
            )

    @rule(drawn=st.data())
    def commit_again(self, drawn: st.DataObject) -> None:
        if self.kept:
            old = self.kept[drawn.draw(st.integers(0, len(self.kept) - 1))]
            assert self.log().commit(old.record).index == old.index

    @invariant()
    def the_log_is_the_list(self) -> None:
        if self.ledger is not None:
            assert [each.record.canonical for each in self.stored()] == self.expected

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
        if self.ledger is None:
            return
        notes = [each.checkpoint.note for each in self.kept[-3:]]
        report = self.ledger.check(witnesses=notes)
        assert report.problems == report.warnings == ()


# A failing history is shown as it was drawn: to shrink it took minutes of commits, and its steps
# are few enough to be read.
LedgerHistories.TestCase.settings = settings(
    max_examples=6,
    stateful_step_count=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
TestLedgerHistories = LedgerHistories.TestCase
