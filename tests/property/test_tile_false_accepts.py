"""Nothing is found where nothing of this key was put.

The proof is in `provenance.watermark.bound`; these runs would show a mistake in its premises.
"""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.payload import MarkCode, MarkId
from provenance.watermark import MarkState
from provenance.watermark.chips import expand
from provenance.watermark.readout import Try, read
from provenance.watermark.search import Pose
from provenance.watermark.tile import open_watermarker
from tests.support import textured

WHOLE_SEARCHES = settings(max_examples=2, deadline=None)
KEYS = st.binary(min_size=32, max_size=32)


@WHOLE_SEARCHES
@given(key=KEYS, seed=st.integers(0, 2**16))
def test_an_unmarked_clip_has_no_mark(key: bytes, seed: int) -> None:
    found = open_watermarker(key).detect(textured.clip(frames=2, height=120, width=160, seed=seed))

    assert found.state is MarkState.NOT_FOUND
    assert found.mark_id is None
    assert found.geometry is None


@WHOLE_SEARCHES
@given(key=KEYS, value=st.integers(0, 2**64 - 1))
def test_a_mark_of_another_key_is_no_mark(key: bytes, value: int) -> None:
    marked = open_watermarker(b"another key's thirty-two bytes. ").embed(
        textured.clip(frames=2, height=120, width=160), MarkId(value), strength=2.0
    )

    assert open_watermarker(key).detect(marked).state is MarkState.NOT_FOUND


@settings(max_examples=6, deadline=None)
@given(key=KEYS, seed=st.integers(0, 2**32 - 1), tail=st.sampled_from([0.5, 1.0, 3.0]))
def test_no_received_noise_comes_near_the_threshold(key: bytes, seed: int, tail: float) -> None:
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(60, 1024))
    tries = [
        Try(Pose(), (0, 0), (np.sign(row) * np.abs(row) ** tail).astype(np.float32))
        for row in noise
    ]

    reading = read(tries, MarkCode.of(payload_bits=64), expand(key))

    assert reading is None or reading.statistic < 11
