"""Every way to change a log behind its back, and the layer at which the check names it.

The log begins with two records of its own, then has 300 of clips (two tiles and an upper one) with
a stored checkpoint at 102 and 202, then six of tokens and sealed texts, and the newest checkpoint.
Someone outside holds the checkpoint at 202, and the home keeps the newest beside its key.
"""

import hashlib
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum
from pathlib import Path

import pytest

from audit.access import Role, issue_token, revoke_token
from audit.attempts import Advance, AttemptState
from audit.bodies import Attempt, Deployment, Erasure, Failed
from audit.canonical import decode
from audit.database import Access, open_database
from audit.errors import LedgerDamaged, RecordNewer
from audit.integrity import CheckReport, ProblemKind
from audit.last_signed import LastSigned
from audit.ledger import Ledger, LedgerReader
from audit.records import Record
from audit.redaction import Vault
from audit.vocabulary import PromptState, Stage
from tests.support.logs import (
    POLICY,
    SCOPE,
    START,
    Clock,
    begin,
    cleared_body,
    deployment_body,
    fixed_signer,
    log_batch,
    log_body,
    log_failures,
    open_attempt,
    open_log,
    refuse_clip,
    release_clip,
    released_body,
)
from tests.support.tamper import (
    Forger,
    backdated,
    flip_bit_in_tile,
    put_body,
    remove_from_index,
    rewritten,
    run,
    swap_records,
)

RECORDS = 308
AFTER_THE_CLIPS = ("DELETE FROM token", "DELETE FROM sealed", "DELETE FROM subject_key")


@dataclass(frozen=True, slots=True)
class HonestLog:
    """A closed database, the checkpoint of 202 records that somebody outside keeps, and the home's.

    `tmp_path` of a test holds the database alone, as a copy does; `kept` is what was signed last.
    """

    database: Path
    outside: str
    kept: Path


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> HonestLog:
    folder, clock = tmp_path_factory.mktemp("honest"), Clock()
    ledger, outside = begin(open_log(folder, clock=clock)), ""
    for part in range(3):
        for number in range(5 * part, 5 * part + 5):
            release_clip(ledger, number)  # three records
            refuse_clip(ledger, 1000 + number)  # two
        log_batch(ledger, 75)
        if part == 1:
            outside = ledger.latest_checkpoint().note
        clock.now += timedelta(minutes=2)
    revoked = issue_token(ledger, Role.CREATOR, name="CI", now=START)[1]
    issue_token(ledger, Role.AUDITOR, name="Ada", now=START)
    revoke_token(ledger, str(revoked.record.body["token_id"]), now=START)
    vault = Vault(ledger, bytes(32))
    for subject in ("user-1", "user-2"):
        commitment, seal = vault.seal("a lighthouse", subject=subject)
        body = Attempt("make", f"clip-{subject}", POLICY, {}, PromptState.GIVEN, prompt=commitment)
        ledger.commit(ledger.record(body, now=START, actor=subject), changes=[seal])
    vault.erase(ledger, "user-2", ticket="case 17", now=START)
    ledger.engine.dispose()
    return HonestLog(folder / "countermark.db", outside, folder / "log.signed")


@pytest.fixture
def log(honest: HonestLog, tmp_path: Path) -> HonestLog:
    shutil.copy(honest.database, tmp_path / "countermark.db")
    return replace(honest, database=tmp_path / "countermark.db")


class Beside(Enum):
    """What the check is given beside the database."""

    NOTHING = "nothing"
    OUTSIDE = "a checkpoint kept outside"
    KEPT = "what the home signed last"


def check(log: HonestLog, beside: Beside) -> CheckReport:
    if beside is Beside.KEPT:
        shutil.copy(log.kept, log.database.with_name("log.signed"))
    engine = open_database(log.database, access=Access.READ)
    verifier = fixed_signer().verifier
    last_signed = LastSigned(log.database.with_name("log.signed"), verifier)
    reader = LedgerReader(engine, scope=SCOPE, verifier=verifier, last_signed=last_signed)
    report = reader.check(witnesses=[log.outside] if beside is Beside.OUTSIDE else [])
    engine.dispose()
    return report


def kinds(report: CheckReport) -> set[ProblemKind]:
    return {problem.kind for problem in report.problems}


def test_an_honest_log_raises_no_alarm(log: HonestLog) -> None:
    report = check(log, Beside.OUTSIDE)

    assert report.problems == ()
    assert (report.records, report.size) == (RECORDS, RECORDS)


