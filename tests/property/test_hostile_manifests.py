"""Whatever bytes or values a stranger sends, our readers answer or refuse in their own words."""

import contextlib
import io

from hypothesis import given
from hypothesis import strategies as st

from provenance import bmff, cbor, jumbf
from provenance.jumbf import MalformedStore
from provenance.manifest import ManifestFacts, facts
from provenance.manifest_store import inspect
from provenance.timestamp import TimestampState, verify_token

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


def encoded(value: object) -> bytes:
    """Encode in CBOR, shortest form; the oracle for our decoder."""
    constants = {"None": b"\xf6", "True": b"\xf5", "False": b"\xf4"}
    if repr(value) in constants:
        return constants[repr(value)]
    match value:
        case int():
            return head(0, value)
        case bytes() | str():
            content = value.encode() if isinstance(value, str) else value
            return head(3 if isinstance(value, str) else 2, len(content)) + content
        case list():
            return head(4, len(value)) + b"".join(map(encoded, value))
        case dict():
            pairs = (encoded(key) + encoded(inner) for key, inner in value.items())
            return head(5, len(value)) + b"".join(pairs)
        case _:
            raise TypeError(type(value))


def head(major: int, argument: int) -> bytes:
    if argument < 24:
        return bytes([major << 5 | argument])
    for short, width in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if argument < 1 << (8 * width):
            return bytes([major << 5 | short]) + argument.to_bytes(width, "big")
    raise ValueError(argument)


@given(cbor_values)
def test_cbor_reads_back_and_is_seen_to_be_in_its_shortest_form(value: object) -> None:
    decoded = cbor.decode(encoded(value))

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


@given(st.dictionaries(keys_of_interest, json_values))
def test_facts_of_any_manifest_are_text_or_nothing(manifest: dict[str, object]) -> None:
    found = facts({"active_manifest": "x", "manifests": {"x": manifest}})

    assert found is None or isinstance(found, ManifestFacts)
