"""Whatever bytes or values a stranger sends, our readers answer or refuse in their own words."""

import contextlib
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance import bmff, cbor, jumbf
from provenance.jumbf import MalformedStore
from provenance.manifest_facts import ManifestFacts, facts
from provenance.manifest_store import inspect
from provenance.timestamp import TimestampState, verify_token
from tests.support import der, stores
from tests.support.pki import Desk

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)
cbor_values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2**64 - 1) | st.binary() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(0, 99), inner),
    max_leaves=20,
)
# Object identifiers, encoded: curves and algorithms that we know, that others know, and none.
algorithms = st.sampled_from(
    [
        bytes.fromhex(each)
        for each in (
            "2a8648ce3d030107",  # prime256v1
            "2b81040022",  # secp384r1
            "2a811ccf5501822d",  # SM2
            "2a8648ce3d0201",  # ecPublicKey
            "2b6570",  # Ed25519
            "2a864886f70d010101",  # rsaEncryption
            "608648016503040201",  # SHA-256
            "608648016503040208",  # SHA3-256
            "2b0e03021a",  # SHA-1
            "2a8648ce3d040303",  # ecdsa-with-SHA384
            "2a8348ce3d040399",
        )
    ]
)
keys_of_interest = st.sampled_from(
    [
        "assertions",
        "signature_info",
        "claim_generator_info",
        "ingredients",
        "title",
        "label",
        "data",
        "actions",
        "log",
        "blocks",
    ]
)


STAMPED = b"the signature of a claim"


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A time-stamp that holds."""
    now = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
    desk = Desk.open(Path(tmp_path_factory.mktemp("desk")), now=now)
    return der.token_for(desk.authority, STAMPED, now)


@given(cbor_values)
def test_cbor_reads_back_and_is_seen_to_be_in_its_shortest_form(value: object) -> None:
    decoded = cbor.decode(stores.encoded(value))

    assert decoded.value == value
    assert decoded.shortest


@given(st.integers(0, 23), st.sampled_from([(24, 1), (25, 2), (26, 4), (27, 8)]))
def test_a_number_written_longer_than_it_must_is_noticed(
    value: int, width: tuple[int, int]
) -> None:
    longer = bytes([width[0]]) + value.to_bytes(width[1], "big")

    decoded = cbor.decode(longer)

    assert decoded.value == value
    assert not decoded.shortest


@given(st.binary(max_size=300))
def test_any_bytes_are_cbor_or_refused(content: bytes) -> None:
    with contextlib.suppress(cbor.MalformedCbor):
        cbor.decode(content)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_store_or_refused(content: bytes) -> None:
    with contextlib.suppress(MalformedStore):
        jumbf.parse(content)
    with contextlib.suppress(MalformedStore):
        inspect(content, timestamp_roots=())


@given(st.binary(max_size=300))
def test_any_bytes_are_boxes_or_refused(content: bytes) -> None:
    with contextlib.suppress(bmff.MalformedBoxes):
        boxes = bmff.top_boxes(io.BytesIO(content))

        assert [box.end for box in boxes[:-1]] == [box.start for box in boxes[1:]]
        assert not boxes or boxes[-1].end == len(content)


@given(st.binary(max_size=200))
def test_no_made_up_bytes_are_a_time_stamp(content: bytes) -> None:
    assert verify_token(content, stamped=b"", roots=()).state is TimestampState.INVALID


@given(
    st.lists(
        st.tuples(st.integers(0, 500), st.integers(0, 7) | st.binary(max_size=12) | algorithms),
        min_size=1,
        max_size=3,
    )
)
def test_a_token_with_values_exchanged_and_all_lengths_right_is_answered(
    token: bytes, changes: list[tuple[int, int | bytes]]
) -> None:
    forged = der.exchanged(token, changes)

    found = verify_token(forged, stamped=STAMPED, roots=())

    unchanged = forged == token
    assert found.state in {TimestampState.INVALID, TimestampState.UNSUPPORTED} or (
        unchanged or found.unsigned
    )


@given(st.dictionaries(keys_of_interest, json_values))
def test_facts_of_any_manifest_are_text_or_nothing(manifest: dict[str, object]) -> None:
    found = facts({"active_manifest": "x", "manifests": {"x": manifest}})

    assert found is None or isinstance(found, ManifestFacts)
