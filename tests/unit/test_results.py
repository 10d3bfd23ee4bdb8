"""The committed results say what the issue of this slice asks for, and of the weights that ship.

These do not measure: the scripts in benchmarks/ do. They keep a result from going stale or from
being replaced by a worse one without anybody noticing.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from generator.models.shipped import DIGEST
from provenance.watermark import CERTAIN

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
NAMES = sorted(path.stem for path in RESULTS.glob("*.json"))


def result(name: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_a_result_says_how_to_get_it_again(name: str) -> None:
    found = result(name)

    assert found["command"].startswith(f"python -m benchmarks.{name}")
    assert (RESULTS.parent / f"{name}.py").exists()
    assert {"commit", "machine", "versions"} <= found.keys()
    assert "/" not in found["command"]


def test_the_embedded_model_names_its_colours_right_and_the_scorer_is_to_be_believed() -> None:
    found = result("tiny_model")

    assert found["digest"] == DIGEST
    assert found["held_out"]["clips"] == 200
    assert found["held_out"]["background"]["lower_95"] >= 0.90
    assert found["held_out"]["colour"]["lower_95"] >= 0.70
    for factor in ("background", "colour", "shape", "motion"):
        assert found["scorer_on_drawn_clips"][factor]["share"] >= 0.99


def test_no_flipped_bit_was_missed() -> None:
    found = result("bit_flips")

    assert found["flips"] >= 2000
    for clip in found["clips"].values():
        assert clip["unchanged"] == {"newsroom": "intact", "issuer": "intact"}
        for counted in clip.values():
            if isinstance(counted, dict) and "missed" in counted:
                assert counted["missed"] == []
                assert set(counted["statuses"]) <= {"altered", "unreadable"}


def test_no_kill_left_anything_wrong() -> None:
    found = result("crashes")

    assert found["rounds"] >= 50
    assert found["recovery"]["finished"] > 0
    assert set(found["wrong"].values()) == {0}


def test_every_public_clip_was_protected_and_led_back_to_its_record() -> None:
    clips = result("protect_clips")["clips"]

    assert len(clips) == 5
    for clip in clips.values():
        assert clip["status"] == "intact"
        assert clip["sound_kept"]
        assert clip["after_crf_28"] == "stripped"
        assert clip["right_mark_after_crf_28"]
        assert clip["vmaf_lost_to_the_mark"] <= 6


def test_clips_of_the_embedded_model_keep_their_mark_and_their_looks() -> None:
    for clip in result("tiny_mark")["clips"].values():
        assert clip["right_mark_after_crf_23"]
        assert clip["vmaf_lost_to_the_mark"] <= 6


def test_no_mark_was_found_where_none_is() -> None:
    found = result("watermark_null")

    assert found["whole_searches"]["false_accepts"] == 0
    for row in found["misread_marks"]:
        assert row["largest_wrong_statistic_then"] < CERTAIN


def test_help_is_there_at_once() -> None:
    assert result("start_up")["cpu_s_median_of_5"]["countermark --help"] <= 0.8
