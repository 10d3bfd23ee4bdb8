"""Where the mark's grid lies: trying geometries against the known signs.

A picture that was cropped, padded, turned or squeezed shows the grid scaled, turned and shifted. Trying a geometry does not need
the picture to be warped: the tile's frequencies under an affine map are again frequencies of the picture, so one Fourier
transform serves all tries and each reads only the 199 sync frequencies out of it. Where the grid is shifted to comes for free: it is the
peak of the correlation over all 64 x 64 shifts.

Only sync signs are used here, never the payload's: that is what lets `bound.py` charge nothing for this search.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from provenance.watermark.chips import TILE, Chips

Float = NDArray[np.float32]
Complex = NDArray[np.complex64]

BATCH = 256  # geometries tried at a time: 4 MB
SCALE_STEP = 0.005  # 416 canonical pixels across turn by a radian at the band's edge for .3 %
TURN_STEP_DEGREES = 0.4
SCALES = (0.5, 2.1)  # padded to twice the size ... cropped to a bit less than half
TURNED_SCALES = (0.85, 1.45)
SQUEEZED_SCALES = (0.7, 1.6)
MOST_TURN_DEGREES = 11.0
SQUEEZES = (0.7, 1.42)  # 16:9 shown as 4:3 is .75
NEIGHBOURS = 0.012  # two candidates closer than this are one


@dataclass(frozen=True, slots=True)
class Pose:
    """A geometry to try; see `provenance.watermark.Geometry` for what the fields mean."""

    scale_x: float = 1.0
    scale_y: float = 1.0
    turn_degrees: float = 0.0
    mirrored: bool = False

    def to_picture(self) -> NDArray[np.float64]:
        """Return the 2 x 2 map from where a thing was, to where it is seen, both (x, y) from the picture's centre."""
        angle = math.radians(self.turn_degrees)
        cos, sin = math.cos(angle), math.sin(angle)
        turn = np.array([[cos, sin], [-sin, cos]])  # counter-clockwise, y pointing down
        return turn @ np.diag([-self.scale_x if self.mirrored else self.scale_x, self.scale_y])


@dataclass(frozen=True, slots=True)
class Candidate:
    """A pose and how clearly the grid shows under it."""

    clarity: float  # highest correlation over all shifts, in standard deviations over the shifts
    pose: Pose


