"""Do the pictures at hand show what a fingerprint was taken of?

1. Lay the pictures at hand over the fingerprint's cells (`placing.py`), and find the shift under
   which moments of both are most alike (`shifting.py`). Under it compare every moment of the
   fingerprint with every picture (`looking.py`).
2. Alike beyond chance, and moving alike? Then it is a match. A standing camera shows the same
   street all day: what stays is taken away, and what is left, the passers-by, must agree as well.
3. So unlike that no honest change explains it? Then it is different, but only where the mark itself
   was read, shows in all rows and columns of the picture but one, and in pictures one after the
   other for longer than two moments are apart; where not one moment of the fingerprint is among
   those; and where no half or quarter of the picture, and no negative of it, is alike. Somebody
   may have put the clip beside, into or after another one, or have slowed a part of it down.

The constants come from `benchmarks/fingerprint.py`; docs/verifying.md has the rates.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from provenance.fingerprint import Answer, Comparison
from provenance.fingerprint.form import Fingerprint
from provenance.fingerprint.glimpse import Glimpse
from provenance.fingerprint.looking import Effort, Look, interval_ms, look
from provenance.fingerprint.pdq import Turn
from provenance.fingerprint.placing import (
    Laid,
    Steps,
    from_content,
    from_geometry,
    is_possible,
    lay,
    steps_of_cells,
)
from provenance.watermark import Evidence, Geometry

ALIKE = 0.6  # likeness that a match needs; honest changes leave .75, unrelated clips reach .5 ...
BEYOND_CHANCE = 12.0  # ... and 9.1 of evidence in 1,348 comparisons
PART_BEYOND_CHANCE = 7.5  # evidence of a part that is alike: a quarter of a marked clip leaves 9
HONEST = 0.7  # likeness below anything that an honest change of the whole left
UNLIKE = 4.0  # standard deviations below `HONEST` that a difference needs
MOVES_ALIKE = 0.5  # likeness of what moves that a match needs: .6 and more, against .4
CLOSE_MS = 250  # between pictures at hand: so close to a moment a clip of bicycles is still .9
SHOWS = 3.0  # statistic of a part of the picture or of the clip that carries the mark itself
MOST_WITHOUT = 1  # rows and columns of regions where it does not show
SLOWED = 2  # times: a part of the clip may be shown so much slower

_SAME = "the pictures are those of the record"
_OTHER = "where the mark says that the record's pictures are, others are shown"
_SAME_PLACE = "the same is to be seen, but not the same moves in it: another moment, or an edit"
_NEITHER = "the pictures are neither like the record's nor unlike enough"
_PART = "a part of the picture is the record's, or may be"
_NOWHERE = "the mark was recognised, but not where in the pictures it is"
_NEVER = "in no two pictures that follow one another the mark shows"
_NOT_ALL = "the mark shows in a part of the picture only: the rest may be somebody else's"
_UNPLACED = "no mark says how the pictures were changed, and as a whole they are not alike"


@dataclass(frozen=True, slots=True)
class Mark:
    """What the mark says of the pictures at hand."""

    geometry: Geometry  # how they were changed
    evidence: Evidence | None  # where it shows; None where only its issuer could recognise it
    frame_rate: Fraction  # of the file, nominal


def compare(taken: Fingerprint, seen: Glimpse, mark: Mark | None) -> Comparison:
    """Compare a file at hand with the fingerprint of a record.

    Args:
        taken: the record's.
        seen: what was kept of the file.
        mark: the record's, as it was found in the file; None where it was not, and then nothing
            is ever called different.
    """
    if mark is None or not is_possible(mark.geometry):
        return _whole(taken, seen)
    ours = steps_of_cells(taken)
    laid = lay(seen, from_geometry(mark.geometry), taken)  # (1)
    best = look(taken, ours, laid, effort=Effort.QUICK)
    if not _is_match(best):
        again = look(taken, ours, laid, effort=Effort.THOROUGH)
        best = max(best, again, key=lambda each: each.evidence)
    if _is_match(best):  # (2)
        return _said(Answer.MATCH, _SAME, best, "mark")
    doubt = _SAME_PLACE if _is_alike(best) else _doubt(taken, ours, laid, mark)  # (3)
    if doubt is None:
        return _said(Answer.DIFFERENT, _OTHER, best, "mark")
    return _said(Answer.INCONCLUSIVE, doubt, best, "mark")


def _whole(taken: Fingerprint, seen: Glimpse) -> Comparison:
    """Compare whole with whole, laid each of the eight ways."""
    ours, looks = steps_of_cells(taken), []
    for turn in Turn:
        placing = from_content(taken, seen.aspect, seen.content, turn)
        found = look(taken, ours, lay(seen, placing, taken), effort=Effort.QUICK)
        if _is_match(found):
            return _said(Answer.MATCH, _SAME, found, turn.name.lower())
        looks.append((found.evidence, found, turn))
    _, best, turn = max(looks, key=lambda each: each[0])
    reason = _SAME_PLACE if _is_alike(best) else _UNPLACED
    return _said(Answer.INCONCLUSIVE, reason, best, turn.name.lower())


def _is_alike(found: Look) -> bool:
    return found.likeness >= ALIKE and found.evidence >= BEYOND_CHANCE


def _is_match(found: Look) -> bool:
    return _is_alike(found) and (found.motion is None or found.motion >= MOVES_ALIKE)


def _doubt(taken: Fingerprint, ours: Steps, laid: Laid, mark: Mark) -> str | None:
    """Return why pictures that do not match may be the record's all the same; None: they are not.

    What costs little is asked first.
    """
    if mark.evidence is None:
        return _NOWHERE
    if not _is_everywhere(mark.evidence):
        return _NOT_ALL
    carrying = _carrying(laid, mark.evidence, mark.frame_rate)
    return _may_have_missed(taken, carrying) or _likeness_left(taken, ours, carrying)


def _may_have_missed(taken: Fingerprint, carrying: Laid) -> str | None:
    """Return why none of the record's moments may be among these pictures; None: one must be."""
    if not carrying.times_ms:
        return _NEVER
    gap = int(max(np.diff(carrying.times_ms), default=0))
    if gap > CLOSE_MS:
        return f"the file is long: pictures {gap} ms apart may miss the record's moments"
    lasts = carrying.times_ms[-1] - carrying.times_ms[0] + gap
    if lasts < SLOWED * interval_ms(taken):
        return f"the mark shows for {lasts} ms and may lie between the record's moments"
    return None


