"""Our PDQ against Meta's, on pictures of many shapes."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from provenance.fingerprint.pdq import Turn, distances, spectrum_of
from provenance.fingerprint.taking import HASHED
from tests.support import textured

pdqhash = pytest.importorskip("pdqhash", reason="needs the `dev` extra")
pytestmark = pytest.mark.dev

NOISE = np.random.default_rng(11)
TEXTURED = textured.clip(frames=3, height=270, width=480)


def luma(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    return (picture @ np.array([0.299, 0.587, 0.114])).astype(np.float32)


PICTURES = [
    *TEXTURED,
    *(
        np.ascontiguousarray(TEXTURED[0][:height, :width])
        for height, width in ((270, 71), (65, 480))
    ),
    *(
        cv2.GaussianBlur(NOISE.integers(0, 256, (height, width, 3), dtype=np.uint8), (0, 0), sigma)
        for height, width in ((64, 64), (129, 700), (513, 342), (1080, 1920))
        for sigma in (1, 8)
    ),
    textured.plain(frames=1)[0],
]


@pytest.mark.parametrize("picture", PICTURES, ids=lambda p: "x".join(map(str, p.shape[:2])))
def test_a_picture_has_metas_hash(picture: NDArray[np.uint8]) -> None:
    theirs, quality = pdqhash.compute(picture)

    ours = spectrum_of(luma(picture))

    if quality:  # in one grey there is nothing but rounding
        assert int((np.unpackbits(ours.hash()) != theirs).sum()) <= 1
    assert abs(ours.quality - quality) <= 1


# Meta's list: as it is, turned by 90, 180 and 270 degrees, upside down, mirrored, and both turned.
THEIR_ORDER = {
    Turn.UPRIGHT: 0,
    Turn.MIRRORED: 5,
    Turn.UPSIDE_DOWN: 2,
    Turn.FLIPPED: 4,
    Turn.QUARTER: 3,
    Turn.THREE_QUARTERS: 1,
    Turn.TRANSPOSED: 6,
    Turn.TRANSVERSED: 7,
}


@pytest.mark.parametrize("turn", Turn)
def test_all_eight_hashes_are_metas(turn: Turn) -> None:
    theirs, _ = pdqhash.compute_dihedral(TEXTURED[0])

    ours = spectrum_of(luma(TEXTURED[0])).hash(turn)

    assert int((np.unpackbits(ours) != theirs[THEIR_ORDER[turn]]).sum()) <= 1


@pytest.mark.parametrize("turn", Turn)
def test_a_picture_that_was_laid_another_way_has_that_ways_hash(turn: Turn) -> None:
    whole = cv2.resize(luma(TEXTURED[0]), (HASHED, HASHED))

    laid = spectrum_of(np.ascontiguousarray(turn.of(whole))).hash()

    assert distances(laid[None], spectrum_of(whole).hash(turn)[None])[0, 0] <= 2


def test_unrelated_pictures_differ_in_about_half_the_bits() -> None:
    one, other = (
        np.stack([spectrum_of(luma(frame)).hash() for frame in textured.clip(frames=2, seed=seed)])
        for seed in (1, 2)
    )
    noise = NOISE.integers(0, 256, (300, 300), dtype=np.uint8)

    assert distances(one, one)[0, 0] == 0
    assert (distances(one, other) == distances(other, one).T).all()
    assert distances(spectrum_of(noise).hash()[None], one).min() > 80
