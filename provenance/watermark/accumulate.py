"""One pass over the frames, in bounded memory: what is left for the search.

The mark stands still while the picture moves, so residuals are summed: over the whole clip, and
over moments and longer spells, since a codec keeps the mark in some and drops it in others. When
there are too many moments, neighbours are joined and from then on every second frame is looked at,
so that a long film costs memory for `MAX_MOMENTS` pictures.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from provenance.errors import MarkDoesNotHold
from provenance.watermark.canonical import luma, middle, normalised, residual, to_canonical, whiten

MOMENT = 4  # frames looked at
SPELL = 4  # moments: about a second as a codec sees it
MAX_MOMENTS = 96  # a multiple of twice SPELL; 384 frames are looked at before thinning starts
SMALLEST_SIDE = 16  # pixels: below it there is nothing to look at

Float = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """Whitened canonical pictures (height, width) of one clip, read-only."""

    total: Float
    moments: tuple[Float, ...]  # in order of time
    spells: tuple[Float, ...]  # sums of moments that follow one another, in order of time
    frames: int  # how many were looked at
    frames_per_moment: int  # of the clip, looked at or not


def observe(frames: Iterable[NDArray[np.uint8]]) -> Observation:
    """Return what the frames of a clip leave behind.

    Raises:
        MarkDoesNotHold: when there is no frame, one is too small, or they differ in size.
    """
    observer = Observer()
    for frame in frames:
        observer.offer(frame)
    return observer.observation()


class Observer:
    """Sums of residuals while frames come in."""

    def __init__(self) -> None:
        self._shape: tuple[int, ...] | None = None
        self._moments: list[Float] = []
        self._in_last = 0  # frames in the last moment
        self._offered = 0
        self._looked_at = 0
        self._stride = 1
        self._summed: Observation | None = None  # of the frames so far, once it was asked for

    def offer(self, frame: NDArray[np.uint8]) -> None:
        """Take a frame in, or pass it by when the film is long.

        Raises:
            MarkDoesNotHold: when it is too small, or differs in size from those before.
        """
        if self._shape is None:
            self._shape = _check(frame)
        if frame.shape != self._shape:
            raise MarkDoesNotHold(
                f"the clip changes size from {self._shape} to {frame.shape}; "
                "look at its parts one by one"
            )
        self._summed = None
        self._offered += 1
        if (self._offered - 1) % self._stride:
            return
        seen = normalised(*residual(to_canonical(middle(luma(frame)))))
        if self._in_last in {0, MOMENT}:
            self._thin()
            self._moments.append(seen)
            self._in_last = 0
        else:
            self._moments[-1] += seen
        self._in_last += 1
        self._looked_at += 1

    def _thin(self) -> None:
        if len(self._moments) == MAX_MOMENTS:
            self._moments = [
                a + b for a, b in zip(self._moments[::2], self._moments[1::2], strict=True)
            ]
            self._stride *= 2

    def observation(self) -> Observation:
        """Return the sums, whitened; several keys may ask and it is done once.

        Raises:
            MarkDoesNotHold: when there was no frame.
        """
        if self._shape is None:
            raise MarkDoesNotHold("there is no frame to look at; check that the clip decodes")
        if self._summed is None:
            self._summed = self._whitened()
        return self._summed

    def _whitened(self) -> Observation:
        moments = tuple(whiten(moment) for moment in self._moments)
        spells = tuple(
            whiten(np.sum(self._moments[start : start + SPELL], axis=0))
            for start in range(0, len(self._moments), SPELL)
        )
        total = whiten(np.sum(self._moments, axis=0, dtype=np.float32))
        for picture in (total, *moments, *spells):
            picture.setflags(write=False)
        return Observation(
            total,
            moments,
            spells,
            frames=self._looked_at,
            frames_per_moment=MOMENT * self._stride,
        )


def _check(frame: NDArray[np.uint8]) -> tuple[int, ...]:
    if frame.ndim not in {2, 3} or min(frame.shape[:2]) < SMALLEST_SIDE:
        raise MarkDoesNotHold(
            f"a frame to look at is {SMALLEST_SIDE} pixels or more high and wide, "
            f"not of shape {frame.shape}; scale it up"
        )
    return frame.shape
