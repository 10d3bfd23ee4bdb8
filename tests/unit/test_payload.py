"""Mark ids are spelt one way only, and their coded bits are those of the specification."""

import doctest
import json
from pathlib import Path

import numpy as np
import pytest

import provenance.payload
import provenance.polar
from provenance.errors import PayloadError
from provenance.payload import MarkCode, MarkId, bits_of, crc24, number_of

VECTORS = json.loads(Path(__file__).parents[1].joinpath("vectors/payload.json").read_text())


def test_a_mark_id_is_written_as_sixteen_lower_case_digits() -> None:
    assert MarkId(255).hex == "00000000000000ff"
    assert MarkId.from_hex("00000000000000ff") == MarkId(255)
    assert str(MarkId(255)) == "00000000000000ff"


@pytest.mark.parametrize(
    "text", ["", "ff", "00000000000000FF", "00000000000000fg", " 0000000000000ff", "0" * 17]
)
def test_any_other_spelling_is_refused(text: str) -> None:
    with pytest.raises(PayloadError, match="16 or 32 lower-case"):
        MarkId.from_hex(text)


@pytest.mark.parametrize("value", [-1, 2**64])
def test_a_number_outside_64_bits_is_no_mark_id(value: int) -> None:
    with pytest.raises(PayloadError, match="64 bits"):
        MarkId(value)


def test_a_random_id_comes_from_the_bytes_it_is_given() -> None:
    assert MarkId.random(lambda count: bytes(range(count))).hex == "0001020304050607"
    assert MarkId.random() != MarkId.random()


def test_the_crc_is_crc_24_openpgp() -> None:
    message = np.unpackbits(np.frombuffer(b"123456789", np.uint8))

    assert crc24(message) == 0x21CF02  # the check value of the catalogue of CRCs


def test_bits_and_numbers_are_most_significant_first() -> None:
    assert bits_of(6, 4).tolist() == [0, 1, 1, 0]
    assert number_of(bits_of(6, 4)) == 6


def test_a_payload_of_another_size_is_refused() -> None:
    with pytest.raises(PayloadError, match="64 or 128"):
        MarkCode.of(payload_bits=96)


@pytest.mark.parametrize(
    "vector", VECTORS["code_words"], ids=lambda vector: str(vector["payload_hex"])
)
def test_code_words_are_those_of_the_vectors(vector: dict[str, str]) -> None:
    payload_bits = 4 * len(vector["payload_hex"])
    coded = MarkCode.of(payload_bits=payload_bits).encode(int(vector["payload_hex"], 16))

    assert np.packbits(coded).tobytes().hex() == vector["coded_bits_hex"]
    assert (
        f"{crc24(bits_of(int(vector['payload_hex'], 16), payload_bits)):06x}" == vector["crc24_hex"]
    )


def test_the_examples_in_the_documentation_run() -> None:
    for module in (provenance.payload, provenance.polar):
        result = doctest.testmod(module)
        assert result.attempted > 0
        assert result.failed == 0


def test_the_example_in_the_specification_is_one_of_the_vectors() -> None:
    page = Path(__file__).parents[2].joinpath("docs/spec/payload.md").read_text(encoding="utf-8")
    vector = VECTORS["code_words"][2]

    assert vector["payload_hex"] in page
    assert vector["crc24_hex"] in page


def test_noise_has_no_payload_but_by_chance_of_one_in_millions() -> None:
    noise = np.random.default_rng(4).normal(size=(200, 1024))

    assert MarkCode.of(payload_bits=64).candidates(noise, paths=8) == [[]] * 200


@pytest.mark.parametrize("bits", [64, 128])
def test_many_payloads_are_encoded_as_each_alone_is(bits: int) -> None:
    code, rng = MarkCode.of(payload_bits=bits), np.random.default_rng(bits)
    payloads = rng.integers(0, 256, (9, bits // 8), dtype=np.uint8)
    payloads[0], payloads[1] = 0, 255

    coded = np.concatenate(list(code.encode_all(payloads, batch=4)))

    alone = [code.encode(int.from_bytes(row.tobytes(), "big")) for row in payloads]
    assert np.array_equal(coded, np.stack(alone))
