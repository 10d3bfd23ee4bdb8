"""The grid that the mark lies on, and what of a picture is seen there.

Whatever size a picture has, the mark is put on and looked for at a size whose short side is 240
pixels: resizing a clip therefore changes nothing. What is looked at is the residual: fine
structure, divided by how strong structure is around it.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from provenance.watermark.chips import SHORT_SIDE, TILE

HIGH_PASS_SIGMA = 5.0  # canonical pixels; the mark's longest wave is 29 of them
MOST_OBLONG = (
    4  # long side over short side; a hostile 16 x 16384 picture would be 200 MB on the grid
)
NEIGHBOURHOOD = 9  # canonical pixels over which structure is averaged
FLOOR = 2.5  # grey levels: structure weaker than this counts as noise
LIMIT = 3.0  # residuals are cut there, so that no single edge outvotes the rest

Float = NDArray[np.float32]
Complex = NDArray[np.complex64]


def luma(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the luma (height, width) of an RGB picture; luma itself passes through."""
    return (
        picture
        if picture.ndim == 2
        else np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
    )


def canonical_size(height: int, width: int) -> tuple[int, int]:
    """Return the height and width of a picture on the canonical grid."""
    factor = SHORT_SIDE / min(height, width)
    return round(height * factor), round(width * factor)


def middle(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a luma picture, or its middle where it is more than `MOST_OBLONG` times too long."""
    longest = MOST_OBLONG * min(grey.shape)
    top, left = (max(0, side - longest) // 2 for side in grey.shape)
    return grey[top : top + longest, left : left + longest]


def to_canonical(grey: NDArray[np.uint8]) -> Float:
    """Return a luma picture on the canonical grid."""
    height, width = canonical_size(*grey.shape)
    way = cv2.INTER_AREA if min(grey.shape) > SHORT_SIDE else cv2.INTER_LINEAR
    return np.asarray(
        cv2.resize(grey.astype(np.float32), (width, height), interpolation=way), np.float32
    )


def residual(grey: Float) -> tuple[Float, Float]:
    """Return a canonical picture's fine structure and its local standard deviation."""
    fine = grey - cv2.GaussianBlur(grey, (0, 0), HIGH_PASS_SIGMA)
    power = cv2.blur(fine * fine, (NEIGHBOURHOOD, NEIGHBOURHOOD))
    return fine, np.sqrt(np.maximum(power, 0))


def normalised(fine: Float, spread: Float) -> Float:
    """Return the fine structure in units of its own local strength, limited."""
    return np.clip(fine / (spread + FLOOR), -LIMIT, LIMIT)


def fold(picture: Float) -> Float:
    """Return the sum of all tiles of a picture, (64, 64); zeros make the last tiles whole."""
    height, width = picture.shape
    down, across = -(-height // TILE), -(-width // TILE)
    whole = np.zeros((down * TILE, across * TILE), np.float32)
    whole[:height, :width] = picture
    return np.asarray(whole.reshape(down, TILE, across, TILE).sum(axis=(0, 2)), np.float32)


def spectrum_of(tile: Float) -> Complex:
    """Return the half spectrum (64, 33) of a tile."""
    return np.fft.rfft2(tile).astype(np.complex64)


def whiten(picture: Float) -> Float:
    """Return a picture with a flat spectrum, ring of frequencies by ring, and deviation 1.

    Pictures are strong at low frequencies, codecs silence high ones; after this every frequency of
    the mark counts alike.
    """
    spectrum = np.fft.rfft2(picture)
    height, width = picture.shape
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    ring = np.minimum((radius * 128).astype(int), 90)
    energy = np.bincount(ring.ravel(), (np.abs(spectrum) ** 2).ravel(), 91)
    power = energy / np.maximum(np.bincount(ring.ravel(), minlength=91), 1)
    gain = np.interp(
        radius, (np.arange(91) + 0.5) / 128, 1 / np.sqrt(power + 1e-3 * power.max() + 1e-12)
    )
    flat = np.fft.irfft2(spectrum * gain * (radius < 0.5), (height, width)).astype(np.float32)
    return flat / np.float32(max(float(flat.std()), 1e-6))
