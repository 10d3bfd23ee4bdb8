"""After kill -9 at any point: no public clip without its record, and nothing left half done."""

import subprocess
import sys
from pathlib import Path

import pytest

from audit.attempts import Attempts, AttemptState
from audit.bodies import RecordKind
from audit.home import Home
from audit.wiring import now
from generator.progress import Phase, Progress
from generator.publish import file_sha256
from generator.recovery import Recovered, recover
from generator.request import ProtectRequest
from tests.support.crash import POINTS
from tests.support.drawing import drawn_video
from tests.support.press import new_home, open_press, opened_log

RELEASED_BY_THEN = {"publishing", "before link", "after link", "before noting it published"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return new_home(tmp_path_factory.mktemp("crash") / "home")


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_journey_is_finished_or_withdrawn(home: Home, tmp_path: Path, point: str) -> None:
    source, target = drawn_video(tmp_path / "in.mp4", 12), tmp_path / "out.mp4"

    died = subprocess.run(
        [sys.executable, "-m", "tests.support.crash", home.path, source, target, point],
        capture_output=True,
        check=False,
    )
    assert died.returncode == -9, died.stderr.decode()
    public_before = target.exists()
    with opened_log(home) as ledger:
        attempts = Attempts(ledger.engine, ledger.log_id)
        if public_before:
            assert ledger.find_by_file(file_sha256(target))
        recovered = recover(ledger, home.private, now)
        again = recover(ledger, home.private, now)
        last = ledger.find_by_attempt(str(ledger.get(ledger.size - 1).record.attempt))
        report = ledger.check()

    assert again == Recovered()
    assert attempts.in_state(AttemptState.OPEN, AttemptState.CLEARED, AttemptState.RELEASED) == ()
    assert report.problems == ()
    assert sorted(p.name for p in tmp_path.iterdir() if p != source) == (
        ["out.mp4"] if point in RELEASED_BY_THEN else []
    )
    if point in RELEASED_BY_THEN:
        assert recovered == Recovered(finished=1)
        assert last[-1].record.kind is RecordKind.RELEASED
        assert last[-1].record.body["file_sha256"] == file_sha256(target)
    else:
        assert recovered == Recovered(withdrawn=1)
        assert last[-1].record.kind is RecordKind.WITHDRAWN
    assert list(home.private.iterdir()) == []


def test_recovery_leaves_the_attempt_of_a_living_process_alone(home: Home, tmp_path: Path) -> None:
    source = drawn_video(tmp_path / "in.mp4", 12)
    seen: list[Recovered] = []

    def recover_meanwhile(progress: Progress) -> None:
        if progress.phase is Phase.MARKING and progress.done == 5:
            with opened_log(home) as ledger:
                seen.append(recover(ledger, home.private, now))

    with open_press(home) as pipeline:
        pipeline.run(ProtectRequest(source, tmp_path / "out.mp4"), recover_meanwhile)

    assert seen == [Recovered()]
    assert (tmp_path / "out.mp4").exists()


def test_a_released_clip_whose_place_was_taken_is_withdrawn(home: Home, tmp_path: Path) -> None:
    source, target = drawn_video(tmp_path / "in.mp4", 12), tmp_path / "out.mp4"
    command = [sys.executable, "-m", "tests.support.crash", home.path, source, target]
    subprocess.run([*command, "before link"], capture_output=True, check=False)
    target.write_bytes(b"somebody else's")

    with opened_log(home) as ledger:
        recovered = recover(ledger, home.private, now)

    assert recovered == Recovered(withdrawn=1)
    assert target.read_bytes() == b"somebody else's"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.mp4", "out.mp4"]
