"""What is kept of a clip while it passes."""

from fractions import Fraction

import numpy as np
import pytest

from provenance.errors import FingerprintError
from provenance.fingerprint.sampling import MOST_LARGE, MOST_TINY, Sampler
from provenance.fingerprint.taking import fingerprint_of
from tests.support import editing
from tests.support.clips_seen import here, sighting


def passed(count: int, *, height: int = 32, width: int = 48) -> Sampler:
    sampler = Sampler(Fraction(25))
    for index in range(count):
        sampler.offer(np.full((height, width), 60 + index % 150, np.uint8))
    return sampler


@pytest.mark.parametrize("count", [1, 2, 65, 1025, 5000])
def test_no_more_is_kept_of_a_long_clip_than_of_a_short_one_and_evenly(count: int) -> None:
    seen = passed(count).sighting()

    for series, most in ((seen.large, MOST_LARGE), (seen.tiny, MOST_TINY)):
        assert min(count, most // 2) <= len(series.times_ms) <= most
        steps = set(np.diff(series.times_ms).tolist())
        assert len(steps) <= 1
        assert len(series.pictures) == len(series.times_ms)
        assert not series.pictures.flags.writeable


def test_the_moments_of_a_clip_do_not_depend_on_its_size() -> None:
    small, large = (passed(300, height=h, width=w).sighting() for h, w in ((32, 48), (64, 96)))

    assert small.large.times_ms == large.large.times_ms


def test_bars_are_found_and_a_dark_moment_is_none() -> None:
    frames = here()
    dark = [np.zeros_like(frames[0]), *frames]

    barred = sighting(editing.bars(frames)).content
    whole = sighting(dark).content

    assert (whole.left, whole.top, whole.right, whole.bottom) == (0, 0, 1, 1)
    assert barred.top == pytest.approx(1 / 8, abs=0.01)
    assert barred.bottom == pytest.approx(7 / 8, abs=0.01)
    assert (barred.left, barred.right) == (0, 1)


def test_a_black_clip_has_no_bars_and_a_fingerprint_that_nobody_is_found_by() -> None:
    black = [np.zeros((64, 96, 3), np.uint8)] * 5

    taken = fingerprint_of(sighting(black))

    assert taken.content.bottom == 1
    assert taken.key_hashes() == ()


def test_sizes_that_change_and_pictures_too_small_are_refused_in_a_sentence() -> None:
    sampler = passed(1)
    with pytest.raises(FingerprintError, match="changes size"):
        sampler.offer(np.zeros((48, 32), np.uint8))
    with pytest.raises(FingerprintError, match="16 pixels or more"):
        passed(1, height=8)
    with pytest.raises(FingerprintError, match="no frame"):
        Sampler(Fraction(25)).sighting()
