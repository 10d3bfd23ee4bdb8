"""What was signed last stays beside the key, and only a log that begins with it goes on."""

import shutil
import threading
from pathlib import Path

import pytest

from audit.checkpoint import Checkpoint, SignedCheckpoint, sign_checkpoint
from audit.errors import LedgerDamaged
from audit.last_signed import SECTOR_BYTES, LastSigned
from audit.ledger import Ledger
from audit.merkle import EMPTY_ROOT
from tests.support.logs import begin, fixed_signer, log_failures, open_log
from tests.support.tamper import Forger, run


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return begin(open_log(tmp_path))


def kept_in(folder: Path) -> LastSigned:
    return LastSigned(folder / "log.signed", fixed_signer().verifier)


def signed_at(folder: Path) -> SignedCheckpoint:
    kept = kept_in(folder).read()
    assert kept is not None
    return kept


def back_up(folder: Path) -> Path:
    copy = folder / "backup.db"
    shutil.copy(folder / "countermark.db", copy)
    return copy


def test_every_commit_is_kept_beside_the_key(ledger: Ledger, tmp_path: Path) -> None:
    entry = log_failures(ledger, 3)[-1]

    assert signed_at(tmp_path) == entry.checkpoint


def test_a_log_restored_from_an_old_backup_is_not_gone_on_with(
    ledger: Ledger, tmp_path: Path
) -> None:
    ledger.engine.dispose()
    backup = back_up(tmp_path)
    lost = log_failures(open_log(tmp_path), 2)[-1]
    run(tmp_path / "countermark.db")  # fold the write-ahead log
    for path in tmp_path.glob("countermark.db*"):
        path.unlink()
    shutil.copy(backup, tmp_path / "countermark.db")
    restored = open_log(tmp_path)

    with pytest.raises(LedgerDamaged, match=r"has 2 records and does not begin with the 4 that"):
        log_failures(restored, 1)

    (found,) = restored.check().problems
    assert "that this home signed last covers 4 records, only 2 are there" in found.sentence
    assert signed_at(tmp_path) == lost.checkpoint


def test_a_log_that_another_one_was_put_in_the_place_of_is_not_gone_on_with(
    ledger: Ledger, tmp_path: Path
) -> None:
    log_failures(ledger, 3)
    ledger.engine.dispose()
    forger = Forger(tmp_path / "countermark.db")
    forger.sign_again(forger.write([*forger.bodies[:3], forger.bodies[4]]), fixed_signer())
    other = open_log(tmp_path)

    with pytest.raises(LedgerDamaged, match="does not begin with the 5 that"):
        log_failures(other, 1)


def test_what_is_kept_may_lag_behind_the_log(ledger: Ledger, tmp_path: Path) -> None:
    """As after a crash between the commit and the keeping."""
    shutil.copy(tmp_path / "log.signed", tmp_path / "older")
    log_failures(ledger, 3)
    shutil.copy(tmp_path / "older", tmp_path / "log.signed")
    again = open_log(tmp_path)

    assert again.check().problems == ()
    assert log_failures(again, 1)[0].checkpoint == signed_at(tmp_path)


@pytest.mark.parametrize("left", [None, ""])
def test_nothing_kept_is_nothing_known(ledger: Ledger, tmp_path: Path, left: str | None) -> None:
    (tmp_path / "log.signed").unlink()
    if left is not None:  # as a power failure can leave it
        (tmp_path / "log.signed").write_text(left)
    again = open_log(tmp_path)

    assert again.check().problems == ()
    assert log_failures(again, 1)[0].checkpoint == signed_at(tmp_path)
    assert ledger.size == 3


def test_what_this_key_did_not_sign_is_damage(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "log.signed").write_text("not a checkpoint\n")
    again = open_log(tmp_path)

    with pytest.raises(LedgerDamaged, match="is not what this log's key signed last"):
        log_failures(again, 1)
    assert "is not what this log's key signed last" in ledger.check().problems[0].sentence


def test_an_older_checkpoint_never_replaces_a_later_one(ledger: Ledger, tmp_path: Path) -> None:
    entries = log_failures(ledger, 3)

    kept_in(tmp_path).keep(entries[0].checkpoint)

    assert signed_at(tmp_path) == entries[-1].checkpoint


def test_the_longest_checkpoint_fits_into_one_sector(tmp_path: Path) -> None:
    signer = fixed_signer(f"{'d' * 64}/{'t' * 64}")
    longest = sign_checkpoint(Checkpoint(signer.name, 2**63 - 1, EMPTY_ROOT), signer)
    kept = LastSigned(tmp_path / "log.signed", signer.verifier)

    kept.keep(longest)

    assert kept.read() == longest
    assert kept.path.stat().st_size == SECTOR_BYTES


def test_of_several_that_keep_at_once_the_latest_wins(ledger: Ledger, tmp_path: Path) -> None:
    entries = log_failures(ledger, 40)
    (tmp_path / "log.signed").unlink()
    threads = [
        threading.Thread(target=kept_in(tmp_path).keep, args=(entry.checkpoint,))
        for entry in reversed(entries)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert signed_at(tmp_path) == entries[-1].checkpoint


def test_a_commit_stands_although_its_checkpoint_could_not_be_kept(
    ledger: Ledger, tmp_path: Path
) -> None:
    (tmp_path / "log.signed").unlink()
    (tmp_path / "log.signed").mkdir()  # nothing can be written in its place

    entry = log_failures(ledger, 1)[0]

    assert ledger.get(entry.index).record == entry.record
