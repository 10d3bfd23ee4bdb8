"""Every way to change a log behind its back, and the layer at which the check names it.

The log has 300 records of clips (two tiles and an upper one) with a stored checkpoint at 100 and
200, then three of tokens and the newest checkpoint. Someone outside holds the checkpoint at 200.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from audit.access import Role, issue_token, revoke_token
from audit.errors import LedgerDamaged
from audit.integrity import CheckReport, ProblemKind
from audit.ledger import Ledger
from audit.records import Record
from tests.support.logs import (
    START,
    Clock,
    fixed_signer,
    log_batch,
    log_failures,
    open_log,
    refuse_clip,
    release_clip,
)
from tests.support.tamper import (
    Forger,
    backdated,
    flip_bit_in_tile,
    put_body,
    rewritten,
    run,
    swap_records,
)

RECORDS = 303


@dataclass(frozen=True, slots=True)
class HonestLog:
    """A closed database, and the checkpoint of 200 records that somebody outside keeps."""

    database: Path
    outside: str


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> HonestLog:
    folder, clock = tmp_path_factory.mktemp("honest"), Clock()
    ledger, outside = open_log(folder, clock=clock), ""
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
    ledger.engine.dispose()
    return HonestLog(folder / "countermark.db", outside)


@pytest.fixture
def log(honest: HonestLog, tmp_path: Path) -> HonestLog:
    shutil.copy(honest.database, tmp_path / "countermark.db")
    return HonestLog(tmp_path / "countermark.db", honest.outside)


def check(log: HonestLog, *, with_outside: bool) -> CheckReport:
    ledger = open_log(log.database.parent)
    report = ledger.check(witnesses=[log.outside] if with_outside else [])
    ledger.engine.dispose()
    return report


def kinds(report: CheckReport) -> set[ProblemKind]:
    return {problem.kind for problem in report.problems}


def test_an_honest_log_raises_no_alarm(log: HonestLog) -> None:
    report = check(log, with_outside=True)

    assert report.problems == ()
    assert (report.records, report.size) == (RECORDS, RECORDS)


def edit_body(log: HonestLog) -> None:
    forger = Forger(log.database)
    put_body(log.database, 7, forger.bodies[7].replace(b"urn:c2pa:1", b"urn:c2pa:2"))


def body_as_text(log: HonestLog) -> None:
    """SQLite stores any type anywhere: a check that trips over it would be blind afterwards."""
    run(log.database, "UPDATE record SET body = CAST(body AS TEXT) WHERE idx = 7")


def index_as_text(log: HonestLog) -> None:
    run(log.database, "UPDATE record SET idx = 'seven' WHERE idx = 7")


def tile_as_text(log: HonestLog) -> None:
    run(log.database, "UPDATE tile SET hashes = 'text' WHERE level = 0 AND n = 0")


def tile_at_a_senseless_level(log: HonestLog) -> None:
    run(log.database, "INSERT INTO tile VALUES (1, 1000000000, 0, zeroblob(32))")


def head_as_text(log: HonestLog) -> None:
    run(log.database, "UPDATE log SET size = 'many', root = 'text'")


def head_of_a_trillion(log: HonestLog) -> None:
    run(log.database, "UPDATE log SET size = 1000000000000")


def checkpoint_as_blob(log: HonestLog) -> None:
    run(log.database, "UPDATE checkpoint SET note = x'00ff' WHERE size = 100")


def attempt_in_no_state(log: HonestLog) -> None:
    run(log.database, "UPDATE attempt SET state = 'fine' WHERE clip_id = 'clip-0'")


def time_as_text(log: HonestLog) -> None:
    run(log.database, "UPDATE record SET time_ms = 'yesterday' WHERE idx = 7")


def edit_body_to_garbage(log: HonestLog) -> None:
    run(log.database, "UPDATE record SET body = x'00ff' WHERE idx = 7")


def edit_leaf(log: HonestLog) -> None:
    run(log.database, "UPDATE record SET leaf = zeroblob(32) WHERE idx = 7")


def edit_decision_column(log: HonestLog) -> None:
    run(log.database, "UPDATE record SET decision = 'allow' WHERE idx = 4")


def delete_row(log: HonestLog) -> None:
    run(log.database, "DELETE FROM record WHERE idx = 7")


def delete_last_row(log: HonestLog) -> None:
    run(log.database, f"DELETE FROM record WHERE idx = {RECORDS - 1}")


def swap_rows(log: HonestLog) -> None:
    swap_records(log.database, 7, 12)


def row_before_the_first(log: HonestLog) -> None:
    run(log.database, "UPDATE record SET idx = -1 WHERE idx = 0")


def row_beyond_the_head(log: HonestLog) -> None:
    run(log.database, f"UPDATE record SET idx = {RECORDS + 5} WHERE idx = 7")


def edit_leaf_tile(log: HonestLog) -> None:
    flip_bit_in_tile(log.database, 0, 0, 7 * 32)


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
    run(log.database, "UPDATE checkpoint SET size = 150 WHERE size = 100")


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


def changed_bodies(log: HonestLog, index: int) -> list[bytes]:
    bodies = list(Forger(log.database).bodies)
    bodies[index] = rewritten(Record.parse(bodies[index]), making={"seed": 999})
    return bodies


def rewrite_tree(log: HonestLog) -> None:
    """The attacker recomputes everything but has no key."""
    Forger(log.database).write(changed_bodies(log, 6))


def empty_the_log(log: HonestLog) -> None:
    Forger(log.database).write([])


def cut_off_to_a_checkpoint(log: HonestLog) -> None:
    forger = Forger(log.database)
    forger.write(forger.bodies[:100])
    forger.drop_checkpoints(above=100)
    run(log.database, "DELETE FROM attempt WHERE opened >= 100", "DELETE FROM token")


def rewrite_and_sign_again(log: HonestLog) -> None:
    """The attacker stole the log's key as well."""
    forger = Forger(log.database)
    forger.sign_again(forger.write(changed_bodies(log, 6)), fixed_signer())


