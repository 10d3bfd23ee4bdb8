"""What is left of a mark whose id is lost: it is there, and the issuer may still recognise it."""

import base64
import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from provenance.errors import PayloadError
from provenance.payload import MarkCode, MarkId
from provenance.watermark import MAX_FALSE_ACCEPTS, Detection, MarkState, Picture, Reading
from provenance.watermark.bound import threshold
from provenance.watermark.chips import expand
from provenance.watermark.issued import WORDS
from provenance.watermark.tile import (
    TileWatermarker,
    open_long_watermarker,
    open_watermarker,
)
from tests.support import reencode, textured
from tests.support.any_word import with_other_payload_signs

MARKER = open_watermarker(bytes(range(32)))
CHIPS = expand(bytes(range(32)))
LONG = open_long_watermarker(bytes(range(32)))
MARK_ID = MarkId(0x0123456789ABCDEF)
TOO_WEAK = 0.68  # of what is shipped: after H.264 at 28 no id can be decoded


@cache
def clip() -> tuple[Picture, ...]:
    return tuple(textured.clip(frames=20, height=240, width=416, seed=1))


@cache
def lost(strength: float) -> Detection:
    """Return what is left of a mark that was too weak for the codec."""
    marked = list(MARKER.embed(clip(), MARK_ID, strength=strength))
    return MARKER.detect(reencode.h264(marked, crf=28))


def issued(count: int, *, among: MarkId | None = None, bits: int = 64) -> NDArray[np.uint8]:
    ids = np.random.default_rng(count).integers(0, 256, (count, bits // 8), dtype=np.uint8)
    if among is not None:
        ids[count // 2] = np.frombuffer(bytes.fromhex(among.hex), np.uint8)
    return ids


def test_an_id_that_cannot_be_read_is_recognised_among_those_that_were_issued() -> None:
    missed = lost(TOO_WEAK)

    found = MARKER.recognise(missed, issued(20_000, among=MARK_ID))

    assert missed.mark_id is None
    assert (found.state, found.mark_id) == (MarkState.FOUND, MARK_ID)
    assert found.reading is Reading.ISSUED
    assert found.log10_p <= math.log10(MAX_FALSE_ACCEPTS)
    assert found.threshold == threshold(
        payload_bits=0, tries=WORDS * 20_000, false_accepts=MAX_FALSE_ACCEPTS
    )
    assert found.geometry is not None
    around = (found.geometry.shift_x, found.geometry.shift_y)  # known modulo 64
    assert [(shift + 32) % 64 - 32 for shift in around] == pytest.approx([0, 0], abs=1)
    assert found.words == ()


def test_where_the_id_was_not_issued_nothing_is_recognised() -> None:
    missed = lost(TOO_WEAK)

    assert MARKER.recognise(missed, issued(20_000)) == missed
    assert MARKER.recognise(missed, issued(0)) == missed


def test_an_unmarked_clip_is_recognised_as_none_of_many() -> None:
    missed = MARKER.detect(clip())

    assert missed.state is MarkState.NOT_FOUND
    assert len(missed.words) == WORDS
    assert MARKER.recognise(missed, issued(100_000)) == missed


def test_an_id_that_was_read_is_not_replaced() -> None:
    found = MARKER.detect(MARKER.embed(clip()[:4], MARK_ID))

    assert MARKER.recognise(found, issued(10)) is found


def test_a_picture_that_was_cropped_is_recognised_too_and_its_geometry_told() -> None:
    marked = list(MARKER.embed(clip(), MARK_ID, strength=0.65))
    cropped = reencode.crop(marked, area=0.64)
    missed = MARKER.detect(reencode.h264(cropped, crf=26))

    found = MARKER.recognise(missed, issued(1000, among=MARK_ID))

    assert missed.mark_id is None
    assert found.mark_id == MARK_ID
    assert found.geometry is not None
    assert found.geometry.scale_x == pytest.approx(1.25, abs=0.02)


def test_a_long_id_is_recognised_likewise() -> None:
    mark_id = MarkId.random(np.random.default_rng(4).bytes, bits=128)
    marked = list(LONG.embed(clip(), mark_id, strength=0.75))
    missed = LONG.detect(reencode.h264(marked, crf=28))

    found = LONG.recognise(missed, issued(5000, among=mark_id, bits=128))

    assert missed.mark_id is None
    assert found.mark_id == mark_id


def test_ids_of_another_length_are_refused() -> None:
    with pytest.raises(PayloadError, match="rows of 8 bytes"):
        MARKER.recognise(lost(TOO_WEAK), issued(3, bits=128))


@pytest.mark.parametrize(
    "received", ["no base64!", base64.b64encode(bytes(12)).decode()], ids=["text", "short"]
)
def test_words_that_no_search_leaves_are_refused(received: str) -> None:
    missed = lost(TOO_WEAK)
    forged = replace(missed, words=(replace(missed.words[0], received=received),))

    with pytest.raises(PayloadError, match="search anew"):
        MARKER.recognise(forged, issued(3))


@pytest.mark.parametrize("change", ["none", "cropped"])
def test_a_mark_whose_id_is_lost_is_still_seen_to_be_there(change: str) -> None:
    """Nothing is left of what the payload's signs say; the grid is whole."""
    reader = TileWatermarker(with_other_payload_signs(CHIPS, 1), MarkCode.of(payload_bits=64))
    marked = list(MARKER.embed(clip(), MARK_ID))
    if change == "cropped":
        marked = reencode.crop(marked, area=0.64)

    seen = reader.detect(marked)

    assert seen.state is MarkState.PRESENT
    assert seen.mark_id is None
    assert seen.presence_log10_p <= math.log10(MAX_FALSE_ACCEPTS) < seen.log10_p


def test_the_mark_of_another_key_is_not_seen_to_be_there() -> None:
    other = open_watermarker(b"k" * 32)

    seen = other.detect(MARKER.embed(clip(), MARK_ID))

    assert seen.state is MarkState.NOT_FOUND
    assert seen.presence_log10_p > -2


def test_a_mark_that_was_read_is_there() -> None:
    found = MARKER.detect(MARKER.embed(clip()[:4], MARK_ID))

    assert found.presence_log10_p < -20


def test_the_regions_that_carry_the_mark_are_told_from_those_that_do_not() -> None:
    marked = [frame.copy() for frame in MARKER.embed(clip(), MARK_ID)]
    for frame, original in zip(marked, clip(), strict=True):
        frame[:, :160] = original[:, :160]

    evidence = MARKER.detect(marked).evidence

    assert evidence is not None
    shown = np.array(evidence.regions)
    assert shown.shape == (3, 5)
    assert np.abs(shown[:, 0]).max() < 4
    assert shown[:, 2:].mean() > 6


def test_the_seconds_that_carry_the_mark_are_told_from_those_that_do_not() -> None:
    marked = list(MARKER.embed(clip(), MARK_ID))

    evidence = MARKER.detect([*marked[:12], *clip()[12:]]).evidence

    assert evidence is not None
    assert evidence.frames_per_moment == 4
    assert len(evidence.moments) == 5
    assert min(evidence.moments[:3]) > 10
    assert max(evidence.moments[3:]) < 4
