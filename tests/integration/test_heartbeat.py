"""A journey gives signs of life whatever it is busy with, and none after its end."""

import threading
import time
from pathlib import Path

import pytest

from audit.attempts import Attempts
from audit.home import Home
from audit.wiring import now
from generator import heartbeat
from generator.heartbeat import Heartbeat
from generator.progress import Phase, Progress
from generator.request import ProtectRequest
from tests.support.drawing import drawn_video
from tests.support.logs import open_attempt, open_log
from tests.support.press import new_home, open_press, opened_log


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "BEAT_EVERY_S", 0.02)


def beats_of(home: Home, attempt_id: str) -> int:
    with opened_log(home) as ledger:
        return Attempts(ledger.engine, ledger.log_id).get(attempt_id).lease.heartbeat_ms


def threads() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name.startswith("heartbeat")]


def test_a_phase_that_says_nothing_still_beats(tmp_path: Path) -> None:
    home = new_home(tmp_path / "home")
    source = drawn_video(tmp_path / "in.mp4", 12)
    seen: list[int] = []

    def be_silent(progress: Progress) -> None:
        if progress.phase is Phase.SIGNING:
            (attempt_id,) = (path.name for path in home.private.iterdir())
            seen.append(beats_of(home, attempt_id))
            time.sleep(0.5)
            seen.append(beats_of(home, attempt_id))
            assert threads() == [f"heartbeat of {attempt_id}"]

    with open_press(home) as pipeline:
        pipeline.run(ProtectRequest(source, tmp_path / "out.mp4"), be_silent)

    assert seen[0] < seen[1]
    assert threads() == []


def test_a_beat_that_fails_does_not_end_the_others_and_stopping_ends_all(tmp_path: Path) -> None:
    ledger = open_log(tmp_path)
    attempts = Attempts(ledger.engine, ledger.log_id)
    attempt_id = open_attempt(ledger, 1)
    before = attempts.get(attempt_id).lease.heartbeat_ms
    beating = Heartbeat(attempts, attempt_id, now)
    unknown = Heartbeat(attempts, "nobody", now)

    beating.start()
    unknown.start()  # each of its beats fails, and the next one is tried all the same
    time.sleep(0.3)
    unknown.stop()
    beating.stop()

    stopped = attempts.get(attempt_id).lease.heartbeat_ms
    assert stopped > before
    time.sleep(0.1)
    assert attempts.get(attempt_id).lease.heartbeat_ms == stopped
    assert threads() == []