def insert_backdated(log: HonestLog) -> None:
    """With the stolen key: a record that was never there, between two old ones."""
    forger = Forger(log.database)
    bodies = list(forger.bodies)
    bodies.insert(50, backdated(Record.parse(bodies[5]), 60_000))
    forger.sign_again(forger.write(bodies), fixed_signer())


def drop_a_whole_journey(log: HonestLog) -> None:
    """With the stolen key: a refusal disappears with its attempt."""
    forger = Forger(log.database)
    forger.sign_again(forger.write(forger.bodies[:3] + forger.bodies[5:]), fixed_signer())
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

    report = check(log, with_outside=False)

    assert layer in kinds(report)
    assert all(problem.sentence for problem in report.problems)


@pytest.mark.parametrize("attack", SEEN_FROM_OUTSIDE, ids=lambda attack: attack.__name__)
def test_only_a_checkpoint_kept_outside_shows_it(
    log: HonestLog, attack: Callable[[HonestLog], None]
) -> None:
    attack(log)

    alone, with_outside = check(log, with_outside=False), check(log, with_outside=True)

    # The attempts' rows give away that indices moved; a patient attacker would edit them too.
    assert kinds(alone) <= {ProblemKind.ATTEMPT}
    assert ProblemKind.WITNESS in kinds(with_outside)


def test_what_no_witness_has_seen_can_still_be_taken_back(log: HonestLog) -> None:
    """The limit, stated: with the key stolen, records after the last outside checkpoint can go."""
    forger = Forger(log.database)
    tree = forger.write(forger.bodies[:250])
    forger.sign_again(tree, fixed_signer())
    run(log.database, "DELETE FROM attempt WHERE opened >= 250", "DELETE FROM token")

    assert check(log, with_outside=True).problems == ()


@pytest.mark.parametrize(
    "attack", [delete_row, edit_body, edit_decision_column, edit_leaf, swap_rows]
)
def test_a_sentence_names_the_record(log: HonestLog, attack: Callable[[HonestLog], None]) -> None:
    attack(log)

    first = check(log, with_outside=False).problems[0]

    assert f"record {first.index}" in first.sentence
    assert first.index in {4, 7}


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
