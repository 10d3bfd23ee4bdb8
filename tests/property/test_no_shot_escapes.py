"""The promise of the sampling plan, for every clip."""

import itertools
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from safety import SamplingPlan
from safety.sampling import CELL_S, EVERY_FRAME_UP_TO

seeds = st.binary(min_size=32, max_size=32)
rates = st.floats(min_value=1, max_value=240)


@given(st.integers(min_value=1, max_value=4000), rates, seeds)
@settings(max_examples=150, deadline=None)
def test_no_run_of_frames_longer_than_two_cells_is_unseen(
    count: int, fps: float, seed: bytes
) -> None:
    plan = SamplingPlan.for_count(count, fps=fps, seed=seed)

    # A cell is at most this many frames; a run of 2 * cell - 1 frames holds a whole cell.
    cell = min(math.ceil(CELL_S * fps) + 1, math.ceil(count / EVERY_FRAME_UP_TO))
    assert plan.longest_unseen <= max(2 * cell - 2, 0)
    gaps = [b - a - 1 for a, b in itertools.pairwise(plan.indices)]
    assert plan.longest_unseen == max(gaps, default=0)


@given(
    st.lists(st.floats(min_value=0, max_value=3), min_size=1, max_size=400),
    seeds,
)
@settings(max_examples=150, deadline=None)
def test_no_second_passes_without_a_look_where_it_has_frames(
    steps: list[float], seed: bytes
) -> None:
    times = list(itertools.accumulate(steps))

    plan = SamplingPlan.for_times(times, seed=seed)

    for before, after in itertools.pairwise(plan.indices):
        unseen = times[before + 1 : after]
        assert not unseen or unseen[-1] - unseen[0] < 2 * CELL_S + max(steps)


@given(st.integers(min_value=1, max_value=2000), rates, seeds)
@settings(max_examples=100, deadline=None)
def test_the_plan_is_drawn_again_from_its_seed_and_holds_both_ends(
    count: int, fps: float, seed: bytes
) -> None:
    plan = SamplingPlan.for_count(count, fps=fps, seed=seed)

    assert plan == SamplingPlan.for_count(count, fps=fps, seed=seed)
    assert plan.indices[0] == 0
    assert plan.indices[-1] == count - 1
    assert [index for index in range(count) if plan.takes(index)] == list(plan.indices)
