"""The cells of the benchmark, measured for real on a small clip."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.robustness import clips
from benchmarks.robustness.task import Outcome, Setup, Task, Work
from tests.support import textured

imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg", reason="needs the `dev` extra")

from benchmarks.robustness import cells, plan, quality  # noqa: E402 - they need it

pytestmark = pytest.mark.dev
ATTACKS = ("identity", "mirror")


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory) -> Setup:
    """A cache in which the clip `flat` is a small drawn one."""
    cache = tmp_path_factory.mktemp("cache")
    frames = np.stack(textured.clip(frames=8, height=240, width=320))
    np.save(clips.kept_at(clips.named("flat"), cache), frames)
    return Setup(cache)


def test_a_marked_clip_gives_its_exact_id_back(setup: Setup) -> None:
    row = cells.run(Task(0, "flat", Work.MARK, attack="mirror"), setup)

    assert row["outcome"] == Outcome.EXACT
    assert row["geometry"]["mirrored"]


def test_each_turn_has_a_key_and_a_payload_of_its_own() -> None:
    made = {
        (cells.key_of(clip, turn), cells.mark_id_of(clip, turn)) for clip in "ab" for turn in (0, 1)
    }

    assert len(made) == 4
    assert len({key for key, _ in made}) == 4


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_a_wrong_key_finds_nothing(setup: Setup, turn: int) -> None:
    row = cells.run(Task(turn, "flat", Work.NULL, attack="identity"), setup)

    assert row["outcome"] == Outcome.NOTHING


def test_a_clip_that_cannot_be_marked_is_a_loss_of_the_mark_and_says_why(tmp_path: Path) -> None:
    clip = clips.named("flat")
    np.save(clips.kept_at(clip, tmp_path), np.zeros((2, 32, 32, 3), np.uint8))

    row = cells.run(Task(0, "flat", Work.MARK, attack="identity"), Setup(tmp_path))

    assert row["outcome"] == Outcome.REFUSED
    assert "32" in row["reason"]


def test_a_cell_that_breaks_says_how_and_is_no_loss_of_the_mark(setup: Setup) -> None:
    row = cells.run(Task(0, "flat", Work.MARK, attack="no such attack"), setup)

    assert row["outcome"] == Outcome.BROKEN
    assert "StopIteration" in row["reason"]


def test_a_clip_held_against_itself_loses_nothing() -> None:
    frames = textured.clip(frames=3, height=192, width=256)

    found = quality.quality(frames, frames)

    assert found["vmaf_lost"] == found["vmaf_neg_low_lost"] == 0
    assert found["psnr_y_db"] is None
    assert found["largest_change"] == found["flicker_levels"] == 0
    assert found["ssim_y"] == 1


def test_one_grey_level_everywhere_is_48_decibels_and_changes_no_colour() -> None:
    frames = textured.plain(frames=3, height=192, width=256)
    lighter = [cv2.add(frame, (1, 1, 1, 0)) for frame in frames]

    found = quality.fidelity(frames, lighter)

    assert found["psnr_rgb_db"] == found["psnr_y_db"] == pytest.approx(48.13, abs=0.01)
    assert found["psnr_colour_db"] is None
    assert found["largest_change"] == 1
    assert found["flicker_levels"] == 0


def test_a_change_of_colour_alone_is_seen_where_vmaf_is_blind() -> None:
    frames = textured.clip(frames=3, height=192, width=256)
    tinted = [np.asarray(frame + np.array([0, 0, 8]), np.uint8) for frame in frames]

    found = quality.quality(frames, tinted)

    assert found["psnr_colour_db"] < found["psnr_y_db"]
    assert found["vmaf_lost"] < 2


def test_a_run_has_the_first_key_of_every_clip_before_the_second_of_any() -> None:
    wanted = plan.Wanted(["city", "flat"], ATTACKS, 3, ["dwtDct"], 5)

    planned = plan.tasks(wanted)

    assert len(planned) == len(set(planned)) == 2 + 2 * 2 * 3 + 2 * (1 + 2) + 5
    turns = [task.turn for task in planned if task.work is Work.MARK]
    assert turns == sorted(turns)


def test_searches_with_wrong_keys_go_over_all_pairs_before_any_comes_again() -> None:
    wanted = plan.Wanted(["city", "flat"], ATTACKS, 1, [], 6)

    planned = list(plan.null_tasks(wanted))

    assert len(planned) == len(set(planned)) == 6
    assert {(task.clip, task.attack) for task in planned[:4]} == {
        (clip, attack) for clip in ("city", "flat") for attack in ATTACKS
    }
