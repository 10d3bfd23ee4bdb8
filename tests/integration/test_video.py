"""Clips survive being written and read; bad ones are refused in plain words."""

import itertools
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from provenance.clip import StillClip
from provenance.errors import MediaError, UnreadableMedia, UnsupportedMedia
from provenance.video import MediaLimits, media_digest, open_video, write_video
from tests.support.drawing import (
    FAST,
    brightened,
    drawn_clip,
    drawn_frames,
    drawn_video,
)

LIMITS = MediaLimits()


def test_a_written_clip_reads_back_with_its_size_rate_and_count(tmp_path: Path) -> None:
    video = open_video(drawn_video(tmp_path / "clip.mp4", 10), LIMITS)

    frames = list(video.frames())

    assert (video.shape.width, video.shape.height) == (320, 240)
    assert video.shape.frame_rate == Fraction(16)
    assert video.shape.frame_count == len(frames) == 10
    times = [frame.ticks * video.shape.time_base for frame in frames]
    assert times == [Fraction(n, 16) for n in range(10)]


def test_colours_come_back_as_they_were_in_small_and_in_large_pictures(tmp_path: Path) -> None:
    for width, height in ((64, 48), (64, 720)):  # BT.601 and BT.709 when nothing is said
        flat = np.empty((3, height, width, 3), np.uint8)
        flat[:] = (200, 60, 30)
        path = tmp_path / f"{height}.mp4"
        write_video(StillClip(flat, 16), path, FAST)

        back = next(open_video(path, LIMITS).frames()).rgb

        assert np.abs(back.astype(int) - flat[0]).max() <= 3


def test_a_clip_can_be_read_twice_and_its_luma_is_its_brightness(tmp_path: Path) -> None:
    video = open_video(drawn_video(tmp_path / "clip.mp4", 4), LIMITS)

    luma = list(video.luma())
    again = list(video.luma())

    assert len(luma) == 4
    assert luma[0].shape == (240, 320)
    assert all(np.array_equal(a, b) for a, b in zip(luma, again, strict=True))
    rgb = next(video.frames()).rgb.astype(float)
    brightness = 16 + (rgb @ np.array([0.2126, 0.7152, 0.0722])) * 219 / 255
    assert np.abs(luma[0] - brightness).mean() < 1.5


def test_mapping_pictures_keeps_times_and_stays_lazy(tmp_path: Path) -> None:
    video = open_video(drawn_video(tmp_path / "clip.mp4", 6), LIMITS)

    frames = list(itertools.islice(brightened(video, 20).frames(), 3))

    assert [frame.ticks * video.shape.time_base for frame in frames] == [
        Fraction(n, 16) for n in range(3)
    ]
    assert frames[0].rgb.mean() > next(video.frames()).rgb.mean() + 15


def test_the_media_digest_sees_a_changed_picture_and_nothing_else(tmp_path: Path) -> None:
    first = media_digest(drawn_video(tmp_path / "a.mp4", 4))

    same = media_digest(drawn_video(tmp_path / "b.mp4", 4))
    other = media_digest(drawn_video(tmp_path / "c.mp4", 4, seed=8))

    assert first == same
    assert first != other


def test_a_missing_empty_or_random_file_is_told_in_one_sentence(tmp_path: Path) -> None:
    empty, noise = tmp_path / "empty.mp4", tmp_path / "noise.mp4"
    empty.write_bytes(b"")
    noise.write_bytes(np.random.default_rng(1).bytes(5000))

    for path, words in (
        (tmp_path / "none.mp4", "cannot be opened"),
        (empty, "is empty"),
        (noise, "no video that can be read"),
        (tmp_path, "is not a file"),
    ):
        with pytest.raises(UnreadableMedia, match=words):
            open_video(path, LIMITS)


def test_a_playlist_that_calls_itself_mp4_opens_nothing(tmp_path: Path) -> None:
    secret = drawn_video(tmp_path / "secret.mp4", 2)
    playlist = tmp_path / "list.mp4"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{secret}\n")

    with pytest.raises(UnreadableMedia):
        open_video(playlist, LIMITS)


def test_a_clip_beyond_the_limits_is_refused_with_both_figures(tmp_path: Path) -> None:
    path = drawn_video(tmp_path / "clip.mp4", 24)

    for limits, words in (
        (MediaLimits(max_bytes=1000), "at most 1000 are taken"),
        (MediaLimits(max_pixels=1000), "320x240 and at most 1000 pixels"),
        (MediaLimits(max_seconds=1), "lasts at least 1.5 s"),
        (MediaLimits(max_frames=10), "at least 11 frames and at most 10"),
    ):
        with pytest.raises(UnsupportedMedia, match=words):
            open_video(path, limits)


def test_a_failure_on_the_way_leaves_nothing_half_written(tmp_path: Path) -> None:
    def break_off(count: int) -> None:
        if count == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_video(drawn_clip(8), tmp_path / "clip.mp4", FAST, on_frame=break_off)

    assert list(tmp_path.iterdir()) == []


def test_frames_of_another_kind_are_refused() -> None:
    with pytest.raises(MediaError, match="expected as uint8"):
        StillClip(drawn_frames(2).astype(np.float32), 16)  # type: ignore[arg-type]  # the mistake under test
