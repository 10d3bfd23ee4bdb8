"""What the watermark says: a mark id, and the coded bits that carry it.

A mark id is a random number of 64 bits (128 for who wants a UUID). It means nothing by itself: the
log says which clip it was issued for. On the way into the picture it gets a CRC-24 and a polar
code of 1024 bits, so that it survives most of them being wrong. `docs/spec/payload.md` has the
exact rules and `tests/vectors/payload.json` examples to check another reader with.

Example:
    >>> mark_id = MarkId.from_hex("0123456789abcdef")
    >>> code = MarkCode.of(payload_bits=64)
    >>> received = 1 - 2.0 * code.encode(mark_id.value)
    >>> [f"{value:016x}" for value in code.candidates(received[None], paths=1)[0]]
    ['0123456789abcdef']
"""

import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from provenance.errors import PayloadError
from provenance.polar import PolarCode

MARK_ID_BITS = 64
LONG_MARK_ID_BITS = 128
PAYLOAD_BITS = (MARK_ID_BITS, LONG_MARK_ID_BITS)
CODED_BITS = 1024
CRC_BITS = 24
CRC_POLYNOMIAL = 0x864CFB  # CRC-24/OPENPGP, RFC 9580 section 6.1
CRC_START = 0xB704CE  # the same section
CRC_MASK = np.uint32((1 << CRC_BITS) - 1)
PLACE_VALUES = 1 << np.arange(CRC_BITS, dtype=np.uint32)[::-1]  # most significant first

Bits = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class MarkId:
    """The number that a mark carries: 64 bits, or 128 of a long mark."""

    value: int
    bits: int = MARK_ID_BITS

    def __post_init__(self) -> None:
        if self.bits not in PAYLOAD_BITS or not 0 <= self.value < 2**self.bits:
            raise PayloadError(
                f"a mark id is a number of {' or '.join(map(str, PAYLOAD_BITS))} bits, not "
                f"{self.value} of {self.bits} bits; take MarkId.random()"
            )

    @classmethod
    def random(
        cls, rng_bytes: Callable[[int], bytes] = secrets.token_bytes, *, bits: int = MARK_ID_BITS
    ) -> Self:
        """Return a fresh mark id of so many bits from a source of random bytes."""
        return cls(int.from_bytes(rng_bytes(bits // 8), "big"), bits)

    @classmethod
    def from_hex(cls, text: str) -> Self:
        """Return the mark id that `hex` wrote.

        Raises:
            PayloadError: when `text` is not 16 or 32 lower-case hexadecimal digits.
        """
        if not re.fullmatch(r"[0-9a-f]{16}|[0-9a-f]{32}", text):
            raise PayloadError(
                f"a mark id is 16 or 32 lower-case hexadecimal digits, not {text!r}; copy it again"
            )
        return cls(int(text, 16), 4 * len(text))

    @property
    def hex(self) -> str:
        """The id as lower-case hexadecimal digits, four bits each."""
        return f"{self.value:0{self.bits // 4}x}"

    def __str__(self) -> str:
        return self.hex


@dataclass(frozen=True, slots=True)
class MarkCode:
    """Turns payloads of `payload_bits` bits into 1024 coded bits and back."""

    payload_bits: int
    polar: PolarCode

    @classmethod
    def of(cls, *, payload_bits: int) -> Self:
        """Return the code for payloads of 64 bits (a mark id) or 128 bits (a UUID)."""
        if payload_bits not in PAYLOAD_BITS:
            raise PayloadError(
                f"the mark carries 64 or 128 bits, not {payload_bits}; choose one of them"
            )
        return cls(payload_bits, PolarCode.of(length=CODED_BITS, info_bits=payload_bits + CRC_BITS))

    def encode(self, payload: int) -> Bits:
        """Return the 1024 coded bits of a payload."""
        bits = bits_of(payload, self.payload_bits)
        return self.polar.encode(np.concatenate([bits, bits_of(crc24(bits), CRC_BITS)]))

    def encode_all(self, payloads: NDArray[np.uint8], *, batch: int = 4096) -> Iterator[Bits]:
        """Yield the coded bits (up to `batch`, 1024) of many payloads, in order.

        The code is linear and the CRC affine: a code word is the sum of one for each byte.

        Args:
            payloads: (payloads, payload bits / 8), most significant byte first.
            batch: how many to encode at a time.
        """
        nothing = np.packbits(self.encode(0))
        single = [np.packbits(self.encode(1 << bit)) ^ nothing for bit in range(self.payload_bits)]
        tables = []
        for low in range(self.payload_bits - 8, -1, -8):
            table = np.zeros((256, CODED_BITS // 8), np.uint8)
            for bit, word in enumerate(single[low : low + 8]):
                table[1 << bit : 2 << bit] = table[: 1 << bit] ^ word
            tables.append(table)
        for start in range(0, len(payloads), batch):
            words = np.repeat(nothing[None], len(payloads[start : start + batch]), axis=0)
            for table, byte in zip(tables, payloads[start : start + batch].T, strict=True):
                words ^= table[byte]
            yield np.unpackbits(words, axis=1)

    def candidates(self, soft: NDArray[np.floating], *, paths: int) -> list[list[int]]:
        """Return for each received word the payloads whose CRC is right, likeliest first.

        A right CRC alone proves nothing: noise has one by chance in about 2**24 / `paths` words.
        Whoever accepts a payload must weigh the evidence for it (`provenance.watermark.bound`).

        Args:
            soft: log-likelihood ratios (words, 1024), positive for 0.
            paths: how many candidates the decoder keeps side by side.
        """
        decoded, _ = self.polar.decode(soft, paths=paths)
        payloads, checks = np.split(decoded, [self.payload_bits], axis=2)
        right = crc24s(payloads) == checks.astype(np.uint32) @ PLACE_VALUES
        return [
            [number_of(bits) for bits in word[kept]]
            for word, kept in zip(payloads, right, strict=True)
        ]


def bits_of(number: int, count: int) -> Bits:
    """Return the `count` low bits of a number, most significant first."""
    return np.array([number >> (count - 1 - i) & 1 for i in range(count)], np.uint8)


def number_of(bits: Bits) -> int:
    """Return the number whose bits these are, most significant first."""
    return int.from_bytes(np.packbits(bits).tobytes(), "big") >> (-len(bits) % 8)


def crc24(bits: Bits) -> int:
    """Return the CRC-24/OPENPGP of a whole number of bytes, given as bits."""
    return int(crc24s(bits[None])[0])


def crc24s(bits: Bits) -> NDArray[np.uint32]:
    """Return the CRC-24/OPENPGP of each of many messages (..., bits), whole bytes each."""
    register: NDArray[np.uint32] = np.full(bits.shape[:-1], CRC_START, np.uint32)
    for byte in np.moveaxis(np.packbits(bits, axis=-1), -1, 0):
        register = ((register << 8) & CRC_MASK) ^ CRC_OF_BYTE[(register >> (CRC_BITS - 8)) ^ byte]
    return register


def _crc_of_bytes() -> NDArray[np.uint32]:
    register = np.arange(256).astype(np.uint32) << np.uint32(CRC_BITS - 8)
    for _ in range(8):
        falls_out = register >> np.uint32(CRC_BITS - 1)
        register = ((register << np.uint32(1)) & CRC_MASK) ^ (falls_out * np.uint32(CRC_POLYNOMIAL))
    return register


CRC_OF_BYTE = _crc_of_bytes()
