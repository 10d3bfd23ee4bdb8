"""An attacker who only has the pixels: re-encodes, scales, crops, turns, mirrors a clip.

Every attack takes RGB frames (height, width, 3) and gives RGB frames; metadata, sound and
time-stamps are gone.
"""

import io
from collections.abc import Iterable, Sequence

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


def h265(frames: Sequence[Picture], *, crf: int, frame_rate: int = 16) -> list[Picture]:
    """Return the frames after H.265 encoding and decoding."""
    options = {"crf": str(crf), "preset": "fast", "x265-params": "log-level=none:pools=1"}
    return _through("libx265", frames, frame_rate, options)


def _through(
    codec: str, frames: Sequence[Picture], frame_rate: int, options: dict[str, str]
) -> list[Picture]:
    """Encode and decode in memory; an odd row or column is cut off, as encoders do.

    One thread: x264 with several does not always give the same picture twice.
    """
    file = io.BytesIO()
    height, width = (side // 2 * 2 for side in frames[0].shape[:2])
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream(codec, rate=frame_rate, options={**options, "threads": "1"})
        if not isinstance(stream, VideoStream):
            raise TypeError(f"{codec} is no video codec")
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
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


def resize(frames: Iterable[Picture], *, width: float, height: float) -> list[Picture]:
    """Return the frames at `width` and `height` times their size."""
    way = cv2.INTER_AREA if min(width, height) < 1 else cv2.INTER_CUBIC
    return [
        _rgb(cv2.resize(frame, None, fx=width, fy=height, interpolation=way)) for frame in frames
    ]


def crop(frames: Iterable[Picture], *, area: float) -> list[Picture]:
    """Return an off-centre part with the given share of the area, at the size it has."""
    return [_window(frame, area**0.5) for frame in frames]


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


def _window(frame: Picture, side: float) -> Picture:
    height, width = frame.shape[:2]
    rows, columns = int(height * side) // 2 * 2, int(width * side) // 2 * 2
    top, left = int((height - rows) * 0.61), int((width - columns) * 0.37)
    return np.ascontiguousarray(frame[top : top + rows, left : left + columns])


def _turned(frame: Picture, degrees: float) -> Picture:
    height, width = frame.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return _rgb(cv2.warpAffine(frame, matrix, (width, height), flags=cv2.INTER_LINEAR))


def _rgb(frame: NDArray[np.generic]) -> Picture:
    return np.ascontiguousarray(frame, dtype=np.uint8)