def edit_body(log: HonestLog) -> None:
    forger = Forger(log.database)
    put_body(log.database, 9, forger.bodies[9].replace(b"urn:c2pa:1", b"urn:c2pa:2"))


def body_as_text(log: HonestLog) -> None:
    """SQLite stores any type anywhere: a check that trips over it would be blind afterwards."""
    run(log.database, "UPDATE record SET body = CAST(body AS TEXT) WHERE idx = 9")


def index_as_text(log: HonestLog) -> None:
    run(log.database, "UPDATE record SET idx = 'seven' WHERE idx = 9")


def tile_as_text(log: HonestLog) -> None:
    run(log.database, "UPDATE tile SET hashes = 'text' WHERE level = 0 AND n = 0")


def tile_at_a_senseless_level(log: HonestLog) -> None:
    run(log.database, "INSERT INTO tile VALUES (1, 1000000000, 0, zeroblob(32))")


def head_as_text(log: HonestLog) -> None:
    run(log.database, "UPDATE log SET size = 'many', root = 'text'")


def head_of_a_trillion(log: HonestLog) -> None:
    run(log.database, "UPDATE log SET size = 1000000000000")


def checkpoint_as_blob(log: HonestLog) -> None:
    run(log.database, "UPDATE checkpoint SET note = x'00ff' WHERE size = 102")


def attempt_in_no_state(log: HonestLog) -> None:
    run(log.database, "UPDATE attempt SET state = 'fine' WHERE clip_id = 'clip-0'")


def time_as_text(log: HonestLog) -> None:
    run(log.database, "UPDATE record SET time_ms = 'yesterday' WHERE idx = 9")


def edit_body_to_garbage(log: HonestLog) -> None:
    run(log.database, "UPDATE record SET body = x'00ff' WHERE idx = 9")


def edit_leaf(log: HonestLog) -> None:
    run(log.database, "UPDATE record SET leaf = zeroblob(32) WHERE idx = 9")


def edit_decision_column(log: HonestLog) -> None:
    run(log.database, "UPDATE record SET decision = 'allow' WHERE idx = 6")


def delete_row(log: HonestLog) -> None:
    run(log.database, "DELETE FROM record WHERE idx = 9")


def delete_last_row(log: HonestLog) -> None:
    run(log.database, f"DELETE FROM record WHERE idx = {RECORDS - 1}")


def swap_rows(log: HonestLog) -> None:
    swap_records(log.database, 9, 14)


def row_before_the_first(log: HonestLog) -> None:
    run(log.database, "UPDATE record SET idx = -1 WHERE idx = 0")


def row_beyond_the_head(log: HonestLog) -> None:
    run(log.database, f"UPDATE record SET idx = {RECORDS + 5} WHERE idx = 9")


def edit_leaf_tile(log: HonestLog) -> None:
    flip_bit_in_tile(log.database, 0, 0, 9 * 32)


def edit_upper_tile(log: HonestLog) -> None:
    flip_bit_in_tile(log.database, 1, 0, 3)


def delete_tile(log: HonestLog) -> None:
    run(log.database, "DELETE FROM tile WHERE level = 0 AND n = 1")


def add_tile(log: HonestLog) -> None:
    run(log.database, "INSERT INTO tile VALUES (1, 2, 0, zeroblob(32))")


def shorten_tile(log: HonestLog) -> None:
    run(log.database, "UPDATE tile SET hashes = substr(hashes, 1, 32) WHERE level = 0 AND n = 1")


def move_head(log: HonestLog) -> None:
    run(log.database, f"UPDATE log SET size = {RECORDS - 1}")


def edit_root(log: HonestLog) -> None:
    run(log.database, "UPDATE log SET root = zeroblob(32)")


def forge_signature(log: HonestLog) -> None:
    Forger(log.database).sign_again(
        Forger(log.database).write(Forger(log.database).bodies), fixed_signer(seed=9)
    )


def drop_newest_checkpoint(log: HonestLog) -> None:
    Forger(log.database).drop_checkpoints(above=RECORDS - 1)


def refile_checkpoint(log: HonestLog) -> None:
    run(log.database, "UPDATE checkpoint SET size = 150 WHERE size = 102")


def edit_attempt_state(log: HonestLog) -> None:
    run(log.database, "UPDATE attempt SET state = 'refused' WHERE clip_id = 'clip-0'")


