"""Where the mark's grid lies: trying poses against the known signs.

A picture that was cropped, padded, turned or squeezed shows the grid scaled, turned and shifted.
Trying a pose does not need the picture to be warped: the tile's frequencies under an affine map
are again frequencies of the picture, so one Fourier transform serves all tries and each reads only
the 199 sync frequencies out of it. Where the grid is shifted to comes for free: it is the peak of
the correlation over all 64 x 64 shifts.

Only sync signs are used here, never the payload's: that is what lets `bound.py` charge nothing for
this search.
"""

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from provenance.watermark.chips import TILE, Chips

Float = NDArray[np.float32]
Double = NDArray[np.float64]
Complex = NDArray[np.complex64]

BATCH = 256  # poses whose frequencies are read at a time: .4 MB
AT_ONCE = 2**17  # shifts of all poses whose correlations are looked at together: .5 MB
WIDE_STEP = 0.005  # scale: 416 canonical pixels across turn by a radian at the band's edge for .3 %
HIGH_STEP = 0.008  # scale of the height alone, of which there are only 240
TURN_STEP_DEGREES = 0.4
SCALES = (0.4, 2.1)  # 2.4:1 in a square ... cropped to a bit less than half its sides
TURNED_SCALES = (0.85, 1.45)
MOST_TURN_DEGREES = 11.0
SQUEEZED_HEIGHTS = (0.7, 1.6)
SQUEEZES = (0.7, 1.42)  # width over height: 16:9 shown as 4:3 is .75
STRETCHES = (0.3, 3.0)  # of one side of a whole picture: 16:9 shown as 9:16 is .32
SEARCHED = 3  # pictures searched: the whole clip, its first moment (a key frame), its middle
POSES = 29_260  # that are tried in each before the clearest are refined
NEIGHBOURS = 0.012  # two poses that move nothing further apart than this are one
FIRST_CLIMB, LAST_CLIMB = 0.004, 0.0004  # steps of scale or of radians


@dataclass(frozen=True, slots=True)
class Pose:
    """A geometry to try; `provenance.watermark.Geometry` says what the fields mean."""

    scale_x: float = 1.0
    scale_y: float = 1.0
    turn_degrees: float = 0.0
    mirrored: bool = False

    @property
    def upright(self) -> bool:
        """Whether the picture was at most resized or mirrored."""
        return (self.scale_x, self.scale_y, self.turn_degrees) == (1.0, 1.0, 0.0)

    def to_picture(self) -> Double:
        """Return the 2 x 2 map from where a thing was to where it is, (x, y) from the centre."""
        row = (-self.scale_x if self.mirrored else self.scale_x, self.scale_y, self.turn_degrees)
        return np.asarray(_maps(np.array([row]))[0])


