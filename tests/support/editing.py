"""An attacker with an editing program: colours, overlays, time, and a camera before a screen.

Like `reencode.py`, every attack takes RGB frames (height, width, 3) and gives RGB frames. Lengths
on the picture are shares of its size, so that a small clip is hurt as much as a large one.
"""

from collections.abc import Callable, Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Float = NDArray[np.floating]


def with_levels(frames: Iterable[Picture], curve: Callable[[Float], Float]) -> list[Picture]:
    """Return the frames with each grey level replaced by `curve(level)`, both from 0 to 1."""
    levels = curve(np.arange(256, dtype=np.float32) / 255)
    table = np.clip(255 * levels + 0.5, 0, 255).astype(np.uint8)
    return [_rgb(cv2.LUT(frame, table)) for frame in frames]


def with_hue(frames: Iterable[Picture], *, degrees: int) -> list[Picture]:
    """Return the frames with all hues moved around the circle."""
    return [_with_hue(frame, degrees) for frame in frames]


def grey(frames: Iterable[Picture]) -> list[Picture]:
    """Return the frames without colour."""
    return [_rgb(cv2.merge([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)] * 3)) for frame in frames]


def blur(frames: Iterable[Picture], *, sigma: float) -> list[Picture]:
    """Return the frames after a Gaussian blur of so many pixels."""
    return [_rgb(cv2.GaussianBlur(frame, (0, 0), sigma)) for frame in frames]


def median(frames: Iterable[Picture], *, side: int) -> list[Picture]:
    """Return the frames with each value replaced by the median around it."""
    return [_rgb(cv2.medianBlur(frame, side)) for frame in frames]


def sharpen(frames: Iterable[Picture], *, amount: float, sigma: float = 1.5) -> list[Picture]:
    """Return the frames after unsharp masking."""
    return [
        _rgb(cv2.addWeighted(frame, 1 + amount, cv2.GaussianBlur(frame, (0, 0), sigma), -amount, 0))
        for frame in frames
    ]


def grain(frames: Sequence[Picture], *, sigma: float, seed: int = 1) -> list[Picture]:
    """Return the frames with fresh white noise of so many grey levels in every one."""
    rng = np.random.default_rng(seed)
    return [
        _clipped(frame + np.float32(sigma) * rng.standard_normal(frame.shape, np.float32))
        for frame in frames
    ]


