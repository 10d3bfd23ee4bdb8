"""What the fingerprint answers, given the geometry that a mark would have found."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from provenance.fingerprint import Answer
from provenance.fingerprint.comparison import compare
from provenance.fingerprint.form import Fingerprint
from provenance.fingerprint.looking import Effort
from provenance.fingerprint.placing import from_geometry, lay
from provenance.fingerprint.taking import fingerprint_of
from provenance.watermark import Evidence, Geometry, Picture
from tests.support import editing, reencode, textured
from tests.support.clips_seen import EVERYWHERE, UNCHANGED, elsewhere, glimpse, here, mark, sighting

Frames = Sequence[Picture]


@pytest.fixture(scope="module")
def frames() -> Frames:
    return here()


@pytest.fixture(scope="module")
def taken(frames: Frames) -> Fingerprint:
    return fingerprint_of(sighting(frames))


@pytest.mark.parametrize(
    ("change", "geometry"),
    [
        (lambda f: f, UNCHANGED),
        (lambda f: reencode.h264(f, crf=34), UNCHANGED),
        (lambda f: reencode.crop(f, area=0.5), replace(UNCHANGED, scale_x=2**0.5, scale_y=2**0.5)),
        (lambda f: reencode.crop(f, area=0.25), replace(UNCHANGED, scale_x=2, scale_y=2)),
        (reencode.mirror, replace(UNCHANGED, mirrored=True)),
        (lambda f: reencode.rotate(f, degrees=5), replace(UNCHANGED, rotation_degrees=5)),
        (lambda f: reencode.resize(f, width=0.75, height=1), replace(UNCHANGED, scale_x=0.75)),
        (lambda f: f[12:], UNCHANGED),
        (lambda f: f[::2], UNCHANGED),
    ],
    ids=["same", "h264", "half", "quarter", "mirror", "turn", "squeeze", "cut", "dropped"],
)
def test_an_honest_change_matches_once_its_geometry_is_undone(
    frames: Frames, taken: Fingerprint, change: Callable[[Frames], Frames], geometry: Geometry
) -> None:
    assert compare(taken, glimpse(change(frames)), mark(geometry)).answer is Answer.MATCH


def test_another_clip_is_different_where_a_mark_says_that_it_is_this_one(
    taken: Fingerprint,
) -> None:
    found = compare(taken, glimpse(elsewhere()), mark())

    assert found.answer is Answer.DIFFERENT
    assert "others are shown" in found.reason


def test_without_a_mark_nothing_is_ever_called_different(taken: Fingerprint) -> None:
    found = compare(taken, glimpse(elsewhere()), None)

    assert found.answer is Answer.INCONCLUSIVE
    assert "no mark says" in found.reason


def test_without_a_mark_a_whole_picture_matches_whichever_way_it_lies(
    frames: Frames, taken: Fingerprint
) -> None:
    stood_up = [np.ascontiguousarray(np.rot90(frame)) for frame in frames]

    assert compare(taken, glimpse(stood_up), None).answer is Answer.MATCH


def test_a_clip_that_fills_a_quarter_of_the_picture_is_not_called_different(
    frames: Frames, taken: Fingerprint
) -> None:
    rows, columns = frames[0].shape[0] // 2, frames[0].shape[1] // 2
    mixed = [frame.copy() for frame in elsewhere()]
    for whole, part in zip(mixed, frames, strict=True):
        whole[:rows, :columns] = part[:rows, :columns]

    found = compare(taken, glimpse(mixed), mark())

    assert found.answer is Answer.INCONCLUSIVE
    assert "a part of the picture" in found.reason


def composed(frames: Frames, others: Frames, rows: slice, columns: slice) -> list[Picture]:
    """Return other pictures with a part of some in its place."""
    mixed = [frame.copy() for frame in others]
    for whole, part in zip(mixed, frames, strict=True):
        whole[rows, columns] = part[rows, columns]
    return mixed


BESIDE, WITHIN = (0.2,) * 5, (0.4, 9.0, 9.0, 9.0, -0.3)


@pytest.mark.parametrize(
    ("rows", "columns", "regions"),
    [
        (slice(60, 180), slice(104, 312), (BESIDE, WITHIN, BESIDE)),
        (slice(0, 240), slice(138, 278), (WITHIN, WITHIN, WITHIN)),
        (slice(80, 160), slice(0, 416), (BESIDE, (9.0,) * 5, BESIDE)),
    ],
    ids=["middle", "upright strip", "level strip"],
)
def test_a_clip_in_the_midst_of_another_is_not_called_different(
    frames: Frames,
    taken: Fingerprint,
    rows: slice,
    columns: slice,
    regions: tuple[tuple[float, ...], ...],
) -> None:
    mixed = composed(frames, elsewhere(), rows, columns)

    found = compare(taken, glimpse(mixed), mark(evidence=replace(EVERYWHERE, regions=regions)))

    assert found.answer is Answer.INCONCLUSIVE


def test_a_mark_that_shows_in_a_part_of_the_picture_accuses_nobody(taken: Fingerprint) -> None:
    """A box too small to be known again, and large enough for its mark to be read."""
    corner = ((0.3,) * 5, (0.3, 0.1, 0.2, 9.0, 9.0), (-0.5, 0.0, 1.2, 12.0, 20.0))

    found = compare(taken, glimpse(elsewhere()), mark(evidence=replace(EVERYWHERE, regions=corner)))

    assert found.answer is Answer.INCONCLUSIVE
    assert "in a part of the picture only" in found.reason


def test_a_mark_that_shows_for_less_than_the_records_interval_accuses_nobody(
    taken: Fingerprint,
) -> None:
    """An excerpt from between two moments, and then somebody else's pictures."""
    shortly = replace(EVERYWHERE, moments=(9.0, 0.4, -0.3, 1.1, 0.2, 0.0, 0.9, -1.0, 0.1))

    found = compare(taken, glimpse(elsewhere()), mark(evidence=shortly))

    assert found.answer is Answer.INCONCLUSIVE
    assert "between the record's moments" in found.reason


