"""The rule that accepts a payload: its threshold, and that no picture beats the proof."""

import math

import numpy as np
import pytest

from provenance.payload import MarkCode
from provenance.watermark.bound import log10_bound, statistic, threshold
from provenance.watermark.chips import expand
from provenance.watermark.tile import TRIES


@pytest.mark.parametrize("payload_bits", [64, 128])
def test_at_the_threshold_the_bound_is_what_was_asked_for(payload_bits: int) -> None:
    needed = threshold(payload_bits=payload_bits, tries=TRIES, false_accepts=1e-6)

    assert log10_bound(needed, payload_bits=payload_bits, tries=TRIES) == pytest.approx(-6)


def test_the_threshold_is_the_formula_of_the_proof() -> None:
    # 450 * 2**64 * exp(-t**2 / 2) = 1e-6, so t**2 / 2 = 6.1092 + 44.3614 + 13.8155
    needed = threshold(payload_bits=64, tries=450, false_accepts=1e-6)

    assert needed == pytest.approx(128.5722**0.5, rel=1e-6)
    assert TRIES == 450


def test_no_evidence_is_never_evidence() -> None:
    assert log10_bound(0, payload_bits=64, tries=1) == 0
    assert log10_bound(-20, payload_bits=64, tries=1) == 0
    assert statistic(np.zeros(1024, np.float32), expand(b"a" * 32), np.zeros(1024, np.uint8)) == 0


def test_a_perfect_mark_has_the_root_of_its_size_as_statistic() -> None:
    chips, coded = expand(b"a" * 32), MarkCode.of(payload_bits=64).encode(77)

    received = 3 * chips.payload_signs * (1 - 2 * coded[chips.coded_bit_at].astype(np.float32))

    assert statistic(received, chips, coded) == pytest.approx(32)


@pytest.mark.parametrize(
    "shape", ["noise", "one loud frequency", "heavy tails", "another key's mark"]
)
def test_over_many_keys_no_picture_exceeds_the_hoeffding_bound(shape: str) -> None:
    rng = np.random.default_rng(6)
    received = {
        "noise": rng.normal(size=1024),
        "one loud frequency": np.r_[1000.0, rng.normal(size=1023)],
        "heavy tails": rng.standard_cauchy(1024),
        "another key's mark": expand(b"z" * 32).payload_signs,
    }[shape].astype(np.float32)
    coded = np.zeros(1024, np.uint8)

    found = np.array(
        [statistic(received, expand(n.to_bytes(32, "big")), coded) for n in range(400)]
    )

    for value in (1.0, 1.5, 2.0, 2.5):
        expected = math.exp(-value * value / 2)
        assert np.mean(found >= value) <= expected + 3 * math.sqrt(expected / 400)
