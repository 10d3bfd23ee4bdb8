"""From pictures and a pose to payloads: unwarp, fold, align, weigh, decode, and weigh the evidence.

A codec keeps the mark well in some moments and hardly in others, so one pose gives several tries:
the whole clip, its spells combined by how much of the mark each has at which frequencies, its
moments combined by how clearly each shows the grid, and the clearest spells and moments alone.
"""

from collections.abc import Iterator, Sequence
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
    clarity: float  # how clearly the grid shows under the pose, the payload left aside


@dataclass(frozen=True, slots=True)
class Decoded:
    """The strongest payload of some tries, whether or not it is evidence enough."""

    statistic: float
    payload: int
    tried: int  # index of the try


def upright(observation: Observation, chips: Chips, *, singles: int) -> list[Try]:
    """Return the tries for a picture that was at most resized or mirrored.

    Args:
        observation: the clip.
        chips: the key's tables.
        singles: how many spells, and how many moments, are also tried alone, clearest first.
    """
    return [
        attempt
        for mirrored in (False, True)
        for attempt in posed(
            observation, Pose(mirrored=mirrored), chips, spells=singles, moments=singles
        )
    ]


def posed(
    observation: Observation, pose: Pose, chips: Chips, *, spells: int, moments: int = 0
) -> list[Try]:
    """Return the tries for a picture under a pose, shifted to where the grid shows most clearly.

    Args:
        observation: the clip.
        pose: how it was changed.
        chips: the key's tables.
        spells: how many of them, clearest first, are also tried alone.
        moments: likewise.
    """
    tiles, shifts = [], []
    for picture in (observation.total, *observation.spells):
        tile = tile_of(picture, pose)
        shifts.append(_align(tile, chips))
        tiles.append(_shifted(tile, shifts[-1]))
    clarity = [_clarity(tile, chips) for tile in tiles]
    best = shifts[clarity.index(max(clarity))]
    # A moment alone may not show where the grid lies; the geometry is the whole clip's.
    short = [_shifted(tile_of(moment, pose), best) for moment in observation.moments]
    words = [
        tiles[0],
        *_combined(tiles[1:], short, chips),
        *_clearest(tiles[1:], chips, spells),
        *_clearest(short, chips, moments),
    ]
    return [Try(pose, best, _received(tile, chips), max(clarity)) for tile in words]


def received(picture: Float, pose: Pose, shift: tuple[float, float], chips: Chips) -> Float:
    """Return the word (1024,) that one canonical picture shows under a known geometry."""
    return _received(_shifted(tile_of(picture, pose), shift), chips)


def unwarp(picture: Float, pose: Pose) -> Float:
    """Return a canonical picture as it would look without the pose, about the same centre."""
    if pose.upright:  # nothing to interpolate
        return picture[:, ::-1] if pose.mirrored else picture
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


def read(tries: Sequence[Try], code: MarkCode, chips: Chips) -> Decoded | None:
    """Return the strongest payload of all tries whose CRC is right, or None."""
    if not tries:
        return None
    soft = np.zeros((len(tries), len(chips.coded_bit_at)), np.float32)
    for row, attempt in zip(soft, tries, strict=True):
        row[chips.coded_bit_at] = attempt.received * chips.payload_signs
    found = [
        Decoded(statistic(tries[i].received, chips, code.encode(payload)), payload, i)
        for i, payloads in enumerate(code.candidates(soft, paths=PATHS))
        for payload in payloads
    ]
    return max(found, key=lambda each: each.statistic, default=None)


def tile_of(picture: Float, pose: Pose) -> Complex:
    """Return the half spectrum (64, 33) of all tiles of a picture, its pose undone."""
    return spectrum_of(fold(unwarp(picture, pose)))


def _combined(
    spells: Sequence[Complex], moments: Sequence[Complex], chips: Chips
) -> Iterator[Complex]:
    """Yield the spells combined frequency by frequency, and the moments one by one.

    Matched weights make a sum the best one for noise that differs from part to part. What a spell
    shows is enough to weigh its frequencies apart; a moment gets one weight, squared, since what
    shows the grid faintly mostly shows noise.
    """
    if len(spells) > 1:
        yield np.asarray(sum(_weighed(levelled(tile), chips) for tile in spells), np.complex64)
    if len(moments) > 1:
        level = [levelled(tile) for tile in moments]
        clarity = [max(_clarity(tile, chips), 0.0) for tile in level]
        sizes = [float(np.sqrt(np.mean(np.abs(tile) ** 2))) for tile in level]
        weights = [
            np.float32(c * c / max(size, 1e-9)) for c, size in zip(clarity, sizes, strict=True)
        ]
        yield np.asarray(
            sum(weight * tile for weight, tile in zip(weights, level, strict=True)), np.complex64
        )


def _clearest(tiles: Sequence[Complex], chips: Chips, count: int) -> list[Complex]:
    return sorted(tiles, key=lambda tile: -_clarity(tile, chips))[:count] if len(tiles) > 1 else []


def _received(tile: Complex, chips: Chips) -> Float:
    values = _weighed(levelled(tile), chips)[tuple(chips.payload_at.T)]
    return np.stack([values.real, values.imag], axis=1).reshape(-1).astype(np.float32)


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


def _clarity(tile: Complex, chips: Chips) -> float:
    """Return how clearly a tile shows the grid: the correlation with its signs, normalised."""
    seen = tile[tuple(chips.sync_at.T)]
    shown = float(np.sum((seen * np.conj(chips.sync_signs)).real))
    return shown / max(float(np.linalg.norm(seen)), 1e-9)


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
