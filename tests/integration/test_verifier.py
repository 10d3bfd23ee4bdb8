"""The statuses of honest files, and what each layer says of them."""

from dataclasses import replace
from pathlib import Path

import pytest

from audit.home import Home
from audit.report import LayerState, Origin
from audit.settings import ReadSettings
from audit.status import Status
from audit.wiring import open_verifier
from generator.outcome import Released
from provenance.errors import ExaminationUnavailable, UnreadableMedia, UnsupportedMedia
from provenance.sandbox import ProcessLimits
from provenance.video import Encoding, MediaLimits, open_video, write_video
from tests.support.drawing import drawn_video
from tests.support.pki import Desk
from tests.support.press import new_home, opened_verifier, released_clip

PLATFORM = Encoding(crf=23, preset="fast", threads=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("verifier")


@pytest.fixture(scope="module")
def home(folder: Path) -> Home:
    return new_home(folder / "home")


@pytest.fixture(scope="module")
def released(home: Home, folder: Path) -> Released:
    return released_clip(home, folder)


def test_a_released_clip_is_intact_in_every_layer_and_leads_to_its_records(
    home: Home, released: Released
) -> None:
    with opened_verifier(home) as verifier:
        report = verifier.verify(released.path)

    assert report.status is Status.INTACT
    assert report.origin is Origin.OURS
    assert report.sha256 == released.sha256
    assert report.content_credentials.state is LayerState.ESTABLISHED
    assert report.watermark.state is LayerState.ESTABLISHED
    assert report.watermark.evidence["mark_id"] == released.mark_id
    assert report.log.state is LayerState.ESTABLISHED
    assert report.log.evidence["proof"] == "proved"
    assert report.fingerprint.state is LayerState.ESTABLISHED
    assert report.fingerprint.evidence["compared"][0]["pdq_bits"] == 0
    assert [line.kind for line in report.records] == ["attempt", "cleared", "released"]
    assert [line.decision for line in report.records] == [None, "allow", None]
    stated = report.content_credentials.evidence["manifest"]
    assert report.records[1].policy == stated["policy_digest"]


def test_the_json_has_the_fields_of_the_design(home: Home, released: Released) -> None:
    with opened_verifier(home) as verifier:
        values = verifier.verify(released.path).to_json()

    assert {"status", "origin", "sha256", "layers", "records", "gaps", "versions"} <= set(values)
    layers = values["layers"]
    assert list(layers) == ["content_credentials", "watermark", "fingerprint", "log"]
    assert all("state" in layer for layer in layers.values())
    assert layers["watermark"]["mark_id"] == released.mark_id


def test_a_reencoded_copy_is_stripped_and_leads_to_the_right_record(
    home: Home, released: Released, tmp_path: Path
) -> None:
    copy = tmp_path / "platform.mp4"
    write_video(open_video(released.path, MediaLimits()), copy, PLATFORM)

    with opened_verifier(home) as verifier:
        report = verifier.verify(copy)

    assert report.status is Status.STRIPPED
    assert report.origin is Origin.OURS
    assert report.watermark.evidence["mark_id"] == released.mark_id
    assert released.entry.index in [line.index for line in report.records]
    assert report.content_credentials.state is LayerState.NOT_FOUND


def test_without_our_certificates_our_own_clip_is_untrusted_and_not_broken(
    released: Released,
) -> None:
    verifier = open_verifier(ReadSettings(), home=None, ledger=None)

    report = verifier.verify(released.path)

    assert report.status is Status.UNTRUSTED
    assert report.content_credentials.state is LayerState.CONSISTENT
    assert report.log.state is LayerState.NOT_CHECKED
    assert any("no log is at hand" in gap for gap in report.gaps)
    assert any("no detection key" in gap for gap in report.gaps)
    assert report.fingerprint.state is LayerState.NOT_CHECKED
    assert "fingerprint: no log is at hand to compare with" in report.gaps


def test_a_newsroom_with_our_certificates_alone_finds_our_clip_intact(
    home: Home, released: Released
) -> None:
    verifier = open_verifier(
        ReadSettings(),
        home=None,
        ledger=None,
        claim_trust=[home.root_certificate],
        timestamp_trust=[home.timestamp_root],
    )

    report = verifier.verify(released.path)

    assert report.status is Status.INTACT
    assert report.origin is Origin.OTHER
    assert report.log.state is LayerState.NOT_CHECKED


def test_a_clip_of_nobody_is_unknown_and_nothing_is_said_about_it(
    home: Home, tmp_path: Path
) -> None:
    path = drawn_video(tmp_path / "holiday.mp4", seed=99)

    with opened_verifier(home) as verifier:
        report = verifier.verify(path)

    assert report.status is Status.UNKNOWN
    assert report.origin is Origin.UNKNOWN
    assert "says nothing about whether the video is real" in report.sentence
    assert report.watermark.state is LayerState.NOT_FOUND
    assert report.log.state is LayerState.NOT_FOUND


def test_a_strangers_credentials_are_untrusted_until_somebody_vouches_for_them(
    home: Home, tmp_path: Path
) -> None:
    (tmp_path / "desk").mkdir()
    desk = Desk.open(tmp_path / "desk")
    clip = tmp_path / "foreign.mp4"
    desk.sign(drawn_video(tmp_path / "in.mp4"), clip)

    with opened_verifier(home) as verifier:
        doubted = verifier.verify(clip)
    with opened_verifier(
        home, claim_trust=[desk.pki.root], timestamp_trust=[desk.pki.timestamp_root]
    ) as verifier:
        believed = verifier.verify(clip)

    assert doubted.status is Status.UNTRUSTED
    assert believed.status is Status.INTACT
    assert believed.origin is Origin.OTHER


@pytest.mark.parametrize("content", [b"", b"\0" * 5000, b"hello, world\n" * 100])
def test_what_is_no_video_is_unreadable(home: Home, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "thing.mp4"
    path.write_bytes(content)

    with opened_verifier(home) as verifier:
        report = verifier.verify(path)

    assert report.status is Status.UNREADABLE
    assert report.content_credentials.state is not LayerState.BROKEN


def test_a_file_that_is_not_there_or_too_large_is_told_in_one_sentence(
    home: Home, released: Released, tmp_path: Path
) -> None:
    with opened_verifier(home) as verifier, pytest.raises(UnreadableMedia, match="name a file"):
        verifier.verify(tmp_path / "nothing.mp4")
    settings = ReadSettings.model_validate({"provenance": {"max_file_mib": 1}})
    verifier = open_verifier(settings, home=None, ledger=None)
    large = tmp_path / "large.mp4"
    large.write_bytes(released.path.read_bytes() + b"\0" * 2**20)
    with pytest.raises(UnsupportedMedia, match="at most 1048576"):
        verifier.verify(large)


def test_a_truncated_clip_of_ours_is_altered_or_unreadable(
    home: Home, released: Released, tmp_path: Path
) -> None:
    whole = released.path.read_bytes()
    cut = tmp_path / "cut.mp4"

    statuses = set()
    with opened_verifier(home) as verifier:
        for share in (0.2, 0.5, 0.9):
            cut.write_bytes(whole[: int(len(whole) * share)])
            statuses.add(verifier.verify(cut).status)

    assert statuses <= {Status.ALTERED, Status.UNREADABLE}


def test_a_newsroom_without_a_key_is_told_where_a_clip_breaks_off(tmp_path: Path) -> None:
    whole = drawn_video(tmp_path / "whole.mp4").read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) * 7 // 10])

    report = open_verifier(ReadSettings(), home=None, ledger=None).verify(cut)

    assert any(gap.startswith("pictures: cut.mp4 ") for gap in report.gaps)


def test_a_process_that_cannot_start_is_no_verdict_on_the_file(tmp_path: Path) -> None:
    verifier = replace(
        open_verifier(ReadSettings(), home=None, ledger=None),
        process_limits=ProcessLimits(memory_bytes=48 * 2**20),  # too little for numpy
    )

    with pytest.raises(ExaminationUnavailable, match="did not start"):
        verifier.verify(drawn_video(tmp_path / "clip.mp4"))
