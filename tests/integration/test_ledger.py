"""The ledger over a real database: durable, idempotent, one story, clear errors."""

import sqlite3
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from audit.append import Change, Submission
from audit.bodies import Deployment, Failed
from audit.checkpoint import open_checkpoint, verify_proof
from audit.database import Access, create_database, open_database, writing
from audit.errors import (
    AppendFailed,
    LedgerDamaged,
    LedgerLocked,
    NotFound,
    ProofInvalid,
    RecordInvalid,
)
from audit.last_signed import LastSigned
from audit.ledger import Entry, Ledger, LedgerReader, create_log
from audit.merkle import verify_consistency, verify_inclusion
from audit.queries import RecordFilter, list_records
from audit.records import Record, Scope
from audit.vocabulary import Stage
from tests.support.logs import (
    SCOPE,
    START,
    Clock,
    begin,
    cleared_body,
    fixed_signer,
    log_batch,
    log_body,
    log_failures,
    open_log,
    released_body,
)
from tests.support.tamper import run


class Refuse:
    """A change that is never possible."""

    def apply(self, connection: Connection, log: int, index: int) -> None:
        """Write something, then refuse."""
        connection.execute(text("UPDATE log SET origin = 'spoilt'"))
        raise AppendFailed(f"not at index {index} of log {log}")


