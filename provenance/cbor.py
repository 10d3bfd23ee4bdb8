"""A small, bounded reader of CBOR (RFC 8949), for claims and signatures in a manifest store.

It reads what strangers wrote: depth and number of items are limited, nothing is executed, no tag is
interpreted. It also says whether every length was written in its one shortest form, because a
byte that could be written in two ways is a byte that a signature over the meaning does not protect.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

MAX_DEPTH = 32
MAX_ITEMS = 100_000  # a claim with a thousand ingredients has some ten thousand


class Simple(Enum):
    """Values of CBOR that Python has no word for."""

    UNDEFINED = 23
    """Not None: the two differ by one bit."""


_UNSIGNED, _BYTES, _TEXT, _ARRAY, _MAP, _SIMPLE = 0, 2, 3, 4, 5, 7
_ONE_BYTE, _EIGHT_BYTES, _INDEFINITE = 24, 27, 31
_BREAK = object()
_SIMPLE_VALUES: tuple[tuple[int, object], ...] = (
    (20, False),
    (21, True),
    (22, None),
    (23, Simple.UNDEFINED),
)
_FLOAT_FORMATS = {25: ">e", 26: ">f", 27: ">d"}


class MalformedCbor(ValueError):
    """The bytes are no CBOR item, or one beyond our limits."""


@dataclass(frozen=True, slots=True)
class Tagged:
    """A tagged item, the tag kept as a number."""

    tag: int
    value: object


@dataclass(frozen=True, slots=True)
class Decoded:
    """One item and how it was written."""

    value: object
    """dict, list, str, bytes, int, float, bool, None, `Simple` or `Tagged`."""
    shortest: bool
    """Every length and number in its shortest form, none of indefinite length."""


def decode(encoded: bytes) -> Decoded:
    """Read exactly one item.

    Raises:
        MalformedCbor: the bytes are not one whole item, repeat a map key, or go beyond the limits.
    """
    reader = _Reader(encoded)
    value = reader.item(depth=0)
    if value is _BREAK or reader.at != len(encoded):
        raise MalformedCbor(f"expected one item of {len(encoded)} bytes, it ends at {reader.at}")
    return Decoded(value, reader.shortest)


@dataclass(slots=True)
class _Reader:
    encoded: bytes
    at: int = 0
    shortest: bool = True
    items: int = 0

    def item(self, depth: int) -> object:
        self.items += 1
        if depth > MAX_DEPTH or self.items > MAX_ITEMS:
            raise MalformedCbor(f"nested deeper than {MAX_DEPTH} or more than {MAX_ITEMS} items")
        head = self._take(1)[0]
        major, short = head >> 5, head & 31
        if major == _SIMPLE:
            return self._simple(short)
        argument = self._argument(short)
        if argument is None:
            return self._indefinite(major, depth)
        return self._definite(major, argument, depth)

    def _definite(self, major: int, argument: int, depth: int) -> object:
        match major:
            case 0 | 1:
                return argument if major == _UNSIGNED else -1 - argument
            case 2:
                return self._take(argument)
            case 3:
                return self._text(argument)
            case 4:
                return [self._inner(depth) for _ in range(self._bounded(argument))]
            case 5:
                keys = range(self._bounded(argument))
                return _map((self._inner(depth), self._inner(depth)) for _ in keys)
            case _:
                return Tagged(argument, self._inner(depth))

    def _indefinite(self, major: int, depth: int) -> object:
        self.shortest = False
        if major == _ARRAY:
            return list(self._until_break(depth))
        if major == _MAP:
            flat = self._until_break(depth)
            return _map((key, self._inner(depth)) for key in flat)
        if major in {_BYTES, _TEXT}:
            return self._chunks(major, depth)
        raise MalformedCbor(f"an indefinite length for major type {major} at byte {self.at}")

    def _chunks(self, major: int, depth: int) -> object:
        kind = bytes if major == _BYTES else str
        chunks = [chunk for chunk in self._until_break(depth) if isinstance(chunk, kind)]
        return kind().join(chunks)  # type: ignore[arg-type]  # all of one kind by the line above

    def _until_break(self, depth: int) -> Iterator[object]:
        while (value := self.item(depth + 1)) is not _BREAK:
            yield value

    def _inner(self, depth: int) -> object:
        value = self.item(depth + 1)
        if value is _BREAK:
            raise MalformedCbor(f"a break outside an indefinite item at byte {self.at}")
        return value

    def _argument(self, short: int) -> int | None:
        if short < _ONE_BYTE:
            return short
        if short == _INDEFINITE:
            return None
        if short > _EIGHT_BYTES:
            raise MalformedCbor(f"reserved length {short} at byte {self.at}")
        width = 1 << (short - _ONE_BYTE)
        value = int.from_bytes(self._take(width), "big")
        smallest = _ONE_BYTE if width == 1 else 1 << (4 * width)
        self.shortest = self.shortest and value >= smallest
        return value

    def _simple(self, short: int) -> object:
        if short == _INDEFINITE:
            return _BREAK
        if short in _FLOAT_FORMATS:
            width = 1 << (short - _ONE_BYTE)
            number: float = struct.unpack(_FLOAT_FORMATS[short], self._take(width))[0]
            return number
        for number_of, value in _SIMPLE_VALUES:
            if short == number_of:
                return value
        raise MalformedCbor(f"unassigned simple value {short} at byte {self.at}")

    def _text(self, length: int) -> str:
        try:
            return self._take(length).decode("utf-8")
        except UnicodeDecodeError as error:
            raise MalformedCbor(f"a text at byte {self.at} is not UTF-8") from error

    def _bounded(self, count: int) -> int:
        """Refuse counts that the bytes left cannot hold, before a list of that length is begun."""
        if count > len(self.encoded) - self.at:
            raise MalformedCbor(
                f"{count} items announced, {len(self.encoded) - self.at} bytes left"
            )
        return count

    def _take(self, length: int) -> bytes:
        end = self.at + length
        if end > len(self.encoded):
            raise MalformedCbor(f"{length} bytes announced at byte {self.at}, fewer are there")
        taken = self.encoded[self.at : end]
        self.at = end
        return taken


def _map(pairs: Iterator[tuple[object, object]]) -> dict[object, object]:
    found: dict[object, object] = {}
    for key, value in pairs:
        if not isinstance(key, str | int | bytes):
            raise MalformedCbor(f"a map key of type {type(key).__name__}")
        # Two values under one key would let two readers see two different claims.
        if key in found:
            raise MalformedCbor(f"the map key {key!r} stands twice")
        found[key] = value
    return found
