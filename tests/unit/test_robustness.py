"""The benchmark of the mark counts what it says it counts."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from benchmarks.robustness import clips, report
from benchmarks.robustness.journal import Journal, bases
from benchmarks.robustness.matrix import svg
from benchmarks.robustness.peers import PeersMissing, require, spread
from benchmarks.robustness.sources import digest
from benchmarks.robustness.summary import beside_ours, figures
from benchmarks.robustness.task import Outcome, Setup, Task, Work
from tests.support.attacks import ATTACKS
from tests.support.footage import Film, film, number_of, numbered

SETUP = Setup(Path("nowhere"))
EXACT = {"outcome": "exact", "state": "found", "statistic": 20.0, "threshold": 11.3,
         "log10_p": -30.0, "cpu_s": 0.1, "geometry": None}  # fmt: skip
NOTHING = {**EXACT, "outcome": "nothing", "state": "not_found", "statistic": 0.0}
QUALITY = {"size": "832x480", "frames": 81, "embed_frames_per_cpu_s": 200.0, "vmaf_lost": 2.0,
           "vmaf_neg_lost": 3.0, "psnr_rgb_db": 45.0, "psnr_colour_db": None}  # fmt: skip


def mark(attack: str, *, clip: str = "city", turn: int = 0) -> Task:
    return Task(turn, clip, Work.MARK, attack=attack)


def counted(rows: dict[Task, dict[str, Any]]) -> Any:  # noqa: ANN401 - JSON
    quality = {Task(0, clip, Work.QUALITY): QUALITY for clip in ("city", "flat")}
    return figures({**quality, **rows}, SETUP, {})


def test_only_the_exact_id_counts_and_a_wrong_one_is_told() -> None:
    wrong = {**EXACT, "outcome": Outcome.WRONG}
    found = counted(
        {mark("mirror"): EXACT, mark("mirror", turn=1): NOTHING, mark("mirror", turn=2): wrong}
    )

    cell = found["clips"]["city"]["attacks"]["mirror"]
    assert (cell["exact"], cell["wrong"], cell["of"]) == (1, 1, 3)
    assert found["tiers"]["everyday"]["natural"] == {"exact": 1, "of": 3}
    assert found["null"]["wrong_ids_in_marked_clips"] == 1


def test_a_clip_that_was_refused_counts_as_lost() -> None:
    refused = {**NOTHING, "outcome": Outcome.REFUSED, "state": "refused"}
    found = counted({mark("mirror"): refused})

    assert found["tiers"]["everyday"]["natural"] == {"exact": 0, "of": 1}
    assert found["clips"]["city"]["attacks"]["mirror"]["refused"] == 1


def test_a_search_with_a_wrong_key_that_finds_anything_is_a_false_accept() -> None:
    null = Task(0, "city", Work.NULL, attack="mirror")

    assert counted({null: NOTHING})["null"]["false_accepts"] == 0
    assert counted({null: {**EXACT, "outcome": "wrong"}})["null"]["false_accepts"] == 1


def test_a_mark_that_is_behind_a_peer_says_on_which_attack() -> None:
    theirs = {"outcome": "exact", "bits_right": 1.0, "cpu_s": 0.1}
    found = counted(
        {
            mark("mirror"): EXACT,
            mark("gamma 2"): NOTHING,
            Task(0, "city", Work.PEER, peer="dwtDct", attack="mirror"): theirs,
            Task(0, "city", Work.PEER, peer="dwtDct", attack="gamma 2"): theirs,
            Task(0, "flat", Work.PEER, peer="dwtDct", attack="gamma 2"): theirs,  # ours is to come
            Task(0, "city", Work.PEER_QUALITY, peer="dwtDct"): QUALITY,
        }
    )["peers"]["dwtDct"]

    assert (found["exact"], found["ours"], found["of"]) == (2, 1, 2)
    assert found["we_are_behind_on"] == ["gamma 2"]


def test_other_marks_of_an_earlier_report_stand_beside_our_cells_of_now() -> None:
    theirs = {"outcome": "exact", "bits_right": 1.0, "cpu_s": 0.1}
    peer = {
        Task(0, "city", Work.PEER, peer="dwtDct", attack="mirror"): theirs,
        Task(0, "city", Work.PEER, peer="dwtDct", attack="gamma 2"): theirs,
        Task(0, "city", Work.PEER_QUALITY, peer="dwtDct"): QUALITY,
    }
    before = counted({mark("mirror"): EXACT, mark("gamma 2"): EXACT, **peer})
    now = {mark("mirror"): EXACT, mark("gamma 2"): NOTHING}

    found = beside_ours(now, before)

    assert found == counted({**now, **peer})["peers"]
    assert before["peers"]["dwtDct"]["ours"] == 2  # what was there stays as it was
    assert found["dwtDct"]["we_are_behind_on"] == ["gamma 2"]


def test_a_row_outlives_its_run_and_one_of_another_detector_is_not_counted(tmp_path: Path) -> None:
    path, ours = tmp_path / "rows.jsonl", bases(SETUP)
    Journal(path, ours).keep(mark("mirror"), EXACT)

    assert not Journal(path, ours).lacks(mark("mirror"))
    assert Journal(path, ours).lacks(mark("mirror", turn=1))
    assert Journal(path, {**ours, Work.MARK: "another"}).lacks(mark("mirror"))


def test_a_half_written_line_spoils_neither_the_rows_before_nor_those_after(tmp_path: Path) -> None:
    path, ours = tmp_path / "rows.jsonl", bases(SETUP)
    Journal(path, ours).keep(mark("mirror"), EXACT)
    with path.open("a") as file:
        file.write('{"task": {"turn": 0, "cl')

    Journal(path, ours).keep(mark("gamma 2"), NOTHING)

    assert set(Journal(path, ours).rows) == {mark("mirror"), mark("gamma 2")}


def test_other_settings_are_another_basis_and_the_peers_do_not_care_for_our_strength() -> None:
    ours, stronger = bases(SETUP), bases(replace(SETUP, strength=2.0))
    shorter = bases(replace(SETUP, frames=17))

    assert ours[Work.MARK] != stronger[Work.MARK]
    assert ours[Work.PEER] == stronger[Work.PEER]
    assert all(ours[work] != shorter[work] for work in Work)


def test_a_basis_changes_with_what_a_source_says_and_not_with_its_comments(tmp_path: Path) -> None:
    source = tmp_path / "source.py"
    source.write_text("x = 1\n")
    before = digest("", ["*.py"], tmp_path)

    source.write_text("# why\nx   =   1\n")
    commented = digest("", ["*.py"], tmp_path)
    source.write_text("x = 2\n")

    assert commented == before
    assert digest("", ["*.py"], tmp_path) != before


def test_a_clip_of_another_rate_becomes_sixteen_frames_a_second_and_the_first_81(
    tmp_path: Path,
) -> None:
    path = film(
        tmp_path / "film.avi", numbered(42, width=480, height=270), Film("avi", "ffv1", rate=8)
    )

    shown = list(clips.read(path, start_s=0))

    assert [number_of(frame) for frame in shown] == [index // 2 for index in range(81)]
    assert {frame.shape for frame in shown} == {(480, 832, 3)}


def test_a_small_source_keeps_its_size(tmp_path: Path) -> None:
    path = film(tmp_path / "film.avi", numbered(4), Film("avi", "ffv1", rate=16))

    assert {frame.shape for frame in clips.read(path, start_s=0)} == {(48, 64, 3)}


def test_a_source_is_known_by_its_digest_whatever_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "bikes.mp4").write_bytes(b"not the bikes")
    (tmp_path / "renamed.bin").write_bytes(b"")
    pinned = replace(clips.BIKES, sha256=digest_of_nothing())

    assert clips.source(pinned, tmp_path, tmp_path) == tmp_path / "renamed.bin"


def digest_of_nothing() -> str:
    return "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_missing_peers_say_how_they_are_installed() -> None:
    with pytest.raises(PeersMissing, match=r"no_such_mark.*pip install --no-deps.*--no-peers"):
        require(["no_such_mark"])


def test_a_peer_reads_an_odd_number_of_frames_from_all_over_the_clip() -> None:
    frames = list(np.arange(81, dtype=np.uint8))

    assert [int(each) for each in spread(frames, 3)] == [0, 40, 80]
    assert [len(spread(frames[:count], 11)) for count in (1, 2, 3, 12)] == [1, 1, 3, 11]


def test_the_picture_has_a_cell_for_each_attack_and_clip() -> None:
    found = counted(
        {mark(attack.name, clip=clip): EXACT for attack in ATTACKS for clip in ("city", "flat")}
    )

    drawn = ET.fromstring(svg(found))

    boxes = [each for each in drawn if each.tag.endswith("rect") and each.get("rx")]
    assert len(boxes) == 2 * len(ATTACKS) + 3  # the legend has three


def test_the_report_says_which_cells_were_lost_and_holds_the_new_run_to_the_old(
    tmp_path: Path,
) -> None:
    kept = counted({mark("mirror"): EXACT, mark("gamma 2"): EXACT})
    (tmp_path / "watermark.json").write_text(json.dumps(kept))
    rows = {mark("mirror"): EXACT, mark("gamma 2"): NOTHING}

    told = report.agreement(rows, tmp_path)

    assert told.startswith("1 of 2 cells agree")
    assert "city, gamma 2: now nothing" in told
    assert "- everyday, gamma 2: city (0 of 1)" in report.markdown(counted(rows))


def test_tables_have_as_many_cells_in_each_row_as_in_the_head() -> None:
    text = report.markdown(counted({mark("mirror"): EXACT, mark("h264 crf 34"): NOTHING}))

    for table in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE):
        assert len({line.count("|") for line in table.splitlines()}) == 1


def test_where_nothing_was_measured_no_report_takes_the_place_of_an_earlier_one(
    tmp_path: Path,
) -> None:
    earlier = tmp_path / "watermark.json"
    earlier.write_text("{}")

    with pytest.raises(SystemExit, match="nothing was measured"):
        report.write({}, SETUP, {}, tmp_path)

    assert earlier.read_text() == "{}"
    assert [each.name for each in tmp_path.iterdir()] == [earlier.name]