class Wait:
    """A change that takes until it may end, so that others queue up behind it."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.may_end = threading.Event()

    def apply(self, connection: Connection, log: int, index: int) -> None:  # noqa: ARG002 - Change
        """Change nothing."""
        self.begun.set()
        self.may_end.wait(timeout=60)


class Fill:
    """A change that takes more room than there is left."""

    def apply(self, connection: Connection, log: int, index: int) -> None:  # noqa: ARG002 - Change
        """Store some hundred pages."""
        sql = "INSERT INTO sealed VALUES (:log, 'x', 's', zeroblob(1000000))"
        connection.execute(text(sql), {"log": log})


class Small:
    """A change that fits anywhere."""

    def apply(self, connection: Connection, log: int, index: int) -> None:
        """Change nothing."""
        del connection, log, index


class Fault:
    """A change with a fault in it."""

    def apply(self, connection: Connection, log: int, index: int) -> None:
        """Fail as no change is meant to."""
        del connection, log, index
        raise KeyError("a fault in a change")


def commit_behind(ledger: Ledger, changes: dict[str, Change]) -> dict[str, Entry | Exception]:
    """Commit a record for each change in a thread of its own, all in one transaction.

    One more, `slow`, is alone in the transaction before.
    """
    outcomes: dict[str, Entry | Exception] = {}
    slow = Wait()

    def submit(name: str, change: Change) -> None:
        try:
            outcomes[name] = ledger.commit(failure(ledger, name), changes=[change])
        except Exception as error:  # noqa: BLE001 - what each thread sees is the question
            outcomes[name] = error

    threads = [threading.Thread(target=submit, args=("slow", slow))]
    threads += [threading.Thread(target=submit, args=each) for each in changes.items()]
    threads[0].start()
    slow.begun.wait(timeout=60)
    for queued, thread in enumerate(threads[1:], start=1):
        thread.start()
        while len(ledger._sequencer._waiting) < queued:
            time.sleep(0.001)
    slow.may_end.set()
    for thread in threads:
        thread.join()
    return outcomes


def limit_size(ledger: Ledger, *, pages_left: int) -> None:
    """Let SQLite meet the error of a full disk after so many more pages."""
    with writing(ledger.engine) as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count = {pages + pages_left}"))


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_log(tmp_path)


def failure(ledger: Ledger, error: str = "e") -> Record:
    return ledger.record(Failed(Stage.SIGN, error), now=START)


def test_a_commit_returns_a_proof_that_holds_without_the_ledger(ledger: Ledger) -> None:
    log_failures(ledger, 5)

    entry = ledger.commit(failure(ledger))

    assert entry.index == 5
    assert entry.checkpoint.size == 6
    verify_proof(entry.tlog_proof, entry.record.canonical, fixed_signer().verifier)


def test_the_log_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    entries = log_failures(open_log(tmp_path), 3)

    again = open_log(tmp_path)

    assert again.size == 3
    assert [again.get(index).record for index in range(3)] == [each.record for each in entries]
    assert log_failures(again, 1)[0].index == 3


def test_the_same_record_twice_has_one_place(ledger: Ledger) -> None:
    record = failure(ledger)
    first = ledger.commit(record)
    log_failures(ledger, 2)

    again = ledger.commit(record, changes=[Refuse()])

    assert (again.index, again.leaf_hash) == (first.index, first.leaf_hash)
    assert again.checkpoint.size == 3
    assert ledger.size == 3


def test_an_old_record_committed_again_to_a_long_log_that_was_reopened_is_proven(
    tmp_path: Path,
) -> None:
    """Its proof needs a tile that the end of the log does not."""
    entries = log_failures(open_log(tmp_path), 300)

    again = open_log(tmp_path).commit(entries[5].record)

    assert again.index == 5
    verify_inclusion(again.leaf_hash, again.proof, again.checkpoint.root)


def test_other_bytes_under_a_known_id_are_refused(ledger: Ledger) -> None:
    record = failure(ledger)
    ledger.commit(record)
    other = Record.of(Failed(Stage.SIGN, "other"), scope=SCOPE, now=START, record_id=record.id)

    with pytest.raises(RecordInvalid, match="stands at index 0 with other bytes"):
        ledger.commit(other)


def test_a_change_that_fails_takes_its_record_with_it_and_no_other(ledger: Ledger) -> None:
    begin(ledger)
    batch = [
        Submission(failure(ledger, "a"), ()),
        Submission(failure(ledger, "b"), (Refuse(),)),
        Submission(failure(ledger, "c"), ()),
    ]

    ledger._sequencer._append(batch)

    assert isinstance(batch[1].outcome, AppendFailed)
    assert [each.index for each in batch] == [2, None, 3]
    assert [each.record.body["error"] for each in ledger.entries(after=1)] == ["a", "c"]
    assert ledger.check().problems == ()


def test_a_full_disk_under_one_of_several_commits_loses_none_that_was_acknowledged(
    ledger: Ledger, tmp_path: Path
) -> None:
    begin(ledger)
    limit_size(ledger, pages_left=8)

    outcomes = commit_behind(ledger, {"first": Small(), "big": Fill(), "last": Small()})

    ledger.engine.dispose()
    again = open_log(tmp_path)
    stored = {str(each.record.body.get("error")) for each in again.entries()}
    acknowledged = {name for name, outcome in outcomes.items() if isinstance(outcome, Entry)}
    assert acknowledged == {"slow"}
    assert acknowledged <= stored
    assert isinstance(outcomes["big"], AppendFailed)
    assert "no space left" in str(outcomes["big"])
    assert again.check().problems == ()


def test_a_change_that_hides_a_full_disk_takes_its_batch_with_it(ledger: Ledger) -> None:
    class Hide(Fill):
        """Say of a full disk that it is something else."""

        def apply(self, connection: Connection, log: int, index: int) -> None:
            try:
                super().apply(connection, log, index)
            except SQLAlchemyError as error:
                raise AppendFailed("something else") from error

    begin(ledger)
    limit_size(ledger, pages_left=8)

    outcomes = commit_behind(ledger, {"first": Small(), "hidden": Hide(), "last": Small()})

    assert {name for name, each in outcomes.items() if isinstance(each, Entry)} == {"slow"}
    assert ledger.size == 3
    assert ledger.check().problems == ()


def test_a_fault_in_a_change_comes_out_where_it_came_in(ledger: Ledger) -> None:
    outcomes = commit_behind(ledger, {"before": Small(), "fault": Fault(), "after": Small()})

    assert isinstance(outcomes.pop("fault"), KeyError)
    assert all(isinstance(outcome, Entry) for outcome in outcomes.values())
    assert ledger.size == 3


def test_a_record_for_another_log_is_refused(ledger: Ledger) -> None:
    record = Record.of(Failed(Stage.SIGN, "e"), scope=Scope("silver", "other"), now=START)

    with pytest.raises(RecordInvalid, match="for silver/other, this log is silver/press"):
        ledger.commit(record)


def test_a_key_of_another_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordInvalid, match="the log key is named"):
        open_log(tmp_path, signer=fixed_signer("other/log"))


def test_two_logs_share_a_database(tmp_path: Path) -> None:
    engine = create_database(tmp_path / "countermark.db")
    logs = []
    for scope in (Scope("silver", "press"), Scope("silver", "studio")):
        signer = fixed_signer(str(scope))
        create_log(engine, scope)
        last_signed = LastSigned(tmp_path / f"{scope.tenant}.signed", signer.verifier)
        logs.append(
            Ledger(engine, scope=scope, signer=signer, clock=Clock(), last_signed=last_signed)
        )
        body = Deployment(str(scope), signer.verifier.vkey, "countermark")
        log_body(logs[-1], body)

    for each in logs:
        log_failures(each, 3)

    assert [each.size for each in logs] == [4, 4]
    assert all(each.check().problems == () for each in logs)


def test_nobody_else_makes_an_entry(ledger: Ledger) -> None:
    entry = log_failures(ledger, 1)[0]

    with pytest.raises(TypeError, match="comes from a Ledger"):
        Entry(0, entry.leaf_hash, entry.record, entry.checkpoint, entry.proof, grant=object())


def test_records_are_found_by_what_a_clip_shows(ledger: Ledger) -> None:
    log_failures(ledger, 2)
    cleared = log_body(ledger, cleared_body("clip-7", 7))
    released = log_body(ledger, released_body("clip-7", 7, cleared.index))

    assert ledger.find_by_mark(f"{7:016x}") == (ledger.get(cleared.index),)
    assert ledger.find_by_media(f"{7:064x}")[0].index == cleared.index
    assert ledger.find_by_file(f"{7 + 2**32:064x}")[0].index == released.index
    assert ledger.find_by_manifest("urn:c2pa:7")[0].index == released.index
    assert [each.index for each in ledger.find_by_clip("clip-7")] == [2, 3]
    assert ledger.find_by_id(released.record.id)[0].record == released.record
    assert ledger.find_by_mark("0" * 16) == ()


def test_what_is_not_there_is_not_found(ledger: Ledger) -> None:
    with pytest.raises(NotFound, match="no record and no checkpoint"):
        ledger.latest_checkpoint()
    log_failures(ledger, 2)
    with pytest.raises(NotFound, match="no record 2; it has 2"):
        ledger.get(2)
    with pytest.raises(NotFound, match="has 2 records, not 3"):
        ledger.prove(0, 3)
    with pytest.raises(ProofInvalid):
        ledger.prove(5)
    with pytest.raises(NotFound, match="no record 1000000000000000000000000; it has 2"):
        ledger.get(10**24)
    with pytest.raises(NotFound, match="no record -1; it has 2"):
        ledger.get(-1)
    with pytest.raises(NotFound, match="no tile"):
        ledger.tile(0, 10**24)
    assert ledger.entries(after=10**24) == ()


def test_a_log_that_is_gone_is_damage_and_not_a_new_one(ledger: Ledger) -> None:
    with pytest.raises(LedgerDamaged, match="holds no log no/log, and there is a key"):
        LedgerReader(
            ledger.engine, scope=Scope("no", "log"), verifier=fixed_signer("no/log").verifier
        )


@pytest.mark.parametrize(
    ("deed", "look", "sentence"),
    [
        (
            "DELETE FROM record WHERE idx = 2",
            lambda ledger: ledger.get(2),
            "record 2 .* is missing",
        ),
        (
            "DELETE FROM record WHERE idx = 2",
            lambda ledger: ledger.entries(),
            "record 2 .* is missing",
        ),
        (
            "DELETE FROM record WHERE idx = 4",
            lambda ledger: ledger.entries(after=1),
            "record 4 .* is missing",
        ),
        (
            "UPDATE record SET idx = 9 WHERE idx = 4",
            lambda ledger: ledger.get(9),
            "record 9 .* beyond",
        ),
        (
            "UPDATE log SET size = 3",
            lambda ledger: ledger.entries(),
            "record 4 .* beyond its head",
        ),
        (
            "UPDATE log SET size = 3",
            lambda ledger: ledger.get(1),
            "the head .* says 3 records, its newest checkpoint 5",
        ),
        (
            "UPDATE log SET size = 'many'",
            lambda ledger: ledger.get(1),
            "'many' records; that is no size",
        ),
        ("DELETE FROM checkpoint", lambda ledger: ledger.get(1), "newest checkpoint"),
        (
            "UPDATE record SET idx = 9 WHERE idx = 4",
            lambda ledger: list_records(ledger, RecordFilter()),
            "record 9 .* beyond its head",
        ),
        ("DROP TABLE record", lambda ledger: ledger.get(1), "corrupt .*no such table"),
        ("DROP TABLE checkpoint", lambda ledger: ledger.get(1), "corrupt .*no such table"),
        ("DELETE FROM log", lambda ledger: ledger.size, "corrupt"),
    ],
)
def test_a_log_that_lacks_something_is_damaged_and_not_silent(
    ledger: Ledger, tmp_path: Path, deed: str, look: Callable[[Ledger], object], sentence: str
) -> None:
    log_failures(ledger, 5)
    run(tmp_path / "countermark.db", deed)

    with pytest.raises(LedgerDamaged, match=sentence):
        look(ledger)


def test_pages_of_entries_follow_the_index(ledger: Ledger) -> None:
    log_failures(ledger, 7)

    first = ledger.entries(limit=3)
    rest = ledger.entries(after=first[-1].index)

    assert [each.index for each in (*first, *rest)] == list(range(7))


def test_every_old_proof_leads_to_the_new_log(ledger: Ledger) -> None:
    old = log_failures(ledger, 3)[-1].checkpoint
    log_batch(ledger, 300)
    log_failures(ledger, 2)
    new = ledger.latest_checkpoint()

    verify_consistency(old.root, new.root, ledger.prove_consistency(old.size, new.size))
    entry = ledger.get(2)
    verify_inclusion(entry.leaf_hash, ledger.prove(2, old.size), old.root)
    assert ledger.root(old.size) == old.root


def test_checkpoints_are_thinned_to_one_a_minute_and_the_newest(tmp_path: Path) -> None:
    clock = Clock()
    ledger = open_log(tmp_path, clock=clock)
    log_failures(ledger, 20)
    clock.now += timedelta(minutes=5)
    last = log_failures(ledger, 20)[-1]

    with writing(ledger.engine) as connection:
        rows = connection.execute(text("SELECT size, note FROM checkpoint ORDER BY size")).all()

    assert [row.size for row in rows] == [20, 40]
    assert open_checkpoint(rows[-1].note, ledger.verifier) == last.checkpoint


def test_many_threads_commit_into_one_order(ledger: Ledger) -> None:
    begin(ledger)
    found: list[Entry] = []

    def submit(number: int) -> None:
        found.extend(log_failures(ledger, 5, first=100 * number))

    threads = [threading.Thread(target=submit, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(each.index for each in found) == list(range(2, 42))
    assert ledger.check().problems == ()


def test_a_locked_database_says_so(tmp_path: Path) -> None:
    log_failures(open_log(tmp_path), 1)
    path = tmp_path / "countermark.db"
    engine = open_database(path, access=Access.WRITE, busy_timeout_s=0.05)
    last_signed = LastSigned(tmp_path / "log.signed", fixed_signer().verifier)
    ledger = Ledger(
        engine, scope=SCOPE, signer=fixed_signer(), clock=Clock(), last_signed=last_signed
    )
    other = sqlite3.connect(tmp_path / "countermark.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(LedgerLocked, match="close the other program"):
        ledger.commit(failure(ledger))

    other.execute("ROLLBACK")
    other.close()
    assert ledger.commit(failure(ledger)).index == 1


def test_what_was_opened_to_be_read_is_not_written(tmp_path: Path) -> None:
    log_failures(open_log(tmp_path), 2)
    engine = open_database(tmp_path / "countermark.db", access=Access.READ)
    last_signed = LastSigned(tmp_path / "log.signed", fixed_signer().verifier)
    ledger = Ledger(
        engine, scope=SCOPE, signer=fixed_signer(), clock=Clock(), last_signed=last_signed
    )

    assert ledger.get(1).index == 1
    with pytest.raises(LedgerLocked, match="make the file and its folder writable"):
        ledger.commit(failure(ledger))


def test_a_full_disk_loses_nothing_and_says_so(tmp_path: Path) -> None:
    ledger = begin(open_log(tmp_path))
    limit_size(ledger, pages_left=0)

    with pytest.raises(AppendFailed, match="no space left"):
        log_failures(ledger, 50)

    report = open_log(tmp_path).check()
    assert report.problems == ()
    assert report.size >= 2


def test_a_file_that_is_no_database_is_damage(tmp_path: Path) -> None:
    (tmp_path / "countermark.db").write_bytes(b"not a database at all, not at all" * 100)

    with pytest.raises(LedgerDamaged, match="restore it from a backup"):
        open_database(tmp_path / "countermark.db", access=Access.READ)


def test_the_database_refuses_to_change_records(ledger: Ledger) -> None:
    log_failures(ledger, 1)

    for deed in (
        "UPDATE record SET kind = 'x'",
        "DELETE FROM record",
        "INSERT OR REPLACE INTO record SELECT * FROM record",
    ):
        with (
            pytest.raises(AppendFailed, match="records are never changed"),
            writing(ledger.engine) as connection,
        ):
            connection.execute(text(deed))


def test_nothing_is_built_on_a_head_that_was_changed(tmp_path: Path) -> None:
    log_failures(open_log(tmp_path), 5)
    run(tmp_path / "countermark.db", "UPDATE tile SET hashes = zeroblob(160)")

    with pytest.raises(LedgerDamaged, match="tiles of silver/press do not give the root"):
        log_failures(open_log(tmp_path), 1)


def test_a_log_that_was_cut_off_while_open_is_not_extended(tmp_path: Path) -> None:
    ledger = open_log(tmp_path)
    backup = tmp_path / "old.db"
    log_failures(ledger, 3)
    with sqlite3.connect(tmp_path / "countermark.db") as now, sqlite3.connect(backup) as old:
        now.backup(old)
    log_failures(ledger, 3)
    with sqlite3.connect(backup) as old, sqlite3.connect(tmp_path / "countermark.db") as now:
        old.backup(now)

    with pytest.raises(LedgerDamaged, match="no longer begins with the 6 records signed before"):
        log_failures(ledger, 1)


def test_reading_an_edited_row_is_an_error_and_not_an_answer(ledger: Ledger) -> None:
    log_body(ledger, cleared_body("clip-7", 7))
    with writing(ledger.engine) as connection:
        connection.execute(text("DROP TRIGGER record_no_update"))
        connection.execute(text("UPDATE record SET decision = 'block'"))

    with pytest.raises(LedgerDamaged, match="decision is not what its bytes say"):
        ledger.get(0)
