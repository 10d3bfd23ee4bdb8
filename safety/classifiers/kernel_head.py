"""What a vector says: how harmful, of which kind, and how seldom a harmless text says as much.

A head is a logistic regression over how near a vector lies to each of some landmarks, vectors of
training texts. Likeness is a Gaussian of the distance. Which kind of harm it is, a second and
linear regression tells: it is right more often far from the landmarks, where most texts lie.

A score is made of it that people can read: the share of harmless texts that say less. .99 means
that one harmless text in a hundred says as much. The harmless texts are those named in
training/README.md; where they differ, the kind of text counts that is mistaken most often. A long
text is looked at in many windows, each of which may be mistaken; its score takes that into account.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from safety.categories import Category

Float = NDArray[np.float32]

# Windows of one text are alike, so n of them are mistaken less often than n windows of n texts: as
# often as n to this power. Measured on VBench's prompts extended for Wan, 5 to 17 windows each:
# with .7 a score of .99 is reached by .5 % of them, one of .95 by 4.8 %; with 1, by .1 and 1.8 %.
LIKENESS_OF_WINDOWS = 0.7


@dataclass(frozen=True, slots=True)
class KernelHead:
    """The weights.

    Attributes:
        landmarks: vectors of length 1, (landmarks, width).
        gamma: how fast likeness falls with the squared distance.
        harm: weights of harmful against harmless, (landmarks,), and what is added.
        kinds: weights of each kind of harm, (width, categories), and what is added to each.
        categories: the kinds, in that order.
        levels: raw values, rising; above each of them lies the share `tails` of harmless windows.
        tails: falling, above 0; beyond the last level it goes on falling at the same pace.
    """

    landmarks: Float
    gamma: float
    harm: tuple[Float, float]
    kinds: tuple[Float, Float]
    categories: tuple[Category, ...]
    levels: NDArray[np.float64]
    tails: NDArray[np.float64]

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Read a head from the bytes of its file, an npz without pickles.

        Raises:
            ValueError, KeyError, OSError: it is no such file.
        """
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return cls(
                landmarks=file["landmarks"].astype(np.float32),
                gamma=float(file["gamma"]),
                harm=(file["harm"], float(file["harm_bias"])),
                kinds=(file["kinds"], file["kinds_bias"]),
                categories=tuple(Category(str(name)) for name in file["categories"]),
                levels=file["levels"].astype(np.float64),
                tails=file["tails"].astype(np.float64),
            )

    def read(self, vectors: Float) -> tuple[Float, Float]:
        """Return how harmful each vector is, (vectors,), and its kinds, (vectors, categories).

        Both are logarithms of odds. Kinds are told only in relation to each other: the likeliest
        one of a vector has 0, the others less.
        """
        near = np.exp(-self.gamma * (2 - 2 * vectors @ self.landmarks.T))
        kinds = vectors @ self.kinds[0] + self.kinds[1]
        return near @ self.harm[0] + self.harm[1], kinds - kinds.max(axis=1, keepdims=True)

    def score(self, raw: float, windows: int) -> float:
        """Return the share of harmless texts of so many windows that say less, 0 to 1.

        It rises with `raw` and falls with `windows`.
        """
        return float((1 - self._tail(raw)) ** windows**LIKENESS_OF_WINDOWS)

    def _tail(self, raw: float) -> float:
        """Return the share of harmless windows that say as much."""
        if raw <= self.levels[-1]:
            logs = np.interp(raw, self.levels, np.log(self.tails))
            return float(np.exp(logs)) if raw > self.levels[0] else 1.0
        steps = np.diff(self.levels[-2:]), np.diff(np.log(self.tails[-2:]))
        pace = float(steps[1][0] / steps[0][0])
        return float(self.tails[-1] * np.exp(pace * (raw - self.levels[-1])))


def tail_table(groups: Sequence[Float], beyond: float) -> tuple[Float, Float]:
    """Return levels and tails of the harmless windows of several kinds of text.

    At each level the tail is that of the kind which says as much most often. Where windows become
    few the tail is drawn on exponentially.

    Args:
        groups: raw values of the windows of each kind.
        beyond: share of a kind's windows from which on its tail is drawn.
    """
    lowest = min(float(np.median(group)) for group in groups)
    highest = max(float(group.max()) for group in groups)
    levels = np.linspace(lowest, highest + 1, 200)
    worst = np.max([_tail_of(np.sort(group), levels, beyond) for group in groups], axis=0)
    return levels.astype(np.float32), np.minimum.accumulate(worst).astype(np.float32)


def _tail_of(ordered: Float, levels: NDArray[np.float64], beyond: float) -> NDArray[np.float64]:
    """Return the share of values at or above each level; exponential over the last few."""
    count = len(ordered)
    counted = (count - np.searchsorted(ordered, levels)) / count
    start = float(np.quantile(ordered, 1 - beyond))
    over = ordered[ordered > start] - start
    mean = float(over.mean()) if len(over) else 1.0
    return np.where(levels > start, beyond * np.exp(-(levels - start) / mean), counted)
