"""What the key decides: which frequencies carry what, with which signs, and the dither.

Everything secret about the mark comes out of SHAKE-256 (FIPS 202) over a domain tag, the key and a
label, so that without the key the signs are fair coins: the bound in `bound.py` rests on that.
`docs/spec/payload.md` has the byte order of every table.

The mark is one tile of 64 x 64 pixels that repeats over the picture (`canonical.py` says which
pixels). It is made in the frequency domain: each frequency of a band carries two signs, one in the
real and one in the imaginary part. 512 keyed frequencies carry the 1024 coded bits, one each per
sign; the others carry known signs that show where the grid lies.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from provenance.errors import KeyUnavailable
from provenance.payload import CODED_BITS

ALGORITHM = "org.countermark.tile.1"
KEY_BYTES = 32
TILE = 64  # side of the tile, in canonical pixels
BAND = (
    0.035,
    0.34,
)  # cycles per canonical pixel: below it the eye sees blotches, above it codecs drop everything
DITHER = 256  # side of the dither table, in pixels of the frame
# Amplitude rises as frequency**slope. At equal survival of H.264 CRF 28, a slope of -.6 costs two
# to three times the VMAF (measured on five clips).
SPECTRAL_SLOPE = 0.5

Float = NDArray[np.float32]
Complex = NDArray[np.complex64]


@dataclass(frozen=True, slots=True, eq=False)
class Chips:
    """The tables of one key, read-only; frequencies are (vertical, horizontal), cycles per tile."""

    key_id: str
    sync_at: NDArray[np.int64]  # (sync, 2) frequencies that show the grid
    sync_signs: Complex  # (sync,), +-1 +-1j
    payload_at: NDArray[np.int64]  # (512, 2) frequencies that carry the coded bits
    payload_signs: Float  # (1024,) the chips: real part, imaginary part, of each frequency in turn
    coded_bit_at: NDArray[np.int64]  # (1024,) which coded bit each sign carries
    dither: Float  # (256, 256) rounding offsets in 0 ... 1


def expand(key: bytes) -> Chips:
    """Return the tables of a key.

    Raises:
        KeyUnavailable: when the key is not 32 bytes.
    """
    if len(key) != KEY_BYTES:
        raise KeyUnavailable(
            f"a mark key is {KEY_BYTES} bytes, this one has {len(key)}; make one with new_key()"
        )
    carriers = band()
    carriers = carriers[_permutation(key, "carriers", len(carriers))]
    payload_at, sync_at = carriers[: CODED_BITS // 2], carriers[CODED_BITS // 2 :]
    sync_signs = _signs(key, "sync", 2 * len(sync_at))
    dither = np.frombuffer(_stream(key, "dither", DITHER * DITHER), np.uint8).reshape(
        DITHER, DITHER
    )
    tables = Chips(
        key_id=hashlib.sha256(f"{ALGORITHM} key id\0".encode() + key).hexdigest()[:8],
        sync_at=sync_at,
        sync_signs=(sync_signs[0::2] + 1j * sync_signs[1::2]).astype(np.complex64),
        payload_at=payload_at,
        payload_signs=_signs(key, "payload", CODED_BITS),
        coded_bit_at=_permutation(key, "interleaver", CODED_BITS),
        # Half the range of a full dither: flat areas keep the mark and are not covered with noise.
        dither=(0.25 + (dither.astype(np.float32) + 0.5) / 512).astype(np.float32),
    )
    for name in ("sync_at", "sync_signs", "payload_at", "payload_signs", "coded_bit_at", "dither"):
        getattr(tables, name).setflags(write=False)
    return tables


def band() -> NDArray[np.int64]:
    """Return the frequencies of the half plane that lie in the band, in rising order."""
    vertical, horizontal = np.mgrid[-TILE // 2 : TILE // 2, 1 : TILE // 2]
    radius = np.hypot(vertical, horizontal) / TILE
    inside = (radius >= BAND[0]) & (radius <= BAND[1])
    return np.stack([vertical[inside], horizontal[inside]], axis=1)


def amplitude(frequencies: NDArray[np.integer]) -> Float:
    """Return how strongly each frequency (count, 2) is marked, up to a common factor."""
    radius = np.hypot(frequencies[:, 0], frequencies[:, 1]) / TILE
    return np.asarray(radius**SPECTRAL_SLOPE, np.float32)


def _stream(key: bytes, label: str, count: int) -> bytes:
    """Return `count` bytes that only the key's owner can predict.

    The tag and the key have fixed lengths, so tag, key and label cannot be confused.
    """
    return hashlib.shake_256(f"{ALGORITHM}\0".encode() + key + label.encode()).digest(count)


def _signs(key: bytes, label: str, count: int) -> Float:
    """Return `count` signs: bits of the stream, most significant first, 0 for +1 and 1 for -1."""
    bits = np.unpackbits(np.frombuffer(_stream(key, label, -(-count // 8)), np.uint8))[:count]
    return (1 - 2 * bits.astype(np.float32)).astype(np.float32)


def _permutation(key: bytes, label: str, count: int) -> NDArray[np.int64]:
    """Return 0 ... count - 1 in the order of that many big-endian 64-bit words of the stream."""
    words = np.frombuffer(_stream(key, label, 8 * count), ">u8")
    return np.argsort(words, kind="stable").astype(np.int64)
