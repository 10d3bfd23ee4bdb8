"""Which moments and which regions of a clip carry the mark that was read."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from provenance.payload import Bits
from provenance.watermark import Evidence
from provenance.watermark.accumulate import Observation
from provenance.watermark.bound import statistic
from provenance.watermark.chips import SHORT_SIDE, Chips
from provenance.watermark.readout import Try, received

REGIONS = 3  # on the short side; less than a tile has too little of the mark to show
REGION = SHORT_SIDE / REGIONS  # canonical pixels, about; the long side is cut into equal parts


def gather(observation: Observation, found: Try, coded: Bits, chips: Chips) -> Evidence:
    """Weigh each moment and each region alone against the code word that was read.

    Args:
        observation: the clip.
        found: the try that it was read from, which says how the picture was changed.
        coded: the code word (1024,).
        chips: the key's tables.
    """

    def shown(picture: NDArray[np.float32]) -> float:
        word = received(picture, found.pose, found.shift, chips)
        return round(statistic(word, chips, coded), 2)

    height, width = observation.total.shape
    rows, columns = (_edges(side) for side in (height, width))
    return Evidence(
        frames_per_moment=observation.frames_per_moment,
        moments=tuple(shown(moment) for moment in observation.moments),
        regions=tuple(
            tuple(
                shown(_only(observation.total, slice(top, bottom), slice(left, right)))
                for left, right in pairwise(columns)
            )
            for top, bottom in pairwise(rows)
        ),
    )


def _edges(side: int) -> list[int]:
    return [round(edge) for edge in np.linspace(0, side, max(1, round(side / REGION)) + 1)]


def _only(picture: NDArray[np.float32], rows: slice, columns: slice) -> NDArray[np.float32]:
    """Return a picture that is 0 outside of a region."""
    alone = np.zeros_like(picture)
    alone[rows, columns] = picture[rows, columns]
    return alone
