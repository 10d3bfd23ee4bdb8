"""The world that the tiny model is trained on is what its captions say it is."""

import numpy as np
import pytest

from training.tiny.world import (
    FRAMES,
    HEADING,
    HELD_OUT,
    RGB,
    SIDE,
    Colour,
    Motion,
    Scene,
    Shape,
    Size,
    Window,
    add_grain,
    distance,
    draw_look,
    every_scene,
    held_out,
    render,
)


def scene(motion: Motion = Motion.RIGHT, shape: Shape = Shape.CIRCLE) -> Scene:
    return Scene(Size.BIG, Colour.RED, shape, motion, Colour.BLUE)


def test_object_and_background_always_differ_in_colour() -> None:
    assert all(item.colour is not item.background for item in every_scene())


def test_two_hundred_combinations_are_held_out_and_leave_every_factor_to_learn_from() -> None:
    kept_back = held_out()

    left = [item for item in every_scene() if item.combination not in kept_back]

    assert len(kept_back) == HELD_OUT
    assert {item.combination for item in left}.isdisjoint(kept_back)
    for factor, kind in (("colour", Colour), ("shape", Shape), ("motion", Motion)):
        assert {getattr(item, factor) for item in left} == set(kind)


def test_the_same_seed_draws_the_same_clip() -> None:
    window = Window(left=64, top=64, side=96, frames=3)
    clips = [
        render(scene(), draw_look(scene(), np.random.default_rng(4)), window)[0] for _ in range(2)
    ]

    np.testing.assert_array_equal(*clips)


def test_a_window_is_a_part_of_the_whole_clip() -> None:
    look = draw_look(scene(), np.random.default_rng(5))
    whole, _ = render(scene(), look, Window(frames=12))

    part, _ = render(scene(), look, Window(left=40, top=72, side=128, start=9, frames=3))

    np.testing.assert_allclose(part, whole[9:12, 72:200, 40:168], atol=0.02)


@pytest.mark.parametrize("motion", Motion)
def test_the_object_goes_where_the_caption_says(motion: Motion) -> None:
    look = draw_look(scene(motion), np.random.default_rng(6))

    _, cover = render(scene(motion), look)

    centres = [np.argwhere(cover[i] > 0.5).mean(0)[::-1] for i in (2, FRAMES - 3)]
    way = centres[1] - centres[0]
    assert (np.sign(np.rint(way / 20)) == HEADING[motion]).all()


@pytest.mark.parametrize("shape", Shape)
def test_every_shape_is_large_and_inside_its_bounds(shape: Shape) -> None:
    grid = np.linspace(-2, 2, 201, dtype=np.float32)

    inside = distance(shape, *np.meshgrid(grid, grid), 1.0) < 0

    assert 0.09 < inside.mean() < 0.24  # of the 4x4 square around it
    assert np.abs(grid[np.argwhere(inside)]).max() < 1.4


def test_backgrounds_carry_a_texture_that_a_watermark_can_hide_in() -> None:
    rng = np.random.default_rng(7)
    spreads = []
    for item in every_scene()[::120]:
        pixels, cover = render(item, draw_look(item, rng), Window(frames=1))
        tiles = pixels[0].reshape(4, 64, 4, 64, 3).swapaxes(1, 2)  # (row, column, 64, 64, 3)
        bare = cover[0].reshape(4, 64, 4, 64).max((1, 3)) == 0
        spreads.append(float(tiles[bare].std((1, 2)).mean()))

    assert 4 < np.median(spreads) < 20  # levels


def test_grain_is_mild_and_stays_in_range() -> None:
    flat = np.full((1, SIDE, SIDE, 3), 254.0, np.float32)

    noisy = add_grain(flat, np.random.default_rng(8))

    assert noisy.dtype == np.uint8
    assert 0.5 < noisy.std() < 3


def test_named_colours_are_far_apart() -> None:
    values = np.array(list(RGB.values()), float)

    gaps = np.linalg.norm(values[:, None] - values[None], axis=-1) + 1e3 * np.eye(len(values))

    assert gaps.min() > 90  # levels; light and texture move a colour by 30
