"""Putting a mark into frames, one by one.

For each frame:
 1. see it on the canonical grid;
 2. ask the eye how much it may be changed, and where;
 3. see what the picture itself says at the mark's frequencies, averaged over recent frames, and
    lean against it: weaken the signs that it carries anyway, strengthen those that it opposes
    (improved spread spectrum, Malvar and Florencio, IEEE Trans. Signal Proc. 51(4), 2003);
 4. lay the tile over the picture, scale it to the frame, and add it to red, green and blue alike,
    rounded with the keyed dither.
"""

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from provenance.errors import MarkDoesNotHold, MarkError
from provenance.payload import Bits
from provenance.watermark.canonical import (
    FLOOR,
    MOST_OBLONG,
    canonical_size,
    fold,
    luma,
    normalised,
    residual,
    spectrum_of,
    to_canonical,
)
from provenance.watermark.chips import DITHER, TILE, Chips, amplitude
from provenance.watermark.perception import patches, visibility_mask

SMALLEST_SIDE = 96  # pixels: below it a tile has fewer than 26 pixels across and no codec keeps it
MOST_STRENGTH = 4.0  # beyond it everybody sees the mark
HOST_MEMORY = 0.9  # weight of the past in the picture's average
LEANING = 0.7  # share of the picture's own opinion that is leant against
LEANING_RANGE = (0.35, 1.6)  # no sign gets weaker or stronger than this
STRIP = 64  # rows rounded at a time: they stay in the cache, and a large frame takes 30 MB less

Picture = NDArray[np.uint8]
Float = NDArray[np.float32]


def embed_frames(
    frames: Iterable[Picture],
    chips: Chips,
    coded: Bits,
    *,
    strength: float,
    place: tuple[int, int] = (0, 0),
) -> Iterator[Picture]:
    """Yield each frame with the mark of 1024 coded bits in it.

    Args:
        frames: RGB, (height, width, 3).
        chips: the key's tables.
        coded: the payload's coded bits, (1024,).
        strength: relative to what the eye allows.
        place: where the grid lies, (right, down) in canonical pixels.

    Raises:
        MarkError: when the strength is none.
        MarkDoesNotHold: when a frame is too small, too oblong, no RGB picture, or of another size
            than the first.
    """
    if not 0 < strength <= MOST_STRENGTH:
        raise MarkError(
            f"a strength lies above 0 and up to {MOST_STRENGTH}, not at {strength}; "
            "take one of STRENGTHS"
        )
    marker: _Marker | None = None
    for frame in frames:
        if marker is None:
            marker = _Marker(_fit(frame), chips, coded, strength, place)
        if frame.shape != marker.shape:
            raise MarkDoesNotHold(
                f"the clip changes size from {marker.shape} to {frame.shape}; "
                "scale its frames to one size first"
            )
        yield marker.mark(frame)


def _fit(frame: Picture) -> tuple[int, int, int]:
    if frame.ndim != 3 or frame.shape[2] != 3:
        raise MarkDoesNotHold(
            f"the mark goes into RGB frames (height, width, 3), not {frame.shape}; convert them"
        )
    height, width, channels = frame.shape
    short, long = sorted((height, width))
    if short < SMALLEST_SIDE:
        raise MarkDoesNotHold(
            f"the mark needs a short side of {SMALLEST_SIDE} pixels, this clip has {short}; "
            "scale it up"
        )
    if long > MOST_OBLONG * short:
        raise MarkDoesNotHold(
            f"the mark needs a long side of at most {MOST_OBLONG} short ones, "
            f"this clip is {width} x {height}; crop it"
        )
    return height, width, channels