def _likeness_left(taken: Fingerprint, ours: Steps, carrying: Laid) -> str | None:
    """Return in what a moment of the record may yet be like one of these pictures."""
    best = look(taken, ours, carrying, effort=Effort.THOROUGH, share=0)
    if best.evidence_of(HONEST) - best.evidence < UNLIKE:
        return _NEITHER
    if best.evidence >= PART_BEYOND_CHANCE:
        return _PART
    for part in (ours.negative, *_windows(ours)):
        found = look(taken, part, carrying, effort=Effort.QUICK, share=0)
        if found.evidence >= PART_BEYOND_CHANCE:
            return _PART
    return None


def _is_everywhere(evidence: Evidence) -> bool:
    """Tell whether a mark shows in all rows and columns of the picture's regions but one.

    Not in each region: in small and in flat pictures it lies in patches, and where these are the
    key decides. A clip beside another one leaves two columns or a row and more without it, or
    is alike in a half of the picture.
    """
    rows = [[value >= SHOWS for value in row] for row in evidence.regions]
    if len({len(row) for row in rows}) != 1:
        return False  # a child that was taken over says anything
    columns = zip(*rows, strict=True)
    without = sum(not any(line) for line in (*rows, *columns))
    return any(map(any, rows)) and without <= MOST_WITHOUT


def _carrying(laid: Laid, evidence: Evidence, frame_rate: Fraction) -> Laid:
    """Return the longest row of pictures in which the mark shows all the time.

    As many as a search can look at, and as far apart as is close enough: so few cover the most.
    """
    shows = dict(enumerate(value >= SHOWS for value in evidence.moments))
    start, best, length = 0, 0, 0
    for at, time_ms in enumerate(laid.times_ms):
        moment = round(time_ms * frame_rate / 1000) // max(1, evidence.frames_per_moment)
        if not shows.get(moment, False):
            start = at + 1
        elif at + 1 - start > length:
            best, length = start, at + 1 - start
    most, times = Effort.THOROUGH.pictures(laid), laid.times_ms[best : best + length]
    apart = max(int(max(np.diff(times), default=CLOSE_MS)), 1)
    step = max(1, min(-(-length // most), CLOSE_MS // apart))
    return laid.part(slice(best, best + min(length, most * step), step))


def _windows(ours: Steps) -> Iterator[Steps]:
    """Yield the steps of halves and quarters of the picture: at its edges and in its middle."""
    rows, columns = ours.right_known.shape
    for down in (slice(None), *_halves(rows)):
        for across in (slice(None), *_halves(columns)):
            if (down, across) != (slice(None), slice(None)):
                yield ours.within((down, across))


def _halves(side: int) -> Iterator[slice]:
    half = side // 2
    for start in (0, half // 2, side - half):
        yield slice(start, start + half)


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
