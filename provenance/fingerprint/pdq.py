"""PDQ, Meta's published hash of a picture: 256 bits that re-encoding hardly changes.

The steps are those of the ThreatExchange paper "The TMK+PDQF Video-Hashing Algorithm and the PDQ
Image-Hashing Algorithm" (2019): two passes of a box filter along either side, 64 x 64 samples, the
16 x 16 lowest cosine frequencies without the mean, each compared with their median. Two pictures
are alike up to 31 differing bits; unrelated ones differ in about 128.

A mirrored or turned picture needs no second look at the pixels: its frequencies are the same ones
with other signs or in another order, so one transform gives all eight hashes.
"""

import math
from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

ALIKE = 31  # bits: the distance up to which PDQ's authors call two pictures alike
_SIDE, _KEPT = 64, 16  # samples a side, frequencies a side
_GRADIENT_PER_QUALITY = 90  # the paper's: 90 units of gradient are one point of quality
_TOP_QUALITY = 100

Hash = NDArray[np.uint8]  # (32,), the first bit is the highest of the first byte
Float = NDArray[np.float32]


class Turn(Enum):
    """One of the eight ways to lay a picture on the table.

    The value is (transposed, upside down, mirrored), done in this order.
    """

    UPRIGHT = (False, False, False)
    MIRRORED = (False, False, True)
    UPSIDE_DOWN = (False, True, True)
    FLIPPED = (False, True, False)
    QUARTER = (True, False, True)  # clockwise by 90 degrees
    THREE_QUARTERS = (True, True, False)
    TRANSPOSED = (True, False, False)
    TRANSVERSED = (True, True, True)

    def of(self, picture: NDArray[np.generic]) -> NDArray[np.generic]:
        """Return a picture (height, width) laid this way."""
        transposed, flipped, mirrored = self.value
        picture = picture.T if transposed else picture
        picture = picture[::-1] if flipped else picture
        return picture[:, ::-1] if mirrored else picture


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """The frequencies that the hash is made of, and how much there is to see."""

    values: Float  # (16, 16), vertical frequency first
    quality: int  # 0 to 100

    def hash(self, turn: Turn = Turn.UPRIGHT) -> Hash:
        """Return the hash (32,) of the picture laid a certain way."""
        transposed, flipped, mirrored = turn.value
        values = self.values.T if transposed else self.values
        # Reversed along a side, the odd frequencies change their sign; the first kept one is 1.
        signs = np.where(np.arange(_KEPT) % 2 == 0, -1, 1).astype(np.float32)
        values = values * signs[:, None] if flipped else values
        values = values * signs if mirrored else values
        # Of an even number the paper's median is the lower of the two in the middle.
        median = np.partition(values, values.size // 2 - 1, axis=None)[values.size // 2 - 1]
        # The paper counts bits from the lowest frequency up and writes the highest first.
        return np.packbits(values.ravel()[::-1] > median)


def spectrum_of(luma: NDArray[np.uint8] | Float) -> Spectrum:
    """Return the frequencies of a luma picture (height, width), at least 2 pixels a side."""
    smooth = np.asarray(luma, np.float32)
    for _ in range(2):
        smooth = _box(smooth)
    rows, columns = (
        ((np.arange(_SIDE) + 0.5) * side / _SIDE).astype(np.intp) for side in luma.shape
    )
    samples = smooth[np.ix_(rows, columns)]  # (64, 64)
    matrix = _cosines()
    return Spectrum((matrix @ samples @ matrix.T).astype(np.float32), _quality(samples))


def distances(some: Hash, others: Hash) -> NDArray[np.int64]:
    """Return in how many bits hashes (n, 32) differ from others (m, 32), as (n, m)."""
    one, other = (np.unpackbits(each, axis=1).astype(np.float32) for each in (some, others))
    # |a - b| = a + b - 2ab for bits; a matrix product does it without an (n, m, 256) array.
    both = one @ other.T
    count = one.sum(axis=1)[:, None] + other.sum(axis=1)[None] - 2 * both
    return np.asarray(np.rint(count), np.int64)


def _box(picture: Float) -> Float:
    """Return the mean over a window along rows, then columns; at an edge over what there is."""
    height, width = ((side + 2 * _SIDE - 1) // (2 * _SIDE) for side in picture.shape)
    # An even window reaches further forward than back.
    anchor = (width - 1 - width // 2, height - 1 - height // 2)

    def total(values: Float) -> Float:
        window, edge = (width, height), cv2.BORDER_CONSTANT
        summed = cv2.boxFilter(values, -1, window, anchor=anchor, normalize=False, borderType=edge)
        return np.asarray(summed, np.float32)

    return total(picture) / total(np.ones_like(picture))


def _cosines() -> Float:
    """Return the cosine transform's rows 1 to 16 over 64 samples, (16, 64)."""
    frequency, at = np.arange(1, _KEPT + 1)[:, None], 2 * np.arange(_SIDE)[None] + 1
    waves = math.sqrt(2 / _SIDE) * np.cos(math.pi / (2 * _SIDE) * frequency * at)
    return np.asarray(waves, np.float32)


def _quality(samples: Float) -> int:
    """Return how much gradient there is, in the paper's whole hundredths."""
    steps = (np.diff(samples, axis=axis) * 100 / 255 for axis in (0, 1))
    total = sum(int(np.abs(np.trunc(step)).sum()) for step in steps)
    return min(_TOP_QUALITY, total // _GRADIENT_PER_QUALITY)