class Spectrum:
    """A picture's Fourier transform about its centre, readable between its own frequencies."""

    def __init__(self, picture: Float) -> None:
        height, width = picture.shape
        rows, columns = (cv2.getOptimalDFTSize(2 * side) // 2 * 2 for side in (height, width))
        padded = np.zeros((rows, columns), np.float32)
        padded[:height, :width] = picture
        # The centre goes to the origin: seen from there the spectrum is smooth and may be interpolated.
        padded = np.roll(padded, (-(height // 2), -(width // 2)), axis=(0, 1))
        self._values = np.fft.fftshift(np.fft.fft2(padded).astype(np.complex64))

    def at(self, vertical: NDArray[np.float64], horizontal: NDArray[np.float64]) -> Complex:
        """Return the spectrum at frequencies in cycles per pixel; 0 beyond the picture's own."""
        rows, columns = self._values.shape
        y = (vertical + 0.5) * rows
        x = (horizontal + 0.5) * columns
        inside = (y >= 0) & (y < rows - 1) & (x >= 0) & (x < columns - 1)
        y, x = np.where(inside, y, 0.0), np.where(inside, x, 0.0)
        top, left = y.astype(np.int64), x.astype(np.int64)
        down, right = (y - top).astype(np.float32), (x - left).astype(np.float32)
        flat, start = self._values.ravel(), top * columns + left
        upper = flat[start] * (1 - right) + flat[start + 1] * right
        lower = flat[start + columns] * (1 - right) + flat[start + columns + 1] * right
        return np.asarray((upper * (1 - down) + lower * down) * inside, np.complex64)


def clarity(spectrum: Spectrum, poses: Sequence[Pose], chips: Chips, *, fineness: int = 1) -> Float:
    """Return for each pose how clearly the grid shows, (poses,).

    Args:
        spectrum: of the picture.
        poses: what to try.
        chips: the key's tables.
        fineness: shifts tried per canonical pixel.
    """
    expected = np.conj(chips.sync_signs)
    found = np.empty(len(poses), np.float32)
    for start in range(0, len(poses), BATCH):
        some = poses[start : start + BATCH]
        maps = np.stack([np.linalg.inv(pose.to_picture()) for pose in some])  # (poses, 2, 2): picture to grid
        # The grid's frequency k sees the picture's frequency A^T k, for A from picture to grid.
        tile_xy = chips.sync_at[:, ::-1] / TILE  # (sync, 2) as (x, y)
        seen_xy = np.einsum("kj,pji->pki", tile_xy, maps)
        products = spectrum.at(seen_xy[..., 1], seen_xy[..., 0]) * expected  # (poses, sync)
        found[start : start + BATCH] = peaks(products, chips, fineness=fineness)[0]
    return found


def peaks(products: Complex, chips: Chips, *, fineness: int = 1) -> tuple[Float, NDArray[np.int64]]:
    """Return the highest correlation over all shifts in standard deviations (poses,), and its index of fine shifts."""
    side = TILE * fineness
    plane = np.zeros((len(products), side, side // 2 + 1), np.complex64)
    plane[:, chips.sync_at[:, 0], chips.sync_at[:, 1]] = products
    correlation = np.fft.irfft2(plane, (side, side)).reshape(len(products), -1)
    at = correlation.argmax(axis=1)
    highest = np.take_along_axis(correlation, at[:, None], axis=1)[:, 0]
    # Parseval: the mean square over all shifts, without looking at them.
    deviation = np.sqrt(2 * np.sum(np.abs(products) ** 2, axis=1)) / side**2
    return (highest / np.maximum(deviation, 1e-12)).astype(np.float32), at


def best(spectrum: Spectrum, poses: Sequence[Pose], chips: Chips, count: int) -> list[Candidate]:
    """Return the clearest poses, at most `count`, no two of them neighbours."""
    found = clarity(spectrum, poses, chips)
    kept: list[Candidate] = []
    for index in np.argsort(-found, kind="stable")[: 40 * count]:
        pose = poses[index]
        if all(_distance(pose, other.pose) > NEIGHBOURS for other in kept):
            kept.append(Candidate(float(found[index]), pose))
        if len(kept) == count:
            break
    return kept


def climb(spectrum: Spectrum, candidate: Candidate, chips: Chips) -> Candidate:
    """Return the clearest pose near a candidate: scales and turn are changed one by one, in ever smaller steps."""
    top = replace(candidate, clarity=float(clarity(spectrum, [candidate.pose], chips, fineness=2)[0]))
    step = 0.004
    while step > 0.0004:
        around = _around(top.pose, step)
        found = clarity(spectrum, around, chips, fineness=2)
        index = int(found.argmax())
        if found[index] > top.clarity + 1e-6:
            top = Candidate(float(found[index]), around[index])
        else:
            step /= 2
    return top


def scaled_poses() -> list[Pose]:
    """Return the poses of a picture that was cropped or padded, mirrored or not."""
    return [Pose(s, s, 0.0, mirrored) for mirrored in (False, True) for s in _steps(*SCALES)]


def turned_poses() -> list[Pose]:
    """Return the poses of a picture that was turned and then cropped or padded."""
    count = round(MOST_TURN_DEGREES / TURN_STEP_DEGREES)
    turns = [TURN_STEP_DEGREES * i for i in range(-count, count + 1) if i]
    scales = _steps(*TURNED_SCALES)
    return [Pose(s, s, turn, mirrored) for mirrored in (False, True) for turn in turns for s in scales]


def squeezed_poses() -> list[Pose]:
    """Return the poses of a picture whose sides were scaled differently."""
    squeezes = [squeeze for squeeze in _steps(*SQUEEZES) if abs(squeeze - 1) > SCALE_STEP / 2]
    return [Pose(s * squeeze, s, 0.0, mirrored=False) for squeeze in squeezes for s in _steps(*SQUEEZED_SCALES)]


def _steps(low: float, high: float) -> list[float]:
    return [float(s) for s in np.exp(np.arange(math.log(low), math.log(high), SCALE_STEP))]


def _distance(one: Pose, other: Pose) -> float:
    """Return by how much two poses move things, as a share of the picture; mirrored ones are far apart."""
    return float(np.abs(one.to_picture() - other.to_picture()).max())


def _around(pose: Pose, step: float) -> list[Pose]:
    degrees = math.degrees(step)
    return [
        changed
        for sign in (step, -step)
        for changed in (
            replace(pose, scale_x=pose.scale_x * (1 + sign), scale_y=pose.scale_y * (1 + sign)),
            replace(pose, scale_x=pose.scale_x * (1 + sign)),
            replace(pose, scale_y=pose.scale_y * (1 + sign)),
            replace(pose, turn_degrees=pose.turn_degrees + math.copysign(degrees, sign)),
        )
    ]
