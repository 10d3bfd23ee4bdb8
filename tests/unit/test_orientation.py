"""A display matrix is one of eight ways to read a picture."""

import itertools

import numpy as np
import pytest

from provenance.errors import UnsupportedMedia
from provenance.video.orientation import Orientation

ONE = 2**16
PICTURE = np.arange(6, dtype=np.uint8).reshape(2, 3)


def matrix(a: int, b: int, c: int, d: int) -> list[int]:
    return [a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, 2**30]


def shown(picture: np.ndarray, a: int, b: int, c: int, d: int) -> np.ndarray:
    """Move every sample to where the matrix sends it (ISO 14496-12), then close the gap."""
    places = {
        (a * x + c * y, b * x + d * y): picture[y, x]
        for y, x in itertools.product(range(picture.shape[0]), range(picture.shape[1]))
    }
    left, top = (min(place[axis] for place in places) for axis in (0, 1))
    width, height = (1 + max(place[axis] for place in places) for axis in (0, 1))
    moved = np.empty((height - top, width - left), np.uint8)
    for (x, y), value in places.items():
        moved[y - top, x - left] = value
    return moved


@pytest.mark.parametrize(
    "entries",
    [
        (1, 0, 0, 1),
        (0, 1, -1, 0),
        (-1, 0, 0, -1),
        (0, -1, 1, 0),
        (-1, 0, 0, 1),
        (1, 0, 0, -1),
        (0, 1, 1, 0),
        (0, -1, -1, 0),
    ],
)
def test_every_turn_and_mirror_puts_each_sample_where_the_matrix_sends_it(
    entries: tuple[int, int, int, int],
) -> None:
    orientation = Orientation.of_matrix(matrix(*entries))

    upright = orientation.upright(PICTURE)

    assert np.array_equal(upright, shown(PICTURE, *entries))
    assert orientation.size(3, 2) == upright.shape[::-1]


@pytest.mark.parametrize(("degrees", "turns"), [(0, 0), (90, 1), (-180, 2), (-90, 3)])
def test_a_turn_is_counter_clockwise(degrees: int, turns: int) -> None:
    upright = Orientation.of_turn(degrees).upright(PICTURE)

    assert np.array_equal(upright, np.rot90(PICTURE, turns))


def test_a_matrix_of_zeros_turns_nothing() -> None:
    assert Orientation.of_matrix([0] * 9) == Orientation()


def test_a_scale_is_no_turn() -> None:
    assert Orientation.of_matrix(matrix(2, 0, 0, 1)) == Orientation()


@pytest.mark.parametrize("entries", [(1, 1, -1, 1), (1, 1, 0, 1), (1, 0, 0, 0)])
def test_any_other_angle_is_refused(entries: tuple[int, int, int, int]) -> None:
    with pytest.raises(UnsupportedMedia, match="no quarter turn"):
        Orientation.of_matrix(matrix(*entries))
