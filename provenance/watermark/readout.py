"""From pictures and a pose to payloads: unwarp, fold, align, weigh, decode, and weigh the evidence.

One pose gives several tries: the whole clip, the groups combined by how clearly each shows the
grid, and each group for itself, because a codec may have kept the mark in one second only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from provenance.payload import MarkCode
from provenance.watermark.accumulate import Observation
from provenance.watermark.bound import statistic
from provenance.watermark.canonical import fold, spectrum_of
from provenance.watermark.chips import BAND, TILE, Chips
from provenance.watermark.search import Pose, levelled, peaks

PATHS = 32  # candidates that the decoder keeps: 4 times as many gain .1 dB
FINENESS = 4  # shifts per canonical pixel in aligning: at the band's edge 1/8 is 15 degrees
NEARNESS = 0.025  # cycles per canonical pixel over which strength and noise are taken as alike
RADII = np.linspace(*BAND, 20)  # cycles per canonical pixel where they are measured
LARGEST_SIDE = 3 * 416  # canonical pixels of an unwarped picture

Float = NDArray[np.float32]
Complex = NDArray[np.complex64]


@dataclass(frozen=True, slots=True, eq=False)
class Try:
    """One received word to decode."""

    pose: Pose
    shift: tuple[float, float]  # (x, y) of the grid in canonical pixels, modulo 64
    received: Float  # (1024,) in the order of the chips, weighed


@dataclass(frozen=True, slots=True)
class Reading:
    """The strongest payload of some tries, whether or not it is evidence enough."""

    statistic: float
    payload: int
    tried: int  # index of the try


def upright(observation: Observation, chips: Chips) -> list[Try]:
    """Return the tries for a picture that was at most resized or mirrored."""
    found = []
    for mirrored in (False, True):
        pictures = [observation.total, *observation.groups]
        tiles = [
            spectrum_of(fold(picture[:, ::-1] if mirrored else picture)) for picture in pictures
        ]
        found += _tries(
            Pose(mirrored=mirrored), tiles, [(0.0, 0.0)] * len(tiles), chips, singles=len(tiles)
        )
    return found


def posed(observation: Observation, pose: Pose, chips: Chips, *, singles: int) -> list[Try]:
    """Return the tries for a picture under a pose, shifted to where the grid shows most clearly.

    Args:
        observation: the clip.
        pose: how it was changed.
        chips: the key's tables.
        singles: how many of the pictures, clearest first, are also tried alone.
    """
    tiles, shifts = [], []
    for picture in (observation.total, *observation.groups):
        tile = spectrum_of(fold(unwarp(picture, pose)))
        shift = _align(tile, chips)
        tiles.append(_shifted(tile, shift))
        shifts.append(shift)
    return _tries(pose, tiles, shifts, chips, singles=singles)


def unwarp(picture: Float, pose: Pose) -> Float:
    """Return a canonical picture as it would look without the pose, about the same centre."""
    height, width = picture.shape
    to_picture = pose.to_picture()
    corners = np.abs(np.linalg.inv(to_picture)) @ np.array([width, height])
    columns, rows = (min(int(side) + 1, LARGEST_SIDE) for side in corners)
    centre = np.array([width // 2, height // 2]) - to_picture @ np.array([columns // 2, rows // 2])
    return np.asarray(
        cv2.warpAffine(
            picture,
            np.column_stack([to_picture, centre]),
            (columns, rows),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        ),
        np.float32,
    )


def read(tries: Sequence[Try], code: MarkCode, chips: Chips) -> Reading | None:
    """Return the strongest payload of all tries whose CRC is right, or None."""
    if not tries:
        return None
    soft = np.zeros((len(tries), len(chips.coded_bit_at)), np.float32)
    for row, attempt in zip(soft, tries, strict=True):
        row[chips.coded_bit_at] = attempt.received * chips.payload_signs
    found = [
        Reading(statistic(tries[i].received, chips, code.encode(payload)), payload, i)
        for i, payloads in enumerate(code.candidates(soft, paths=PATHS))
        for payload in payloads
    ]
    return max(found, key=lambda reading: reading.statistic, default=None)


def _tries(
    pose: Pose,
    tiles: Sequence[Complex],
    shifts: Sequence[tuple[float, float]],
    chips: Chips,
    *,
    singles: int,
) -> list[Try]:
    """Return the tries of aligned tiles: the groups combined, then the clearest tiles alone."""
    weighed = [_weighed(levelled(tile), chips) for tile in tiles]
    clear = [_grid_energy(tile, chips) for tile in weighed]
    order = sorted(range(len(tiles)), key=lambda i: -clear[i])[:singles]
    chosen = [(weighed[i], shifts[i]) for i in order]
    if len(tiles) > 2:
        # Matched weights make the sum the best one for noise that differs from group to group.
        together = np.asarray(np.sum(weighed[1:], axis=0), np.complex64)
        clearest = max(range(1, len(tiles)), key=lambda i: clear[i])
        chosen = [(together, shifts[clearest]), *chosen]
    return [_try(pose, shift, tile, chips) for tile, shift in chosen]


def _try(pose: Pose, shift: tuple[float, float], tile: Complex, chips: Chips) -> Try:
    values = tile[tuple(chips.payload_at.T)]
    received = np.stack([values.real, values.imag], axis=1).reshape(-1)
    return Try(pose, shift, received.astype(np.float32))


def _weighed(tile: Complex, chips: Chips) -> Complex:
    """Return a tile's spectrum, weighed by how much of the mark and how much else is there.

    The mark's strength around a frequency is what the grid's signs show nearby. Strength over
    energy makes the statistic of `bound.py` largest. Codecs take high frequencies first, pictures
    disturb the low ones.
    """
    sync, payload = tuple(chips.sync_at.T), tuple(chips.payload_at.T)
    radius = np.hypot(*np.concatenate([chips.sync_at, chips.payload_at]).T) / TILE
    near = np.exp(-(((RADII[:, None] - radius[None]) / NEARNESS) ** 2) / 2)  # (radii, frequencies)
    near_sync = near[:, : len(chips.sync_at)]
    grid = (tile[sync] * np.conj(chips.sync_signs)).real
    energy = np.abs(np.concatenate([tile[sync], tile[payload]])) ** 2
    strength = np.maximum(near_sync @ grid / near_sync.sum(axis=1), 0)
    weight = np.interp(radius, RADII, strength / (near @ energy / near.sum(axis=1) + 1e-12))
    weights = np.zeros(tile.shape, np.float32)
    weights[sync], weights[payload] = np.split(weight, [len(chips.sync_at)])
    return (tile * weights).astype(np.complex64)


def _grid_energy(tile: Complex, chips: Chips) -> float:
    return float(np.sum((tile[tuple(chips.sync_at.T)] * np.conj(chips.sync_signs)).real))


def _align(tile: Complex, chips: Chips) -> tuple[float, float]:
    """Return the shift (x, y) under which the grid shows most clearly, in canonical pixels."""
    expected = np.conj(chips.sync_signs)
    _, at = peaks(
        (levelled(tile[tuple(chips.sync_at.T)]) * expected)[None], chips, fineness=FINENESS
    )
    down, right = divmod(int(at[0]), TILE * FINENESS)
    return right / FINENESS, down / FINENESS


def _shifted(tile: Complex, shift: tuple[float, float]) -> Complex:
    """Return a tile's spectrum with the shift (x, y) undone."""
    right, down = shift
    vertical, horizontal = np.fft.fftfreq(TILE)[:, None], np.fft.rfftfreq(TILE)[None]
    return (tile * np.exp(2j * np.pi * (vertical * down + horizontal * right))).astype(np.complex64)
