"""Homes that are new, restored, copied or somebody else's, as their owner meets them."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from audit.attempts import Attempts
from audit.home import Home
from audit.lease import HEARTBEAT_LIMIT
from audit.wiring import now
from tests.e2e.conftest import Countermark
from tests.support.drawing import drawn_video
from tests.support.press import new_home, opened_log, released_clip


def restored(home: Home, folder: Path) -> Home:
    """Copy what docs/operating.md says is backed up."""
    keep_out = shutil.ignore_patterns("private", "held", "sealing.key")
    shutil.copytree(home.path, folder, ignore=keep_out)
    return Home(folder)


@pytest.mark.gates
def test_a_home_restored_from_its_backup_works_after_init_made_a_new_sealing_key(
    countermark: Countermark, tmp_path: Path
) -> None:
    home = new_home(tmp_path / "home")
    clip = released_clip(home, tmp_path).path
    copy = restored(home, tmp_path / "restored").path
    source = drawn_video(tmp_path / "new.mp4")
    protect = ("--home", copy, "protect", source, "-o", tmp_path / "protected.mp4")

    without = countermark(*protect)
    made = countermark("--home", copy, "init")
    again = countermark("--home", copy, "init")

    assert without.returncode == 1
    assert "sealing.key" in without.stderr
    assert "`countermark init`" in without.stderr
    assert made.returncode == 0, made.stderr
    assert "cannot be opened any more" in made.stdout
    assert "is set up already" in again.stderr
    assert countermark(*protect).returncode == 0
    assert countermark("--home", copy, "verify", clip).returncode == 0
    assert countermark("--home", copy, "log", "check").returncode == 0


def test_a_copy_without_any_secret_is_enough_to_check_the_log(
    countermark: Countermark, tmp_path: Path
) -> None:
    home = new_home(tmp_path / "home")
    copy = Home(tmp_path / "copy")
    copy.keys.mkdir(parents=True)
    for path in (home.settings, home.path / "ledger.db", home.log_vkey):
        shutil.copy(path, copy.path / path.relative_to(home.path))

    assert countermark("--home", copy.path, "log", "check").returncode == 0


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--policy", "nosuch"), 1, "no shipped policy is called 'nosuch'"),
        (("--deployment", 'a"b'), 2, "cannot name a log"),
        (("--organisation", "x" * 65), 2, "1 to 64 printable characters"),
    ],
)
def test_init_refuses_what_no_later_command_could_use_and_makes_nothing(
    countermark: Countermark, tmp_path: Path, options: tuple[str, str], code: int, words: str
) -> None:
    done = countermark("--home", tmp_path / "home", "init", *options)

    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "home").exists()


def test_the_demo_refuses_to_play_in_a_home_of_somebody_s_own(
    countermark: Countermark, tmp_path: Path
) -> None:
    home = new_home(tmp_path / "home").path

    done = countermark("--home", home, "demo")

    assert done.returncode == 1
    assert "the demo plays in a home of its own" in done.stderr
    assert not list(home.glob("clips/*"))


def test_doctor_lists_what_dead_processes_left_open(
    countermark: Countermark, tmp_path: Path
) -> None:
    home = new_home(tmp_path / "home")
    source = drawn_video(tmp_path / "in.mp4", 12)
    for number, point in enumerate(("signing", "before link")):
        journey = (home.path, source, tmp_path / f"out-{number}.mp4", point)
        killed = [sys.executable, "-m", "tests.support.crash", *journey]
        assert subprocess.run(killed, capture_output=True, check=False).returncode == -9
    with opened_log(home) as ledger:
        attempts = Attempts(ledger.engine, ledger.log_id)
        cleared, released = attempts.expired(now())
        silent_ms = released.lease.heartbeat_ms - 2 * HEARTBEAT_LIMIT.seconds * 1000
        lease = replace(released.lease, place="newsroom-2 pid:[1]", heartbeat_ms=silent_ms)
        attempts.give_back(released.id, lease)

    done = countermark("--home", home.path, "doctor", "--json")

    answers = {
        a["answer"].split()[0]: a for a in json.loads(done.stdout) if a["question"] == "attempts"
    }
    assert done.returncode == 1
    assert answers.keys() == {cleared.id, released.id}
    assert answers[cleared.id]["ok"] is None
    assert "the next make, protect or serve closes it" in answers[cleared.id]["answer"]
    assert answers[released.id]["ok"] is False
    assert "on newsroom-2; whether" in answers[released.id]["answer"]


def test_doctor_finds_a_new_home_without_open_attempts(
    countermark: Countermark, tmp_path: Path
) -> None:
    home = new_home(tmp_path / "home")

    done = countermark("--home", home.path, "doctor", "--json")

    (answer,) = (a for a in json.loads(done.stdout) if a["question"] == "attempts")
    assert answer == {
        "question": "attempts",
        "ok": True,
        "answer": "no process that is gone left one open",
    }
