"""A pose means what it says, and reading one from the spectrum is as good as warping."""

import cv2
import numpy as np
import pytest

from provenance.watermark.accumulate import observe
from provenance.watermark.chips import expand
from provenance.watermark.readout import posed, unwarp, upright
from provenance.watermark.search import (
    POSES,
    Pose,
    Spectrum,
    peaks,
    scaled,
    squeezed,
    stretched,
    turned,
)
from provenance.watermark.tile import KINDS, SINGLES, TRIES, UPRIGHT_TRIES
from tests.support import textured


def test_a_turn_is_counter_clockwise_as_opencv_has_it() -> None:
    expected = cv2.getRotationMatrix2D((0, 0), 5, 1.0)[:, :2]

    assert np.allclose(Pose(turn_degrees=5).to_picture(), expected)


def test_a_picture_is_mirrored_before_it_is_scaled_and_turned() -> None:
    assert np.allclose(Pose(scale_x=2, scale_y=3, mirrored=True).to_picture(), [[-2, 0], [0, 3]])


def test_the_spectrum_between_its_frequencies_is_close_to_the_exact_one() -> None:
    rng = np.random.default_rng(1)
    picture = cv2.GaussianBlur(rng.normal(size=(60, 100)).astype(np.float32), (0, 0), 1)
    y, x = np.mgrid[-30:30, -50:50]
    frequencies = rng.uniform(-0.2, 0.2, (40, 2))

    seen = Spectrum(picture).at(*frequencies.T.astype(np.float32))

    exact = np.array(
        [np.sum(picture * np.exp(-2j * np.pi * (v * y + h * x))) for v, h in frequencies]
    )
    assert np.linalg.norm(seen - exact) < 0.25 * np.linalg.norm(exact)
    assert abs(np.corrcoef(seen, exact)[0, 1]) > 0.98


def test_frequencies_beyond_the_picture_s_own_read_as_nothing() -> None:
    seen = Spectrum(np.ones((50, 50), np.float32)).at(
        np.array([0.6, -0.6], np.float32), np.zeros(2, np.float32)
    )

    assert not seen.any()


def test_the_grid_s_shift_is_the_peak_over_all_shifts() -> None:
    chips = expand(b"a" * 32)
    down, right = 5, 62
    turned_by = np.exp(
        -2j * np.pi * (chips.sync_at[:, 0] * down + chips.sync_at[:, 1] * right) / 64
    )
    products = turned_by.astype(np.complex64)[None]

    height, at = peaks(products, chips, fineness=1)

    assert divmod(int(at[0]), 64) == (down, right)
    assert height[0] == pytest.approx(np.sqrt(2 * len(chips.sync_at)), rel=1e-3)


@pytest.mark.parametrize("fineness", [1, 2, 4])
def test_many_correlations_in_parts_are_those_of_the_whole_transform(fineness: int) -> None:
    chips, rng = expand(b"b" * 32), np.random.default_rng(fineness)
    shape = 2**17 // (64 * fineness) ** 2 * 2 + 1, len(chips.sync_at)  # two parts and one more
    products = (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(np.complex64)

    height, at = peaks(products, chips, fineness=fineness)

    side = 64 * fineness
    plane = np.zeros((len(products), side, side // 2 + 1), np.complex64)
    plane[:, chips.sync_at[:, 0], chips.sync_at[:, 1]] = products
    whole = np.fft.irfft2(plane, (side, side)).reshape(len(products), -1)
    assert np.array_equal(at, whole.argmax(axis=1))
    assert height == pytest.approx(whole.max(axis=1) / whole.std(axis=1), rel=1e-4)


def test_unwarping_undoes_a_warp() -> None:
    rng = np.random.default_rng(2)
    picture = cv2.GaussianBlur(rng.normal(size=(120, 160)).astype(np.float32), (0, 0), 3)
    matrix = cv2.getRotationMatrix2D((80, 60), 7, 1.2)
    warped = np.asarray(cv2.warpAffine(picture, matrix, (160, 120)), np.float32)

    back = unwarp(warped, Pose(1.2, 1.2, 7.0))

    height, width = back.shape
    middle = back[height // 2 - 30 : height // 2 + 30, width // 2 - 40 : width // 2 + 40]
    assert np.corrcoef(middle.ravel(), picture[30:90, 40:120].ravel())[0, 1] > 0.98


def test_every_kind_of_pose_covers_its_range_without_gaps() -> None:
    scales = np.sort(scaled()[scaled()[:, 0] > 0, 0])
    assert scales[0] <= 0.4
    assert scales[-1] >= 2.08
    assert (scales[1:] / scales[:-1]).max() < 1.006

    assert np.diff(np.unique(turned()[:, 2])).max() < 0.81  # 0 is left to `scaled`
    assert abs(turned()[:, 2]).max() >= 11
    assert {-1, 1} == set(np.sign(turned()[:, 0]))
    assert (squeezed()[:, 0] / squeezed()[:, 1]).min() < 0.75


def test_a_whole_picture_is_looked_for_in_every_shape_it_may_have_been_stretched_to() -> None:
    square = stretched(240, 240)
    upright = stretched(427, 240)

    assert abs(square[:, :2] - [240 / 427, 1]).max(axis=1).min() < 0.003  # of a 16:9 picture
    assert abs(upright[:, :2] - [240 / 427, 427 / 240]).max(axis=1).min() < 0.003


def test_the_bound_pays_for_every_try_a_search_can_make() -> None:
    upright = 2 * (3 + 3 + 3)  # mirrored or not: whole, two combined; three spells, three moments
    posed = 4 * 3 * 6 * (3 + 3)  # kinds, pictures, candidates; the same without moments
    assert upright + posed == TRIES


def test_presence_pays_for_every_pose_that_is_tried() -> None:
    seen = observe(textured.clip(frames=1, height=96, width=128))

    assert sum(len(poses(*seen.total.shape)) for poses in KINDS) == POSES


def test_no_pose_gives_more_tries_than_the_bound_pays_for() -> None:
    chips = expand(b"a" * 32)
    seen = observe(textured.clip(frames=80, height=96, width=128))
    pose = Pose(1.1, 1.1, 2.0)

    assert len(upright(seen, chips, singles=SINGLES)) == UPRIGHT_TRIES
    assert len(posed(seen, pose, chips, spells=SINGLES)) == 3 + SINGLES
