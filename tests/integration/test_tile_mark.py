"""A mark goes into real pictures and comes back out of a real encoder, in bounded memory."""

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
import pytest
from pydantic import TypeAdapter

from provenance.errors import MarkDoesNotHold, MarkError, PayloadError
from provenance.payload import MarkId
from provenance.watermark import STRENGTHS, Detection, MarkState, Picture
from provenance.watermark.accumulate import MAX_MOMENTS, MOMENT, observe
from provenance.watermark.tile import new_key, open_long_watermarker, open_watermarker
from tests.support import reencode, textured

KEY = bytes(range(32))
MARK_ID = MarkId.from_hex("0123456789abcdef")
MARKER = open_watermarker(KEY)


def test_a_mark_reads_back_from_the_frames_it_was_put_into() -> None:
    found = MARKER.detect(MARKER.embed(textured.clip(frames=9), MARK_ID))

    assert found.state is MarkState.FOUND
    assert found.mark_id == MARK_ID
    assert found.log10_p < -50
    assert found.statistic > found.threshold
    assert found.frames == 9
    assert (found.algorithm, found.key_id) == ("org.countermark.tile.1", MARKER.key_id)


def test_a_long_mark_reads_back_as_its_128_bits() -> None:
    marker = open_long_watermarker(KEY)
    long_id = MarkId.random(bits=marker.payload_bits)

    found = marker.detect(marker.embed(textured.clip(frames=5), long_id))

    assert found.mark_id == long_id
    assert (
        len(long_id.hex),
        found.threshold > MARKER.detect(textured.clip(frames=1)).threshold,
    ) == (
        32,
        True,
    )


def test_long_and_short_marks_of_one_key_are_strangers() -> None:
    marked = list(MARKER.embed(textured.clip(frames=5), MARK_ID))

    assert open_long_watermarker(KEY).detect(marked).state is MarkState.NOT_FOUND
    with pytest.raises(PayloadError, match="128 bits, not of 64"):
        open_long_watermarker(KEY).embed(marked, MARK_ID)


def test_the_grid_lies_elsewhere_in_every_clip_so_that_averaging_clips_shows_no_tile() -> None:
    grey = np.full((240, 240, 3), 128, np.uint8)
    changes = [
        next(MARKER.embed([grey], MarkId(number)))[:, :, 0].astype(float) - 128
        for number in range(24)
    ]

    averaged, alone = np.mean(changes, axis=0), np.mean([np.square(c).mean() for c in changes])

    assert np.square(averaged).mean() < 2 * alone / len(changes)


def test_a_detection_says_how_far_a_crop_moved_the_picture() -> None:
    marked = list(MARKER.embed(textured.clip(frames=5, height=240, width=320), MARK_ID))

    found = MARKER.detect([frame[:, 24:] for frame in marked])

    assert found.geometry is not None
    assert (found.geometry.shift_x, found.geometry.shift_y) == (pytest.approx(40, abs=1), 0)


def test_luma_is_enough_to_read_a_mark() -> None:
    marked = MARKER.embed(textured.clip(frames=5), MARK_ID)

    found = MARKER.detect(
        np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8) for frame in marked
    )

    assert found.mark_id == MARK_ID


@pytest.mark.parametrize(
    ("height", "width"), [(96, 97), (97, 131), (144, 176), (241, 320), (321, 181), (480, 832)]
)
def test_any_size_from_96_pixels_on_holds_a_mark(height: int, width: int) -> None:
    frames = textured.clip(frames=4, height=height, width=width)

    marked = list(MARKER.embed(frames, MARK_ID))

    assert [frame.shape for frame in marked] == [(height, width, 3)] * 4
    assert MARKER.detect(marked).mark_id == MARK_ID


def test_a_small_clip_of_a_tiny_model_survives_release_and_crf_23() -> None:
    released = reencode.h264(list(MARKER.embed(textured.clip(), MARK_ID)), crf=18)

    assert MARKER.detect(reencode.h264(released, crf=23)).mark_id == MARK_ID


def test_the_same_key_id_and_frames_give_the_same_pixels_and_the_same_detection() -> None:
    frames = textured.clip(frames=3)
    once, again = (list(open_watermarker(KEY).embed(frames, MARK_ID)) for _ in range(2))

    assert all(np.array_equal(a, b) for a, b in zip(once, again, strict=True))
    assert MARKER.detect(once) == MARKER.detect(again)


def test_strength_is_bounded_by_what_the_eye_allows_in_flat_and_in_textured_pictures() -> None:
    for frames, most in ((textured.plain(frames=2), 12), (textured.clip(frames=2), 24)):
        for before, after in zip(frames, MARKER.embed(frames, MARK_ID), strict=True):
            assert np.abs(after.astype(int) - before).max() <= most


