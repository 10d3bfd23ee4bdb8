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
"""Levels of nesting; the deepest record of ours has six."""


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
        value: JsonValue = json.loads(
            canonical.decode(),
            object_pairs_hook=_unique,
            parse_int=_integer,
            parse_float=_refuse_float,
            parse_constant=_refuse_float,
        )
    except UnicodeDecodeError as error:
        raise RecordInvalid(f"byte {error.start} is not UTF-8; a record is UTF-8 text") from error
    except RecursionError as error:
        raise RecordInvalid(f"nested beyond {DEPTH_LIMIT} levels") from error
    except ValueError as error:
        raise RecordInvalid(f"not JSON: {error}") from error
    _require_depth(value, 0)
    try:
        spelled = _spell(value)
    except UnicodeEncodeError as error:
        raise RecordInvalid("a string holds half a surrogate pair; that is not text") from error
    if spelled != canonical:
        raise RecordInvalid(
            "valid JSON but not its canonical form; sort the keys, drop the white space and use "
            "the escapes of RFC 8785"
        )
    return value


def _spell(plain: JsonValue) -> bytes:
    # Python's writer uses the escapes of RFC 8785 when it may leave the rest as it is, and for
    # ASCII keys sorting by code point is sorting by UTF-16 unit.
    text = json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def _plain(value: JsonValue, place: str, depth: int) -> Any:  # noqa: ANN401 - what json.dumps takes
    """Return `value` in dicts and lists, or name the first place outside the subset."""
    if depth > DEPTH_LIMIT:
        raise RecordInvalid(f"{place} lies deeper than {DEPTH_LIMIT} levels")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if not -INTEGER_LIMIT < value < INTEGER_LIMIT:
            raise RecordInvalid(f"{place} is {value}; integers stay below 2^53, write it as text")
        return int(value)
    if isinstance(value, str):
        return _text(value, place)
    if isinstance(value, Mapping):
        return {
            _key(key, place): _plain(item, f"{place}.{key}", depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
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


def _unique(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    """Build an object, refusing a key that comes twice: readers differ on which one holds."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise RecordInvalid("a key stands twice in one object")
    for key in found:
        _key(key, "an object")
    return found


def _integer(text: str) -> int:
    value = int(text)
    if not -INTEGER_LIMIT < value < INTEGER_LIMIT:
        raise RecordInvalid(f"{text} lies beyond 2^53; such a number is written as text")
    return value


def _require_depth(value: JsonValue, depth: int) -> None:
    if depth > DEPTH_LIMIT:
        raise RecordInvalid(f"nested beyond {DEPTH_LIMIT} levels")
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inner:
        if isinstance(item, dict | list):
            _require_depth(item, depth + 1)


def _refuse_float(text: str) -> NoReturn:
    raise RecordInvalid(f"{text} is not an integer; records hold no floats")
