"""Which frames are looked at."""

import pytest

from safety import InputUnexaminable, SamplingPlan

SEED = bytes(range(32))


def test_up_to_a_hundred_frames_every_one_is_looked_at() -> None:
    for count in (1, 2, 81, 100):
        plan = SamplingPlan.for_count(count, fps=16, seed=SEED)
        assert plan.indices == tuple(range(count))
        assert plan.longest_unseen == 0


def test_just_beyond_a_hundred_about_every_second_one_is_looked_at() -> None:
    plan = SamplingPlan.for_count(101, fps=16, seed=SEED)

    assert len(plan.indices) >= 50
    assert plan.longest_unseen <= 2


def test_a_long_clip_is_looked_at_twice_a_second_at_least() -> None:
    plan = SamplingPlan.for_count(24 * 3600, fps=24, seed=SEED)

    assert len(plan.indices) >= 2 * 3600
    assert plan.longest_unseen <= 22
    for second in range(3600):
        looked_at = sum(plan.takes(index) for index in range(24 * second, 24 * second + 24))
        assert looked_at >= 2


def test_another_seed_draws_other_frames() -> None:
    one = SamplingPlan.for_count(2000, fps=24, seed=SEED)
    other = SamplingPlan.for_count(2000, fps=24, seed=SEED[::-1])

    assert len(set(one.indices) & set(other.indices)) < len(one.indices) / 2


def test_slow_frames_are_each_looked_at() -> None:
    plan = SamplingPlan.for_times([float(second) for second in range(500)], seed=SEED)

    assert plan.indices == tuple(range(500))


@pytest.mark.parametrize(
    ("times", "complaint"),
    [
        ([], "no frames"),
        ([0.0, 1.0, 0.5], "run backwards"),
        ([0.0, float("nan")], "run backwards"),
    ],
)
def test_a_clip_without_an_order_of_frames_cannot_be_planned(
    times: list[float], complaint: str
) -> None:
    with pytest.raises(InputUnexaminable, match=complaint):
        SamplingPlan.for_times(times, seed=SEED)


def test_a_rate_that_is_no_rate_is_refused() -> None:
    for fps in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(InputUnexaminable, match="positive frame rate"):
            SamplingPlan.for_count(10, fps=fps, seed=SEED)


def test_a_seed_of_another_length_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="a seed of 32 bytes, got 16"):
        SamplingPlan.for_count(10, fps=16, seed=SEED[:16])
