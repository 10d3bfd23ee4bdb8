"""Canonical JSON: one value, one sequence of bytes (the subset of RFC 8785 that records use).

The subset leaves out what two programs could write differently: floats, keys beyond ASCII,
integers that a double cannot hold, and strings with lone surrogates. What is left is UTF-8, without
white space, keys sorted by their bytes, and exactly the escapes of RFC 8785, section 3.2.2.2.

    >>> encode({"b": 1, "a": "é"}).decode()
    '{"a":"é","b":1}'
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn, TypeAlias

from audit.errors import RecordInvalid

JsonValue: TypeAlias = "bool | int | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"

INTEGER_LIMIT: Final = 2**53
"""Integers lie strictly between the negative and the positive of this (RFC 7493, section 2.2)."""

DEPTH_LIMIT: Final = 16
"""Lists and objects inside one another; the deepest record of ours has six."""


def _refuse_float(text: str) -> NoReturn:
    raise RecordInvalid(f"{text} is not an integer; records hold no floats")


_READER: Final = json.JSONDecoder(parse_float=_refuse_float, parse_constant=_refuse_float)
# Python's writer uses the escapes of RFC 8785 when it may leave the rest as it is, and for ASCII
# keys sorting by code point is sorting by UTF-16 unit.
_WRITER: Final = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False
)


def encode(value: JsonValue) -> bytes:
    """Return the canonical bytes of `value`.

    Raises:
        RecordInvalid: the value lies outside the subset; the message names the place.
    """
    return _spell(_plain(value, "$", 0))


def decode(canonical: bytes) -> JsonValue:
    """Return the value that `canonical` stands for, refusing any other spelling of it.

    Raises:
        RecordInvalid: not JSON, outside the subset, a key twice, or not the canonical spelling.
    """
    try:
        value: JsonValue = _READER.decode(canonical.decode())
    except UnicodeDecodeError as error:
        raise RecordInvalid(f"byte {error.start} is not UTF-8; a record is UTF-8 text") from error
    except RecursionError as error:
        raise RecordInvalid(f"nested beyond {DEPTH_LIMIT} levels") from error
    except ValueError as error:
        raise RecordInvalid(f"not JSON: {error}") from error
    _require_subset([value], -1)
    try:
        spelled = _spell(value)
    except UnicodeEncodeError as error:
        raise RecordInvalid("a string holds half a surrogate pair; that is not text") from error
    # A key that came twice was read once, so it shows here as well.
    if spelled != canonical:
        raise RecordInvalid(
            "valid JSON but not its canonical form; sort the keys, write each once, drop the white "
            "space and use the escapes of RFC 8785"
        )
    return value


def _spell(plain: JsonValue) -> bytes:
    return _WRITER.encode(plain).encode()


def _plain(value: JsonValue, place: str, depth: int) -> Any:  # noqa: ANN401 - what json.dumps takes
    """Return `value` in dicts and lists, or name the first place outside the subset."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        _require_short(value, place)
        return int(value)
    if isinstance(value, str):
        return _text(value, place)
    if isinstance(value, Mapping):
        _require_depth(depth)
        return {
            _key(key, place): _plain(item, f"{place}.{key}", depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        _require_depth(depth)
        return [_plain(item, f"{place}[{at}]", depth + 1) for at, item in enumerate(value)]
    raise RecordInvalid(
        f"{place} is a {type(value).__name__}; records hold null, booleans, integers, text, lists "
        "and objects (a score goes in as millionths)"
    )


def _text(value: str, place: str) -> str:
    """Return the text as a plain `str`, refusing lone surrogates, which no UTF-8 can carry."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise RecordInvalid(f"{place} holds half a surrogate pair; that is not text") from error
    return str(value)


def _key(key: str, place: str) -> str:
    if not isinstance(key, str) or not key.isascii():
        raise RecordInvalid(f"key {key!r} at {place} is not ASCII text")
    return str(key)


def _require_subset(outer: dict[str, JsonValue] | list[JsonValue], depth: int) -> None:
    """Refuse what JSON can spell and `encode` would not write. Every record goes through here."""
    _require_depth(depth)
    if isinstance(outer, dict) and not "".join(outer).isascii():
        raise RecordInvalid("an object has a key beyond ASCII; keys are ASCII text")
    for item in outer.values() if isinstance(outer, dict) else outer:
        if isinstance(item, dict | list):
            _require_subset(item, depth + 1)
        elif isinstance(item, int) and not -INTEGER_LIMIT < item < INTEGER_LIMIT:
            _require_short(item, "a number")


def _require_depth(around: int) -> None:
    """Refuse a list or an object that stands inside `around` others."""
    if around >= DEPTH_LIMIT:
        raise RecordInvalid(f"nested beyond {DEPTH_LIMIT} levels")


def _require_short(value: int, place: str) -> None:
    if not -INTEGER_LIMIT < value < INTEGER_LIMIT:
        raise RecordInvalid(f"{place} is {value}; integers stay below 2^53, write it as text")
