"""How much a picture may be changed, pixel by pixel, before the eye sees it.

Rules of thumb of the just-noticeable difference, and what measuring added to them
(docs/watermark.md says what each is worth):
 1. texture hides (masking), an area without any hides hardly anything;
 2. only structure as fine as the mark itself hides it: a ball out of focus is no texture;
 3. an edge does not hide what lies beside it: the mark keeps away from slopes and from the rim of
    a texture;
 4. very dark and very bright areas hide a little;
 5. a frame as a whole has a budget: little for a flat one, more for one that is full of detail;
 6. a codec drops what is faint everywhere and keeps what is clearer in some places: in flat and in
    small frames the budget is spent in patches.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from provenance.watermark.canonical import HIGH_PASS_SIGMA, NEIGHBOURHOOD

# In grey levels of standard deviation, for frames whose mean texture is that of DETAIL: flat,
# nearly so, of some detail, of more and more, full of it. .77 is a PSNR of 50.4 dB, 1.28 one of
# 46 dB, 1.9 one of 42.6 dB. Between 4 and 9, where a codec is hardest on the mark, VMAF-NEG allows
# a little more than beyond.
DETAIL = (0.6, 1.0, 3.0, 4.0, 6.0, 9.0, 24.0)
BUDGET = (0.77, 0.83, 1.28, 1.5, 1.5, 1.4, 1.9)
FLAT = (0.91, 0.97, 1.1, 1.1, 1.1, 1.1, 1.2)  # what an area without texture takes
CEILING = (5.0, 5.2, 6.0, 6.0, 6.0, 6.2, 7.0)  # no texture takes more
STEEP = (1.2, 1.25, 1.5, 1.6, 1.8, 1.85, 2.0)  # grey levels per canonical pixel halve the mark
SPREAD_OUT = (0.0, 0.1, 0.7, 0.8, 1.0, 1.0, 1.0)  # 0: spent in patches, 1: everywhere
FINE_SIGMA = (HIGH_PASS_SIGMA, 1.0)  # canonical pixels, in small frames and in large ones
ENOUGH = (1.0, 0.15)  # share of structure finer than that from which all of it hides
GRAIN = 1.0  # texture up to here is a codec's leftovers or noise, and counts as flat
RIM = 9  # canonical pixels by which masking stays away from the rim of a texture
SMOOTHING = 5  # canonical pixels over which texture is averaged
SLOPE_SIGMA = 2.0  # canonical pixels: slopes of larger things, not of grain
MOST_MASKING = 12.0  # times the texture's own masking, where a budget is left
PATCHES = (0.2, 0.35)  # share of the picture, in small frames and in large ones
PATCH_SIGMA = 18.0  # canonical pixels: patches are about a third of a tile wide, not in its beat
SMALL = (256, 480)  # pixels of the short side: a small frame below, a large one above
SMALL_GAIN = 1.55  # its tile covers fewer pixels, and the patches hide what it needs more
ROUNDS = 4  # of fitting the budget: within two hundredths of it on every clip measured

Float = NDArray[np.float32]


def visibility_mask(grey: Float, spread: Float, places: Float, short_side: int) -> Float:
    """Return the standard deviation that the mark may have at each canonical pixel, in grey levels.

    Args:
        grey: the picture's luma, (height, width).
        spread: the local standard deviation of its fine structure, (height, width).
        places: where to spend what there is, from `patches`, (height, width).
        short_side: of the frame, in pixels.
    """
    large = _large(short_side)
    texture = _texture(grey, spread, large)
    detail = float(texture.mean())
    budget, flat, ceiling, steep, spread_out = (
        float(np.interp(detail, DETAIL, values))
        for values in (BUDGET, FLAT, CEILING, STEEP, SPREAD_OUT)
    )
    root = np.sqrt(np.maximum(texture - np.float32(GRAIN), 0))
    hiding = root * np.sqrt(root)  # to the power of 3/4
    sensitivity = _luminance(grey) / (1 + (_slope(grey) / np.float32(steep)) ** 2)
    sensitivity *= places + (1 - places) * np.float32(spread_out * large)
    budget = min(budget * SMALL_GAIN ** (1 - large), BUDGET[-1])
    return _within(budget, flat, hiding, sensitivity, ceiling)


def patches(noise: Float, rows: int, columns: int, short_side: int) -> Float:
    """Return a window (rows, columns) of mean square 1 that is high in patches and low between.

    Args:
        noise: a table of uniform numbers, which says where the patches are.
        rows: height of the canonical picture.
        columns: width of it.
        short_side: of the frame, in pixels.
    """
    share = float(np.interp(_large(short_side), (0, 1), PATCHES))
    table = np.tile(noise, (-(-rows // len(noise)), -(-columns // len(noise))))[:rows, :columns]
    clouds = cv2.GaussianBlur(table, (0, 0), PATCH_SIGMA)
    inside = (clouds > np.quantile(clouds, 1 - share)).astype(np.float32)
    window = cv2.GaussianBlur(inside, (0, 0), PATCH_SIGMA / 3)
    return np.asarray(window / np.sqrt(np.mean(window * window)), np.float32)


def _within(budget: float, flat: float, hiding: Float, sensitivity: Float, ceiling: float) -> Float:
    """Return the mask whose root mean square is the budget, as far as masking reaches."""
    masking = 1.0
    for _ in range(ROUNDS):
        mask = np.minimum((flat + np.float32(masking) * hiding) * sensitivity, ceiling)
        spent = float(np.sqrt(np.mean(mask * mask)))
        masking = min(masking * (budget / max(spent, 1e-6)) ** 1.3, MOST_MASKING)
    return np.asarray(mask * np.float32(min(1.0, budget / max(spent, 1e-6))), np.float32)


def _texture(grey: Float, spread: Float, large: float) -> Float:
    """Return the standard deviation of structure that hides a mark, away from its rims.

    The structure around a pixel reaches up to waves that are longer than the mark's: the round
    shape of something out of focus is among it, and hides nothing. So where too little of it is
    fine, it counts by the square of how much is. A small frame has nothing finer to ask for.
    """
    sigma, enough = (float(np.interp(large, (0, 1), ends)) for ends in (FINE_SIGMA, ENOUGH))
    fine = grey - cv2.GaussianBlur(grey, (0, 0), sigma)
    power = np.maximum(cv2.blur(fine * fine, (NEIGHBOURHOOD, NEIGHBOURHOOD)), 0)
    share = np.sqrt(power) / np.maximum(spread, np.float32(1e-3))
    hiding = spread * np.square(np.minimum(share / np.float32(enough), 1))
    smooth = cv2.blur(hiding, (SMOOTHING, SMOOTHING))
    return np.asarray(cv2.erode(smooth, np.ones((RIM, RIM), np.uint8)), np.float32)


def _large(short_side: int) -> float:
    """Return where a frame stands between small (0) and large (1)."""
    return float(np.interp(short_side, SMALL, (0, 1)))


def _slope(grey: Float) -> Float:
    """Return how steeply brightness changes, in grey levels per canonical pixel."""
    smooth = cv2.GaussianBlur(grey, (0, 0), SLOPE_SIGMA)
    across, down = (cv2.Sobel(smooth, cv2.CV_32F, *way, ksize=3) for way in ((1, 0), (0, 1)))
    return np.asarray(cv2.magnitude(across, down) / np.float32(8), np.float32)


def _luminance(grey: Float) -> Float:
    """Return how much more (or less) a grey level hides, eye and gamma together."""
    levels = np.interp(np.arange(256), [0, 40, 180, 215, 255], [1.0, 0.8, 1.15, 1.15, 0.9]).astype(
        np.float32
    )
    return np.asarray(levels[np.clip(grey, 0, 255).astype(np.uint8)], np.float32)
