"""Do the pictures at hand show what a fingerprint was taken of?

1. Lay the pictures at hand over the fingerprint's cells (`placing.py`), and find the shift under
   which moments of both are most alike (`shifting.py`). Under it compare every moment of the
   fingerprint with every picture (`looking.py`).
2. Alike beyond chance, and moving alike? Then it is a match. A standing camera shows the same
   street all day: what stays is taken away, and what is left, the passers-by, must agree as well.
3. So unlike that no honest change explains it? Then it is different, but only where the mark says
   how the clip was changed, where the file was looked at closely enough to meet the fingerprint's
   moments, and where no half or quarter of the picture, and no negative of it, is alike: somebody
   may have put the clip beside another one.

The constants come from `benchmarks/fingerprint.py`; docs/verifying.md has the rates.
"""

from collections.abc import Iterator

import numpy as np

from provenance.fingerprint import Answer, Comparison
from provenance.fingerprint.form import Fingerprint
from provenance.fingerprint.glimpse import Glimpse
from provenance.fingerprint.looking import Look, interval_ms, look
from provenance.fingerprint.pdq import Turn
from provenance.fingerprint.placing import (
    Steps,
    from_content,
    from_geometry,
    is_possible,
    steps_at,
    steps_of_cells,
)
from provenance.watermark import Geometry

ALIKE = 0.6  # likeness that a match needs; honest changes leave .75, unrelated clips reach .5 ...
BEYOND_CHANCE = 12.0  # ... and 8.6 of evidence in 1,300 comparisons
PART_BEYOND_CHANCE = 7.5  # evidence of a part that is alike: a quarter of a marked clip leaves 9
HONEST = 0.7  # likeness below anything that an honest change of the whole left
UNLIKE = 4.0  # standard deviations below `HONEST` that a difference needs
MOVES_ALIKE = 0.5  # likeness of what moves that a match needs: .6 and more, against .4
CLOSE_MS = 250  # between pictures at hand: so close to a moment a clip of bicycles is still .9

_SAME = "the pictures are those of the record"
_OTHER = "where the mark says that the record's pictures are, others are shown"
_SAME_PLACE = "the same is to be seen, but not the same moves in it: another moment, or an edit"
_NEITHER = "the pictures are neither like the record's nor unlike enough"
_PART = "a part of the picture is the record's, the rest is not"
_UNPLACED = "no mark says how the pictures were changed, and as a whole they are not alike"


def compare(taken: Fingerprint, seen: Glimpse, geometry: Geometry | None) -> Comparison:
    """Compare a file at hand with the fingerprint of a record.

    Args:
        taken: the record's.
        seen: what was kept of the file.
        geometry: how the file's pictures were changed, as the mark found it; None where no mark
            was found, and then nothing is ever called different.
    """
    if geometry is None or not is_possible(geometry):
        return _whole(taken, seen)
    ours = steps_of_cells(taken)
    placing = from_geometry(geometry)
    theirs = steps_at(seen.pictures, seen.content, placing, taken)  # (1)
    best = look(taken, seen, ours, theirs, every=False)
    if not _is_match(best):
        every = look(taken, seen, ours, theirs, every=True)
        best = max(best, every, key=lambda each: each.evidence)
    if _is_match(best):  # (2)
        return _said(Answer.MATCH, _SAME, best, "mark")
    doubt = _doubt(taken, seen, ours, theirs, best)
    if doubt is None:
        return _said(Answer.DIFFERENT, _OTHER, best, "mark")
    return _said(Answer.INCONCLUSIVE, doubt, best, "mark")


def _whole(taken: Fingerprint, seen: Glimpse) -> Comparison:
    """Compare whole with whole, laid each of the eight ways."""
    ours, looks = steps_of_cells(taken), []
    for turn in Turn:
        placing = from_content(taken, seen.aspect, seen.content, turn)
        theirs = steps_at(seen.pictures, seen.content, placing, taken)
        found = look(taken, seen, ours, theirs, every=False)
        if _is_match(found):
            return _said(Answer.MATCH, _SAME, found, turn.name.lower())
        looks.append((found.evidence, found, turn))
    _, best, turn = max(looks, key=lambda each: each[0])
    reason = _SAME_PLACE if _is_alike(best) else _UNPLACED
    return _said(Answer.INCONCLUSIVE, reason, best, turn.name.lower())


def _is_alike(found: Look, beyond_chance: float = BEYOND_CHANCE) -> bool:
    return found.likeness >= ALIKE and found.evidence >= beyond_chance


def _is_match(found: Look) -> bool:
    return _is_alike(found) and (found.motion is None or found.motion >= MOVES_ALIKE)


def _doubt(taken: Fingerprint, seen: Glimpse, ours: Steps, theirs: Steps, best: Look) -> str | None:
    """Return why pictures that do not match may be the record's all the same; None: they are not.

    What costs little is asked first.
    """
    if _is_alike(best):
        return _SAME_PLACE
    if best.evidence_of(HONEST) - best.evidence < UNLIKE:
        return _NEITHER
    gap = int(max(np.diff(seen.times_ms), default=0))
    if gap > CLOSE_MS:
        return f"the file is long: pictures {gap} ms apart may miss the record's moments"
    if seen.times_ms[-1] + gap < interval_ms(taken):
        return f"the file lasts {seen.times_ms[-1]} ms and may lie between the record's moments"
    for part in (ours.negative, *_windows(ours)):
        if _is_alike(look(taken, seen, part, theirs, every=False), PART_BEYOND_CHANCE):
            return _PART
    return None


def _windows(ours: Steps) -> Iterator[Steps]:
    """Yield the steps of each half and each quarter of the picture."""
    rows, columns = (side // 2 for side in ours.right_known.shape)
    whole, top, bottom = slice(None), slice(None, rows), slice(rows, None)
    left, right = slice(None, columns), slice(columns, None)
    for down in (whole, top, bottom):
        for across in (whole, left, right):
            if (down, across) != (whole, whole):
                yield ours.within((down, across))


def _said(answer: Answer, reason: str, found: Look, placed_by: str) -> Comparison:
    return Comparison(
        answer=answer,
        reason=reason,
        likeness=found.likeness,
        evidence=found.evidence,
        motion=found.motion,
        placed_by=placed_by,
        moments=found.moments,
    )
