"""Files as cameras, editors and old programs leave them, made with PyAV and a few patched bytes."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

Frames = NDArray[np.uint8]

REORDERED = {"bf": "2", "x264-params": "b-adapt=0"}  # B-frames, whatever the pictures are
DARKEST, STEP = 40, 5  # of `numbered`


@dataclass(frozen=True, slots=True)
class Film:
    """How pictures are put into a file."""

    container: str = "mp4"
    codec: str = "libx264"
    pixels: str = "yuv420p"
    rate: Fraction | int = 25
    options: dict[str, str] = field(default_factory=dict)
    muxer: dict[str, str] = field(default_factory=dict)
    colours: tuple[int, int, int, int] = (2, 2, 2, 0)  # primaries, transfer, matrix, range
    ticks: Sequence[int] | None = None  # when each picture is shown; else one after the other
    time_base: Fraction | None = None  # of these ticks


def numbered(count: int, *, width: int = 64, height: int = 48) -> Frames:
    """Return grey pictures (time, height, width, 3), each lighter than the last."""
    levels = DARKEST + STEP * np.arange(count, dtype=np.uint8)
    return np.ascontiguousarray(
        np.broadcast_to(levels[:, None, None, None], (count, height, width, 3))
    )


def number_of(picture: NDArray[np.uint8]) -> int:
    """Return which of the `numbered` pictures one is, RGB or luma of full range."""
    return round((float(picture.mean()) - DARKEST) / STEP)


def film(path: Path, frames: Frames, how: Film) -> Path:
    """Write RGB pictures (time, height, width, 3) as a file of any kind and return where it is."""
    with av.open(str(path), "w", format=how.container, options=how.muxer) as out:
        stream = out.add_stream(how.codec, rate=Fraction(how.rate), options=how.options)
        if not isinstance(stream, VideoStream):
            raise TypeError(f"{how.codec} is no video codec")
        _, stream.height, stream.width, _ = frames.shape
        stream.pix_fmt = how.pixels
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace = how.colours[:3]
        context.color_range = how.colours[3]
        base = how.time_base or 1 / Fraction(how.rate)
        context.time_base = base
        for ticks, rgb in zip(how.ticks or range(len(frames)), frames, strict=True):
            picture = _picture(rgb, how)
            picture.pts, picture.time_base = ticks, base
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))
    return path


def _picture(rgb: Frames, how: Film) -> av.VideoFrame:
    picture = av.VideoFrame.from_ndarray(rgb, format="rgb24")
    matrix, full = how.colours[2], how.colours[3]
    return picture.reformat(
        format=how.pixels,
        dst_colorspace=5 if matrix in {2, 6} else matrix,  # swscale's number for BT.601
        dst_color_range=full or None,
    )


def with_matrix(path: Path, a: int, b: int, c: int, d: int) -> Path:
    """Give the first track of an MP4 the display matrix a b c d, in whole numbers, in place."""
    content = bytearray(path.read_bytes())
    # ISO 14496-12, 8.3.2: version 0 has 40 bytes before the matrix, counted from the version.
    at = content.index(b"tkhd") + 4 + 40
    one = 2**16
    content[at : at + 36] = struct.pack(
        ">9i", a * one, b * one, 0, c * one, d * one, 0, 0, 0, 2**30
    )
    path.write_bytes(content)
    return path


def trimmed(path: Path, *, skip_ticks: int, seconds: float) -> Path:
    """Leave out the begin and the end of an MP4 as phones do: in its first edit list, in place."""
    content = bytearray(path.read_bytes())
    scale_at = content.index(b"mvhd") + 4 + 12  # version 0: after the version and two dates
    (movie_scale,) = struct.unpack_from(">I", content, scale_at)
    entry = content.index(b"elst") + 4 + 8  # after the version and the number of entries
    _, media_time = struct.unpack_from(">Ii", content, entry)
    struct.pack_into(">Ii", content, entry, round(seconds * movie_scale), media_time + skip_ticks)
    path.write_bytes(content)
    return path
