"""A clip's fingerprint as it stands in a record, and its one spelling as bytes. Pure.

A fingerprint is some moments of a clip, evenly in time. Of each it holds the PDQ hash, by which
clips are found, and the brightness of 12 x 21 cells (of 16:9), by which pictures are compared that
show only a part of it: a hash of the whole says nothing about a part. The cells are a picture 21
pixels wide, and whoever reads the record can see it. docs/spec/fingerprint.md has the layout.
"""

import struct
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from provenance.errors import FingerprintError

ALGORITHM: Final = "org.countermark.frames.1"

MOST_BYTES = 9 * 1024  # 12 KiB as base64: a record holds 32 KiB; 31 moments of 16:9
HASH_BYTES = 32
SHORT_CELLS, MOST_CELLS = 12, 32  # along the short side at most, along the long side at most
FEWEST_CELLS = 4  # along a side
MOST_OBLONG = 4  # long side over short side; of a longer frame the middle is looked at
TOP_QUALITY = 100
KEY_QUALITY = 30  # of PDQ; flat drawings have 49, a black frame has 0
KEY_BITS = 12  # by which the moments that a clip is found by differ, of the 31 that are alike

_MAGIC = b"CMFP\x01"
_HEADER = struct.Struct(">5sBBBI4H")  # magic, rows, columns, moments, aspect, content
_MOMENT = struct.Struct(f">IB{HASH_BYTES}s")  # time, quality, hash; the cells follow
_ASPECT_UNIT, _BOX_UNIT = 2**16, 2**16 - 1


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a picture, each edge as a share of the side, from the top left corner."""

    left: float
    top: float
    right: float
    bottom: float

    def in_units(self) -> "Box":
        """Return the box as a fingerprint can say it."""
        return Box(*(edge / _BOX_UNIT for edge in self.units))

    @property
    def units(self) -> tuple[int, ...]:
        """The edges in 65,535ths of the side."""
        edges = (self.left, self.top, self.right, self.bottom)
        return tuple(round(edge * _BOX_UNIT) for edge in edges)


@dataclass(frozen=True, slots=True)
class Moment:
    """One picture of a clip."""

    time_ms: int
    quality: int  # of the hash, 0 to 100
    pdq: bytes  # 32
    cells: bytes  # mean luma of each part of the content, row after row


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What is known of a clip's pictures once the clip is gone."""

    aspect: float  # width over height of a whole frame, in 65,536ths
    content: Box  # where the picture lies in it, without black bars
    rows: int  # of cells
    columns: int
    moments: tuple[Moment, ...]  # their times rise

    def key_hashes(self) -> tuple[bytes, ...]:
        """Return the hashes by which a clip is found: of moments with something to see.

        A moment that is like one before it would only be found with it.
        """
        kept: list[int] = []
        for each in self.moments:
            value = int.from_bytes(each.pdq)
            new = all((value ^ other).bit_count() > KEY_BITS for other in kept)
            if each.quality >= KEY_QUALITY and new:
                kept.append(value)
        return tuple(value.to_bytes(HASH_BYTES) for value in kept)

    def encode(self) -> bytes:
        """Return the fingerprint's bytes; equal fingerprints have equal bytes."""
        aspect = round(self.aspect * _ASPECT_UNIT)
        header = (_MAGIC, self.rows, self.columns, len(self.moments), aspect)
        parts = [_HEADER.pack(*header, *self.content.units)]
        for each in self.moments:
            parts += [_MOMENT.pack(each.time_ms, each.quality, each.pdq), each.cells]
        return b"".join(parts)

    @classmethod
    def decode(cls, encoded: bytes) -> "Fingerprint":
        """Read a fingerprint's bytes back.

        Raises:
            FingerprintError: they are none, or not spelled the one way.
        """
        if not _HEADER.size <= len(encoded) <= MOST_BYTES:
            raise _refused(f"{len(encoded)} bytes are not {_HEADER.size} to {MOST_BYTES}")
        magic, rows, columns, count, aspect, *edges = _HEADER.unpack_from(encoded)
        _require_header(magic, rows, columns, aspect, edges)
        size = _MOMENT.size + rows * columns
        if not count or len(encoded) != _HEADER.size + count * size:
            raise _refused(f"{len(encoded)} bytes do not hold {count} moments of {size}")
        starts = range(_HEADER.size, len(encoded), size)
        moments = tuple(_moment(encoded[start : start + size]) for start in starts)
        if any(later.time_ms <= earlier.time_ms for earlier, later in pairwise(moments)):
            raise _refused("the times of its moments do not rise")
        content = Box(*(edge / _BOX_UNIT for edge in edges))
        return cls(aspect / _ASPECT_UNIT, content, rows, columns, moments)


def aspect_of(height: int, width: int) -> float:
    """Return width over height as a fingerprint can say it."""
    return round(width / height * _ASPECT_UNIT) / _ASPECT_UNIT


def most_moments(rows: int, columns: int) -> int:
    """Return how many moments a fingerprint of so many cells has room for."""
    return (MOST_BYTES - _HEADER.size) // (_MOMENT.size + rows * columns)


def grid(aspect: float, content: Box) -> tuple[int, int]:
    """Return how many rows and columns of cells a picture is divided into: about square ones."""
    wide = aspect * (content.right - content.left) / (content.bottom - content.top)
    oblong = max(wide, 1 / wide)
    long = min(MOST_CELLS, round(SHORT_CELLS * oblong))
    short = max(FEWEST_CELLS, min(SHORT_CELLS, round(MOST_CELLS / oblong)))
    return (short, long) if wide >= 1 else (long, short)


def _moment(encoded: bytes) -> Moment:
    time_ms, quality, pdq = _MOMENT.unpack_from(encoded)
    if quality > TOP_QUALITY:
        raise _refused(f"a quality of {quality} is above {TOP_QUALITY}")
    return Moment(time_ms, quality, pdq, encoded[_MOMENT.size :])


def _require_header(magic: bytes, rows: int, columns: int, aspect: int, edges: list[int]) -> None:
    if magic != _MAGIC:
        raise _refused(f"it begins with {magic.hex()}, not with {_MAGIC.hex()}")
    short, long = sorted((rows, columns))
    if not FEWEST_CELLS <= short <= SHORT_CELLS or long > MOST_CELLS:
        raise _refused(f"{rows} x {columns} cells are no grid of this version")
    if not _ASPECT_UNIT / MOST_OBLONG <= aspect <= MOST_OBLONG * _ASPECT_UNIT:
        raise _refused(f"its frames are {aspect / _ASPECT_UNIT:.3f} times as wide as high")
    left, top, right, bottom = edges
    if left >= right or top >= bottom:
        raise _refused("its content has no area")


def _refused(why: str) -> FingerprintError:
    return FingerprintError(f"this is no fingerprint {ALGORITHM}: {why}; take it anew")
