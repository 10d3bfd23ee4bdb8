"""Take a fingerprint of a clip that was looked at from begin to end."""

import numpy as np
from numpy.typing import NDArray

from provenance.fingerprint.form import Box, Fingerprint, Moment, grid, most_moments
from provenance.fingerprint.pdq import Spectrum, spectrum_of
from provenance.fingerprint.sampling import Sighting

FEWEST_MOMENTS = 8  # of a clip that has as many frames
INTERVAL_MS = 500  # between moments, where the clip is short enough
HASHED = 5 * 64  # pixels a side: of an odd multiple PDQ's window and samples lie in the middle, so
# that a mirrored picture has the mirrored hash; of an even one it differs by 30 bits

Float = NDArray[np.float32]


def fingerprint_of(seen: Sighting) -> Fingerprint:
    """Return the fingerprint of a clip."""
    content = seen.content.in_units()
    rows, columns = grid(seen.aspect, content)
    chosen = _chosen(seen.large.times_ms, most_moments(rows, columns))
    pictures = seen.large.pictures[chosen]
    cells = np.rint(parts(pictures, content, rows, columns)).astype(np.uint8)
    moments = []
    for index, spectrum, brightness in zip(chosen, spectra(pictures, content), cells, strict=True):
        pdq = spectrum.hash().tobytes()
        time_ms = seen.large.times_ms[index]
        moments.append(Moment(time_ms, spectrum.quality, pdq, brightness.tobytes()))
    return Fingerprint(seen.aspect, content, rows, columns, tuple(moments))


def spectra(pictures: NDArray[np.uint8], content: Box) -> list[Spectrum]:
    """Return what PDQ sees of the content of pictures (n, height, width)."""
    return [spectrum_of(picture) for picture in parts(pictures, content, HASHED, HASHED)]


def parts(pictures: NDArray[np.uint8], box: Box, rows: int, columns: int) -> Float:
    """Return the mean of each of rows x columns equal parts of a box, (n, rows, columns).

    A pixel that lies in two parts counts in both, by its share.
    """
    _, height, width = pictures.shape
    down = _shares(height, box.top, box.bottom, rows)
    across = _shares(width, box.left, box.right, columns)
    return np.asarray(down @ pictures.astype(np.float32) @ across.T, np.float32)


def _shares(side: int, start: float, end: float, count: int) -> Float:
    """Return how much each pixel of a side adds to each of `count` parts of it, (count, side)."""
    edges = np.linspace(start * side, end * side, count + 1)
    covered = np.clip(edges[:, None] - np.arange(side)[None], 0, 1)  # of each pixel, by each edge
    return ((covered[1:] - covered[:-1]) / np.diff(edges)[:, None]).astype(np.float32)


def _chosen(times_ms: tuple[int, ...], most: int) -> list[int]:
    """Return which moments are kept: the first, the last and some evenly between."""
    wanted = max(FEWEST_MOMENTS, (times_ms[-1] - times_ms[0]) // INTERVAL_MS + 1)
    count = min(wanted, most, len(times_ms))
    return [round(float(at)) for at in np.linspace(0, len(times_ms) - 1, count)]
