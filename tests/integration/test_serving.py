"""The service closes what dead processes left open, or says that it may not."""

import subprocess
import sys
from pathlib import Path

import pytest

from audit.attempts import UNFINISHED, Attempts
from audit.home import Home
from generator.serving import recover_at_start
from tests.support.drawing import drawn_video
from tests.support.press import new_home, opened_log


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Return a home in which a process died in the middle of a journey."""
    home = new_home(tmp_path / "home")
    journey = (home.path, drawn_video(tmp_path / "in.mp4", 12), tmp_path / "out.mp4", "signing")
    command = [sys.executable, "-m", "tests.support.crash", *journey]
    assert subprocess.run(command, capture_output=True, check=False).returncode == -9
    return home


def left_open(home: Home) -> int:
    with opened_log(home) as ledger:
        return len(Attempts(ledger.engine, ledger.log_id).in_state(*UNFINISHED))


def test_a_service_that_has_the_write_sides_rights_closes_what_was_left_open(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    recover_at_start(home.path)

    assert left_open(home) == 0
    assert list(home.private.iterdir()) == []
    assert capsys.readouterr().err == ""


def test_a_service_without_the_logs_key_says_that_it_closes_nothing(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    key = home.log_key.read_bytes()
    home.log_key.unlink()

    recover_at_start(home.path)

    told = capsys.readouterr().err
    home.log_key.write_bytes(key)
    home.log_key.chmod(0o600)
    assert told.startswith("what dead processes left open is not closed here: ")
    assert left_open(home) == 1


def test_without_a_home_there_is_nothing_to_close(tmp_path: Path) -> None:
    recover_at_start(tmp_path / "nowhere")

    assert not (tmp_path / "nowhere").exists()
