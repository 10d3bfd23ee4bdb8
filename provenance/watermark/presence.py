"""Is a mark of this key there at all, whatever it says? An answer with a proof of its own.

The sync signs show where the grid lies, and whoever sees the grid has seen the mark. They are fair
coins that no picture was made from, so what `bound.py` proves for the payload's signs holds for
them: for one picture, one pose and one shift,

    P(clarity >= t) <= exp(-t**2 / 2),

where the clarity is the correlation of what was received with the signs over the root of its
energy. Nothing may then be chosen with the signs' help, unless every choice is paid for. So this
looks at two fixed lists, each of which may be wrong with half of the promised chance:

 - the whole clip and its spells, mirrored or not, under all shifts by half a canonical pixel;
 - the pictures that are searched, under every pose that is tried and all shifts by a pixel. What
   refining a pose gains is left out: it follows the signs.
"""

import math

import numpy as np

from provenance.watermark.accumulate import MAX_MOMENTS, SPELL, Observation
from provenance.watermark.bound import log10_bound
from provenance.watermark.chips import TILE, Chips
from provenance.watermark.readout import tile_of
from provenance.watermark.search import POSES, SEARCHED, Pose, levelled, peaks

FINENESS = 2  # shifts per canonical pixel
UPRIGHT_HYPOTHESES = 2 * (1 + MAX_MOMENTS // SPELL) * (FINENESS * TILE) ** 2
POSED_HYPOTHESES = SEARCHED * POSES * TILE**2


def grid_clarity(observation: Observation, chips: Chips) -> float:
    """Return how clearly the grid shows in a picture that was at most resized or mirrored."""
    tiles = np.stack(
        [
            tile_of(picture, Pose(mirrored=mirrored))[tuple(chips.sync_at.T)]
            for mirrored in (False, True)
            for picture in (observation.total, *observation.spells)
        ]
    )
    highest, _ = peaks(levelled(tiles) * np.conj(chips.sync_signs), chips, fineness=FINENESS)
    return float(highest.max())


def presence_bound(upright: float, posed: float) -> float:
    """Return log10 of a bound on the chance of a grid this clear in an unmarked clip.

    Args:
        upright: the clarity of the upright picture.
        posed: the largest clarity of all poses that were tried; 0 where none was.
    """
    found = (
        log10_bound(upright, payload_bits=0, tries=UPRIGHT_HYPOTHESES),
        log10_bound(posed, payload_bits=0, tries=POSED_HYPOTHESES),
    )
    return min(0.0, math.log10(2) + min(found))
