"""How much a picture may be changed before the eye sees it."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from provenance.watermark.canonical import residual
from provenance.watermark.perception import visibility_mask

Float = NDArray[np.float32]

ROWS, COLUMNS = 240, 416  # a 480p frame on the canonical grid
FAR = np.hypot(np.arange(COLUMNS) % 52 - 26, np.arange(ROWS)[:, None] % 60 - 30)  # from a centre
BALL, CORE = FAR < 14, FAR < 4


@pytest.mark.parametrize("contrast", [60, 100])
@pytest.mark.parametrize("blur", [2, 3, 4])
def test_balls_out_of_focus_take_no_more_than_flat_ground(contrast: int, blur: int) -> None:
    """Of this size and larger; docs/watermark.md says that half of it still counts as texture."""
    shape = np.where(BALL, 90 + contrast, 90).astype(np.float32)
    flat = np.full((ROWS, COLUMNS), 90 + contrast, np.float32)

    balls = allowed_in(blurred(shape, blur))

    assert balls[CORE].max() < 1.5 * allowed_in(flat).max()


def test_structure_as_fine_as_the_mark_takes_more_than_the_ground_around_it() -> None:
    grain = np.random.default_rng(1).normal(0, 9, (ROWS, COLUMNS))

    allowed = allowed_in((110 + np.where(BALL, grain, 0)).astype(np.float32))

    assert allowed[CORE].mean() > 1.5 * allowed[FAR > 22].mean()


def test_in_a_small_frame_the_same_shape_is_the_finest_there_is_and_hides() -> None:
    """Its pixels are drawn large on the canonical grid."""
    shape = blurred(np.where(BALL, 190, 90).astype(np.float32), 3)

    assert allowed_in(shape, short_side=128)[CORE].max() > 2 * allowed_in(shape)[CORE].max()


def blurred(picture: Float, sigma: float) -> Float:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)


def allowed_in(grey: Float, *, short_side: int = 480) -> Float:
    """Return what is allowed where places are not chosen."""
    _, spread = residual(grey)
    return visibility_mask(grey, spread, np.ones_like(grey), short_side)
