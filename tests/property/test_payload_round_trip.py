"""Every payload survives its own code, and most of its bits being wrong."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.payload import (
    CRC_BITS,
    CRC_POLYNOMIAL,
    CRC_START,
    MarkCode,
    MarkId,
    bits_of,
    crc24s,
)
from provenance.polar import PolarCode, transform
from provenance.watermark.bound import threshold
from provenance.watermark.chips import expand
from provenance.watermark.readout import Try, read
from provenance.watermark.search import Pose

CODES = {bits: MarkCode.of(payload_bits=bits) for bits in (64, 128)}
FEW = settings(max_examples=40, deadline=None)


@given(value=st.integers(0, 2**64 - 1))
def test_a_mark_id_reads_back_from_its_spelling(value: int) -> None:
    assert MarkId.from_hex(MarkId(value).hex) == MarkId(value)
    assert MarkId.from_hex(MarkId(value, 128).hex) == MarkId(value, 128) != MarkId(value)


# At 1.6 one word of 128 bits in 400 is missed; the longer payload leaves less room for errors.
NOISE = {64: 1.6, 128: 1.3}


@FEW
@given(
    payload_bits=st.sampled_from([64, 128]),
    seed=st.integers(0, 2**32 - 1),
    number=st.integers(0, 2**128 - 1),
)
def test_a_payload_survives_noise_stronger_than_itself(
    payload_bits: int, seed: int, number: int
) -> None:
    rng = np.random.default_rng(seed)
    payload = number % 2**payload_bits
    code = CODES[payload_bits]
    received = 1 - 2.0 * code.encode(payload) + rng.normal(0, NOISE[payload_bits], 1024)

    assert code.candidates(received[None], paths=16)[0][:1] == [payload]


@FEW
@given(
    payload_bits=st.sampled_from([64, 128]),
    key=st.binary(min_size=32, max_size=32),
    number=st.integers(0, 2**128 - 1),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_word_under_any_key_reads_back_under_it_and_under_no_other(
    payload_bits: int, key: bytes, number: int, seed: int
) -> None:
    chips, other = expand(key), expand(bytes(byte ^ 1 for byte in key))
    code, payload = CODES[payload_bits], number % 2**payload_bits
    sent = (1 - 2.0 * code.encode(payload)[chips.coded_bit_at]) * chips.payload_signs
    noise = np.random.default_rng(seed).normal(0, 0.8, 1024)
    word = Try(Pose(), (0, 0), (sent + noise).astype(np.float32), 0.0)

    decoded = read([word], code, chips)

    assert decoded is not None
    assert decoded.payload == payload
    assert decoded.statistic > threshold(payload_bits=payload_bits, tries=1, false_accepts=1e-6)
    wrong = read([word], code, other)
    assert wrong is None or wrong.payload != payload


@FEW
@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(3, 9), rate=st.floats(0.05, 0.9))
def test_polar_codes_of_every_size_and_rate_return_clean_words(
    seed: int, exponent: int, rate: float
) -> None:
    length = 2**exponent
    code = PolarCode.of(length=length, info_bits=max(1, int(rate * length)))
    bits = np.random.default_rng(seed).integers(0, 2, (3, len(code.info))).astype(np.uint8)

    decoded, penalty = code.decode(1 - 2.0 * code.encode(bits), paths=2)

    assert np.array_equal(decoded[:, 0], bits)
    assert (penalty[:, 0] == 0).all()


@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(0, 10))
def test_the_transform_undoes_itself(seed: int, exponent: int) -> None:
    bits = np.random.default_rng(seed).integers(0, 2, (2, 2**exponent)).astype(np.uint8)

    assert np.array_equal(transform(transform(bits)), bits)


@given(messages=st.lists(st.binary(min_size=5, max_size=5), min_size=1, max_size=4))
def test_the_crc_of_many_messages_is_the_remainder_of_each(messages: list[bytes]) -> None:
    rows = np.array([bits_of(int.from_bytes(each, "big"), 40) for each in messages])

    assert [int(crc) for crc in crc24s(rows)] == [_remainder(each) for each in messages]
    assert np.array_equal(crc24s(rows[:, None]), crc24s(rows)[:, None])


def _remainder(message: bytes) -> int:
    """Divide bit by bit, as RFC 9580 does; the start value stands before the message."""
    rest = int.from_bytes(message, "big") << CRC_BITS ^ CRC_START << 40
    for place in reversed(range(CRC_BITS, CRC_BITS + 40)):
        if rest >> place & 1:
            rest ^= (1 << CRC_BITS | CRC_POLYNOMIAL) << (place - CRC_BITS)
    return rest
