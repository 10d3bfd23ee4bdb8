"""How much a picture may be changed, pixel by pixel, before the eye sees it.

Rules of thumb of the just-noticeable difference: texture hides (masking), very dark and very
bright areas hide a little, an edge does not hide what lies beside it, and a flat area hides almost
nothing.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

FLAT = 0.9  # grey levels of standard deviation that a flat area takes at strength 1
MOST_FLAT = 1.6  # grey levels: the eye finds the mark in flat areas first, in small frames too
MASKING = 0.30  # grey levels gained per grey level of texture, to the power MASKING_POWER
MASKING_POWER = 0.75
CEILING = 6.0  # grey levels: no texture hides more
EDGE = 5  # canonical pixels by which masking stays away from the rim of a texture
REFERENCE_SIDE = 300  # pixels: a frame this high takes the mask as it is
SIZE_POWER = 1.3  # a tile that covers more pixels needs less change in each, and shows sooner
MOST_GAIN = 2.6  # reached at 144 pixels

Float = NDArray[np.float32]


def visibility_mask(grey: Float, spread: Float, gain: float) -> Float:
    """Return the standard deviation that the mark may have at each canonical pixel, in grey levels.

    Args:
        grey: the picture's luma, (height, width).
        spread: the local standard deviation of its fine structure, (height, width).
        gain: the viewing gain of the frame's size.
    """
    texture = cv2.erode(cv2.blur(spread, (EDGE, EDGE)), np.ones((EDGE, EDGE), np.uint8))
    flat = min(FLAT * gain, MOST_FLAT)
    allowed = np.minimum(flat + MASKING * gain * texture**MASKING_POWER, CEILING * gain)
    return np.asarray(allowed * _luminance(grey), np.float32)


def viewing_gain(short_side: int) -> float:
    """Return how strong the mark may be at this frame size, relative to `REFERENCE_SIDE`."""
    return min(float((REFERENCE_SIDE / short_side) ** SIZE_POWER), MOST_GAIN)


def _luminance(grey: Float) -> Float:
    """Return how much more (or less) a grey level hides, eye and gamma together."""
    levels = np.interp(np.arange(256), [0, 40, 180, 215, 255], [1.0, 0.8, 1.15, 1.15, 0.9]).astype(
        np.float32
    )
    return np.asarray(levels[np.clip(grey, 0, 255).astype(np.uint8)], np.float32)
