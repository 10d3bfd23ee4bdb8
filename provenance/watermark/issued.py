"""Registry-assisted reading: which of the issued ids does what was received speak for?

A blind search must rule out 2**64 ids. A deployment knows the ids that it issued, M of them, and
only those are possible: by the union bound of `bound.py` the chance that an unmarked clip is taken
for any is at most W M exp(-t**2 / 2), with W words held against them. For a million ids a statistic
of 7.9 is enough where a blind search needs 11.3, and no decoder has to succeed first.

The words were chosen by the grid alone (`clearest`), never by the payload's signs, so nothing else
has to be paid for. A clip that carries another id of the same key is not taken for a wrong one
either: two random code words agree in about half of their signs, so the wrong one shows as little
as in an unmarked clip, and the right one, which is among the issued, shows more.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from provenance.errors import PayloadError
from provenance.payload import CODED_BITS, MarkCode, MarkId
from provenance.watermark import (
    MAX_FALSE_ACCEPTS,
    Detection,
    Geometry,
    MarkState,
    Reading,
    Word,
)
from provenance.watermark.bound import log10_bound, threshold
from provenance.watermark.chips import TILE, Chips, offset
from provenance.watermark.readout import Try

PER_POSE = 3  # words: the whole clip, its spells combined, its moments combined
POSES = 8  # whose words are kept: upright, upright and mirrored, and the six clearest others
WORDS = POSES * PER_POSE  # the most that one search leaves; the bound pays for all

Float = NDArray[np.float32]


def clearest(tries: Sequence[Try]) -> tuple[Word, ...]:
    """Return the words to hold against issued ids, at most `WORDS`.

    Args:
        tries: the first `PER_POSE` of each pose; those of upright pictures are always kept.
    """
    order = sorted(tries, key=lambda each: (not each.pose.upright, -each.clarity))
    return tuple(Word(_written(each.received), geometry_of(each)) for each in order[:WORDS])


def geometry_of(found: Try, place: tuple[int, int] = (0, 0)) -> Geometry:
    """Return how the picture was changed, given where the clip's grid lay."""
    pose = found.pose
    return Geometry(
        scale_x=pose.scale_x,
        scale_y=pose.scale_y,
        rotation_degrees=pose.turn_degrees,
        mirrored=pose.mirrored,
        shift_x=(found.shift[0] - place[0]) % TILE,
        shift_y=(found.shift[1] - place[1]) % TILE,
    )


def recognise(
    missed: Detection, issued: NDArray[np.uint8], chips: Chips, code: MarkCode
) -> Detection:
    """Return the detection with the issued id that the words speak for, or as it was.

    Args:
        missed: what the search came to.
        issued: the ids, (ids, payload bits / 8), most significant byte first.
        chips: the key's tables.
        code: of the ids.

    Raises:
        PayloadError: when the words or the ids are not of this method.
    """
    if issued.ndim != 2 or issued.shape[1] * 8 != code.payload_bits:
        raise PayloadError(
            f"issued ids are rows of {code.payload_bits // 8} bytes, not {issued.shape}; "
            "give those of this method"
        )
    words = missed.words[:WORDS]
    if missed.mark_id is not None or not words or not len(issued):
        return missed
    best, value, word = _strongest(_soft(words, chips), issued, code)
    needed = threshold(payload_bits=0, tries=WORDS * len(issued), false_accepts=MAX_FALSE_ACCEPTS)
    if value < needed:
        return missed
    mark_id = MarkId(int.from_bytes(issued[best].tobytes(), "big"), code.payload_bits)
    seen, (right, down) = words[word].geometry, offset(chips, mark_id)
    return replace(
        missed,
        state=MarkState.FOUND,
        mark_id=mark_id,
        reading=Reading.ISSUED,
        log10_p=log10_bound(value, payload_bits=0, tries=WORDS * len(issued)),
        statistic=value,
        threshold=needed,
        hypotheses=WORDS,
        geometry=replace(
            seen, shift_x=(seen.shift_x - right) % TILE, shift_y=(seen.shift_y - down) % TILE
        ),
        words=(),
    )


def _strongest(soft: Float, issued: NDArray[np.uint8], code: MarkCode) -> tuple[int, float, int]:
    """Return which id shows most, its statistic, and in which word."""
    best = (0, -np.inf, 0)
    total, start = soft.sum(axis=1), 0
    for coded in code.encode_all(issued):
        # A bit of 0 is +1 and of 1 is -1.
        found = total - 2 * (coded.astype(np.float32) @ soft.T)
        at, word = np.unravel_index(int(found.argmax()), found.shape)
        if found[at, word] > best[1]:
            best = (start + int(at), float(found[at, word]), int(word))
        start += len(coded)
    return best


def _soft(words: Sequence[Word], chips: Chips) -> Float:
    """Return the words (words, 1024) in the order of the coded bits, of energy 1."""
    soft = np.zeros((len(words), CODED_BITS), np.float32)
    for row, word in zip(soft, words, strict=True):
        row[chips.coded_bit_at] = _received(word.received) * chips.payload_signs
    energy = np.linalg.norm(soft, axis=1, keepdims=True)
    return np.asarray(soft / np.maximum(energy, 1e-9), np.float32)


def _written(received: Float) -> str:
    largest = max(float(np.abs(received).max()), 1e-12)
    return base64.b64encode(np.round(received / largest * 127).astype(np.int8).tobytes()).decode()


def _received(text: str) -> Float:
    try:
        values = np.frombuffer(base64.b64decode(text, validate=True), np.int8)
    except (binascii.Error, ValueError) as error:
        raise PayloadError(f"a received word is base64, not {text[:20]!r}; search anew") from error
    if len(values) != CODED_BITS:
        raise PayloadError(
            f"a received word has {CODED_BITS} signs, not {len(values)}; search anew"
        )
    return values.astype(np.float32)
