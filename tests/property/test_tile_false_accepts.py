"""Nothing is found where nothing of this key was put.

The proof is in `provenance.watermark.bound`. Its premises are tested here one by one, because a
right CRC alone hides a mistake in them: noise has one in a million words.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.payload import MarkCode, MarkId
from provenance.watermark import MAX_FALSE_ACCEPTS, MarkState
from provenance.watermark.accumulate import observe
from provenance.watermark.bound import threshold
from provenance.watermark.chips import expand
from provenance.watermark.readout import Try, posed, read, upright
from provenance.watermark.search import Pose
from provenance.watermark.tile import Outcome, TileWatermarker, open_watermarker
from tests.support import textured
from tests.support.any_word import AnyWord, with_other_payload_signs

WHOLE_SEARCHES = settings(max_examples=2, deadline=None)
KEYS = st.binary(min_size=32, max_size=32)
LEAST = 8.0  # what the best of 32 candidates of noise reaches: without it nothing was tried


@WHOLE_SEARCHES
@given(key=KEYS, seed=st.integers(0, 2**16))
def test_an_unmarked_clip_has_no_mark_even_where_every_word_is_taken_for_one(
    key: bytes, seed: int
) -> None:
    marker = TileWatermarker(expand(key), AnyWord.new())

    found = marker.detect(textured.clip(frames=2, height=120, width=160, seed=seed))

    assert LEAST < found.statistic < found.threshold
    assert found.state is MarkState.NOT_FOUND
    assert found.mark_id is None
    assert found.geometry is None


@WHOLE_SEARCHES
@given(key=KEYS, value=st.integers(0, 2**64 - 1))
def test_a_mark_of_another_key_is_no_mark(key: bytes, value: int) -> None:
    marked = open_watermarker(b"another key's thirty-two bytes. ").embed(
        textured.clip(frames=2, height=120, width=160), MarkId(value), strength=2.0
    )

    found = TileWatermarker(expand(key), AnyWord.new()).detect(marked)

    assert found.statistic < found.threshold
    assert found.state is MarkState.NOT_FOUND


@settings(max_examples=6, deadline=None)
@given(key=KEYS, seed=st.integers(0, 2**32 - 1), tail=st.sampled_from([0.5, 1.0, 3.0]))
def test_no_received_noise_reaches_the_threshold_of_a_search(
    key: bytes, seed: int, tail: float
) -> None:
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(60, 1024))
    tries = [
        Try(Pose(), (0, 0), (np.sign(row) * np.abs(row) ** tail).astype(np.float32), 0.0)
        for row in noise
    ]

    decoded = read(tries, AnyWord.new(), expand(key))

    assert decoded is not None
    assert (
        LEAST
        < decoded.statistic
        < threshold(
            payload_bits=AnyWord.new().payload_bits,
            tries=len(tries),
            false_accepts=MAX_FALSE_ACCEPTS,
        )
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_received_does_not_depend_on_the_signs_that_carry_the_payload(seed: int) -> None:
    """The proof's premise: the picture, its pose and all weights are fixed before those coins."""
    chips = expand(bytes(range(32)))
    others = with_other_payload_signs(chips, seed)
    marked = open_watermarker(bytes(range(32))).embed(
        textured.clip(frames=20, height=120, width=160, seed=seed), MarkId(seed)
    )
    observation = observe(marked)
    pose = Pose(1.1, 1.05, 3.0, mirrored=True)

    one, other = (
        [*upright(observation, each, singles=3), *posed(observation, pose, each, spells=3)]
        for each in (chips, others)
    )

    assert len(one) == len(other) > 4
    assert [t.received.tobytes() for t in one] == [t.received.tobytes() for t in other]
    assert [t.shift for t in one] == [t.shift for t in other]


def test_a_right_crc_below_the_threshold_is_not_found() -> None:
    marker = TileWatermarker(expand(bytes(range(32))), MarkCode.of(payload_bits=64))
    expected = marker.chips.payload_signs * (
        1 - 2.0 * marker.code.encode(77)[marker.chips.coded_bit_at]
    )
    rng = np.random.default_rng(5)
    observation = observe(textured.clip(frames=2, height=120, width=160))
    weak = (0.36 * expected + rng.normal(size=1024) for _ in range(60))
    tries = [Try(Pose(), (0, 0), word.astype(np.float32), 0.0) for word in weak]
    read_one_by_one = [(read([each], marker.code, marker.chips), each) for each in tries]

    found = [
        marker._detection(observation, Outcome(best=(decoded, each)))
        for decoded, each in read_one_by_one
        if decoded is not None
    ]

    below = [each for each in found if each.statistic < each.threshold]
    assert below
    assert {each.state for each in below} == {MarkState.NOT_FOUND}
    assert {each.mark_id for each in below} == {None}
    assert {each.mark_id for each in found} <= {None, MarkId(77)}