def edit_attempt_index(log: HonestLog) -> None:
    run(log.database, "UPDATE attempt SET cleared = 17 WHERE clip_id = 'clip-0'")


def delete_attempt(log: HonestLog) -> None:
    run(log.database, "DELETE FROM attempt WHERE clip_id = 'clip-0'")


def invent_attempt(log: HonestLog) -> None:
    run(log.database, "UPDATE attempt SET id = 'nobody' WHERE clip_id = 'clip-0'")


def rename_clip(log: HonestLog) -> None:
    run(log.database, "UPDATE attempt SET clip_id = 'other' WHERE clip_id = 'clip-0'")


def give_oneself_a_token(log: HonestLog) -> None:
    run(
        log.database,
        "INSERT INTO token (log, hash, token_id, name, role, created_ms) "
        "VALUES (1, zeroblob(32), 'mine', 'me', 'admin', 0)",
    )


def promote_a_token(log: HonestLog) -> None:
    run(log.database, "UPDATE token SET role = 'admin'")


def extend_a_token(log: HonestLog) -> None:
    run(log.database, "UPDATE token SET expires_ms = 99999999999999 WHERE revoked_ms IS NULL")


def unrevoke_a_token(log: HonestLog) -> None:
    run(log.database, "UPDATE token SET revoked_ms = NULL WHERE revoked_ms IS NOT NULL")


def delete_a_token(log: HonestLog) -> None:
    run(log.database, "DELETE FROM token WHERE revoked_ms IS NULL")


def swap_in_another_token(log: HonestLog) -> None:
    """The row keeps its id, role and times, and lets the attacker's own token in."""
    mine = hashlib.sha256(b"cmk_" + b"A" * 43).hexdigest()
    run(log.database, f"UPDATE token SET hash = x'{mine}' WHERE revoked_ms IS NULL")


def age_a_token(log: HonestLog) -> None:
    run(log.database, "UPDATE token SET created_ms = 0 WHERE revoked_ms IS NULL")


def token_hash_as_text(log: HonestLog) -> None:
    run(log.database, "UPDATE token SET hash = 'text' WHERE revoked_ms IS NULL")


def hide_a_released_clip_from_the_look_up(log: HonestLog) -> None:
    """The row stays, the index forgets it: `find_by_mark` answers that there is no such clip."""
    remove_from_index(log.database, "record_mark", "mark_id", f"{1:016x}")


def add_a_trigger(log: HonestLog) -> None:
    run(
        log.database,
        "CREATE TRIGGER evil AFTER INSERT ON checkpoint BEGIN "
        "UPDATE checkpoint SET time_ms = 0 WHERE size = new.size; END",
    )


def drop_a_trigger(log: HonestLog) -> None:
    with closing(sqlite3.connect(log.database)) as connection:
        connection.execute("DROP TRIGGER record_no_update")


def drop_an_index(log: HonestLog) -> None:
    run(log.database, "DROP INDEX record_mark")


def index_only_some_records(log: HonestLog) -> None:
    run(
        log.database,
        "DROP INDEX record_mark",
        "CREATE INDEX record_mark ON record (log, mark_id, idx) WHERE idx > 20",
    )


def view_in_place_of_a_table(log: HonestLog) -> None:
    run(log.database, "CREATE VIEW everything AS SELECT * FROM record")


def drop_table(name: str) -> Callable[[HonestLog], None]:
    def deed(log: HonestLog) -> None:
        run(log.database, f"DROP TABLE {name}")

    deed.__name__ = f"drop_table_{name}"
    return deed


def erase_without_a_record(log: HonestLog) -> None:
    run(log.database, "DELETE FROM sealed", "DELETE FROM subject_key")


def drop_a_key_alone(log: HonestLog) -> None:
    run(log.database, "DELETE FROM subject_key")


def bring_an_erased_text_back(log: HonestLog) -> None:
    erased = decode(Forger(log.database).bodies[306])
    value = erased["body"]["prompt"]["value"]  # type: ignore[call-overload,index]
    run(
        log.database,
        f"INSERT INTO sealed VALUES (1, '{value}', 'user-2', x'00')",
        "INSERT INTO subject_key VALUES (1, 'user-2', x'00')",
    )


def seal_what_was_never_committed_to(log: HonestLog) -> None:
    run(log.database, f"INSERT INTO sealed VALUES (1, '{'9' * 64}', 'user-1', x'00')")


def empty_a_sealed_text(log: HonestLog) -> None:
    run(log.database, "UPDATE sealed SET ciphertext = x'00'")


