"""One attack of each family on a drawn clip: the exact mark id comes back, and the geometry."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from provenance.payload import MarkId
from provenance.watermark import Picture
from provenance.watermark.tile import open_watermarker
from tests.support import reencode, textured

Frames = Sequence[Picture]
MARK_ID = MarkId.from_hex("0123456789abcdef")
MARKER = open_watermarker(bytes(range(32)))


@pytest.fixture(scope="module")
def released() -> Frames:
    """A marked clip as it leaves the house."""
    frames = textured.clip(frames=17, height=240, width=416)
    return reencode.h264(list(MARKER.embed(frames, MARK_ID)), crf=18)


@pytest.mark.parametrize(
    "attack",
    [
        lambda clip: reencode.h264(clip, crf=28),
        lambda clip: reencode.h265(clip, crf=26),
        lambda clip: reencode.resize(clip, width=0.5, height=0.5),
        lambda clip: reencode.screenshot(clip, quality=50),
        lambda clip: clip[1::2],
        lambda clip: clip[-4:],
        lambda clip: reencode.noise(clip, sigma=10, rng=np.random.default_rng(1)),
        lambda clip: [np.asarray(255 - (255 - frame) * 0.6, np.uint8) for frame in clip],
    ],
    ids=["h264", "h265", "resize", "screenshot", "drop frames", "cut", "noise", "contrast"],
)
def test_what_leaves_the_geometry_alone_leaves_the_mark(
    released: Frames, attack: Callable[[Frames], Frames]
) -> None:
    found = MARKER.detect(attack(released))

    assert found.mark_id == MARK_ID
    assert found.geometry is not None
    assert (found.geometry.scale_x, found.geometry.rotation_degrees, found.geometry.mirrored) == (
        1,
        0,
        False,
    )


def test_a_mirrored_clip_says_so(released: Frames) -> None:
    found = MARKER.detect(reencode.mirror(released))

    assert found.mark_id == MARK_ID
    assert found.geometry is not None
    assert found.geometry.mirrored


@pytest.mark.parametrize(
    ("attack", "scale_x", "scale_y", "degrees"),
    [
        (lambda clip: reencode.crop(clip, area=0.5), 2**0.5, 2**0.5, 0),
        (
            lambda clip: reencode.h264(reencode.crop(clip, area=0.75), crf=26),
            0.75**-0.5,
            0.75**-0.5,
            0,
        ),
        (reencode.pad_to_square, 240 / 416, 240 / 416, 0),
        (lambda clip: reencode.rotate(clip, degrees=3), 1, 1, 3),
        (lambda clip: reencode.resize(clip, width=0.8, height=1), 0.8, 1, 0),
    ],
    ids=["crop to half", "crop and h264", "letterbox", "turn", "squeeze"],
)
def test_what_changes_the_geometry_is_found_and_told(
    released: Frames,
    attack: Callable[[Frames], Frames],
    scale_x: float,
    scale_y: float,
    degrees: float,
) -> None:
    found = MARKER.detect(attack(released))

    assert found.mark_id == MARK_ID
    assert found.geometry is not None
    assert found.geometry.scale_x == pytest.approx(scale_x, rel=0.02)
    assert found.geometry.scale_y == pytest.approx(scale_y, rel=0.02)
    assert found.geometry.rotation_degrees == pytest.approx(degrees, abs=0.4)


def test_a_turn_that_just_reads_as_upright_is_still_found_as_a_turn() -> None:
    """Upright evidence that only just passes must not end the search with a wrong geometry."""
    marked = reencode.h264(list(MARKER.embed(textured.clip(), MARK_ID)), crf=18)

    found = MARKER.detect(reencode.rotate(marked, degrees=2))

    assert found.mark_id == MARK_ID
    assert found.geometry is not None
    assert found.geometry.rotation_degrees == pytest.approx(2, abs=0.3)
