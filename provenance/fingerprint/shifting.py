"""Where one picture lies on another: every shift at once, by Fourier transform.

The likeness of two sets of steps under a shift is their product over the root of both energies, all
three taken over what both know. Each is a correlation, so that one transform back gives it for all
shifts. The best shift is not the one of the highest likeness, which a small overlap reaches by
chance, but the one that is furthest from chance: Fisher's z, arctanh(likeness) * sqrt(energy).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from provenance.fingerprint.placing import FINE, Laid, Shift, Steps

LEAST_OVERLAP = 0.4  # of the smaller picture: what was cropped and padded still shows that much
LEAST_ENERGY = 0.1  # of the fingerprint's: a picture at hand that is flatter is not like it
TOP = 0.999  # likenesses above it count as this

Float = NDArray[np.float32]
Floats = NDArray[np.floating]
Complex = NDArray[np.complex64]
Both = tuple[Complex, Complex]  # of the steps right and of the steps down


@dataclass(frozen=True, slots=True)
class Pair:
    """Moments to compare: one of the fingerprint's with some of those at hand."""

    ours: int
    theirs: tuple[int, ...]


def best_shift(ours: Steps, laid: Laid, pairs: Sequence[Pair], *, count: int) -> Shift:
    """Return the shift under which some moments are most alike.

    Args:
        ours: steps of the fingerprint's cells.
        laid: the pictures at hand.
        pairs: what to compare.
        count: how many of the fingerprint's moments decide: under each shift the best ones.
    """
    asked = sorted({j for pair in pairs for j in pair.theirs})
    theirs = laid.every_shift(asked)
    plan = _Plan.of(ours, theirs)
    known_of_ours = plan.of_cells(ours.right_known, ours.down_known)
    known_of_theirs = plan.of_fine(theirs.right_known, theirs.down_known)
    steps = dict(zip(asked, zip(theirs.right, theirs.down, strict=True), strict=True))
    spectra = {j: plan.of_fine(right, down) for j, (right, down) in steps.items()}
    energies = {
        j: plan.correlation(known_of_ours, plan.of_fine(right**2, down**2))
        for j, (right, down) in steps.items()
    }
    evidence = []
    for pair in pairs:
        right, down = ours.right[pair.ours], ours.down[pair.ours]
        cells = plan.of_cells(right, down)
        energy = plan.correlation(plan.of_cells(right**2, down**2), known_of_theirs)
        energy = np.maximum(energy, 1)
        best = np.full(plan.shape, -1, np.float32)
        for j in pair.theirs:
            both = energy * np.maximum(energies[j], LEAST_ENERGY * energy)
            np.maximum(best, plan.correlation(cells, spectra[j]) / np.sqrt(both), out=best)
        evidence.append(fisher(best, energy))
    found = np.partition(np.stack(evidence), len(evidence) - count, axis=0)
    pooled = found[len(evidence) - count :].mean(axis=0)
    overlap = plan.correlation(known_of_ours, known_of_theirs)
    smaller = min(ours.known, theirs.known / FINE**2)
    pooled[overlap < LEAST_OVERLAP * smaller] = -np.inf
    return plan.shift(int(pooled.argmax()))


def fisher(likeness: Floats, energy: Floats) -> Float:
    """Return how many standard deviations a likeness is away from none."""
    return np.asarray(np.arctanh(np.clip(likeness, -TOP, TOP)) * np.sqrt(energy), np.float32)


@dataclass(frozen=True, slots=True)
class _Plan:
    """The sizes of the transforms."""

    cells: tuple[int, int]  # rows and columns
    fine: tuple[int, int]  # height and width at hand
    shape: tuple[int, int]  # of a transform: with room for every shift

    @classmethod
    def of(cls, ours: Steps, theirs: Steps) -> "_Plan":
        rows, columns = ours.right_known.shape
        height, width = theirs.right_known.shape
        shape = (_fast(height + FINE * rows), _fast(width + FINE * columns))
        return cls((rows, columns), (height, width), shape)

    def of_cells(self, right: Float, down: Float) -> Both:
        """Return the transforms of cells that are set apart on the fine grid, conjugated."""
        return self._cells(right), self._cells(down)

    def of_fine(self, right: Float, down: Float) -> Both:
        """Return the transforms of a fine grid."""
        return self._fine(right), self._fine(down)

    def correlation(self, cells: Both, fine: Both) -> Float:
        """Return the correlation under every shift, summed over both kinds of steps."""
        total = cells[0] * fine[0] + cells[1] * fine[1]
        return np.fft.irfft2(total, self.shape).astype(np.float32)

    def shift(self, at: int) -> Shift:
        """Return the shift at a place of the flattened correlation; beyond the end is before 0."""
        down, right = divmod(at, self.shape[1])
        height, width = self.fine
        return Shift(
            down if down < height else down - self.shape[0],
            right if right < width else right - self.shape[1],
        )

    def _cells(self, field: Float) -> Complex:
        rows, columns = self.cells
        apart = np.zeros((rows * FINE, columns * FINE), np.float32)
        apart[::FINE, ::FINE] = field
        return np.conj(self._fine(apart))

    def _fine(self, field: Float) -> Complex:
        return np.fft.rfft2(field, self.shape).astype(np.complex64)


def _fast(side: int) -> int:
    return int(cv2.getOptimalDFTSize((side + 1) // 2)) * 2
