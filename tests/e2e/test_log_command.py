"""`countermark log`: what an auditor asks, takes away, and holds against the log later."""

import json
import shlex
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from audit.home import Home
from generator.outcome import Released
from tests.e2e.conftest import Countermark
from tests.support import stranger
from tests.support.press import new_home, released_clip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log")


@pytest.fixture(scope="module")
def home(folder: Path) -> Home:
    return new_home(folder / "home")


@pytest.fixture(scope="module")
def released(home: Home, folder: Path) -> Released:
    return released_clip(home, folder)


@pytest.fixture(scope="module")
def strange(folder: Path) -> Released:
    """A clip of somebody else's log."""
    home = new_home(folder / "strange-home", deployment="gazette.example")
    return released_clip(home, folder, name="strange")


def log(
    countermark: Countermark, home: Home, *arguments: object
) -> subprocess.CompletedProcess[str]:
    return countermark("--home", home.path, "log", *arguments)


def test_the_log_is_listed_shown_and_checked(
    countermark: Countermark, home: Home, released: Released
) -> None:
    listed = log(countermark, home, "ls", "--kind", "released")
    shown = json.loads(log(countermark, home, "show", released.entry.index).stdout)
    checked = log(countermark, home, "check")

    assert "released" in listed.stdout
    assert shown["index"] == released.entry.index
    assert shown["record"]["kind"] == "released"
    assert checked.returncode == 0
    assert "the log agrees with itself" in checked.stdout


def test_a_record_and_its_proof_are_checked_with_nothing_of_ours(
    countermark: Countermark, home: Home, released: Released
) -> None:
    index = released.entry.index
    program = Path(sys.executable).with_name("countermark")
    command = [program, "--home", home.path, "log", "show", str(index), "--raw"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    proof = log(countermark, home, "prove", index).stdout
    shown = json.loads(log(countermark, home, "show", index).stdout)
    vkey = home.log_vkey.read_text().strip()

    assert stranger.check(raw, proof, vkey) == index
    assert raw == released.entry.record.canonical == shown["canonical"].encode()
    assert stranger.check(raw, shown["tlog_proof"], vkey) == index
    assert stranger.leaf_of(raw).hex() == shown["leaf_hash"]


def test_the_hint_at_more_goes_on_with_the_same_list(countermark: Countermark, home: Home) -> None:
    everything = log(countermark, home, "ls", "--kind", "key").stdout.splitlines()
    page = log(countermark, home, "ls", "--kind", "key", "--limit", "2")
    hint = page.stderr.removeprefix("more: ")
    following = countermark(*shlex.split(hint)[1:])

    assert hint.startswith(f"countermark --home {home.path} log ls --kind key --limit 2 --after ")
    assert [line.split()[0] for line in page.stdout.splitlines()] == [
        line.split()[0] for line in everything[:3]
    ]
    assert [line.split()[0] for line in following.stdout.splitlines()[1:]] == [
        line.split()[0] for line in everything[3:5]
    ]


def test_a_checkpoint_is_taken_away_and_never_replaced(
    countermark: Countermark, home: Home, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.checkpoint"

    printed = log(countermark, home, "checkpoint")
    written = log(countermark, home, "checkpoint", "-o", kept)
    again = log(countermark, home, "checkpoint", "-o", kept)

    assert written.returncode == 0, written.stderr
    assert kept.read_text() == printed.stdout
    assert again.returncode == 1
    assert "never replaced" in again.stderr


def test_a_checkpoint_a_proof_and_a_released_clip_all_witness_the_log(
    countermark: Countermark, home: Home, released: Released, tmp_path: Path
) -> None:
    note, proof = tmp_path / "note", tmp_path / "proof"
    note.write_text(log(countermark, home, "checkpoint").stdout)
    proof.write_text(log(countermark, home, "prove", 0).stdout)

    for kept in (note, proof, released.path):
        done = log(countermark, home, "check", "--against", kept)
        assert done.returncode == 0, f"{kept}: {done.stderr}{done.stdout}"


def test_what_is_no_checkpoint_of_this_log_accuses_nobody(
    countermark: Countermark, home: Home, strange: Released, tmp_path: Path
) -> None:
    forged, noise = tmp_path / "forged", tmp_path / "noise"
    forged.write_text(log(countermark, home, "checkpoint").stdout.replace("\n5\n", "\n6\n"))
    lines = log(countermark, home, "checkpoint").stdout.splitlines(keepends=True)
    forged.write_text("".join([lines[0], "9999\n", *lines[2:]]))
    noise.write_bytes(bytes(range(256)))
    unsigned = Path("tests/vectors/unmarked.mp4")

    for kept in (strange.path, forged, noise, unsigned, tmp_path / "absent", tmp_path):
        done = log(countermark, home, "check", "--against", kept, "--json")
        assert done.returncode == 1, f"{kept}: {done.stdout}"
        assert done.stdout == ""
        assert "holds no checkpoint of press.example/main" in done.stderr
        assert "expected a signed checkpoint, a proof, or a clip" in done.stderr


def test_a_log_that_was_cut_off_is_convicted_by_any_clip_it_released(
    countermark: Countermark, tmp_path: Path
) -> None:
    home = new_home(tmp_path / "home")
    before = home.path / "before.db"
    with sqlite3.connect(home.path / "ledger.db") as database, sqlite3.connect(before) as copy:
        database.backup(copy)
    database.close()
    copy.close()
    clip = released_clip(home, tmp_path).path
    for path in home.path.glob("ledger.db*"):
        path.unlink()
    before.rename(home.path / "ledger.db")

    done = log(countermark, home, "check", "--against", clip)

    assert done.returncode == 30
    assert "the log was cut off" in done.stdout


def test_a_row_edited_behind_the_logs_back_makes_the_check_exit_30(
    countermark: Countermark, tmp_path: Path
) -> None:
    home = new_home(tmp_path / "home")
    with sqlite3.connect(home.path / "ledger.db") as database:
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in names:
            database.execute(f"DROP TRIGGER {name}")
        database.execute("UPDATE record SET body = replace(body, 'Tests', 'Hoax!') WHERE idx = 1")
        database.execute("UPDATE record SET kind = 'policy' WHERE idx = 2")
    database.close()

    done = log(countermark, home, "check")

    assert done.returncode == 30
    assert "record 2" in done.stdout


def test_a_database_that_cannot_even_be_read_is_damage_in_json_too(
    countermark: Countermark, tmp_path: Path
) -> None:
    home = new_home(tmp_path / "home")
    for path in home.path.glob("ledger.db*"):
        path.write_bytes(b"this was a database " * 1000)

    told = log(countermark, home, "check")
    values = log(countermark, home, "check", "--json")

    assert told.returncode == values.returncode == 30
    found = json.loads(values.stdout)
    assert found["damaged"] is True
    assert "database" in found["problems"][0]["sentence"]
