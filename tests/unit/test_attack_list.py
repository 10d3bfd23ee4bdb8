"""The attacks that the mark is measured against are what the benchmark says they are."""

import numpy as np
import pytest

from tests.support import textured
from tests.support.attacks import ATTACKS, Attack, Family, named
from tests.support.promises import HARD, REPORTED, Tier, tier_of

CLIP = textured.clip(frames=20, height=128, width=192)
ONE_OF_EACH_FAMILY = [
    next(attack for attack in ATTACKS if attack.family is family) for family in Family
]
NOISY = [attack for attack in ATTACKS if "noise" in attack.name or "dropped" in attack.name]


def test_every_attack_has_a_name_of_its_own_and_there_are_enough() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS) >= 50
    assert {attack.family for attack in ATTACKS} == set(Family)
    assert {tier_of(attack.name) for attack in ATTACKS} == set(Tier)
    assert {attack.name for attack in ATTACKS} >= HARD | REPORTED
    assert not any("/" in attack.name for attack in ATTACKS)  # names stand in commands


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_leaves_a_clip_of_rgb_frames(attack: Attack) -> None:
    attacked = attack.change(CLIP)

    assert len(attacked) >= 1
    assert len({frame.shape for frame in attacked}) == 1
    assert all(frame.dtype == np.uint8 and frame.shape[2] == 3 for frame in attacked)


@pytest.mark.parametrize("attack", [*ONE_OF_EACH_FAMILY, *NOISY], ids=lambda attack: attack.name)
def test_an_attack_repeats_itself_to_the_bit(attack: Attack) -> None:
    once, again = attack.change(CLIP), attack.change(CLIP)

    assert np.array_equal(np.stack(list(once)), np.stack(list(again)))


@pytest.mark.parametrize(
    "attack",
    [attack for attack in ATTACKS if attack.family is not Family.NONE],
    ids=lambda attack: attack.name,
)
def test_an_attack_changes_something(attack: Attack) -> None:
    attacked = attack.change(CLIP)

    assert len(attacked) != len(CLIP) or any(
        one.shape != other.shape or not np.array_equal(one, other)
        for one, other in zip(CLIP, attacked, strict=True)
    )


def test_an_attack_leaves_the_clip_that_it_was_given_alone() -> None:
    before = np.stack(CLIP)

    for attack in ONE_OF_EACH_FAMILY:
        attack.change(CLIP)

    assert np.array_equal(before, np.stack(CLIP))


def test_dropping_and_cutting_leave_so_many_frames() -> None:
    frames = [CLIP[0]] * 40

    assert len(named("half the frames dropped").change(frames)) == 20
    assert len(named("one second").change(frames)) == 16
    assert len(named("25 fps").change(frames)) == round(40 * 25 / 16)
    assert len(named("speed 125 %").change(frames)) == 32
    assert len(named("screenshot, jpeg 50").change(frames)) == 1


def test_a_crop_leaves_the_share_of_the_area_that_it_says() -> None:
    for percent in (50, 25):
        height, width = named(f"crop to {percent} %, corner").change(CLIP)[0].shape[:2]

        assert height * width / (128 * 192) == pytest.approx(percent / 100, abs=0.02)
