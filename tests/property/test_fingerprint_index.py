"""The index of frame hashes: nothing alike is missed, however common another picture is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.fingerprint.index import FrameIndex, Hashes
from provenance.fingerprint.pdq import ALIKE, distances

STORED = 500
SEEDS = st.integers(0, 2**32 - 1)
ALONE, LOGO = 7, 8  # labels: of a picture that one clip has, and of the first with a common one


def flipped(rng: np.random.Generator, one: Hashes, bits: int) -> Hashes:
    """Return a hash with so many of its bits changed."""
    found = np.unpackbits(one)
    found[rng.permutation(256)[:bits]] ^= 1
    return np.packbits(found)


def index_of(hashes: Hashes, *, waiting: bool) -> FrameIndex:
    index = FrameIndex()
    index.add(hashes, np.arange(len(hashes)))
    if not waiting:
        index._sort()
    return index


def with_a_logo(rng: np.random.Generator, copies: int) -> Hashes:
    """Return hashes of which the last ones are of one picture, as often re-encoded."""
    hashes = rng.integers(0, 256, (STORED + copies, 32), dtype=np.uint8)
    for row in range(LOGO, LOGO + copies):
        hashes[row] = flipped(rng, hashes[LOGO], 2)
    return hashes


@settings(max_examples=50, deadline=None)
@given(seed=SEEDS, bits=st.integers(0, ALIKE), waiting=st.booleans(), copies=st.integers(0, 2000))
def test_nothing_within_31_bits_is_missed(
    seed: int, bits: int, copies: int, *, waiting: bool
) -> None:
    rng = np.random.default_rng(seed)
    stored = with_a_logo(rng, copies)
    index = index_of(stored, waiting=waiting)
    asked = flipped(rng, stored[ALONE], bits)

    near = index.near(asked[None], most=STORED)

    expected = np.flatnonzero(distances(asked[None], stored)[0] <= ALIKE)
    assert {each.label for each in near} == set(expected.tolist())
    assert (ALONE, bits) in [(each.label, each.bits) for each in near]


def test_a_picture_that_shares_words_with_a_very_common_one_is_found() -> None:
    rng = np.random.default_rng(5)
    stored = with_a_logo(rng, 2000)
    stored[ALONE, ::2] = stored[LOGO, ::2]  # 8 of the 16 words
    asked = flipped(rng, stored[ALONE], ALIKE)
    index = index_of(stored, waiting=False)

    near = index.near(asked[None], most=1)

    assert index._candidates(asked.view(np.uint64)) is None  # the tables led to too many
    assert [each.label for each in near] == [ALONE]


@pytest.mark.parametrize("waiting", [True, False])
@pytest.mark.parametrize("copies", [40, 2000])
def test_the_clip_of_a_rare_picture_comes_before_all_that_share_a_common_one(
    copies: int, *, waiting: bool
) -> None:
    rng = np.random.default_rng(9)
    stored = with_a_logo(rng, copies)
    stored[-1] = flipped(rng, stored[LOGO], 30)  # the clip that is asked for has the logo as well
    index = FrameIndex()
    labels = np.arange(len(stored))
    labels[ALONE] = labels[-1]
    index.add(stored, labels)
    if not waiting:
        index._sort()

    near = index.near(np.stack([stored[LOGO], flipped(rng, stored[ALONE], 9)]), most=8)

    assert (near[0].label, near[0].bits) == (labels[-1], 9)
    assert len(near) == 8


def test_equally_likely_labels_go_by_the_fewest_bits() -> None:
    rng = np.random.default_rng(1)
    one = rng.integers(0, 256, 32, dtype=np.uint8)
    stored = np.stack([flipped(rng, one, bits) for bits in (9, 3, 15, 0)])

    near = index_of(stored, waiting=True).near(one[None], most=3)

    assert [(each.label, each.bits) for each in near] == [(3, 0), (1, 3), (0, 9)]


def test_hashes_that_differ_in_every_bit_are_not_alike() -> None:
    stored = np.zeros((1, 32), np.uint8)

    assert index_of(stored, waiting=True).near(~stored, most=1) == []
