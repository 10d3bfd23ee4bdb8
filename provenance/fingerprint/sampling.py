"""One pass over the luma of a clip, in bounded memory: what is kept to know it again by.

    sampler = Sampler(frame_rate)
    for luma in media.luma():
        sampler.offer(luma)
    seen = sampler.sighting()

Two series of small pictures are kept, evenly in time: few large ones to hash, and many tiny ones to
compare. Where there are too many every second one is dropped, and from then on every second frame
is looked at. So of an hour no more is kept than of a minute.

Black bars belong to the frame and not to the picture, and change a hash of the whole. They are
found over all kept frames together, because one dark moment looks like bars; `Sighting.content`
says where the picture lies.
"""

from dataclasses import dataclass, field
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from provenance.errors import FingerprintError
from provenance.fingerprint.form import MOST_OBLONG, Box, aspect_of

LARGE_SIDE, MOST_LARGE = 320, 64  # pixels of the short side: five times what PDQ looks at; pictures
TINY_SIDE, MOST_TINY = 40, 1024  # pixels: three to a cell of a fingerprint; 4 minutes at 4 a second
MOST_TINY_BYTES = 3 * 2**20  # they leave the examining process as text
SMALLEST_SIDE = 16  # pixels; there is nothing to recognise in less
BLACK = 26  # grey levels: a row that is darker than this on average in every frame is a bar's
MOST_BAR = 0.4  # of a side, at either end: more is a dark picture and no bar
TRIM = 1  # pixels that a bar's blurred edge takes of the picture

Luma = NDArray[np.uint8]  # (height, width)
Float = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Pictures of one size, evenly in time; read-only."""

    pictures: Luma  # (moments, height, width)
    times_ms: tuple[int, ...]  # of each, at the clip's nominal rate


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """What was kept of the pictures of one clip."""

    aspect: float  # width over height of a whole frame
    content: Box  # without the bars
    large: Series
    tiny: Series


@dataclass(slots=True)
class _Kept:
    """A series while it grows."""

    side: int
    most: int
    pictures: list[tuple[int, Luma]] = field(default_factory=list)
    stride: int = 1

    def offer(self, index: int, luma: Luma) -> None:
        if index % self.stride:
            return
        self.pictures.append((index, _shrunk(luma, self.side)))
        if len(self.pictures) > self.most:
            self.pictures = self.pictures[::2]
            self.stride *= 2

    def series(self, frame_rate: Fraction) -> Series:
        pictures = np.stack([picture for _, picture in self.pictures])
        pictures.setflags(write=False)
        return Series(pictures, tuple(int(i * 1000 / frame_rate) for i, _ in self.pictures))


class Sampler:
    """Keeps some pictures while frames come in."""

    def __init__(self, frame_rate: Fraction) -> None:
        """Begin; the nominal frames per second give the times."""
        self._frame_rate = frame_rate
        self._shape = (0, 0)
        self._offered = 0
        self._large = _Kept(LARGE_SIDE, MOST_LARGE)
        self._tiny = _Kept(TINY_SIDE, MOST_TINY)
        self._brightest: tuple[Float, Float] | None = None  # of each row and column, on average

    def offer(self, luma: Luma) -> None:
        """Take in the next frame's luma, or pass it by when the clip is long.

        Raises:
            FingerprintError: it is too small, or differs in size from those before.
        """
        if not self._offered:
            self._shape = _checked(luma)
            self._tiny.most = _most_tiny(*_middle(luma).shape)
        if luma.shape != self._shape:
            raise FingerprintError(
                f"the clip changes size from {self._shape} to {luma.shape}; "
                "look at its parts one by one"
            )
        index = self._offered
        self._offered += 1
        whole = _middle(luma)
        if index % self._tiny.stride == 0:
            self._look_for_bars(whole)
        self._tiny.offer(index, whole)
        self._large.offer(index, whole)

    def sighting(self) -> Sighting:
        """Return what was kept.

        Raises:
            FingerprintError: there was no frame.
        """
        if self._brightest is None:
            raise FingerprintError("there is no frame to look at; check that the clip decodes")
        rows, columns = self._brightest
        (top, bottom), (left, right) = _inside(rows), _inside(columns)
        height, width = len(rows), len(columns)
        return Sighting(
            aspect=aspect_of(height, width),
            content=Box(left / width, top / height, right / width, bottom / height),
            large=self._large.series(self._frame_rate),
            tiny=self._tiny.series(self._frame_rate),
        )

    def _look_for_bars(self, luma: Luma) -> None:
        rows, columns = (
            cv2.reduce(luma, axis, cv2.REDUCE_AVG, dtype=cv2.CV_32F).ravel() for axis in (1, 0)
        )
        if self._brightest is not None:
            rows = np.maximum(rows, self._brightest[0])
            columns = np.maximum(columns, self._brightest[1])
        self._brightest = (np.asarray(rows, np.float32), np.asarray(columns, np.float32))


def _most_tiny(height: int, width: int) -> int:
    """Return how many tiny pictures are kept: an even number."""
    area = TINY_SIDE * round(TINY_SIDE * max(height, width) / min(height, width))
    return min(MOST_TINY, MOST_TINY_BYTES // area // 2 * 2)


def _inside(brightest: Float) -> tuple[int, int]:
    """Return where along a side the bars end and begin again: all of it where there are none."""
    side = len(brightest)
    bright = np.flatnonzero(brightest > BLACK)
    if not len(bright):
        return 0, side
    first, last = int(bright[0]), int(bright[-1]) + 1
    if max(first, side - last) > MOST_BAR * side:
        return 0, side
    return (first + TRIM if first else 0), (last - TRIM if last < side else side)


def _checked(luma: Luma) -> tuple[int, int]:
    if luma.ndim != 2 or min(luma.shape) < SMALLEST_SIDE:
        raise FingerprintError(
            f"a luma picture to look at is {SMALLEST_SIDE} pixels or more high and wide, "
            f"not of shape {luma.shape}; scale it up"
        )
    height, width = luma.shape
    return height, width


def _middle(luma: Luma) -> Luma:
    longest = MOST_OBLONG * min(luma.shape)
    top, left = (max(0, side - longest) // 2 for side in luma.shape)
    return luma[top : top + longest, left : left + longest]


def _shrunk(luma: Luma, side: int) -> Luma:
    """Return a picture with its short side `side`, each pixel the mean of those it stands for."""
    factor = side / min(luma.shape)
    height, width = (round(each * factor) for each in luma.shape)
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(luma, (width, height), interpolation=way), np.uint8)