def cut_a_sealed_text_short(log: HonestLog) -> None:
    run(log.database, "UPDATE sealed SET ciphertext = substr(ciphertext, 1, 60)")


def sealed_text_as_text(log: HonestLog) -> None:
    run(log.database, "UPDATE sealed SET ciphertext = hex(ciphertext)")


def empty_a_wrapped_key(log: HonestLog) -> None:
    run(log.database, "UPDATE subject_key SET wrapped = x''")


def cut_a_wrapped_key_short(log: HonestLog) -> None:
    run(log.database, "UPDATE subject_key SET wrapped = substr(wrapped, 1, 59)")


def wrapped_key_as_text(log: HonestLog) -> None:
    run(log.database, "UPDATE subject_key SET wrapped = substr(hex(wrapped), 1, 60)")


def file_a_text_under_somebody_else(log: HonestLog) -> None:
    run(
        log.database,
        "UPDATE sealed SET subject = 'user-3'",
        "UPDATE subject_key SET subject = 'user-3'",
    )


def changed_bodies(log: HonestLog, index: int) -> list[bytes]:
    bodies = list(Forger(log.database).bodies)
    bodies[index] = rewritten(Record.parse(bodies[index]), making={"seed": 999})
    return bodies


def rewrite_tree(log: HonestLog) -> None:
    """The attacker recomputes everything but has no key."""
    Forger(log.database).write(changed_bodies(log, 8))


def empty_the_log(log: HonestLog) -> None:
    Forger(log.database).write([])


def cut_off_to_a_checkpoint(log: HonestLog) -> None:
    forger = Forger(log.database)
    forger.write(forger.bodies[:102])
    forger.drop_checkpoints(above=102)
    run(log.database, "DELETE FROM attempt WHERE opened >= 102", *AFTER_THE_CLIPS)


def rewrite_and_sign_again(log: HonestLog) -> None:
    """The attacker stole the log's key as well."""
    forger = Forger(log.database)
    forger.sign_again(forger.write(changed_bodies(log, 8)), fixed_signer())


def insert_backdated(log: HonestLog) -> None:
    """With the stolen key: a record that was never there, between two old ones."""
    forger = Forger(log.database)
    bodies = list(forger.bodies)
    bodies.insert(52, backdated(Record.parse(bodies[7]), 60_000))
    forger.sign_again(forger.write(bodies), fixed_signer())


def drop_a_whole_journey(log: HonestLog) -> None:
    """With the stolen key: a refusal disappears with its attempt."""
    forger = Forger(log.database)
    forger.sign_again(forger.write(forger.bodies[:5] + forger.bodies[7:]), fixed_signer())
    run(log.database, "DELETE FROM attempt WHERE clip_id = 'clip-1000'")


K = ProblemKind
SEEN_ALONE: list[tuple[Callable[[HonestLog], None], ProblemKind]] = [
    (edit_body, K.LEAF),
    (edit_body_to_garbage, K.RECORD),
    (body_as_text, K.RECORD),
    (index_as_text, K.GAP),
    (time_as_text, K.COLUMN),
    (tile_as_text, K.TILE),
    (tile_at_a_senseless_level, K.TILE),
    (head_as_text, K.HEAD),
    (head_of_a_trillion, K.HEAD),
    (checkpoint_as_blob, K.CHECKPOINT),
    (attempt_in_no_state, K.ATTEMPT),
    (edit_leaf, K.LEAF),
    (edit_decision_column, K.COLUMN),
    (delete_row, K.GAP),
    (delete_last_row, K.GAP),
    (swap_rows, K.TILE),
    (row_before_the_first, K.GAP),
    (row_beyond_the_head, K.GAP),
    (edit_leaf_tile, K.TILE),
    (edit_upper_tile, K.TILE),
    (delete_tile, K.TILE),
    (add_tile, K.TILE),
    (shorten_tile, K.TILE),
    (move_head, K.HEAD),
    (edit_root, K.HEAD),
    (forge_signature, K.CHECKPOINT),
    (drop_newest_checkpoint, K.CHECKPOINT),
    (refile_checkpoint, K.CHECKPOINT),
    (rewrite_tree, K.CHECKPOINT),
    (empty_the_log, K.CHECKPOINT),
    (edit_attempt_state, K.ATTEMPT),
    (edit_attempt_index, K.ATTEMPT),
    (delete_attempt, K.ATTEMPT),
    (invent_attempt, K.ATTEMPT),
    (rename_clip, K.ATTEMPT),
    (give_oneself_a_token, K.TOKEN),
    (promote_a_token, K.TOKEN),
    (extend_a_token, K.TOKEN),
    (unrevoke_a_token, K.TOKEN),
    (delete_a_token, K.TOKEN),
    (swap_in_another_token, K.TOKEN),
    (age_a_token, K.TOKEN),
    (token_hash_as_text, K.TOKEN),
    (hide_a_released_clip_from_the_look_up, K.FILE),
    (add_a_trigger, K.SCHEMA),
    (drop_a_trigger, K.SCHEMA),
    (drop_an_index, K.SCHEMA),
    (index_only_some_records, K.SCHEMA),
    (view_in_place_of_a_table, K.SCHEMA),
    *((drop_table(name), K.SCHEMA) for name in ("record", "token", "checkpoint", "sealed")),
    (empty_the_log, K.BEGINNING),
    (erase_without_a_record, K.SEALED),
    (drop_a_key_alone, K.SEALED),
    (bring_an_erased_text_back, K.SEALED),
    (seal_what_was_never_committed_to, K.SEALED),
    (file_a_text_under_somebody_else, K.SEALED),
    (empty_a_sealed_text, K.SEALED),
    (cut_a_sealed_text_short, K.SEALED),
    (sealed_text_as_text, K.SEALED),
    (empty_a_wrapped_key, K.SEALED),
    (cut_a_wrapped_key_short, K.SEALED),
    (wrapped_key_as_text, K.SEALED),
]