def test_a_copied_mark_is_found_out_where_it_shows_long_enough(taken: Fingerprint) -> None:
    late = replace(EVERYWHERE, moments=(0.4, 0.1, *(9.0,) * 7))

    assert compare(taken, glimpse(elsewhere()), mark(evidence=late)).answer is Answer.DIFFERENT


def test_a_copy_is_found_out_of_a_long_record_too_whose_moments_lie_seconds_apart() -> None:
    """More pictures than a search looks at carry the mark: some are left out, none at the end."""
    slow = fingerprint_of(sighting(here(), frame_rate=1))  # four seconds between moments
    film = elsewhere() * 12  # 16 seconds at 24 a second

    found = compare(
        slow,
        glimpse(film, frame_rate=24),
        mark(evidence=replace(EVERYWHERE, moments=(9.0,) * 100), frame_rate=24),
    )

    assert found.answer is Answer.DIFFERENT


@pytest.mark.parametrize(
    "evidence",
    [
        None,
        replace(EVERYWHERE, regions=()),
        replace(EVERYWHERE, regions=((), ())),
        replace(EVERYWHERE, regions=((9.0,), ())),
        replace(EVERYWHERE, moments=()),
        replace(EVERYWHERE, moments=(float("nan"),) * 9),
        replace(EVERYWHERE, frames_per_moment=0, moments=(9.0,)),
        replace(EVERYWHERE, frames_per_moment=-(10**400), moments=(9.0,)),
    ],
)
def test_without_evidence_of_where_the_mark_is_nothing_is_called_different(
    taken: Fingerprint, evidence: Evidence | None
) -> None:
    found = compare(taken, glimpse(elsewhere()), mark(evidence=evidence))

    assert found.answer is Answer.INCONCLUSIVE


def test_some_frames_of_a_clip_amid_other_pictures_are_not_called_different(
    frames: Frames, taken: Fingerprint
) -> None:
    mixed = [*elsewhere()[:16], *frames[15:19], *elsewhere()[:16]]

    assert compare(taken, glimpse(mixed), mark()).answer is not Answer.DIFFERENT


def test_a_still_of_a_clip_is_not_called_different(frames: Frames, taken: Fingerprint) -> None:
    assert compare(taken, glimpse([frames[17]] * 40), mark()).answer is not Answer.DIFFERENT


@pytest.mark.parametrize("scale", [1, 0.5, 0.3])
@pytest.mark.parametrize("effort", list(Effort))
def test_a_search_is_as_much_work_however_large_the_pictures_lie(
    taken: Fingerprint, scale: float, effort: Effort
) -> None:
    placing = from_geometry(replace(UNCHANGED, scale_x=scale, scale_y=scale))
    laid = lay(glimpse(here()[:1]), placing, taken)

    height, width = (4 * cells + fine for cells, fine in zip(laid.cells, laid.fine, strict=True))

    assert 1 <= effort.pictures(laid) <= effort.value / (10 * height * width)


def test_a_negative_is_not_called_different(frames: Frames, taken: Fingerprint) -> None:
    negative = editing.with_levels(frames, lambda level: 1 - level)

    assert compare(taken, glimpse(negative), mark()).answer is Answer.INCONCLUSIVE


def test_the_same_place_at_another_moment_is_no_match() -> None:
    """The ground stands still in both, and the ball rolls elsewhere."""
    ground = textured.clip(frames=33, height=240, width=416, seed=3)[0]
    moving = [ground.copy() for _ in range(33)]
    earlier, later = [frame.copy() for frame in moving], [frame.copy() for frame in moving]
    for at in range(33):
        earlier[at][30:110, 4 * at : 4 * at + 80] = 230
        later[at][150:230, 300 - 6 * at : 380 - 6 * at] = 20

    found = compare(fingerprint_of(sighting(earlier)), glimpse(later), mark())

    assert found.answer is Answer.INCONCLUSIVE
    assert "not the same moves" in found.reason


def test_a_file_that_is_too_short_to_hold_a_moment_is_not_called_different() -> None:
    slow = fingerprint_of(sighting(here(), frame_rate=1))  # four seconds between moments

    found = compare(slow, glimpse(elsewhere()[:8]), mark())

    assert found.answer is Answer.INCONCLUSIVE
    assert "between the record's moments" in found.reason


def test_a_file_that_was_looked_at_too_rarely_is_not_called_different(taken: Fingerprint) -> None:
    found = compare(taken, glimpse(elsewhere(), frame_rate=2), mark(frame_rate=2))

    assert found.answer is Answer.INCONCLUSIVE
    assert "500 ms apart" in found.reason


@pytest.mark.parametrize("scale", [0.0, -1.0, 1e-9, 1e9])
def test_a_geometry_that_no_search_finds_is_none(taken: Fingerprint, scale: float) -> None:
    found = compare(taken, glimpse(elsewhere()), mark(replace(UNCHANGED, scale_x=scale)))

    assert found.answer is Answer.INCONCLUSIVE
    assert found.placed_by != "mark"


def test_a_flat_picture_is_neither_alike_nor_different() -> None:
    grey = textured.plain(frames=33, height=240, width=416)

    assert compare(fingerprint_of(sighting(grey)), glimpse(elsewhere()), mark()).answer is (
        Answer.INCONCLUSIVE
    )
