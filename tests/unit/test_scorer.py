"""The scorer reads drawn clips right, and says so when there is nothing to read."""

import numpy as np

from training.tiny.score import look_at, wilson_lower
from training.tiny.world import RGB, SIDE, Colour, add_grain, draw_look, every_scene, render


def test_drawn_clips_are_read_right() -> None:
    rng = np.random.default_rng(20)
    scenes = every_scene()
    wrong = []
    for _ in range(24):
        scene = scenes[int(rng.integers(len(scenes)))]
        seen = look_at(add_grain(render(scene, draw_look(scene, rng))[0], rng))
        if not all(seen.agrees(scene).values()):
            wrong.append((scene, seen))

    assert not wrong


def test_an_empty_background_has_a_colour_and_no_object() -> None:
    clip = np.empty((33, SIDE, SIDE, 3), np.uint8)
    clip[:] = RGB[Colour.GREEN]

    seen = look_at(clip)

    assert seen.background is Colour.GREEN
    assert (seen.colour, seen.shape, seen.motion) == (None, None, None)


def test_a_share_of_all_is_not_certainty() -> None:
    assert 0.98 < wilson_lower(200, 200) < 0.99


def test_the_lower_bound_lies_below_the_share() -> None:
    assert wilson_lower(180, 200) < 0.9
