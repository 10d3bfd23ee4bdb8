"""Clips that are hard to hide a mark in: drawn, flat or soft, without grain.

A codec keeps nothing in flat areas, and the eye finds everything there.
"""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def flat(count: int, height: int, width: int) -> Sequence[Picture]:
    """Return a cartoon: the sky a gradient, flat shapes that move, flat ground."""
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    sky = np.array([90, 140, 225], np.float32) + y * np.array([90, 60, -15], np.float32)
    ground = np.broadcast_to(sky, (height, width, 3)).copy()
    ground[round(0.69 * height) :] = (88, 150, 70)
    return [_shapes(ground.copy(), t) for t in range(count)]


def soft(count: int, height: int, width: int, seed: int = 7) -> Sequence[Picture]:
    """Return discs out of focus before a smooth ground that drifts."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(height + count, width + count, 3)).astype(np.float32)
    ground = cv2.GaussianBlur(noise, (0, 0), height / 8)
    ground = 75 + 30 * ground / ground.std()
    discs = list(_discs(rng, height, width))
    return [_bokeh(ground[t : t + height, t : t + width], discs, t) for t in range(count)]


def _shapes(picture: NDArray[np.float32], t: int) -> Picture:
    height, width = picture.shape[:2]
    unit = height / 480
    sun = (round((120 + 5 * t) * unit), round((120 + 20 * np.sin(t / 9)) * unit))
    cv2.circle(picture, sun, round(55 * unit), (250, 220, 90), -1, cv2.LINE_AA)
    hill = (round(width - (130 + 4 * t) * unit), round(340 * unit))
    axes = (round(90 * unit), round(60 * unit))
    cv2.ellipse(picture, hill, axes, 0, 0, 360, (190, 60, 60), -1, cv2.LINE_AA)
    left, right = round(0.46 * width), round(0.63 * width)
    top, bottom = round(210 * unit), round(360 * unit)
    cv2.rectangle(picture, (left, top), (right, bottom), (230, 225, 215), -1)
    return np.asarray(np.clip(cv2.GaussianBlur(picture, (0, 0), 1) + 0.5, 0, 255), np.uint8)


def _discs(
    rng: np.random.Generator, height: int, width: int
) -> Iterator[tuple[int, int, int, tuple[float, ...]]]:
    for _ in range(25):
        x, y = int(rng.uniform(0, width)), int(rng.uniform(0, height))
        radius = int(rng.uniform(0.025, 0.09) * height)
        yield x, y, radius, tuple(float(v) for v in rng.uniform(30, 115, 3))


def _bokeh(
    ground: NDArray[np.float32], discs: list[tuple[int, int, int, tuple[float, ...]]], t: int
) -> Picture:
    light = np.zeros_like(ground)
    for x, y, radius, colour in discs:
        cv2.circle(light, (round(x + 1.5 * t), y), radius, colour, -1)
    seen = ground + cv2.GaussianBlur(light, (0, 0), ground.shape[0] / 80)
    return np.asarray(np.clip(seen + 0.5, 0, 255), np.uint8)
