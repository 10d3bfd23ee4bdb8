"""An attacker who only has the pixels: re-encodes, scales, crops, turns, mirrors a clip.

Every attack takes RGB frames (height, width, 3) and gives RGB frames; metadata, sound and
time-stamps are gone.
"""

import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def h264(
    frames: Sequence[Picture], *, crf: int, frame_rate: int = 16, preset: str = "medium"
) -> list[Picture]:
    """Return the frames after H.264 encoding and decoding."""
    return _through("libx264", frames, frame_rate, {"crf": str(crf), "preset": preset})


def h264_at_rate(
    frames: Sequence[Picture], *, kbit_s: int, most_kbit_s: int, frame_rate: int = 16
) -> list[Picture]:
    """Return the frames after H.264 encoding for a line of so many kilobits a second."""
    options = {
        "b": f"{kbit_s}k", "maxrate": f"{most_kbit_s}k", "bufsize": f"{2 * kbit_s}k",
        "preset": "fast", "profile": "main",
    }  # fmt: skip
    return _through("libx264", frames, frame_rate, options)


def h265(frames: Sequence[Picture], *, crf: int, frame_rate: int = 16) -> list[Picture]:
    """Return the frames after H.265 encoding and decoding."""
    options = {"crf": str(crf), "preset": "fast"}
    options["x265-params"] = "log-level=none:pools=1:frame-threads=1"
    return _through("libx265", frames, frame_rate, options)


def vp9(frames: Sequence[Picture], *, crf: int, frame_rate: int = 16) -> list[Picture]:
    """Return the frames after VP9 encoding, as live services set it, and decoding."""
    options = {"crf": str(crf), "b": "0", "cpu-used": "5", "deadline": "realtime", "row-mt": "0"}
    return _through("libvpx-vp9", frames, frame_rate, options)


def av1(frames: Sequence[Picture], *, crf: int, frame_rate: int = 16) -> list[Picture]:
    """Return the frames after AV1 encoding and decoding."""
    options = {"crf": str(crf), "preset": "9", "svtav1-params": "lp=1"}
    # Run by root, SVT-AV1 makes its caller a real-time thread, and all else stands still.
    policy, priority = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        return _through("libsvtav1", frames, frame_rate, options)
    finally:
        os.sched_setscheduler(0, policy, priority)


def mpeg4(frames: Sequence[Picture], *, quantiser: int, frame_rate: int = 16) -> list[Picture]:
    """Return the frames after MPEG-4 part 2, as old recorders and DivX files have it."""
    return _through("mpeg4", frames, frame_rate, {"qmin": str(quantiser), "qmax": str(quantiser)})


def mjpeg(frames: Sequence[Picture], *, quantiser: int, frame_rate: int = 16) -> list[Picture]:
    """Return the frames after motion JPEG, as cameras and screen recorders have it."""
    options = {"qmin": str(quantiser), "qmax": str(quantiser)}
    return _through("mjpeg", frames, frame_rate, options, pixels="yuvj420p")


def _through(
    codec: str,
    frames: Sequence[Picture],
    frame_rate: int,
    options: dict[str, str],
    *,
    pixels: str = "yuv420p",
) -> list[Picture]:
    """Encode and decode in memory; an odd row or column is cut off, as encoders do.

    One thread: x264 with several does not always give the same picture twice.
    """
    if codec == "libx264" and _has_avx512():
        # Its lookahead by AVX-512 reads memory that nobody set: without this, 60 encodings of the
        # same 30 frames came out in 4 ways (measured, PyAV 18.1).
        options = {**options, "x264-params": "asm=avx2"}
    file = io.BytesIO()
    height, width = (side // 2 * 2 for side in frames[0].shape[:2])
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream(codec, rate=frame_rate, options={**options, "threads": "1"})
        if not isinstance(stream, VideoStream):
            raise TypeError(f"{codec} is no video codec")
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        for index, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(frame[:height, :width]), format="rgb24"
            )
            picture.pts = index
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    file.seek(0)
    with av.open(file, "r") as made:
        return [_rgb(frame.to_ndarray(format="rgb24")) for frame in made.decode(video=0)]


def _has_avx512() -> bool:
    try:
        return "avx512" in Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:  # another system than Linux
        return False


def resize(frames: Iterable[Picture], *, width: float, height: float) -> list[Picture]:
    """Return the frames at `width` and `height` times their size."""
    way = cv2.INTER_AREA if min(width, height) < 1 else cv2.INTER_CUBIC
    return [
        _rgb(cv2.resize(frame, None, fx=width, fy=height, interpolation=way)) for frame in frames
    ]


def crop(
    frames: Iterable[Picture], *, area: float, across: float = 0.37, down: float = 0.61
) -> list[Picture]:
    """Return a part with the given share of the area, at the size it has.

    Args:
        frames: RGB frames.
        area: how much is left.
        across: where it lies, 0 at the left edge, 1 at the right one; off-centre unless told.
        down: the same, 0 at the top.
    """
    return [_window(frame, area**0.5, across, down) for frame in frames]


def rotate(frames: Iterable[Picture], *, degrees: float) -> list[Picture]:
    """Return the frames turned counter-clockwise about their centre, with black corners."""
    return [_turned(frame, degrees) for frame in frames]


def mirror(frames: Iterable[Picture]) -> list[Picture]:
    """Return the frames with left and right swapped."""
    return [np.ascontiguousarray(frame[:, ::-1]) for frame in frames]


def screenshot(frames: Sequence[Picture], *, quality: int) -> list[Picture]:
    """Return the middle frame alone, as a JPEG file would keep it."""
    middle = np.ascontiguousarray(frames[len(frames) // 2][..., ::-1])
    _, encoded = cv2.imencode(".jpg", middle, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return [_rgb(np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR))[..., ::-1])]


def noise(frames: Iterable[Picture], *, sigma: float, rng: np.random.Generator) -> list[Picture]:
    """Return the frames with white Gaussian noise of so many grey levels."""
    return [_rgb(np.clip(frame + rng.normal(0.5, sigma, frame.shape), 0, 255)) for frame in frames]


def pad_to_square(frames: Iterable[Picture]) -> list[Picture]:
    """Return the frames with black bars to a square of the long side, as for a social feed."""
    return [_padded(frame) for frame in frames]


def _padded(frame: Picture) -> Picture:
    height, width = frame.shape[:2]
    side = max(height, width)
    square = np.zeros((side, side, 3), np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = frame
    return square


def _window(frame: Picture, side: float, across: float, down: float) -> Picture:
    height, width = frame.shape[:2]
    rows, columns = int(height * side) // 2 * 2, int(width * side) // 2 * 2
    top, left = int((height - rows) * down), int((width - columns) * across)
    return np.ascontiguousarray(frame[top : top + rows, left : left + columns])


def _turned(frame: Picture, degrees: float) -> Picture:
    height, width = frame.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return _rgb(cv2.warpAffine(frame, matrix, (width, height), flags=cv2.INTER_LINEAR))


def _rgb(frame: NDArray[np.generic]) -> Picture:
    return np.ascontiguousarray(frame, dtype=np.uint8)
