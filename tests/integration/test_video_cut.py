"""A file that was cut is told from one that its owner trimmed."""

import re
from pathlib import Path

import pytest

from provenance.errors import UnreadableMedia
from provenance.video import MediaLimits, open_video
from tests.support.drawing import video_with_sound
from tests.support.footage import Film, film, number_of, numbered, trimmed

LIMITS = MediaLimits()
COUNT = 30
GROUPS = {"g": "10", "bf": "2", "x264-params": "b-adapt=0"}
FAST_START = {"movflags": "faststart"}
FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
KINDS = [
    Film(options=GROUPS),
    Film(options=GROUPS, muxer=FAST_START),
    Film(options=GROUPS, muxer=FRAGMENTS),
    Film(container="mov", options=GROUPS, muxer=FAST_START),
    Film(container="matroska", options=GROUPS),
    Film(container="avi", codec="mpeg4"),
]


@pytest.mark.parametrize("how", KINDS, ids=lambda how: f"{how.container} {how.muxer or ''}")
def test_a_file_that_was_cut_anywhere_is_told_as_cut(tmp_path: Path, how: Film) -> None:
    whole = film(tmp_path / "whole", numbered(COUNT), how).read_bytes()
    cut = tmp_path / "cut"

    for kept in {*range(16, len(whole), 97), *range(len(whole) - 40, len(whole))}:
        if kept in _box_edges(whole):
            continue
        cut.write_bytes(whole[:kept])
        with pytest.raises(UnreadableMedia):
            list(open_video(cut, LIMITS).luma())


def test_a_film_that_lost_its_pictures_at_a_box_edge_is_told_as_cut(tmp_path: Path) -> None:
    path = film(tmp_path / "in.mp4", numbered(COUNT), Film(options=GROUPS, muxer=FAST_START))
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.index(b"mdat") - 4])

    with pytest.raises(UnreadableMedia):
        list(open_video(path, LIMITS).luma())


def test_a_cut_film_shows_what_is_left_before_it_says_so(tmp_path: Path) -> None:
    path = film(tmp_path / "in.mp4", numbered(COUNT), Film(options=GROUPS, muxer=FAST_START))
    whole = path.read_bytes()
    path.write_bytes(whole[: -len(whole) // 8])

    shown: list[object] = []
    with pytest.raises(UnreadableMedia) as refusal:
        shown.extend(open_video(path, LIMITS).luma())

    assert len(shown) > COUNT // 4
    told = re.search(r"after (\d+) frames", str(refusal.value))
    assert told is not None
    assert int(told[1]) == len(shown)


@pytest.mark.parametrize("muxer", [{}, FAST_START], ids=["index last", "index first"])
@pytest.mark.parametrize("skipped", [0, 3, 12])
def test_a_trimmed_film_is_shown_as_its_owner_trimmed_it(
    tmp_path: Path, muxer: dict[str, str], skipped: int
) -> None:
    path = film(tmp_path / "in.mp4", numbered(COUNT), Film(options=GROUPS, muxer=muxer))
    ticks_per_frame = 512  # the muxer's time scale is 12,800 at 25 frames per second
    trimmed(path, skip_ticks=skipped * ticks_per_frame, seconds=8 / 25)

    video = open_video(path, LIMITS)

    shown = [number_of(frame.rgb) for frame in video.frames()]
    assert shown == list(range(skipped, skipped + 8))
    assert video.times_s()[:3] == [0, 1 / 25, 2 / 25]


def test_a_trimmed_film_that_was_cut_is_still_told_as_cut(tmp_path: Path) -> None:
    path = film(tmp_path / "in.mp4", numbered(COUNT), Film(options=GROUPS, muxer=FAST_START))
    trimmed(path, skip_ticks=0, seconds=8 / 25)
    path.write_bytes(path.read_bytes()[:-100])

    with pytest.raises(UnreadableMedia, match="cut off"):
        list(open_video(path, LIMITS).luma())


def test_what_a_camera_appends_to_a_film_does_not_damage_it(tmp_path: Path) -> None:
    for container in ("mp4", "avi", "matroska"):
        codec = "mpeg4" if container == "avi" else "libx264"
        path = film(tmp_path / container, numbered(5), Film(container=container, codec=codec))
        for appended in (b"\0", bytes(range(128, 200)), bytes(100)):
            longer = path.with_suffix(".longer")
            longer.write_bytes(path.read_bytes() + appended)
            assert len(list(open_video(longer, LIMITS).luma())) == 5


def test_an_avi_whose_encoder_held_pictures_back_is_whole(tmp_path: Path) -> None:
    path = video_with_sound(tmp_path / "in.avi", codec="mp3", container="avi")

    assert len(list(open_video(path, LIMITS).luma())) == 16


def _box_edges(whole: bytes) -> set[int]:
    """Return where the fragments of a film end: there it is whole, by the rules of its format."""
    return {match.start() - 4 for match in re.finditer(b"moof|mfra", whole)}
