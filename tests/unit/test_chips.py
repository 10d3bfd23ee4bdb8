"""The key's tables are those of the specification, and tell nothing about each other."""

import json
from pathlib import Path

import numpy as np
import pytest

from provenance.errors import KeyUnavailable
from provenance.payload import MarkCode, MarkId
from provenance.watermark.chips import LONG_ALGORITHM, band, expand, offset

ALL_VECTORS = json.loads(
    Path(__file__).parents[1].joinpath("vectors/payload.json").read_text(encoding="utf-8")
)
VECTORS = ALL_VECTORS["key_tables"]


def test_the_tables_are_those_of_the_vectors() -> None:
    tables = expand(bytes.fromhex(VECTORS["key_hex"]))

    assert tables.key_id == VECTORS["key_id"]
    assert tables.sync_at[:8].tolist() == VECTORS["sync_at_first"]
    assert tables.payload_at[:8].tolist() == VECTORS["payload_at_first"]
    assert [[int(s.real), int(s.imag)] for s in tables.sync_signs[:8]] == VECTORS[
        "sync_signs_first"
    ]
    assert tables.payload_signs[:16].astype(int).tolist() == VECTORS["payload_signs_first"]
    assert tables.coded_bit_at[:16].tolist() == VECTORS["coded_bit_at_first"]
    assert (tables.dither[0, :8] * 512).tolist() == VECTORS["dither_first_times_512"]


def test_the_tile_is_the_sum_that_the_specification_writes() -> None:
    tables = expand(bytes.fromhex(VECTORS["key_hex"]))
    coded = MarkCode.of(payload_bits=64).encode(0x0123456789ABCDEF)
    sign = (1.0 - 2.0 * coded[tables.coded_bit_at]) * tables.payload_signs
    values = np.concatenate([tables.sync_signs, sign[0::2] + 1j * sign[1::2]])
    at = np.concatenate([tables.sync_at, tables.payload_at])
    radius = np.hypot(*at.T) / 64
    sizes = radius**1.5 * np.exp(-((radius * 240 / 480 / 0.26) ** 4))
    y, x = np.mgrid[:64, :64]
    waves = np.exp(2j * np.pi * (at[:, 0, None, None] * y + at[:, 1, None, None] * x) / 64)

    tile = np.tensordot(values * sizes, waves, axes=1).real

    assert (tile / tile.std())[5, :8] == pytest.approx(ALL_VECTORS["tile_row_5_first_8"], abs=1e-4)


def test_every_frequency_of_the_band_has_one_task() -> None:
    tables = expand(b"a" * 32)

    both = np.concatenate([tables.sync_at, tables.payload_at])
    assert sorted(map(tuple, both.tolist())) == sorted(map(tuple, band().tolist()))
    assert sorted(tables.coded_bit_at.tolist()) == list(range(1024))


def test_two_keys_share_nothing_to_speak_of() -> None:
    one, other = expand(b"a" * 32), expand(b"b" * 32)

    assert one.key_id != other.key_id
    assert abs(float(one.payload_signs @ other.payload_signs)) < 5 * 1024**0.5
    assert abs(float(one.payload_signs.sum())) < 5 * 1024**0.5


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(KeyUnavailable, match="32 bytes"):
        expand(b"short")


def test_tables_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        expand(b"a" * 32).payload_signs[0] = 0


def test_the_place_of_a_clip_s_grid_is_that_of_the_vectors() -> None:
    tables = expand(bytes.fromhex(VECTORS["key_hex"]))

    for spelling, place in ALL_VECTORS["offsets_right_down"].items():
        assert offset(tables, MarkId.from_hex(spelling)) == tuple(place)


def test_the_long_mark_shares_nothing_with_the_short_one_of_the_same_key() -> None:
    short, long = expand(b"a" * 32), expand(b"a" * 32, LONG_ALGORITHM)

    assert short.key_id != long.key_id
    assert abs(float(short.payload_signs @ long.payload_signs)) < 5 * 1024**0.5
