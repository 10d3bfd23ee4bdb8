"""Pictures come out upright and in their own colours, and what is lost is said."""

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from provenance.clip import Colour, EvenClip, MappedClip, StillClip
from provenance.errors import UnsupportedMedia
from provenance.payload import MarkId
from provenance.video import MediaLimits, open_video, write_video
from provenance.watermark.tile import open_watermarker
from tests.support import textured
from tests.support.drawing import FAST, drawn_frames
from tests.support.footage import Film, film, numbered, with_matrix

LIMITS = MediaLimits()
LOSSLESS = {"qp": "0"}
RED, GREEN, BLUE, WHITE = (200, 40, 40), (50, 180, 60), (40, 60, 190), (230, 230, 230)

LUMA = {  # what red, green and blue add to it (ITU-R BT.709, BT.601 and BT.2020)
    1: (0.2126, 0.7152, 0.0722),
    5: (0.299, 0.587, 0.114),
    6: (0.299, 0.587, 0.114),
    9: (0.2627, 0.678, 0.0593),
}


def quarters(width: int = 64, height: int = 48) -> NDArray[np.uint8]:
    """Return two pictures: red, green, blue and white from the top left to the bottom right."""
    frames = np.empty((2, height, width, 3), np.uint8)
    frames[:, : height // 2, : width // 2] = RED
    frames[:, : height // 2, width // 2 :] = GREEN
    frames[:, height // 2 :, : width // 2] = BLUE
    frames[:, height // 2 :, width // 2 :] = WHITE
    return frames


def corners(picture: NDArray[np.uint8]) -> list[list[int]]:
    """Return the colours of the quarters of a picture, from the top left to the bottom right."""
    height, width = picture.shape[:2]
    rows, columns = (height // 4, 3 * height // 4), (width // 4, 3 * width // 4)
    return [picture[y, x].astype(int).tolist() for y in rows for x in columns]


MATRICES = {
    "as it is": ((1, 0, 0, 1), (RED, GREEN, BLUE, WHITE)),
    "90 clockwise": ((0, 1, -1, 0), (BLUE, RED, WHITE, GREEN)),
    "180": ((-1, 0, 0, -1), (WHITE, BLUE, GREEN, RED)),
    "270 clockwise": ((0, -1, 1, 0), (GREEN, WHITE, RED, BLUE)),
    "left to right": ((-1, 0, 0, 1), (GREEN, RED, WHITE, BLUE)),
    "upside down": ((1, 0, 0, -1), (BLUE, WHITE, RED, GREEN)),
    "over the diagonal": ((0, 1, 1, 0), (RED, BLUE, GREEN, WHITE)),
    "over the other diagonal": ((0, -1, -1, 0), (WHITE, GREEN, BLUE, RED)),
}


@pytest.mark.parametrize("name", MATRICES)
def test_a_turned_or_mirrored_film_is_shown_and_written_as_a_player_shows_it(
    tmp_path: Path, name: str
) -> None:
    entries, expected = MATRICES[name]
    path = with_matrix(film(tmp_path / "in.mp4", quarters(), Film(options=LOSSLESS)), *entries)

    video = open_video(path, LIMITS)
    write_video(video, tmp_path / "out.mp4", FAST)

    for shown in (video, open_video(tmp_path / "out.mp4", LIMITS)):
        picture = next(shown.frames()).rgb
        assert (shown.shape.height, shown.shape.width) == picture.shape[:2]
        assert np.allclose(corners(picture), expected, atol=8)
        luma = [value[0] for value in corners(next(shown.luma())[..., None])]
        brightness = np.array(expected) @ LUMA[shown.shape.colour.matrix]
        assert np.corrcoef(luma, brightness)[0, 1] > 0.999


def test_a_film_that_players_turn_by_an_odd_angle_is_refused(tmp_path: Path) -> None:
    path = with_matrix(film(tmp_path / "in.mp4", quarters(), Film()), 1, 1, -1, 1)

    with pytest.raises(UnsupportedMedia, match="no quarter turn"):
        open_video(path, LIMITS)


def test_a_photo_camera_film_with_exif_in_every_picture_is_read(tmp_path: Path) -> None:
    path = film(
        tmp_path / "in.avi", quarters(), Film(container="avi", codec="mjpeg", pixels="yuvj420p")
    )

    video = open_video(_with_exif(path, orientation=6), LIMITS)

    picture = next(video.frames()).rgb
    assert picture.shape == (64, 48, 3)
    assert np.allclose(corners(picture), MATRICES["90 clockwise"][1], atol=20)


BT2020 = (9, 14, 9, 1)
KINDS = {
    "BT.601": Film(colours=(6, 6, 6, 1)),
    "BT.709": Film(colours=(1, 1, 1, 1)),
    "full range": Film(colours=(1, 1, 1, 2)),
    "JPEG": Film(container="avi", codec="mjpeg", pixels="yuvj444p"),
    "4:4:4": Film(pixels="yuv444p", colours=(1, 1, 1, 1)),
    "RGB": Film(container="matroska", codec="libx264rgb", pixels="rgb24"),
    "RGBA": Film(container="matroska", codec="ffv1", pixels="bgra"),
    "BT.2020": Film(codec="libx264", pixels="yuv420p10le", colours=BT2020),
    "10 bit": Film(pixels="yuv420p10le", colours=(1, 1, 1, 1)),
    "12 bit with alpha": Film(container="mov", codec="prores_ks", pixels="yuva444p10le"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_colours_are_those_of_the_film_when_read_and_when_written(
    tmp_path: Path, kind: str
) -> None:
    source = open_video(film(tmp_path / "in", quarters(), KINDS[kind]), LIMITS)

    write_video(source, tmp_path / "out.mp4", FAST)

    written = open_video(tmp_path / "out.mp4", LIMITS)
    for video in (source, written):
        assert np.allclose(corners(next(video.frames()).rgb), (RED, GREEN, BLUE, WHITE), atol=12), (
            video.path
        )
    assert written.shape.colour == source.shape.colour


def test_wide_colour_keeps_its_tags(tmp_path: Path) -> None:
    source = open_video(film(tmp_path / "in.mp4", quarters(), KINDS["BT.2020"]), LIMITS)

    write_video(source, tmp_path / "out.mp4", FAST)

    assert open_video(tmp_path / "out.mp4", LIMITS).shape.colour == Colour(9, 14, 9)


@pytest.mark.parametrize("kind", KINDS)
def test_luma_is_the_brightness_of_the_picture(tmp_path: Path, kind: str) -> None:
    video = open_video(film(tmp_path / "in", quarters(), KINDS[kind]), LIMITS)

    luma = [value[0] for value in corners(next(video.luma())[..., None])]

    brightness = np.array((RED, GREEN, BLUE, WHITE)) @ LUMA[video.shape.colour.matrix]
    assert np.corrcoef(luma, brightness)[0, 1] > 0.999


LOSSES = {
    "BT.709": (),
    "JPEG": ("colours are reduced to 4:2:0",),
    "4:4:4": ("colours are reduced to 4:2:0",),
    "10 bit": ("10-bit samples are reduced to 8-bit",),
    "RGBA": ("the alpha channel is dropped", "colours are reduced to 4:2:0"),
    "12 bit with alpha": (
        "12-bit samples are reduced to 8-bit",
        "the alpha channel is dropped",
        "colours are reduced to 4:2:0",
    ),
}


@pytest.mark.parametrize("kind", LOSSES)
def test_what_cannot_be_kept_is_said(tmp_path: Path, kind: str) -> None:
    video = open_video(film(tmp_path / "in", quarters(), KINDS[kind]), LIMITS)

    assert video.losses == LOSSES[kind]


def test_interlaced_pictures_and_further_tracks_are_said(tmp_path: Path) -> None:
    how = Film(container="mpegts", options={"flags": "+ildct+ilme", "x264-params": "tff=1"})
    interlaced = open_video(film(tmp_path / "in.ts", numbered(20), how), LIMITS)
    two_angles = open_video(_with_a_second_angle(tmp_path / "in.mkv"), LIMITS)

    assert interlaced.losses == ("interlaced pictures are encoded as progressive ones",)
    assert two_angles.losses == ("further tracks are left out: video",)


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_high_dynamic_range_is_refused(tmp_path: Path, transfer: int, name: str) -> None:
    how = Film(pixels="yuv420p10le", colours=(9, transfer, 9, 1))

    with pytest.raises(UnsupportedMedia, match=f"high dynamic range .{name}."):
        open_video(film(tmp_path / "in.mp4", quarters(), how), LIMITS)


def test_a_colour_matrix_that_cannot_be_undone_is_refused(tmp_path: Path) -> None:
    how = Film(colours=(1, 1, 8, 1))  # YCgCo

    with pytest.raises(UnsupportedMedia, match=r"matrix 8 of H\.273"):
        open_video(film(tmp_path / "in.mp4", quarters(), how), LIMITS)


def test_pictures_that_change_from_upright_to_lying_are_refused(tmp_path: Path) -> None:
    how = Film(container="h264")
    lying = film(tmp_path / "lying", numbered(3, width=64, height=48), how)
    standing = film(tmp_path / "standing", numbered(3, width=48, height=64), how)
    both = tmp_path / "both.h264"
    both.write_bytes(lying.read_bytes() + standing.read_bytes())

    for read in (open_video(both, LIMITS).frames, open_video(both, LIMITS).luma):
        with pytest.raises(UnsupportedMedia, match="changes size to 48x64 at frame 3"):
            list(read())


@pytest.mark.parametrize(("width", "height"), [(65, 48), (64, 49), (65, 49)])
def test_odd_sides_are_made_even_before_anything_else_sees_them(
    tmp_path: Path, width: int, height: int
) -> None:
    pictures = drawn_frames(2, width=width, height=height)
    clip = EvenClip(StillClip(pictures, 16))

    frames = list(clip.frames())
    write_video(clip, tmp_path / "out.mp4", FAST)

    even = (height + height % 2, width + width % 2)
    assert (clip.shape.height, clip.shape.width) == even == frames[0].rgb.shape[:2]
    assert np.array_equal(frames[1].rgb[:height, :width], pictures[1])
    assert np.array_equal(frames[1].rgb[-1, -1], pictures[1][-1, -1])
    shape = open_video(tmp_path / "out.mp4", LIMITS).shape
    assert (shape.height, shape.width) == even


def test_a_mark_is_clearer_in_pictures_that_were_even_before_it(tmp_path: Path) -> None:
    watermarker = open_watermarker(bytes(32))
    clip = StillClip(np.stack(textured.clip(frames=17, height=145, width=177)), 16)

    def marked(pictures: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
        return watermarker.embed(pictures, MarkId(7))

    clearness = []
    for order in (MappedClip(EvenClip(clip), marked), EvenClip(MappedClip(clip, marked))):
        path = tmp_path / f"{len(clearness)}.mp4"
        write_video(order, path, FAST)
        clearness.append(watermarker.detect(open_video(path, LIMITS).luma()).statistic)

    assert clearness[0] > clearness[1]


def test_a_clip_of_even_sides_is_handed_on_as_it_is() -> None:
    clip = StillClip(drawn_frames(1, width=64, height=48), 16)

    assert np.shares_memory(next(EvenClip(clip).frames()).rgb, clip.array)


def test_odd_sides_are_not_written(tmp_path: Path) -> None:
    clip = StillClip(drawn_frames(1, width=65, height=48), 16)

    with pytest.raises(UnsupportedMedia, match=r"65x48 .* EvenClip"):
        write_video(clip, tmp_path / "out.mp4", FAST)

    assert list(tmp_path.iterdir()) == []


def _with_exif(path: Path, *, orientation: int) -> Path:
    """Say in every JPEG of a film how it was held (Exif 2.32, 4.6.4: tag 0x0112, a SHORT)."""
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + entry + struct.pack("<I", 0)
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    tagged = path.with_suffix(".exif.mkv")
    with av.open(str(path)) as source, av.open(str(tagged), "w", format="matroska") as out:
        stream = out.add_stream_from_template(source.streams.video[0], opaque=True)
        for packet in source.demux(source.streams.video[0]):
            if packet.size:
                content = bytes(packet)
                held = av.Packet(content[:2] + segment + content[2:])
                held.pts, held.dts, held.time_base = packet.pts, packet.dts, packet.time_base
                held.stream = stream
                out.mux(held)
    return tagged


def _with_a_second_angle(path: Path) -> Path:
    with av.open(str(path), "w", format="matroska") as out:
        for width, height in ((64, 48), (32, 24)):
            stream = out.add_stream("mpeg4", rate=25)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for stream in out.streams.video:
            rgb = numbered(1, width=stream.width, height=stream.height)[0]
            out.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
            out.mux(stream.encode(None))
    return path