def test_the_same_change_goes_into_red_green_and_blue() -> None:
    frame = textured.plain(frames=1)[0]

    change = next(MARKER.embed([frame], MARK_ID)).astype(int) - frame

    assert change.any()
    assert np.ptp(change, axis=2).max() == 0


def test_each_strength_is_stronger_than_the_one_before() -> None:
    frames = textured.clip(frames=1)
    sizes = [
        float(
            np.abs(
                next(MARKER.embed(frames, MARK_ID, strength=strength)).astype(int) - frames[0]
            ).mean()
        )
        for strength in STRENGTHS
    ]

    assert sizes == sorted(sizes)
    assert STRENGTHS[0] == 1.0


def test_frames_are_marked_one_by_one_as_they_are_asked_for() -> None:
    taken: list[int] = []

    def frames() -> Iterator[Picture]:
        for index, frame in enumerate(textured.clip(frames=5)):
            taken.append(index)
            yield frame

    marked = MARKER.embed(frames(), MARK_ID)
    assert taken == []
    next(marked)
    assert taken == [0]
    assert len(list(marked)) == 4


def test_a_long_film_is_searched_in_the_memory_of_a_short_one() -> None:
    picture = textured.plain(frames=1, height=16, width=16)[0]
    count = 3 * MOMENT * MAX_MOMENTS
    tracemalloc.start()

    seen = observe(picture for _ in range(count))

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(seen.moments) <= MAX_MOMENTS
    assert count / 4 <= seen.frames < count
    assert peak < 3 * MAX_MOMENTS * seen.total.nbytes


def test_a_picture_of_nothing_has_no_mark() -> None:
    assert MARKER.detect(textured.plain(frames=1)).state is MarkState.NOT_FOUND


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        ([np.zeros((95, 200, 3), np.uint8)], "short side of 96 pixels, this clip has 95"),
        ([np.zeros((100, 401, 3), np.uint8)], "at most 4 short ones"),
        ([np.zeros((100, 100), np.uint8)], "RGB frames"),
        ([np.zeros((100, 100, 3), np.uint8), np.zeros((100, 102, 3), np.uint8)], "changes size"),
    ],
)
def test_frames_that_cannot_hold_the_mark_are_refused_in_one_sentence(
    frames: list[Picture], words: str
) -> None:
    with pytest.raises(MarkDoesNotHold, match=words):
        list(MARKER.embed(frames, MARK_ID))


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        ([], "no frame"),
        ([np.zeros((8, 100, 3), np.uint8)], "16 pixels"),
        ([np.zeros((50, 50), np.uint8), np.zeros((50, 52), np.uint8)], "changes size"),
    ],
)
def test_frames_that_cannot_be_searched_are_refused_in_one_sentence(
    frames: list[Picture], words: str
) -> None:
    with pytest.raises(MarkDoesNotHold, match=words):
        MARKER.detect(frames)


@pytest.mark.parametrize("strength", [0.0, -1.0, float("nan"), 5.0])
def test_a_strength_that_is_none_is_refused(strength: float) -> None:
    with pytest.raises(MarkError, match="STRENGTHS"):
        next(MARKER.embed(textured.plain(frames=1), MARK_ID, strength=strength))


def test_a_new_key_is_32_bytes_and_new() -> None:
    assert len(new_key()) == 32
    assert new_key() != new_key()


def test_a_detection_crosses_a_pipe_as_json_and_is_the_same_afterwards() -> None:
    wire = TypeAdapter(Detection)
    found = MARKER.detect(MARKER.embed(textured.clip(frames=2), MARK_ID))
    missed = MARKER.detect(textured.clip(frames=2))

    for detection in (found, missed):
        assert wire.validate_json(wire.dump_json(detection), strict=True) == detection


def test_several_keys_share_one_look_at_the_frames() -> None:
    other = open_watermarker(b"k" * 32)
    watch = other.watch()
    for frame in MARKER.embed(textured.clip(frames=2), MARK_ID):
        watch.offer(frame)

    assert MARKER.search(watch).mark_id == MARK_ID
    assert other.search(watch).state is MarkState.NOT_FOUND
    assert watch.observation() is watch.observation()


def test_a_long_id_must_be_read_more_clearly_to_be_held_against_somebody() -> None:
    """More code words of 128 bits lie near any other: a misread one is stronger."""
    found = MARKER.detect(MARKER.embed(textured.clip(frames=2), MARK_ID))
    between = replace(found, statistic=16.1)

    assert between.certain
    assert not replace(between, mark_id=MarkId.random(bits=128)).certain
    assert replace(between, mark_id=MarkId.random(bits=128), statistic=18.0).certain


def test_frames_may_lie_in_memory_as_they_like() -> None:
    frames = textured.clip(frames=2)
    turned = [np.asfortranarray(frame) for frame in frames]

    for one, other in zip(
        MARKER.embed(frames, MARK_ID), MARKER.embed(turned, MARK_ID), strict=True
    ):
        assert np.array_equal(one, other)