class Spectrum:
    """A picture's Fourier transform about its centre, readable between its own frequencies."""

    def __init__(self, picture: Float) -> None:
        height, width = picture.shape
        rows, columns = (cv2.getOptimalDFTSize(2 * side) // 2 * 2 for side in (height, width))
        padded = np.zeros((rows, columns), np.float32)
        padded[:height, :width] = picture
        # Seen from the centre the spectrum is smooth and may be interpolated.
        padded = np.roll(padded, (-(height // 2), -(width // 2)), axis=(0, 1))
        self._values = np.fft.fftshift(np.fft.fft2(padded).astype(np.complex64))

    def at(self, vertical: Float, horizontal: Float) -> Complex:
        """Return the spectrum at frequencies in cycles per pixel; 0 beyond the picture's own."""
        rows, columns = self._values.shape
        y = (vertical + np.float32(0.5)) * np.float32(rows)
        x = (horizontal + np.float32(0.5)) * np.float32(columns)
        inside = (y >= 0) & (y < rows - 1) & (x >= 0) & (x < columns - 1)
        y, x = y * inside, x * inside
        top, left = y.astype(np.int32), x.astype(np.int32)
        down, right = (y - top).astype(np.float32), (x - left).astype(np.float32)
        flat, start = self._values.ravel(), top * columns + left
        upper = flat[start] * (1 - right) + flat[start + 1] * right
        lower = flat[start + columns] * (1 - right) + flat[start + columns + 1] * right
        return np.asarray((upper * (1 - down) + lower * down) * inside, np.complex64)


@dataclass(frozen=True, slots=True)
class Candidates:
    """The clearest of many poses."""

    poses: tuple[Pose, ...]  # refined; no two were neighbours before
    clarity: float  # of the clearest, as it was tried and not refined: what `presence.py` weighs


def candidates(spectrum: Spectrum, rows: Double, chips: Chips, *, count: int) -> Candidates:
    """Return the clearest of many poses.

    Args:
        spectrum: of the picture.
        rows: poses to try, (poses, 3): horizontal scale (negative if mirrored), vertical scale,
            turn in degrees.
        chips: the key's tables.
        count: how many to return at most.
    """
    found = _clarity(spectrum, rows, chips)
    kept: list[Double] = []
    for index in np.argsort(-found, kind="stable")[: 40 * count]:
        if all(_distance(rows[index], other) > NEIGHBOURS for other in kept):
            kept.append(rows[index])
        if len(kept) == count:
            break
    poses = tuple(_pose(_climb(spectrum, row, chips)) for row in kept)
    return Candidates(poses, float(found.max()))


def scaled() -> Double:
    """Return the poses of a picture that was cropped or padded, mirrored or not."""
    scales = _steps(*SCALES, WIDE_STEP)
    return _with_mirrored(np.stack([scales, scales, np.zeros_like(scales)], axis=1))


def turned() -> Double:
    """Return the poses of a picture that was turned and then cropped or padded, mirrored or not."""
    count = round(MOST_TURN_DEGREES / TURN_STEP_DEGREES)
    turns = TURN_STEP_DEGREES * np.array([i for i in range(-count, count + 1) if i])
    turn, scale = (
        grid.ravel()
        for grid in np.meshgrid(turns, _steps(*TURNED_SCALES, WIDE_STEP), indexing="ij")
    )
    return _with_mirrored(np.stack([scale, scale, turn], axis=1))


def squeezed() -> Double:
    """Return the poses of a picture whose sides were scaled differently."""
    squeezes = _steps(*SQUEEZES, WIDE_STEP)
    squeeze, height = (
        grid.ravel()
        for grid in np.meshgrid(squeezes, _steps(*SQUEEZED_HEIGHTS, HIGH_STEP), indexing="ij")
    )
    return np.stack([squeeze * height, height, np.zeros_like(height)], axis=1)


def stretched(rows: int, columns: int) -> Double:
    """Return the poses of a whole picture that was stretched to another shape, as far as 1:3.

    Further than `squeezed` goes, but nothing is cut off: one side still is the whole side.

    Args:
        rows: height of the canonical picture.
        columns: width of it.
    """
    stretch = _steps(*STRETCHES, WIDE_STEP)
    one = np.ones_like(stretch)
    # Either the short side of the picture is what was its short side, or it was the other one.
    long = max(rows, columns) / min(rows, columns)
    pairs = [(stretch, one), (one, stretch), (stretch, one * long), (one * long, stretch)]
    return np.concatenate([np.stack([across, high, 0 * one], axis=1) for across, high in pairs])


def peaks(products: Complex, chips: Chips, *, fineness: int) -> tuple[Float, NDArray[np.int64]]:
    """Return the highest correlation over all shifts, in their standard deviations, and where.

    Args:
        products: received sync frequencies times the expected signs' conjugates, (poses, sync).
        chips: the key's tables.
        fineness: shifts tried per canonical pixel.

    Returns:
        The peaks (poses,), and their positions (poses,) in rows of 64 * `fineness` shifts.
    """
    side = TILE * fineness
    columns = int(chips.sync_at[:, 1].max()) + 1  # the band ends there: the others hold nothing
    at_once = max(1, AT_ONCE // side**2)
    # Fresh memory for every plane would cost as much time as its transform. (NumPy's stubs know no
    # `out` in single precision.)
    plane: NDArray[Any] = np.zeros((at_once, columns, side), np.complex64)
    halfway: NDArray[Any] = np.zeros((at_once, side, side // 2 + 1), np.complex64)
    correlation: NDArray[Any] = np.empty((at_once, side, side), np.float32)
    highest, at = np.empty(len(products), np.float32), np.empty(len(products), np.int64)
    for start in range(0, len(products), at_once):
        part = slice(start, start + at_once)
        count = len(products[part])
        plane[:count, chips.sync_at[:, 1], chips.sync_at[:, 0]] = products[part]
        np.fft.ifft(plane[:count], axis=2, out=halfway[:count, :, :columns].transpose(0, 2, 1))
        np.fft.irfft(halfway[:count], side, axis=2, out=correlation[:count])
        shifts = correlation[:count].reshape(count, -1)
        at[part] = shifts.argmax(axis=1)
        highest[part] = shifts[np.arange(count), at[part]]
    # Parseval: the mean square over all shifts, without looking at them.
    deviation = np.sqrt(2 * np.sum(np.abs(products) ** 2, axis=1)) / side**2
    return (highest / np.maximum(deviation, 1e-12)).astype(np.float32), at


def levelled(seen: Complex) -> Complex:
    """Return frequencies with the root of their size: where the picture shouts counts less."""
    return np.asarray(seen / np.sqrt(np.abs(seen) + 1e-12), np.complex64)


def _clarity(spectrum: Spectrum, rows: Double, chips: Chips, *, fineness: int = 1) -> Float:
    """Return for each pose how clearly the grid shows, (poses,)."""
    vertical, horizontal = (chips.sync_at.T / TILE).astype(np.float32)
    expected = np.conj(chips.sync_signs)
    found = np.empty(len(rows), np.float32)
    for start in range(0, len(rows), BATCH):
        # The grid's frequency k is the picture's frequency A^T k; A maps picture to grid.
        to_grid = np.linalg.inv(_maps(rows[start : start + BATCH])).astype(np.float32)
        x = np.outer(to_grid[:, 0, 0], horizontal) + np.outer(
            to_grid[:, 1, 0], vertical
        )  # (poses, sync)
        y = np.outer(to_grid[:, 0, 1], horizontal) + np.outer(to_grid[:, 1, 1], vertical)
        seen = levelled(spectrum.at(y, x))
        found[start : start + BATCH] = peaks(seen * expected, chips, fineness=fineness)[0]
    return found


def _climb(spectrum: Spectrum, row: Double, chips: Chips) -> Double:
    """Return the clearest pose near one: scales and turn change by ever smaller steps."""
    top, height, step = row, float(_clarity(spectrum, row[None], chips, fineness=2)[0]), FIRST_CLIMB
    while step >= LAST_CLIMB:
        around = np.concatenate([_around(top, step), _around(top, -step)])
        found = _clarity(spectrum, around, chips, fineness=2)
        index = int(found.argmax())
        if found[index] > height + 1e-6:
            top, height = around[index], float(found[index])
        else:
            step /= 2
    return top


def _around(row: Double, step: float) -> Double:
    grown = np.array([[1 + step, 1 + step, 1], [1 + step, 1, 1], [1, 1 + step, 1], [1, 1, 1]])
    turned_by = np.array([0, 0, 0, math.degrees(step)])
    return np.asarray(row * grown + turned_by[:, None] * np.array([0, 0, 1]))


def _maps(rows: Double) -> Double:
    """Return the maps (poses, 2, 2) from grid to picture over (x, y), y pointing down."""
    angle = np.radians(rows[:, 2])
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.stack([np.stack([cos, sin], axis=1), np.stack([-sin, cos], axis=1)], axis=1)
    return np.asarray(turn * rows[:, None, :2])


def _pose(row: Double) -> Pose:
    across, high, turn = (float(value) for value in row)
    return Pose(abs(across), high, turn, mirrored=across < 0)


def _distance(one: Double, other: Double) -> float:
    """Return how far apart two poses move things, as a share of the picture."""
    return float(np.abs(_maps(one[None]) - _maps(other[None])).max())


def _with_mirrored(rows: Double) -> Double:
    return np.concatenate([rows, rows * np.array([-1, 1, 1])])


def _steps(low: float, high: float, step: float) -> Double:
    return np.asarray(np.exp(np.arange(math.log(low), math.log(high), step)))
