"""An attack of each family on a drawn clip: the exact mark id comes back, and the geometry.

The whole list, on real clips and with more keys, is what `benchmarks/watermark.py` measures.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from provenance.payload import MarkId
from provenance.watermark import Picture
from provenance.watermark.tile import open_watermarker
from tests.support import reencode, textured
from tests.support.attacks import ATTACKS, Family, named
from tests.support.promises import Tier, tier_of

Frames = Sequence[Picture]
MARK_ID = MarkId.from_hex("0123456789abcdef")
MARKER = open_watermarker(bytes(range(32)))


@dataclass(frozen=True, slots=True)
class Seen:
    """The geometry that must be told after an attack."""

    scale_x: float = 1
    scale_y: float = 1
    degrees: float = 0
    mirrored: bool = False


AREA_50 = 2**0.5  # how much larger things look when half of the area fills the frame
EXPECTED = {
    "identity": Seen(),
    "h264 crf 28": Seen(),
    "av1 crf 35": Seen(),
    "480p, 600k": Seen(),
    "size 50 %": Seen(),
    "size 150 %": Seen(),
    "crop to 50 %": Seen(AREA_50, AREA_50),
    "crop to 50 %, corner": Seen(AREA_50, AREA_50),
    "mirror": Seen(mirrored=True),
    "turn by 5 degrees": Seen(degrees=5),
    "squeeze to 4:3": Seen(scale_x=4 / 3 * 240 / 416),
    "pillarbox": Seen(),
    "logo and titles": Seen(),
    "gamma 2": Seen(),
    "greyscale": Seen(),
    "blur, sigma 1": Seen(),
    "noise, sigma 15": Seen(),
    "25 fps": Seen(),
    "half the frames dropped": Seen(),
    "screenshot, jpeg 50": Seen(),
    "slightly aslant": None,  # no turn and scale describes it
    "crop 75 %, h264 28": Seen(0.75**-0.5, 0.75**-0.5),
    "h264 23, h265 28": Seen(),
}


@pytest.fixture(scope="module")
def marked() -> Frames:
    """A marked clip as it leaves the house."""
    frames = textured.clip(frames=17, height=240, width=416)
    return reencode.h264(list(MARKER.embed(frames, MARK_ID)), crf=18)


def test_an_attack_of_each_family_is_tried() -> None:
    assert {named(name).family for name in EXPECTED} == set(Family)
    assert {named(name).family for name in EXPECTED if tier_of(name) is Tier.EVERYDAY} == {
        attack.family for attack in ATTACKS if tier_of(attack.name) is Tier.EVERYDAY
    }


@pytest.mark.parametrize("name", EXPECTED)
def test_the_exact_id_comes_back_and_the_geometry_is_told(marked: Frames, name: str) -> None:
    expected = EXPECTED[name]

    found = MARKER.detect(named(name).change(marked))

    assert found.mark_id == MARK_ID
    assert found.geometry is not None
    if expected is not None:
        assert found.geometry.scale_x == pytest.approx(expected.scale_x, rel=0.02)
        assert found.geometry.scale_y == pytest.approx(expected.scale_y, rel=0.02)
        assert found.geometry.rotation_degrees == pytest.approx(expected.degrees, abs=0.4)
        assert found.geometry.mirrored is expected.mirrored


def test_padding_to_a_square_is_told_as_smaller(marked: Frames) -> None:
    found = MARKER.detect(reencode.pad_to_square(marked))

    assert found.mark_id == MARK_ID
    assert found.geometry is not None
    assert found.geometry.scale_x == pytest.approx(240 / 416, rel=0.02)
    assert found.geometry.scale_y == pytest.approx(240 / 416, rel=0.02)


def test_a_few_frames_of_the_end_are_enough(marked: Frames) -> None:
    assert MARKER.detect(marked[-4:]).mark_id == MARK_ID


def test_a_faded_clip_keeps_its_mark(marked: Frames) -> None:
    faded = [np.asarray(255 - (255 - frame) * 0.6, np.uint8) for frame in marked]

    assert MARKER.detect(faded).mark_id == MARK_ID


def test_a_turn_that_just_reads_as_upright_is_still_found_as_a_turn() -> None:
    """Upright evidence that only just passes must not end the search with a wrong geometry."""
    released = reencode.h264(list(MARKER.embed(textured.clip(), MARK_ID)), crf=18)

    found = MARKER.detect(reencode.rotate(released, degrees=2))

    assert found.mark_id == MARK_ID
    assert found.geometry is not None
    assert found.geometry.rotation_degrees == pytest.approx(2, abs=0.4)