SEEN_FROM_OUTSIDE: list[Callable[[HonestLog], None]] = [
    cut_off_to_a_checkpoint,
    rewrite_and_sign_again,
    insert_backdated,
    drop_a_whole_journey,
]


@pytest.mark.parametrize(
    ("attack", "layer"), SEEN_ALONE, ids=[attack.__name__ for attack, _ in SEEN_ALONE]
)
def test_the_check_alone_names_the_layer(
    log: HonestLog, attack: Callable[[HonestLog], None], layer: ProblemKind
) -> None:
    attack(log)

    report = check(log, Beside.NOTHING)

    assert layer in kinds(report)
    assert all(problem.sentence for problem in report.problems)


@pytest.mark.parametrize("attack", SEEN_FROM_OUTSIDE, ids=lambda attack: attack.__name__)
def test_only_a_checkpoint_kept_outside_shows_it(
    log: HonestLog, attack: Callable[[HonestLog], None]
) -> None:
    attack(log)

    alone, with_outside = check(log, Beside.NOTHING), check(log, Beside.OUTSIDE)

    # Attempts and releases give away that indices moved; a patient attacker would edit them too.
    assert kinds(alone) <= {ProblemKind.ATTEMPT, ProblemKind.REFERENCE}
    assert ProblemKind.WITNESS in kinds(with_outside)


@pytest.mark.parametrize("attack", SEEN_FROM_OUTSIDE, ids=lambda attack: attack.__name__)
def test_what_the_home_signed_last_shows_it_as_well(
    log: HonestLog, attack: Callable[[HonestLog], None]
) -> None:
    attack(log)

    report = check(log, Beside.KEPT)

    assert ProblemKind.WITNESS in kinds(report)
    assert any("that this home signed last" in each.sentence for each in report.problems)


def test_what_no_witness_has_seen_can_still_be_taken_back(log: HonestLog) -> None:
    """The limit, stated: with the home stolen, records after the last outside checkpoint can go."""
    forger = Forger(log.database)
    tree = forger.write(forger.bodies[:252])
    forger.sign_again(tree, fixed_signer())
    run(log.database, "DELETE FROM attempt WHERE opened >= 252", *AFTER_THE_CLIPS)

    assert check(log, Beside.OUTSIDE).problems == ()
    assert kinds(check(log, Beside.KEPT)) == {ProblemKind.WITNESS}


def test_a_release_must_follow_its_own_clearance(tmp_path: Path) -> None:
    ledger = begin(open_log(tmp_path))
    other = release_clip(ledger, 1)
    for number, cleared in ((2, 0), (3, int(str(other.record.body["cleared"]))), (4, 99)):
        attempt = open_attempt(ledger, number)
        for body, state in (
            (cleared_body(f"clip-{number}", number), AttemptState.CLEARED),
            (released_body(f"clip-{number}", number, cleared), AttemptState.RELEASED),
        ):
            ledger.commit(
                ledger.record(body, now=START, attempt=attempt), changes=[Advance(attempt, state)]
            )

    found = ledger.check().problems

    assert [each.kind for each in found] == [ProblemKind.REFERENCE] * 3
    assert "names record 0 as its clearance, which is none" in found[0].sentence
    assert "as its clearance, which is another's" in found[1].sentence
    assert "names record 99 as its clearance, which is none" in found[2].sentence