def dither(frames: Iterable[Picture], *, levels: int) -> list[Picture]:
    """Return the frames with few levels per colour, as a GIF has them, by a 4 x 4 Bayer matrix."""
    order = [[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]
    return [_dithered(frame, levels, (np.array(order, np.float32) + 0.5) / 16) for frame in frames]


def logo(frames: Iterable[Picture]) -> list[Picture]:
    """Return the frames with a station's logo, a headline and a lower third."""
    return [_with_logo(frame) for frame in frames]


def bars(frames: Iterable[Picture]) -> list[Picture]:
    """Return the frames with black bars over an eighth of them above and below."""
    return [_barred(frame) for frame in frames]


def pad_at_the_sides(frames: Iterable[Picture]) -> list[Picture]:
    """Return the frames with black bars left and right, a fifth of the width each."""
    return [
        _rgb(cv2.copyMakeBorder(frame, 0, 0, side, side, cv2.BORDER_CONSTANT, value=(0, 0, 0)))
        for frame in frames
        for side in [frame.shape[1] // 5]
    ]


def at_size(frames: Iterable[Picture], *, width: int, height: int) -> list[Picture]:
    """Return the frames at a size in pixels, whatever that does to their proportions."""
    return [_sized(frame, width, height) for frame in frames]


def no_higher_than(frames: Sequence[Picture], height: int) -> list[Picture]:
    """Return the frames scaled down to a height, as platforms do; smaller ones as they are."""
    rows, columns = frames[0].shape[:2]
    if rows <= height:
        return list(frames)
    return at_size(frames, width=round(columns * height / rows / 2) * 2, height=height)


def at_frame_rate(frames: Sequence[Picture], *, old: float, new: float) -> list[Picture]:
    """Return the frames shown at another rate: some twice, or some not at all."""
    count = max(round(len(frames) * new / old), 1)
    return [frames[min(int(index * old / new), len(frames) - 1)] for index in range(count)]


def middle(frames: Sequence[Picture], *, count: int) -> list[Picture]:
    """Return so many frames out of the middle."""
    start = max((len(frames) - count) // 2, 0)
    return list(frames[start : start + count])


def half_dropped(frames: Sequence[Picture], *, seed: int = 3) -> list[Picture]:
    """Return half of the frames, picked at random, in their order."""
    kept = np.random.default_rng(seed).permutation(len(frames))[: max(len(frames) // 2, 1)]
    return [frames[index] for index in sorted(kept)]


def perspective(frames: Iterable[Picture], *, lean: float) -> list[Picture]:
    """Return the frames as seen from aside: corners move by up to `lean` of the sides."""
    shares = np.array([[0.9, 0.5], [-0.3, 1.0], [-0.8, -0.4], [0.5, -0.7]], np.float32)
    return [_leaned(frame, lean * shares) for frame in frames]


def moire(frames: Iterable[Picture], *, levels: float) -> list[Picture]:
    """Return the frames with the faint waves that a sensor's grid sees on a screen's."""
    return [_with_waves(frame, levels, index) for index, frame in enumerate(frames)]


def _with_hue(frame: Picture, degrees: int) -> Picture:
    seen = cv2.cvtColor(frame, cv2.COLOR_RGB2HSV)
    seen[..., 0] = (seen[..., 0].astype(np.int32) + degrees // 2) % 180  # 8 bits: half degrees
    return _rgb(cv2.cvtColor(seen, cv2.COLOR_HSV2RGB))


def _dithered(frame: Picture, levels: int, order: Float) -> Picture:
    height, width = frame.shape[:2]
    tiled = np.tile(order, (-(-height // 4), -(-width // 4)))[:height, :width, None]
    return _clipped(np.floor(frame / 255 * (levels - 1) + tiled) / (levels - 1) * 255)


def _with_logo(frame: Picture) -> Picture:
    height, width = frame.shape[:2]
    drawn = frame.copy()
    box = drawn[round(0.81 * height) : round(0.96 * height), round(0.72 * width) : -width // 42]
    box[:] = (box * 0.15 + np.array([204, 34, 34])).astype(np.uint8)
    drawn[round(0.87 * height) : round(0.97 * height), : round(0.69 * width)] = (20, 20, 120)
    where, size, white = (round(0.024 * width), round(0.125 * height)), height / 343, (255,) * 3
    thickness = max(height // 120, 1)
    cv2.putText(drawn, "BREAKING NEWS 24", where, 0, size, white, thickness, cv2.LINE_AA)
    return drawn


def _barred(frame: Picture) -> Picture:
    drawn, bar = frame.copy(), frame.shape[0] // 8
    drawn[:bar], drawn[-bar:] = 0, 0
    return drawn


def _sized(frame: Picture, width: int, height: int) -> Picture:
    way = cv2.INTER_AREA if width * height < frame.shape[0] * frame.shape[1] else cv2.INTER_CUBIC
    return _rgb(cv2.resize(frame, (width, height), interpolation=way))


def _leaned(frame: Picture, shares: Float) -> Picture:
    height, width = frame.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners + shares * np.array([width, height], np.float32)
    seen = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    return _rgb(cv2.warpPerspective(frame, seen, (width, height), flags=cv2.INTER_LINEAR))


def _with_waves(frame: Picture, levels: float, index: int) -> Picture:
    y, x = np.mgrid[: frame.shape[0], : frame.shape[1]].astype(np.float32)
    waves = np.sin(0.9 * x + 0.11 * y + index) + np.sin(0.07 * x - 0.8 * y)
    return _clipped(frame + levels / 2 * waves[..., None])


def _clipped(values: NDArray[np.floating]) -> Picture:
    return np.asarray(np.clip(values + 0.5, 0, 255), np.uint8)


def _rgb(frame: NDArray[np.generic]) -> Picture:
    return np.ascontiguousarray(frame, dtype=np.uint8)
