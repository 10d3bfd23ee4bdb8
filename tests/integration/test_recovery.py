"""After kill -9 at any point: no public clip without its record, and nothing left half done."""

import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from audit import tables
from audit.attempts import UNFINISHED, Attempts, AttemptState, StoredAttempt
from audit.database import writing
from audit.home import Home
from audit.lease import HEARTBEAT_LIMIT
from audit.ledger import Ledger
from audit.vocabulary import RecordKind
from audit.wiring import now
from generator.holding import Holding
from generator.private_folder import private_folder
from generator.progress import Phase, Progress
from generator.publish import file_sha256
from generator.recovery import Recovered, recover
from generator.request import ProtectRequest
from provenance.keys import read_private
from tests.support.crash import POINTS, UNRECORDED
from tests.support.drawing import drawn_video
from tests.support.press import new_home, open_press, opened_log

RELEASED_BY_THEN = {"before link", "after link", "before noting it published"}
ENDED_BY_THEN = {
    "after hold": AttemptState.HELD,
    "after refuse": AttemptState.REFUSED,
    "after noting it published": AttemptState.PUBLISHED,
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return new_home(tmp_path_factory.mktemp("crash") / "home")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return drawn_video(tmp_path / "in.mp4", 12)


Kill = Callable[[str], str]


@pytest.fixture
def kill(home: Home, source: Path, tmp_path: Path) -> Kill:
    """Return a function that kills a journey at a point and returns the attempt's id."""

    def killed(point: str) -> str:
        journey = (home.path, source, tmp_path / "out.mp4", point)
        died = subprocess.run(
            [sys.executable, "-m", "tests.support.crash", *journey],
            capture_output=True,
            check=False,
        )
        assert died.returncode == -9, died.stderr.decode()
        with opened_log(home) as ledger:
            return str(ledger.get(ledger.size - 1).record.attempt)

    return killed


def attempts_of(ledger: Ledger) -> Attempts:
    return Attempts(ledger.engine, ledger.log_id)


def moved_elsewhere(ledger: Ledger, attempt_id: str) -> StoredAttempt:
    """Make an attempt one of another machine that has been silent for long enough."""
    attempts = attempts_of(ledger)
    silent_ms = attempts.get(attempt_id).lease.heartbeat_ms - 2 * HEARTBEAT_LIMIT.seconds * 1000
    lease = replace(attempts.get(attempt_id).lease, place="elsewhere 1", heartbeat_ms=silent_ms)
    attempts.give_back(attempt_id, lease)
    return attempts.get(attempt_id)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("point", [point for point in POINTS if point != UNRECORDED])
def test_a_killed_journey_is_finished_or_withdrawn(
    home: Home, kill: Kill, tmp_path: Path, point: str
) -> None:
    attempt_id = kill(point)
    target = tmp_path / "out.mp4"
    public_before = target.exists()
    with opened_log(home) as ledger:
        if public_before:
            assert ledger.find_by_file(file_sha256(target))
        recovered = recover(ledger, home, now)
        again = recover(ledger, home, now)
        state = attempts_of(ledger).get(attempt_id).state
        unfinished = attempts_of(ledger).in_state(*UNFINISHED)
        last = ledger.find_by_attempt(attempt_id)[-1].record
        report = ledger.check()

    public = point in RELEASED_BY_THEN or point == "after noting it published"
    assert again == Recovered()
    assert unfinished == ()
    assert report.problems == ()
    assert names(home.private) == []
    assert names(tmp_path) == ["in.mp4", *(["out.mp4"] if public else [])]
    if public:
        assert last.kind is RecordKind.RELEASED
        assert last.body["file_sha256"] == file_sha256(target)
    if point in ENDED_BY_THEN:
        assert recovered == Recovered()
        assert state is ENDED_BY_THEN[point]
    elif point in RELEASED_BY_THEN:
        assert recovered == Recovered(finished=1)
        assert state is AttemptState.PUBLISHED
    else:
        assert recovered == Recovered(withdrawn=1)
        assert last.kind is RecordKind.WITHDRAWN


def test_a_held_clip_outlives_recovery_sealed_and_nowhere_in_the_clear(
    home: Home, kill: Kill, source: Path, tmp_path: Path
) -> None:
    attempt_id = kill("after hold")
    assert (home.private / attempt_id / "input.mp4").exists()
    (home.held / f".{attempt_id}.part").write_bytes(b"an older draft")

    with opened_log(home) as ledger:
        recover(ledger, home, now)

    assert not (home.private / attempt_id).exists()
    assert not (home.held / f".{attempt_id}.part").exists()
    Holding(home.held, read_private(home.sealing_key)).unseal(attempt_id, tmp_path / "opened")
    assert (tmp_path / "opened").read_bytes() == source.read_bytes()


@pytest.mark.parametrize("point", ["inside sealing", "after sealing"])
def test_a_sealed_clip_that_no_record_holds_is_dropped(home: Home, kill: Kill, point: str) -> None:
    attempt_id = kill(point)
    assert any(attempt_id in name for name in names(home.held))

    with opened_log(home) as ledger:
        recover(ledger, home, now)

    assert not any(attempt_id in name for name in names(home.held))


def test_recovery_leaves_the_attempt_of_a_living_process_alone(
    home: Home, source: Path, tmp_path: Path
) -> None:
    seen: list[Recovered] = []

    def recover_meanwhile(progress: Progress) -> None:
        if progress.phase is Phase.MARKING and progress.done == 5:
            with opened_log(home) as ledger:
                seen.append(recover(ledger, home, now))

    with open_press(home) as pipeline:
        pipeline.run(ProtectRequest(source, tmp_path / "out.mp4"), recover_meanwhile)

    assert seen == [Recovered()]
    assert (tmp_path / "out.mp4").exists()


def test_a_released_clip_whose_place_was_taken_is_withdrawn(
    home: Home, kill: Kill, tmp_path: Path
) -> None:
    kill("before link")
    (tmp_path / "out.mp4").write_bytes(b"somebody else's")

    with opened_log(home) as ledger:
        recovered = recover(ledger, home, now)

    assert recovered == Recovered(withdrawn=1)
    assert (tmp_path / "out.mp4").read_bytes() == b"somebody else's"
    assert names(tmp_path) == ["in.mp4", "out.mp4"]


def test_a_clip_that_another_place_released_is_left_to_it(
    home: Home, kill: Kill, tmp_path: Path
) -> None:
    attempt_id = kill("before noting it published")
    public = tmp_path / "out.mp4"
    public.rename(tmp_path / "seen there under another path.mp4")
    with opened_log(home) as ledger:
        here = attempts_of(ledger).get(attempt_id).lease
        before = moved_elsewhere(ledger, attempt_id)

        recovered = recover(ledger, home, now)

        assert recovered == Recovered()
        assert attempts_of(ledger).get(attempt_id) == before
        assert (home.private / attempt_id / "signed.mp4").exists()
        assert not public.exists()
        attempts_of(ledger).give_back(attempt_id, here)
        assert recover(ledger, home, now) == Recovered(finished=1)


def test_an_attempt_that_went_silent_elsewhere_is_withdrawn_in_the_log_alone(
    home: Home, kill: Kill
) -> None:
    attempt_id = kill("middle of marking")
    with opened_log(home) as ledger:
        moved_elsewhere(ledger, attempt_id)

        recovered = recover(ledger, home, now)

        assert recovered.withdrawn == 1
        assert attempts_of(ledger).get(attempt_id).state is AttemptState.WITHDRAWN
        assert "gave no sign of life" in str(ledger.get(ledger.size - 1).record.body["why"])
        assert not (home.private / attempt_id).exists()


def test_the_working_copy_of_a_sleeper_elsewhere_is_not_touched(home: Home, kill: Kill) -> None:
    attempt_id = kill("middle of marking")
    folder = home.private / attempt_id
    descriptor = os.open(folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)  # as its process holds it, if it only sleeps

    with opened_log(home) as ledger:
        moved_elsewhere(ledger, attempt_id)
        recover(ledger, home, now)
        there_while_locked = (folder / "input.mp4").exists()
        os.close(descriptor)
        recover(ledger, home, now)

    assert there_while_locked
    assert not folder.exists()


def test_a_copy_that_a_dead_process_made_before_its_attempt_was_recorded_goes(
    home: Home, kill: Kill
) -> None:
    kill(UNRECORDED)
    assert [path.name for path in home.private.glob("*/*")] == ["input.mp4"]

    with opened_log(home) as ledger:
        recovered = recover(ledger, home, now)

    assert recovered == Recovered()
    assert names(home.private) == []


def test_a_copy_that_a_living_process_is_making_stays(home: Home) -> None:
    with private_folder(home.private, "01a20302-01e7-7806-9672-ba8b6d0fc9a1") as folder:
        with opened_log(home) as ledger:
            recover(ledger, home, now)

        assert folder.exists()
        assert folder.stat().st_mode & 0o777 == 0o700
    assert not folder.exists()


def test_a_folder_whose_process_died_before_locking_it_goes_after_a_minute(home: Home) -> None:
    young, old, locked = (home.private / f".{name}" for name in ("young", "old", "locked"))
    for folder in (young, old, locked):
        folder.mkdir()
    for folder in (old, locked):
        os.utime(folder, (now().timestamp() - 61,) * 2)
    descriptor = os.open(locked, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)

    with opened_log(home) as ledger:
        recover(ledger, home, now)
    left = names(home.private)
    os.close(descriptor)
    young.rmdir()
    locked.rmdir()

    assert left == [".locked", ".young"]


def test_an_attempt_that_cannot_be_closed_is_told_and_does_not_keep_the_others_open(
    home: Home, kill: Kill, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = kill("before link"), kill("middle of marking")
    with opened_log(home) as ledger:
        # Even root cannot look at a place of that name, so it stands for one that cannot be seen.
        publish_at(ledger, first, tmp_path / ("n" * 300))

        recovered = recover(ledger, home, now)

        states = [attempts_of(ledger).get(each).state for each in (first, second)]
        publish_at(ledger, first, tmp_path / "out.mp4")
        again = recover(ledger, home, now)

    assert recovered.withdrawn == 1
    assert [first in sentence for sentence in recovered.failures] == [True]
    assert recovered.failures[0] in caplog.text
    assert states == [AttemptState.RELEASED, AttemptState.WITHDRAWN]
    assert again == Recovered(finished=1)


def publish_at(ledger: Ledger, attempt_id: str, place: Path) -> None:
    with writing(ledger.engine) as connection:
        row = update(tables.attempt).where(tables.attempt.c.id == attempt_id)
        connection.execute(row.values(public_path=str(place)))


def test_two_threads_that_recover_at_once_close_each_attempt_once(home: Home, kill: Kill) -> None:
    killed = [kill("middle of marking"), kill("before link")]
    results: list[Recovered] = []
    with opened_log(home) as ledger:
        threads = [
            threading.Thread(target=lambda: results.append(recover(ledger, home, now)))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        states = [attempts_of(ledger).get(each).state for each in killed]

    assert len(results) == 4
    assert sum(each.finished for each in results) == 1
    assert sum(each.withdrawn for each in results) == 1
    assert states == [AttemptState.WITHDRAWN, AttemptState.PUBLISHED]
