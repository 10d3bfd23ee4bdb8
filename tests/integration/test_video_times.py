"""Every picture is shown when it was meant to be, whatever the container knows of times."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from provenance.errors import UnsupportedMedia
from provenance.video import MediaLimits, open_video, write_video
from provenance.video.times import Clock
from tests.support.drawing import FAST
from tests.support.footage import REORDERED, Film, film, number_of, numbered

LIMITS = MediaLimits()
COUNT = 20
PAL, NTSC = Fraction(25), Fraction(30000, 1001)


@pytest.mark.parametrize("rate", [PAL, NTSC])
@pytest.mark.parametrize("container", ["avi", "mpeg", "h264"])
def test_pictures_without_times_of_their_own_follow_one_another(
    tmp_path: Path, container: str, rate: Fraction
) -> None:
    how = Film(container=container, options=REORDERED, rate=rate)
    source = open_video(film(tmp_path / "in", numbered(COUNT), how), LIMITS)

    write_video(source, tmp_path / "out.mp4", FAST)

    assert source.clock is Clock.COUNTED
    written = open_video(tmp_path / "out.mp4", LIMITS)
    frames = list(written.frames())
    assert [number_of(frame.rgb) for frame in frames] == list(range(COUNT))
    assert [f.ticks * written.shape.time_base for f in frames] == [n / rate for n in range(COUNT)]
    assert written.shape.frame_rate == rate


@pytest.mark.parametrize("container", ["mp4", "matroska", "mpegts"])
def test_pictures_with_times_keep_them(tmp_path: Path, container: str) -> None:
    ticks = [0, 40, 80, 400, 440, 1500, 1520, 1600]
    how = Film(container=container, options=REORDERED, ticks=ticks, time_base=Fraction(1, 1000))
    source = open_video(film(tmp_path / "in", numbered(len(ticks)), how), LIMITS)

    write_video(source, tmp_path / "out.mp4", FAST)

    assert source.clock is Clock.STORED
    written = open_video(tmp_path / "out.mp4", LIMITS)
    assert [number_of(frame.rgb) for frame in written.frames()] == list(range(len(ticks)))
    assert np.allclose(written.times_s(), np.array(ticks) / 1000, atol=1e-6)


def test_a_gap_in_an_avi_without_reordering_stays_a_gap(tmp_path: Path) -> None:
    ticks = [0, 1, 2, 9, 10]
    how = Film(container="avi", codec="mpeg4", ticks=ticks, time_base=1 / PAL)

    video = open_video(film(tmp_path / "in.avi", numbered(5), how), LIMITS)

    assert np.allclose(video.times_s(), np.array(ticks) / 25)


def test_a_clip_whose_length_nobody_declared_is_measured_by_its_packets(tmp_path: Path) -> None:
    path = film(tmp_path / "in.mkv", numbered(50), Film(container="matroska"))
    _forget_duration(path)

    with pytest.raises(UnsupportedMedia, match=r"at least 2\.0 s and at most 1 s"):
        open_video(path, MediaLimits(max_seconds=1))


def test_a_clip_that_turns_out_longer_while_it_is_read_is_refused_there(tmp_path: Path) -> None:
    video = open_video(film(tmp_path / "in.mp4", numbered(50), Film()), LIMITS)

    for limits, shown in ((MediaLimits(max_seconds=1), 26), (MediaLimits(max_frames=7), 7)):
        grown = replace(video, limits=limits)  # as if the packets had said less
        for read in (grown.frames, grown.luma):
            seen: list[object] = []
            with pytest.raises(UnsupportedMedia, match="taken; cut it"):
                seen.extend(read())
            assert len(seen) == shown


def test_times_that_run_backwards_are_refused_but_do_not_hide_the_pictures(tmp_path: Path) -> None:
    path = film(tmp_path / "in.avi", numbered(COUNT), Film(container="avi", options=REORDERED))
    misjudged = replace(open_video(path, LIMITS), clock=Clock.STORED)

    with pytest.raises(UnsupportedMedia, match="stop rising at frame 3"):
        misjudged.times_s()
    assert len(list(misjudged.luma())) == COUNT


def _forget_duration(path: Path) -> None:
    """Rename the duration of a Matroska file (RFC 9559, 5.1.2.12) to a void element."""
    content = path.read_bytes()
    duration = b"\x44\x89\x88"
    assert content.count(duration) == 1
    path.write_bytes(content.replace(duration, b"\xec\x40\x08"))
