"""What is not looked at, or not seen clearly, is `unknown` with the reason, and accuses nobody."""

from dataclasses import replace
from pathlib import Path

import cv2
import pytest

from audit import layers
from audit.content import look_at
from audit.findings import look_up
from audit.home import Home
from audit.report import LayerState
from audit.status import Status, decide
from generator.outcome import Released
from provenance.credentials import examine
from provenance.examination import Question, examine_confined
from provenance.payload import MARK_ID_BITS, MarkId
from provenance.trust import TrustLists
from provenance.video import MediaLimits
from provenance.watermark import CERTAIN
from tests.support import thief
from tests.support.drawing import drawn_frames, drawn_video
from tests.support.pki import Desk
from tests.support.press import new_home, opened_verifier, released_clip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("unseen")


@pytest.fixture(scope="module")
def home(folder: Path) -> Home:
    return new_home(folder / "home")


@pytest.fixture(scope="module")
def released(home: Home, folder: Path) -> Released:
    return released_clip(home, folder)


@pytest.fixture(scope="module")
def stranger(folder: Path) -> Desk:
    (folder / "desk").mkdir()
    return Desk.open(folder / "desk")


def test_a_still_image_is_not_looked_at_for_marks_and_not_called_unreadable(
    home: Home, tmp_path: Path
) -> None:
    cv2.imwrite(str(tmp_path / "picture.jpg"), drawn_frames(1)[0])

    with opened_verifier(home) as verifier:
        report = verifier.verify(tmp_path / "picture.jpg")

    assert report.status is Status.UNKNOWN
    assert report.watermark.state is LayerState.NOT_CHECKED
    assert any(gap.startswith("pictures: ") for gap in report.gaps)


def test_a_signed_image_has_a_time_stamp_that_the_verifiers_alone_looked_at(
    home: Home, stranger: Desk, tmp_path: Path
) -> None:
    picture = thief.signed_picture(stranger, tmp_path / "signed.jpg")

    with thief.trusting_verifier(home, stranger) as verifier:
        report = verifier.verify(picture)

    assert report.status is Status.INTACT
    stamp = report.content_credentials.evidence["timestamp"]
    assert stamp["state"] == "not_checked"
    assert "timeStamp.trusted" in stamp["verifiers"]["c2pa-rs"]
    assert "timeStamp.trusted" in stamp["verifiers"]["encypher-c2pa"]
    assert any("the time-stamp likewise" in gap for gap in report.gaps)


def test_credentials_that_are_kept_elsewhere_are_not_checked_and_not_absent(
    home: Home, stranger: Desk, tmp_path: Path
) -> None:
    picture = thief.signed_picture(
        stranger, tmp_path / "kept.jpg", kept_at="https://keep.example/manifest.c2pa"
    )

    with opened_verifier(home) as verifier:
        report = verifier.verify(picture)

    assert report.status is Status.UNKNOWN
    assert report.content_credentials.state is LayerState.NOT_CHECKED
    assert "was not fetched" in report.content_credentials.reason
    assert any(gap.startswith("credentials: they are kept") for gap in report.gaps)


@pytest.mark.parametrize("limits", [{"max_seconds": 1}, {"max_pixels": 1000}])
def test_a_clip_beyond_our_limits_is_unknown_and_says_which(
    home: Home, tmp_path: Path, limits: dict[str, int]
) -> None:
    path = drawn_video(tmp_path / "long.mp4", seed=99)

    with opened_verifier(home) as verifier:
        report = replace(verifier, media_limits=MediaLimits(**limits)).verify(path)

    assert report.status is Status.UNKNOWN
    assert report.watermark.state is LayerState.NOT_CHECKED
    assert any("taken" in gap for gap in report.gaps if gap.startswith("pictures: "))


def test_a_weak_mark_that_may_be_misread_accuses_nobody(
    home: Home, released: Released, tmp_path: Path
) -> None:
    """An honest clip of ours, re-encoded badly, whose mark comes out as an id that nobody has."""
    without = examine(drawn_video(tmp_path / "bare.mp4", 3), TrustLists())
    with opened_verifier(home) as verifier:
        question = Question(verifier.media_limits, verifier.trust, verifier.mark_keys)
        seen = examine_confined(released.path, question, verifier.process_limits)
        weak = replace(
            seen.marks[0], mark_id=MarkId.random(), statistic=CERTAIN[MARK_ID_BITS] - 0.1
        )
        bare = replace(seen, sha256="00" * 32, credentials=without)
        answers = [
            (
                decide(layers.findings(each, found, alike)).status,
                layers.watermark(each, found, alike),
            )
            for each in (
                replace(bare, marks=(weak,)),
                replace(bare, marks=(replace(weak, statistic=CERTAIN[MARK_ID_BITS]),)),
                replace(seen, marks=(weak,)),
            )
            for found in [look_up(each, verifier.ledger)]
            for alike in [look_at(each, found, verifier.ledger, verifier.resemblance)]
        ]

    assert [status for status, _ in answers] == [
        Status.UNKNOWN,
        Status.CONTRADICTED,
        Status.INTACT,
    ]
    assert answers[0][1].state is LayerState.CONSISTENT
    assert answers[0][1].evidence["mark_id"] is None
    assert "not clearly enough to accuse" in answers[0][1].reason