def test_a_decision_names_a_policy_whose_text_is_in_the_log(tmp_path: Path) -> None:
    ledger = open_log(tmp_path)
    log_body(ledger, deployment_body())
    refuse_clip(ledger, 1)

    found = ledger.check().problems

    assert {each.kind for each in found} == {ProblemKind.REFERENCE}
    assert [each.index for each in found] == [1, 2]
    assert f"names policy {POLICY}, whose text no record before holds" in found[0].sentence


def test_an_erasure_says_how_many_texts_there_were(tmp_path: Path) -> None:
    ledger = begin(open_log(tmp_path))
    log_body(ledger, Erasure("user-1", "case 1", 3))

    (found,) = ledger.check().problems

    assert found.kind is ProblemKind.SEALED
    assert "3 texts of user-1 were erased, the log had 0" in found.sentence


def test_a_log_begins_with_its_own_deployment_record(tmp_path: Path) -> None:
    ledger = open_log(tmp_path)
    assert kinds(ledger.check()) == {ProblemKind.BEGINNING}

    log_failures(ledger, 1)

    (found,) = ledger.check().problems
    assert found.sentence == "record 0 says failed; a log begins with a deployment record"


def test_a_log_begins_with_the_key_that_signs_it(tmp_path: Path) -> None:
    ledger = open_log(tmp_path)
    other = fixed_signer(seed=9).verifier.vkey
    log_body(ledger, Deployment(str(SCOPE), other, "countermark"))

    (found,) = ledger.check().problems

    assert found.kind is ProblemKind.BEGINNING
    assert f"names the key {other}" in found.sentence


@pytest.mark.parametrize("days", [-4000, 4000])
def test_a_time_far_from_the_signing_is_a_warning_and_no_damage(tmp_path: Path, days: int) -> None:
    ledger = begin(open_log(tmp_path))
    log_body(ledger, Failed(Stage.SIGN, "e"), at=START + timedelta(minutes=50))
    log_body(ledger, Failed(Stage.SIGN, "e"), at=START + timedelta(days=days))

    report = ledger.check()

    assert report.problems == ()
    assert [(each.kind, each.index) for each in report.warnings] == [(ProblemKind.TIME, 3)]


def test_a_record_of_a_later_version_is_a_warning_and_stays_under_its_proof(
    tmp_path: Path,
) -> None:
    ledger = begin(open_log(tmp_path))
    log_failures(ledger, 2)
    ledger.engine.dispose()
    # What a later version would have left here, written and signed by hand.
    forger = Forger(tmp_path / "countermark.db")
    newer = forger.bodies[3].replace(b'"kind":"failed"', b'"kind":"cleaned"')
    forger.sign_again(forger.write([*forger.bodies[:3], newer]), fixed_signer())
    (tmp_path / "log.signed").unlink()
    ledger = open_log(tmp_path)

    report = ledger.check()

    assert report.problems == ()
    assert [(each.kind, each.index) for each in report.warnings] == [(ProblemKind.NEWER, 3)]
    assert ledger.get(2).index == 2
    with pytest.raises(RecordNewer, match="record 3 of silver/press: 'cleaned' is no kind"):
        ledger.get(3)


@pytest.mark.parametrize(
    "attack", [delete_row, edit_body, edit_decision_column, edit_leaf, swap_rows]
)
def test_a_sentence_names_the_record(log: HonestLog, attack: Callable[[HonestLog], None]) -> None:
    attack(log)

    first = check(log, Beside.NOTHING).problems[0]

    assert f"record {first.index}" in first.sentence
    assert first.index in {6, 9}


@pytest.mark.parametrize(
    "attack",
    [edit_upper_tile, rewrite_tree, edit_root, move_head, head_as_text, head_of_a_trillion],
)
def test_nothing_is_appended_to_a_changed_log(
    log: HonestLog, attack: Callable[[HonestLog], None]
) -> None:
    attack(log)
    ledger: Ledger = open_log(log.database.parent)

    with pytest.raises(LedgerDamaged, match="log check"):
        log_failures(ledger, 1)

    ledger.engine.dispose()