class _Marker:
    """The state that one clip's frames share while they are marked."""

    def __init__(
        self,
        shape: tuple[int, int, int],
        chips: Chips,
        coded: Bits,
        strength: float,
        place: tuple[int, int],
    ) -> None:
        self.shape = shape
        self._place = place[::-1]  # (down, right), as axes are numbered
        self._strength = strength
        self._wanted, self._shape_of_spectrum = mark_spectrum(chips, coded, min(shape[:2]))
        self._gain = np.float32(
            1 / np.fft.irfft2(self._wanted * self._shape_of_spectrum, (TILE, TILE)).std()
        )
        self._host: NDArray[np.complex64] | None = None
        height, width, _ = shape
        tiles = (-(-height // DITHER), -(-width // DITHER))
        self._rounding = np.tile(chips.dither - np.float32(0.5), tiles)[:height, :width]
        self._grid = canonical_size(height, width)
        self._places = patches(chips.dither, *self._grid, min(height, width))

    def mark(self, frame: Picture) -> Picture:
        grey = to_canonical(luma(frame))  # (1)
        fine, spread = residual(grey)
        allowed = visibility_mask(grey, spread, self._places, min(self.shape[:2]))  # (2)
        mask = allowed * np.float32(self._strength)
        tile = self._tile(fine, spread, mask)  # (3)
        rows, columns = self._grid  # (4)
        change = np.tile(tile, (-(-rows // TILE), -(-columns // TILE)))[:rows, :columns] * mask
        height, width, _ = self.shape
        way = cv2.INTER_CUBIC if height >= rows else cv2.INTER_AREA
        change = cv2.resize(change, (width, height), interpolation=way)
        marked = np.empty(self.shape, np.uint8)
        for top in range(0, height, STRIP):
            part = slice(top, top + STRIP)
            steps = np.rint(cv2.add(change[part], self._rounding[part])).astype(np.int16)
            three = cv2.merge([steps, steps, steps])
            cv2.add(frame[part], three, dst=marked[part], dtype=cv2.CV_8U)
        return marked

    def _tile(self, fine: Float, spread: Float, mask: Float) -> Float:
        """Return the tile for this frame, of standard deviation about 1."""
        tiles = fine.size / TILE**2
        back = (-self._place[0], -self._place[1])
        seen = spectrum_of(np.roll(fold(normalised(fine, spread)), back, axis=(0, 1)))
        reach = max(float(np.mean(mask / (spread + FLOOR))), 1e-6) * tiles * float(self._gain)
        seen = seen / np.float32(reach)  # in units of the mark's own signs
        if self._host is None:
            self._host = seen
        self._host = (HOST_MEMORY * self._host + (1 - HOST_MEMORY) * seen).astype(np.complex64)
        host = self._host / np.maximum(self._shape_of_spectrum, 1e-9)
        wanted = self._wanted
        lean_re = np.clip(1 - LEANING * np.sign(wanted.real) * host.real, *LEANING_RANGE)
        lean_im = np.clip(1 - LEANING * np.sign(wanted.imag) * host.imag, *LEANING_RANGE)
        leaning = (wanted.real * lean_re + 1j * wanted.imag * lean_im) * self._shape_of_spectrum
        tile = np.asarray(np.fft.irfft2(leaning, (TILE, TILE)), np.float32) * self._gain
        return np.asarray(np.roll(tile, self._place, axis=(0, 1)), np.float32)


def mark_spectrum(
    chips: Chips, coded: Bits, short_side: int
) -> tuple[NDArray[np.complex64], Float]:
    """Return a mark's signs and the amplitude of each frequency, as half spectra (64, 33).

    Args:
        chips: the key's tables.
        coded: the payload's coded bits, (1024,).
        short_side: of the frames, in pixels.
    """
    signs = np.zeros((TILE, TILE // 2 + 1), np.complex64)
    strength = np.zeros((TILE, TILE // 2 + 1), np.float32)
    payload = (1 - 2 * coded[chips.coded_bit_at].astype(np.float32)) * chips.payload_signs
    signs[tuple(chips.sync_at.T)] = chips.sync_signs
    signs[tuple(chips.payload_at.T)] = payload[0::2] + 1j * payload[1::2]
    for frequencies in (chips.sync_at, chips.payload_at):
        strength[tuple(frequencies.T)] = amplitude(frequencies, short_side)
    return signs, strength
