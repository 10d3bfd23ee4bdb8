"""How alike two clips are under the shift that likens them most.

A moment of the fingerprint is as well found as the most alike picture is like it; the clip is as
alike as the better third of its moments, because a cut takes moments away. A file that is too short
to have a third of them is judged by as many as it can have.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from provenance.fingerprint.form import Fingerprint
from provenance.fingerprint.placing import FINE, Laid, Steps
from provenance.fingerprint.shifting import LEAST_ENERGY, Pair, best_shift, fisher

SHARE = 1 / 3  # of the moments that decide
MOVES = 6.0  # energy of what moves, a moment: with less nothing moves
OURS = 10  # moments of the fingerprint that the search for the shift compares


Float = NDArray[np.float32]


class Effort(Enum):
    """How much work the search for the shift may be: pairs of moments times pixels transformed."""

    QUICK = 4e6  # .05 s: 24 pictures where they are as large as the fingerprint
    THOROUGH = 20e6  # .2 s

    def pictures(self, laid: Laid) -> int:
        """Return how many pictures at hand that is good for."""
        height, width = (
            fine + FINE * cells for fine, cells in zip(laid.fine, laid.cells, strict=True)
        )
        return max(1, int(self.value / (OURS * height * width)))


@dataclass(frozen=True, slots=True)
class Look:
    """What one comparison found."""

    likeness: float  # -1 to 1, of the moments that decide
    energy: float  # of their steps: how much there was to compare
    motion: float | None  # likeness of what moves in them; None where nothing does
    moments: int  # of the fingerprint

    @property
    def evidence(self) -> float:
        """Standard deviations that the likeness is away from none."""
        return self.evidence_of(self.likeness)

    def evidence_of(self, likeness: float) -> float:
        """Return what the evidence would be of another likeness."""
        return float(fisher(np.array(likeness), np.array(self.energy)))


def look(
    taken: Fingerprint, ours: Steps, laid: Laid, *, effort: Effort, share: float = SHARE
) -> Look:
    """Compare all moments with all pictures under the best shift.

    Args:
        taken: the fingerprint.
        ours: its steps, or a part of them.
        laid: the pictures at hand.
        effort: of the search for the shift.
        share: of the moments that decide; one at least.
    """
    pairs = list(_pairs(_times(taken), laid.times_ms, effort.pictures(laid)))
    count = _deciding(len(pairs), taken, laid, share)
    here = laid.under(best_shift(ours, laid, pairs, count=count))
    known = np.concatenate([here.right_known * ours.right_known, here.down_known * ours.down_known])
    a, b = _flat(ours) * known.ravel(), _flat(here) * known.ravel()
    energy = np.maximum(np.sum(a * a, axis=1), 1)
    least = np.maximum(np.sum(b * b, axis=1)[None], LEAST_ENERGY * energy[:, None])
    likeness = a @ b.T / np.sqrt(energy[:, None] * least)  # (moments, pictures)
    found = likeness.max(axis=1)
    top = np.argsort(found)[-_deciding(len(found), taken, laid, share) :]
    return Look(
        likeness=float(found[top].mean()),
        energy=float(energy[top].mean()),
        motion=_motion(a, b, top, likeness.argmax(axis=1)[top]),
        moments=len(found),
    )


def interval_ms(taken: Fingerprint) -> int:
    """Return the longest time between two moments of a fingerprint."""
    return int(max(np.diff(_times(taken)), default=0))


def _motion(a: Float, b: Float, top: NDArray[np.intp], at: NDArray[np.intp]) -> float | None:
    """Return how alike what moves is in the moments that decide; None where nothing moves.

    What stays is the mean over the fingerprint or, since a logo stays as well, over what is at
    hand: the better of the two counts.
    """
    stays = a.mean(axis=0)
    moving = a[top] - stays
    energy = float(np.sum(moving * moving))
    if energy < MOVES * len(top):
        return None
    best = -1.0
    for other in (stays, b.mean(axis=0)):
        theirs = b[at] - other
        both = energy * max(float(np.sum(theirs * theirs)), LEAST_ENERGY * energy)
        best = max(best, float(np.sum(moving * theirs)) / both**0.5)
    return best


def _flat(steps: Steps) -> Float:
    """Return steps as rows (moments, steps)."""
    return np.stack([steps.right, steps.down], axis=1).reshape(len(steps.right), -1)


def _times(taken: Fingerprint) -> tuple[int, ...]:
    return tuple(moment.time_ms for moment in taken.moments)


def _deciding(count: int, taken: Fingerprint, laid: Laid, share: float) -> int:
    """Return how many of `count` moments decide."""
    interval = interval_ms(taken)
    lasts = laid.times_ms[-1] - laid.times_ms[0]
    within = lasts / interval if interval else len(taken.moments)
    return max(1, min(round(count * share), int(within * count / len(taken.moments))))


def _pairs(ours_ms: tuple[int, ...], theirs_ms: tuple[int, ...], most: int) -> Iterator[Pair]:
    """Yield moments to compare: spread evenly, and those at the same time from either end."""
    others = _spread(len(theirs_ms), most)
    times = np.asarray(theirs_ms)
    late = int(times[-1]) - ours_ms[-1]
    for i in _spread(len(ours_ms), OURS):
        same = {int(np.abs(times - ours_ms[i] - delay).argmin()) for delay in (0, late)}
        yield Pair(i, tuple(sorted({*others, *same})))


def _spread(length: int, most: int) -> list[int]:
    return [int(i) for i in np.unique(np.linspace(0, length - 1, min(length, most)).round())]
