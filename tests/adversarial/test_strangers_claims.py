"""A stranger whom people trust helps himself: to our pictures, our record, our manifest's name."""

from pathlib import Path

import pytest

from audit.home import Home
from audit.report import LayerState, Origin, Report
from audit.status import Status
from generator.outcome import Released
from tests.support import thief
from tests.support.drawing import drawn_video
from tests.support.pki import CLAIMS, Desk, opened, without_record
from tests.support.press import new_home, opened_verifier, released_clip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("strangers")


@pytest.fixture(scope="module")
def home(folder: Path) -> Home:
    return new_home(folder / "home")


@pytest.fixture(scope="module")
def ours(home: Home, folder: Path) -> Released:
    return released_clip(home, folder, name="ours")


@pytest.fixture(scope="module")
def pictures(ours: Released, folder: Path) -> Path:
    """Our clip as a platform hands it on: marked, without credentials."""
    return thief.reencoded(ours.path, folder / "pictures.mp4")


@pytest.fixture(scope="module")
def stranger(folder: Path) -> Desk:
    (folder / "desk").mkdir()
    return Desk.open(folder / "desk")


def verified(home: Home, path: Path, stranger: Desk) -> Report:
    with thief.trusting_verifier(home, stranger) as verifier:
        return verifier.verify(path)


def indices(report: Report) -> list[int]:
    return [line.index for line in report.records]


def test_our_pictures_under_a_strangers_claim_of_creation_are_contradicted_and_his(
    home: Home, ours: Released, pictures: Path, stranger: Desk, tmp_path: Path
) -> None:
    stranger.sign_manifest(pictures, tmp_path / "claimed.mp4", without_record())

    report = verified(home, tmp_path / "claimed.mp4", stranger)

    assert report.status is Status.CONTRADICTED
    assert "claims to have created" in report.why
    assert report.origin is Origin.OTHER
    assert report.watermark.state is LayerState.CONFLICT
    assert ours.entry.index in indices(report)


def test_nobody_has_to_trust_him_for_that(
    home: Home, pictures: Path, stranger: Desk, tmp_path: Path
) -> None:
    stranger.sign_manifest(pictures, tmp_path / "claimed.mp4", without_record())

    with opened_verifier(home) as verifier:
        report = verifier.verify(tmp_path / "claimed.mp4")

    assert report.status is Status.CONTRADICTED


def test_an_edit_that_dropped_our_manifest_is_altered_and_nobody_is_accused(
    home: Home, ours: Released, pictures: Path, stranger: Desk, tmp_path: Path
) -> None:
    """Perhaps the copy that he was given had lost it; a step of the history is gone either way."""
    manifest = without_record(opened())
    stranger.sign_manifest(pictures, tmp_path / "edited.mp4", manifest, parent=pictures)

    report = verified(home, tmp_path / "edited.mp4", stranger)

    assert report.status is Status.ALTERED
    assert "left out of the history" in report.why
    assert report.origin is Origin.OTHER
    assert ours.entry.index in indices(report)


def test_an_honest_edit_that_keeps_our_manifest_is_intact_and_leads_to_our_record(
    home: Home, ours: Released, pictures: Path, stranger: Desk, tmp_path: Path
) -> None:
    manifest = without_record(opened())
    stranger.sign_manifest(pictures, tmp_path / "edited.mp4", manifest, parent=ours.path)

    report = verified(home, tmp_path / "edited.mp4", stranger)

    assert report.status is Status.INTACT
    assert report.origin is Origin.OTHER
    assert report.log.state is LayerState.CONSISTENT
    assert report.watermark.state is LayerState.ESTABLISHED
    assert ours.entry.index in indices(report)


def test_a_manifest_made_up_to_look_like_ours_does_not_stand_in_for_it(
    home: Home, ours: Released, pictures: Path, stranger: Desk, tmp_path: Path
) -> None:
    worn = {"label": thief.label_of(ours.path), **without_record()}
    stranger.sign_manifest(pictures, tmp_path / "fake.mp4", worn)
    manifest = without_record(opened())
    stranger.sign_manifest(
        pictures, tmp_path / "edited.mp4", manifest, parent=tmp_path / "fake.mp4"
    )

    report = verified(home, tmp_path / "edited.mp4", stranger)

    assert report.status is Status.ALTERED
    assert report.origin is Origin.OTHER


def test_our_record_copied_onto_other_pictures_proves_nothing(
    home: Home, ours: Released, stranger: Desk, tmp_path: Path
) -> None:
    other = drawn_video(tmp_path / "other.mp4", 12, width=160, height=120, seed=99)
    stranger.sign(other, tmp_path / "copied.mp4", thief.claims_of(ours.path))

    report = verified(home, tmp_path / "copied.mp4", stranger)

    assert report.log.evidence["proof"] == "broken"
    assert report.status is Status.CONTRADICTED
    assert report.origin is Origin.OTHER
    assert report.records == ()


def test_our_record_copied_with_our_pictures_proves_nothing_either(
    home: Home, ours: Released, pictures: Path, stranger: Desk, tmp_path: Path
) -> None:
    stranger.sign(pictures, tmp_path / "copied.mp4", thief.claims_of(ours.path))

    report = verified(home, tmp_path / "copied.mp4", stranger)

    assert report.log.evidence["proof"] == "broken"
    assert report.status is Status.CONTRADICTED


def test_the_name_of_our_manifest_leads_a_stranger_to_no_record_of_ours(
    home: Home, ours: Released, stranger: Desk, tmp_path: Path
) -> None:
    other = drawn_video(tmp_path / "other.mp4", 12, width=160, height=120, seed=99)
    worn = {"label": thief.label_of(ours.path), **without_record()}
    stranger.sign_manifest(other, tmp_path / "worn.mp4", worn)

    report = verified(home, tmp_path / "worn.mp4", stranger)

    assert report.status is Status.INTACT
    assert report.origin is Origin.OTHER
    assert report.log.state is LayerState.NOT_FOUND
    assert report.records == ()


def test_a_record_of_another_log_is_that_logs_business(
    home: Home, stranger: Desk, tmp_path: Path
) -> None:
    other = drawn_video(tmp_path / "other.mp4", 12, width=160, height=120, seed=99)
    stranger.sign(other, tmp_path / "theirs.mp4", CLAIMS)

    report = verified(home, tmp_path / "theirs.mp4", stranger)

    assert report.log.evidence["proof"] == "not_checked"
    assert report.status is Status.INTACT
