"""Clips that tests draw themselves: a lit ball on a textured ground, with grain.

Flat cartoons are no test of a watermark: a codec keeps nothing in flat areas, and no camera films
them.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Float = NDArray[np.float32]


def clip(*, frames: int = 33, height: int = 256, width: int = 256, seed: int = 3) -> list[Picture]:
    """Return RGB frames (height, width, 3): a lit ball crosses a slowly panning ground."""
    rng = np.random.default_rng(seed)
    ground = _texture(rng, height + frames, width + 2 * frames, grain=6.0)
    skin = _texture(rng, height, width, grain=2.0)
    colours = rng.uniform([90, 90, 90], [190, 190, 190], size=(2, 3))
    return [
        _frame(rng, ground[t : t + height, 2 * t : 2 * t + width], skin, colours, t)
        for t in range(frames)
    ]


def plain(
    *, frames: int = 17, height: int = 144, width: int = 176, grey: int = 128
) -> list[Picture]:
    """Return RGB frames of one grey."""
    return [np.full((height, width, 3), grey, np.uint8) for _ in range(frames)]


def _frame(
    rng: np.random.Generator, ground: Float, skin: Float, colours: NDArray[np.float64], t: int
) -> Picture:
    height, width = ground.shape
    y, x = np.mgrid[:height, :width]
    centre_y, centre_x = height / 2 + height / 12 * np.sin(t / 6), (width / 4 + 3.5 * t) % width
    inside = np.clip(0.19 * min(height, width) - np.hypot(y - centre_y, x - centre_x), 0, 1)[
        ..., None
    ]
    back = colours[0] + (6 * ground + (y - height / 2) / height * 64)[..., None]
    light = 1 - 0.3 * ((x - centre_x) + (y - centre_y)) / min(height, width)
    ball = colours[1] * light[..., None] + 10 * skin[..., None]
    picture = back * (1 - inside) + ball * inside + rng.normal(0, 2, (height, width, 1))
    return np.asarray(np.clip(picture + 0.5, 0, 255), np.uint8)


def _texture(rng: np.random.Generator, height: int, width: int, *, grain: float) -> Float:
    smooth = np.asarray(
        cv2.GaussianBlur(rng.normal(size=(height, width)).astype(np.float32), (0, 0), grain),
        np.float32,
    )
    return np.asarray(smooth / smooth.std(), np.float32)
