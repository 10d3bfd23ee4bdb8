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
from provenance.payload import CODED_BITS, MarkId

ALGORITHM = "org.countermark.tile.1"  # ids of 64 bits
LONG_ALGORITHM = "org.countermark.tile-long.1"  # ids of 128 bits
KEY_BYTES = 32
TILE = 64  # side of the tile, in canonical pixels
SHORT_SIDE = 240  # canonical pixels; a tile is then 128 pixels of a 480-line picture
BAND = (
    0.035,
    0.34,
)  # cycles per canonical pixel: below it the eye sees blotches, above it codecs drop everything
DITHER = 256  # side of the dither table, in pixels of the frame
# Amplitude rises as frequency**slope: at an equal loss of VMAF-NEG a falling one leaves half to
# nine tenths of the statistic after H.264 at CRF 28 (benchmarks/mark_choices.py).
SPECTRAL_SLOPE = 1.5
FINEST = 0.26  # cycles per pixel of the frame: finer structure does not survive a codec
SMALLEST_FINE = (
    256  # pixels of the short side: smaller frames would be left with too few frequencies
)

Float = NDArray[np.float32]
Complex = NDArray[np.complex64]


@dataclass(frozen=True, slots=True, eq=False)
class Chips:
    """The tables of one key, read-only; frequencies are (vertical, horizontal), cycles per tile."""

    algorithm: str
    key_id: str
    sync_at: NDArray[np.int64]  # (sync, 2) frequencies that show the grid
    sync_signs: Complex  # (sync,), +-1 +-1j
    payload_at: NDArray[np.int64]  # (512, 2) frequencies that carry the coded bits
    payload_signs: Float  # (1024,) the chips: real part, imaginary part, of each frequency in turn
    coded_bit_at: NDArray[np.int64]  # (1024,) which coded bit each sign carries
    dither: Float  # (256, 256) rounding offsets in 0 ... 1
    offset_seed: bytes  # decides where each clip's grid lies


def expand(key: bytes, algorithm: str = ALGORITHM) -> Chips:
    """Return the tables of a key for one method; no two methods share anything.

    Raises:
        KeyUnavailable: when the key is not 32 bytes.
    """
    if len(key) != KEY_BYTES:
        raise KeyUnavailable(
            f"a mark key is {KEY_BYTES} bytes, this one has {len(key)}; make one with new_key()"
        )
    # No tag holds a zero and every key has the same length: tag, key and label cannot be confused.
    source = f"{algorithm}\0".encode() + key
    carriers = band()
    carriers = carriers[_permutation(source, "carriers", len(carriers))]
    payload_at, sync_at = carriers[: CODED_BITS // 2], carriers[CODED_BITS // 2 :]
    sync_signs = _signs(source, "sync", 2 * len(sync_at))
    dither = np.frombuffer(_stream(source, "dither", DITHER * DITHER), np.uint8).reshape(
        DITHER, DITHER
    )
    tables = Chips(
        algorithm=algorithm,
        key_id=hashlib.sha256(f"{algorithm} key id\0".encode() + key).hexdigest()[:8],
        sync_at=sync_at,
        sync_signs=(sync_signs[0::2] + 1j * sync_signs[1::2]).astype(np.complex64),
        payload_at=payload_at,
        payload_signs=_signs(source, "payload", CODED_BITS),
        coded_bit_at=_permutation(source, "interleaver", CODED_BITS),
        # Half the range of a full dither: flat areas keep the mark and are not covered with noise.
        dither=(0.25 + (dither.astype(np.float32) + 0.5) / 512).astype(np.float32),
        offset_seed=_stream(source, "offsets", KEY_BYTES),
    )
    for name in ("sync_at", "sync_signs", "payload_at", "payload_signs", "coded_bit_at", "dither"):
        getattr(tables, name).setflags(write=False)
    return tables


def offset(chips: Chips, mark_id: MarkId) -> tuple[int, int]:
    """Return where the grid lies in the clip with this mark, (right, down) in canonical pixels.

    Another place for every clip: whoever averages many clips of a key as they are averages its
    tile away. Who aligns them first does not (docs/watermark.md, What defeats it).
    """
    digest = hashlib.sha256(chips.offset_seed + mark_id.value.to_bytes(mark_id.bits // 8, "big"))
    right, down = digest.digest()[:2]
    return right % TILE, down % TILE


def band() -> NDArray[np.int64]:
    """Return the frequencies of the half plane that lie in the band, in rising order."""
    vertical, horizontal = np.mgrid[-TILE // 2 : TILE // 2, 1 : TILE // 2]
    radius = np.hypot(vertical, horizontal) / TILE
    inside = (radius >= BAND[0]) & (radius <= BAND[1])
    return np.stack([vertical[inside], horizontal[inside]], axis=1)


def amplitude(frequencies: NDArray[np.integer], short_side: int) -> Float:
    """Return how strongly each frequency (count, 2) is marked, up to a common factor.

    Args:
        frequencies: (vertical, horizontal), in cycles per tile.
        short_side: of the frames, in pixels: a tile covers fewer pixels of a small frame.
    """
    radius = np.hypot(frequencies[:, 0], frequencies[:, 1]) / TILE
    in_frame = radius * SHORT_SIDE / max(short_side, SMALLEST_FINE)  # cycles per pixel
    return np.asarray(radius**SPECTRAL_SLOPE * np.exp(-((in_frame / FINEST) ** 4)), np.float32)


def _stream(source: bytes, label: str, count: int) -> bytes:
    """Return `count` bytes that only the key's owner can predict."""
    return hashlib.shake_256(source + label.encode()).digest(count)


def _signs(source: bytes, label: str, count: int) -> Float:
    """Return `count` signs: bits of the stream, most significant first, 0 for +1 and 1 for -1."""
    bits = np.unpackbits(np.frombuffer(_stream(source, label, -(-count // 8)), np.uint8))[:count]
    return (1 - 2 * bits.astype(np.float32)).astype(np.float32)


def _permutation(source: bytes, label: str, count: int) -> NDArray[np.int64]:
    """Return 0 ... count - 1 in the order of that many big-endian 64-bit words of the stream."""
    words = np.frombuffer(_stream(source, label, 8 * count), ">u8")
    return np.argsort(words, kind="stable").astype(np.int64)
