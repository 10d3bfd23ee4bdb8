"""Know a clip again without its mark: fingerprints of its pictures, and how two compare.

    seen = sampler.sighting()            # of one pass over the frames (`sampling.py`)
    taken = fingerprint_of(seen)         # goes into a record (`form.py`)
    compare(taken, seen, geometry)       # another day, another file: `comparison.py`

This file has the words that others speak; open `form.py` next. What a record holds is laid out in
docs/spec/fingerprint.md, and how often each answer is given in docs/verifying.md.
"""

from dataclasses import dataclass
from enum import StrEnum


class Answer(StrEnum):
    """How the pictures at hand compare with a fingerprint. Only DIFFERENT accuses anybody."""

    MATCH = "match"  # they show the same, down to what moves in it
    INCONCLUSIVE = "inconclusive"  # neither could be shown
    DIFFERENT = "different"  # where the mark says that the clip lies, something else is shown


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a comparison came to, and why.

    `likeness` is -1 to 1: how alike the better third of the fingerprint's moments are to the most
    alike pictures at hand, wherever these lie. Unrelated clips reach .5, honest changes leave .75.
    """

    answer: Answer
    reason: str
    likeness: float
    evidence: float  # standard deviations that such a likeness is away from none at all
    motion: float | None  # likeness of what changes over time alone; None where nothing does
    placed_by: str  # `mark`, or which way the whole picture lies
    moments: int  # of the fingerprint, that were compared
