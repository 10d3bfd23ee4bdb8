"""Somebody lifts a mark of ours off one clip and puts it on another; somebody else only crops.

The first must be contradicted, the second must never be. Both go through the real verifier, after
real encoding.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from audit.home import Home
from audit.report import LayerState, Origin, Report
from audit.status import Status
from audit.wiring import own_mark_keys
from generator.outcome import Released
from generator.request import ProtectRequest
from generator.settings import Settings
from generator.wiring import open_marking
from provenance.clip import StillClip
from provenance.payload import MarkId
from provenance.video import Encoding, MediaLimits, open_video, write_video
from provenance.watermark import Picture
from tests.support import editing, reencode, textured
from tests.support.press import new_home, open_press, opened_verifier

Frames = Sequence[Picture]
PLATFORM = Encoding(crf=24, preset="fast", threads=1)


def written(frames: Frames, path: Path) -> Path:
    write_video(StillClip(np.stack(frames), 16), path, PLATFORM)
    return path


def filmed(*, seed: int) -> list[Picture]:
    return textured.clip(frames=33, height=240, width=416, seed=seed)


def elsewhere() -> list[Picture]:
    """Draw another place: the ground stands upright in it, and the ball rolls down."""
    turned = textured.clip(frames=33, height=416, width=240, seed=9)
    return [np.ascontiguousarray(np.rot90(frame)) for frame in turned]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("copied")


@pytest.fixture(scope="module")
def home(folder: Path) -> Home:
    return new_home(folder / "home")


@pytest.fixture(scope="module")
def ours(home: Home, folder: Path) -> Released:
    source = written(filmed(seed=3), folder / "source.mp4")
    with open_press(home) as pipeline:
        outcome = pipeline.run(ProtectRequest(source, folder / "ours.mp4"))
    assert isinstance(outcome, Released)
    return outcome


@pytest.fixture(scope="module")
def pictures(ours: Released) -> Frames:
    return [frame.rgb for frame in open_video(ours.path, MediaLimits()).frames()]


def with_our_mark(home: Home, frames: Frames, mark_id: str) -> list[Picture]:
    """Mark other pictures as ours are, as well as anybody could who copied the mark."""
    settings = Settings.load(home.settings)
    marker = open_marking(settings, own_mark_keys(home, settings)[0].key).watermarker
    return list(marker.embed(frames, MarkId.from_hex(mark_id), strength=1.4))


def verified(home: Home, path: Path) -> Report:
    with opened_verifier(home) as verifier:
        return verifier.verify(path)


def test_a_mark_copied_onto_another_clip_is_contradicted_by_the_pictures(
    home: Home, ours: Released, tmp_path: Path
) -> None:
    forged = with_our_mark(home, elsewhere(), ours.mark_id)

    report = verified(home, written(forged, tmp_path / "forged.mp4"))

    assert report.watermark.evidence["mark_id"] == ours.mark_id  # the copy is a good one
    assert report.status is Status.CONTRADICTED
    assert "the mark was copied" in report.why
    assert report.fingerprint.state is LayerState.CONFLICT
    assert report.fingerprint.evidence["answer"] == "different"
    assert report.watermark.state is LayerState.CONFLICT
    assert report.origin is Origin.UNKNOWN
    assert ours.entry.index in [line.index for line in report.records]


def test_cropping_does_not_hide_that_a_mark_was_copied(
    home: Home, ours: Released, tmp_path: Path
) -> None:
    forged = reencode.crop(with_our_mark(home, elsewhere(), ours.mark_id), area=0.8)

    report = verified(home, written(forged, tmp_path / "forged.mp4"))

    assert report.watermark.evidence["mark_id"] == ours.mark_id
    assert report.status is Status.CONTRADICTED


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("re-encoded", lambda clip: reencode.h264(clip, crf=30)),
        ("cropped", lambda clip: reencode.crop(clip, area=0.75)),
        ("cropped to half", lambda clip: reencode.crop(clip, area=0.5)),
        ("mirrored", reencode.mirror),
        ("turned", lambda clip: reencode.rotate(clip, degrees=3)),
        ("halved", lambda clip: reencode.resize(clip, width=0.5, height=0.5)),
        ("squeezed", lambda clip: reencode.resize(clip, width=0.75, height=1)),
        ("barred", editing.bars),
        ("pillared", editing.pad_at_the_sides),
        ("logo", editing.logo),
        ("cut", lambda clip: clip[16:]),
        ("every second frame", lambda clip: clip[1::2]),
        ("backwards", lambda clip: clip[::-1]),
        ("brighter", lambda clip: editing.with_levels(clip, lambda level: level**0.6)),
    ],
)
def test_an_honest_change_is_never_called_different(
    home: Home,
    pictures: Frames,
    tmp_path: Path,
    name: str,
    change: Callable[[Frames], Frames],
) -> None:
    report = verified(home, written(change(pictures), tmp_path / "copy.mp4"))

    assert report.fingerprint.state is not LayerState.CONFLICT, name
    assert report.status is not Status.CONTRADICTED
    assert report.status is Status.STRIPPED
    if name != "logo":  # which covers a third of a soft picture: neither alike nor unlike enough
        assert report.fingerprint.evidence["answer"] == "match"


def test_a_clip_that_fills_half_of_another_picture_accuses_nobody(
    home: Home, ours: Released, pictures: Frames, tmp_path: Path
) -> None:
    beside = [
        np.concatenate([left[:, :208], right[:, 208:]], axis=1)
        for left, right in zip(pictures, elsewhere(), strict=True)
    ]

    report = verified(home, written(beside, tmp_path / "beside.mp4"))

    assert report.watermark.evidence["mark_id"] == ours.mark_id
    assert report.fingerprint.evidence["answer"] == "inconclusive"
    assert report.fingerprint.state is LayerState.NOT_CHECKED
    assert report.status is Status.STRIPPED
    assert any(gap.startswith("fingerprint: ") for gap in report.gaps)


def test_pictures_that_lost_their_mark_lead_to_the_record_by_their_likeness(
    home: Home, ours: Released, pictures: Frames, tmp_path: Path
) -> None:
    washed = editing.blur(reencode.resize(pictures, width=0.25, height=0.25), sigma=1.5)

    report = verified(home, written(washed, tmp_path / "washed.mp4"))

    assert report.watermark.state is LayerState.NOT_FOUND  # or this tests nothing
    assert report.status is Status.STRIPPED
    assert "the pictures lead to a released clip" in report.why
    assert report.origin is Origin.OURS
    assert report.fingerprint.state is LayerState.CONSISTENT
    assert ours.entry.index in [line.index for line in report.records]


def test_so_do_mirrored_ones(home: Home, ours: Released, pictures: Frames, tmp_path: Path) -> None:
    small = reencode.resize(reencode.mirror(pictures), width=0.25, height=0.25)
    washed = editing.blur(small, sigma=1.5)

    report = verified(home, written(washed, tmp_path / "washed.mp4"))

    assert report.watermark.state is LayerState.NOT_FOUND
    assert report.status is Status.STRIPPED
    assert ours.entry.index in [line.index for line in report.records]


def test_another_clip_without_a_mark_leads_nowhere(home: Home, tmp_path: Path) -> None:
    report = verified(home, written(elsewhere(), tmp_path / "other.mp4"))

    assert report.status is Status.UNKNOWN
    assert report.fingerprint.state is LayerState.NOT_FOUND
    assert report.origin is Origin.UNKNOWN
