"""A fingerprint has one spelling, and no other bytes are taken for one."""

import base64
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.errors import FingerprintError
from provenance.fingerprint.form import Box, Fingerprint, Moment, grid, most_moments
from provenance.fingerprint.glimpse import written
from provenance.fingerprint.pdq import distances
from tests.support.clips_seen import glimpse, here

GLIMPSE = written(glimpse(here()[:6]))


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    left, right = sorted(draw(st.sets(st.integers(0, 65535), min_size=2, max_size=2)))
    top, bottom = sorted(draw(st.sets(st.integers(0, 65535), min_size=2, max_size=2)))
    return Box(*(edge / 65535 for edge in (left, top, right, bottom)))


@st.composite
def fingerprints(draw: st.DrawFn) -> Fingerprint:
    rows, columns = draw(st.integers(4, 12)), draw(st.integers(4, 32))
    most = min(6, most_moments(rows, columns))
    times = sorted(draw(st.sets(st.integers(0, 2**32 - 1), min_size=1, max_size=most)))
    moments = tuple(
        Moment(
            time_ms,
            draw(st.integers(0, 100)),
            draw(st.binary(min_size=32, max_size=32)),
            draw(st.binary(min_size=rows * columns, max_size=rows * columns)),
        )
        for time_ms in times
    )
    aspect = draw(st.integers(2**14, 2**18)) / 2**16
    return Fingerprint(aspect, draw(boxes()), rows, columns, moments)


@settings(max_examples=60, deadline=None)
@given(taken=fingerprints())
def test_a_fingerprint_reads_back_from_its_bytes(taken: Fingerprint) -> None:
    assert Fingerprint.decode(taken.encode()) == taken


@settings(max_examples=200, deadline=None)
@given(taken=fingerprints(), data=st.data())
def test_changed_bytes_are_another_fingerprint_or_refused(
    taken: Fingerprint, data: st.DataObject
) -> None:
    encoded = bytearray(taken.encode())
    at = data.draw(st.integers(0, len(encoded) - 1))
    encoded[at] ^= data.draw(st.integers(1, 255))
    changed = bytes(encoded[: data.draw(st.sampled_from([len(encoded), len(encoded) - 1, at]))])

    try:
        read = Fingerprint.decode(changed)
    except FingerprintError:
        return
    assert read.encode() == changed
    assert read != taken


@given(content=st.binary(max_size=200))
def test_any_other_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(FingerprintError, match="this is no fingerprint"):
        Fingerprint.decode(content)


@given(aspect=st.floats(0.25, 4), content=boxes())
def test_every_shape_has_a_grid_that_leaves_room_for_moments(aspect: float, content: Box) -> None:
    rows, columns = grid(aspect, content)

    assert 4 <= min(rows, columns) <= 12
    assert max(rows, columns) <= 32
    assert most_moments(rows, columns) >= 20


@settings(max_examples=100, deadline=None)
@given(
    change=st.sampled_from(
        [
            {"height": 41},
            {"width": 10**6},
            {"times_ms": tuple(range(1000)), "width": 160},
            {"times_ms": (5, 4, 3, 2, 1, 0)},
            {"times_ms": ()},
            {"times_ms": (-1, 0, 1, 2, 3, 4)},
            {"qualities": (101,) * 6},
            {"qualities": (1,) * 7},
            {"content": (0.5, 0.0, 0.5, 1.0)},
            {"content": (0.0, 0.0, 1.0, float("nan"))},
            {"aspect": 9.0},
            {"pictures": "AAAA"},
            {"pictures": "*"},
            {"hashes": base64.b64encode(b"short").decode()},
        ]
    )
)
def test_a_glimpse_of_another_shape_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(FingerprintError, match="this is no glimpse"):
        replace(GLIMPSE, **change).glimpse()  # type: ignore[arg-type]


@given(seed=st.integers(0, 2**32 - 1))
def test_distances_are_those_of_a_count_bit_by_bit_and_symmetric(seed: int) -> None:
    some, others = np.random.default_rng(seed).integers(0, 256, (2, 5, 32), dtype=np.uint8)

    found = distances(some, others)

    bits = np.unpackbits(some[:, None] ^ others[None], axis=2).sum(axis=2)
    assert (found == bits).all()
    assert (found == distances(others, some).T).all()
