"""Canonical JSON: the subset, its one spelling, and what is refused."""

import pytest

from audit.canonical import DEPTH_LIMIT, INTEGER_LIMIT, JsonValue, decode, encode
from audit.errors import RecordInvalid


def test_keys_are_sorted_and_no_space_is_left() -> None:
    assert encode({"b": [1, None, True], "a": {"z": "ü", "c": -5}}) == (
        '{"a":{"c":-5,"z":"ü"},"b":[1,null,true]}'.encode()
    )


def test_escapes_are_those_of_rfc_8785() -> None:
    text = '\u20ac$\u000f\u000aA\'B"\\\\"/\x7f\b\t\f\r\x1f'

    assert encode(text) == (b'"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/\x7f\\b\\t\\f\\r\\u001f"')


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        INTEGER_LIMIT,
        -INTEGER_LIMIT,
        {"é": 1},
        {1: 1},
        "\ud800",
        b"bytes",
        {1, 2},
    ],
)
def test_values_outside_the_subset_are_refused(value: object) -> None:
    with pytest.raises(RecordInvalid):
        encode({"outer": value})  # type: ignore[dict-item]


def test_the_refusal_names_the_place() -> None:
    with pytest.raises(RecordInvalid, match=r"\$\.a\[1\]\.b is a float"):
        encode({"a": [0, {"b": 0.5}]})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "spelling",
    [
        b'{"a": 1}',
        b'{"b":1,"a":1}',
        b'{"a":1}\n',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":1,"a":1}',
        b'{"a":01}',
        b'{"a":-0}',
        b'{"a":1.0}',
        b'{"a":1e3}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":9007199254740992}',
        b'{"a":"\\u0041"}',
        b'{"a":"\\/"}',
        b'{"a":"\\ud800"}',
        b'{"a":"\xff"}',
        b'{"\\u0061":1}',
        b'{"a":"\\u001F"}',
        b"[" * 20 + b"]" * 20,
        b"[" * 30_000,
        b'{"a":' + b"9" * 5000 + b"}",
        b"",
        b"{",
    ],
)
def test_every_other_spelling_is_refused(spelling: bytes) -> None:
    with pytest.raises(RecordInvalid):
        decode(spelling)


def nested(levels: int) -> JsonValue:
    value: JsonValue = 1
    for _ in range(levels):
        value = [value]
    return value


def test_sixteen_levels_are_written_and_read_and_seventeen_neither() -> None:
    assert decode(encode(nested(DEPTH_LIMIT))) == nested(DEPTH_LIMIT)

    with pytest.raises(RecordInvalid, match="nested beyond 16 levels"):
        encode(nested(DEPTH_LIMIT + 1))
    with pytest.raises(RecordInvalid, match="nested beyond 16 levels"):
        decode(b"[" * 17 + b"1" + b"]" * 17)


def test_what_was_encoded_is_decoded_again() -> None:
    value = {"empty": [], "nested": {"deep": [[[]]]}, "text": "\u2028 \U0001f3ac"}

    assert decode(encode(value)) == value
