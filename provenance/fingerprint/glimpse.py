"""What of a file's pictures leaves the process that examined it: enough to compare, and no more.

The fingerprint of a record is only known once the log was asked, and that happens outside. So what
the child says is not a fingerprint of its own, which would hold the wrong moments and a whole
picture's cells, but tiny pictures of every moment, and hashes of some.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from provenance.errors import FingerprintError
from provenance.fingerprint.form import HASH_BYTES, MOST_OBLONG, TOP_QUALITY, Box
from provenance.fingerprint.pdq import Turn
from provenance.fingerprint.sampling import MOST_TINY, MOST_TINY_BYTES, TINY_SIDE, Sighting
from provenance.fingerprint.taking import spectra

MOST_HASHED = 32  # moments, 3 ms each

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Glimpse:
    """What is known of the pictures of a file at hand; arrays are read-only."""

    aspect: float  # width over height of a whole frame
    content: Box  # without black bars
    times_ms: tuple[int, ...]  # of the pictures, rising
    pictures: Bytes  # (moments, height, width) luma, the short side 40
    hashes: Bytes  # (hashed moments, 8, 32): PDQ of the content, laid each way of `Turn`
    qualities: tuple[int, ...]  # of the hashed moments


@dataclass(frozen=True, slots=True)
class GlimpseText:
    """A glimpse as JSON can say it."""

    aspect: float
    content: tuple[float, float, float, float]
    times_ms: tuple[int, ...]
    height: int
    width: int
    pictures: str  # base64, as `hashes`
    hashes: str
    qualities: tuple[int, ...]

    def glimpse(self) -> Glimpse:
        """Return what it says.

        Raises:
            FingerprintError: it is not what `written` makes.
        """
        short, long = sorted((self.height, self.width))
        times, qualities = self.times_ms, self.qualities
        if short != TINY_SIDE or long > MOST_OBLONG * TINY_SIDE:
            raise _refused(f"pictures of {self.height} x {self.width}")
        if not 1 <= len(times) <= MOST_TINY or list(times) != sorted({*times}) or times[0] < 0:
            raise _refused(f"{len(times)} moments whose times do not rise")
        if len(times) * self.height * self.width > MOST_TINY_BYTES:
            raise _refused(f"{len(times)} pictures of {self.height} x {self.width}")
        if len(qualities) > MOST_HASHED or not all(0 <= q <= TOP_QUALITY for q in qualities):
            raise _refused(f"{len(qualities)} hashes")
        left, top, right, bottom = self.content
        inside = 0 <= left < right <= 1 and 0 <= top < bottom <= 1
        if not inside or not 1 / MOST_OBLONG <= self.aspect <= MOST_OBLONG:
            raise _refused("a frame of no shape")
        return Glimpse(
            aspect=self.aspect,
            content=Box(left, top, right, bottom),
            times_ms=times,
            pictures=_array(self.pictures, (len(times), self.height, self.width)),
            hashes=_array(self.hashes, (len(qualities), len(Turn), HASH_BYTES)),
            qualities=qualities,
        )


def glimpse_of(seen: Sighting) -> Glimpse:
    """Return what of a sighting leaves the process."""
    count = min(MOST_HASHED, len(seen.large.times_ms))
    chosen = [round(float(at)) for at in np.linspace(0, len(seen.large.times_ms) - 1, count)]
    found = spectra(seen.large.pictures[chosen], seen.content)
    hashes = np.stack([[spectrum.hash(turn) for turn in Turn] for spectrum in found])
    hashes.setflags(write=False)
    return Glimpse(
        aspect=seen.aspect,
        content=seen.content,
        times_ms=seen.tiny.times_ms,
        pictures=seen.tiny.pictures,
        hashes=hashes,
        qualities=tuple(spectrum.quality for spectrum in found),
    )


def written(seen: Glimpse) -> GlimpseText:
    """Return a glimpse as JSON can say it."""
    _, height, width = seen.pictures.shape
    box = seen.content
    return GlimpseText(
        aspect=seen.aspect,
        content=(box.left, box.top, box.right, box.bottom),
        times_ms=seen.times_ms,
        height=height,
        width=width,
        pictures=base64.b64encode(seen.pictures.tobytes()).decode("ascii"),
        hashes=base64.b64encode(seen.hashes.tobytes()).decode("ascii"),
        qualities=seen.qualities,
    )


def _array(text: str, shape: Sequence[int]) -> Bytes:
    try:
        content = base64.b64decode(text, validate=True)
        return np.frombuffer(content, np.uint8).reshape(shape)
    except (binascii.Error, ValueError) as error:
        raise _refused(f"no array of {tuple(shape)}") from error


def _refused(why: str) -> FingerprintError:
    return FingerprintError(f"this is no glimpse as `written` makes it: {why}; examine anew")
