"""`countermark verify` over many files: each gets its answer, whatever the others are."""

import json
import os
from pathlib import Path

import pytest

from tests.e2e.conftest import Countermark

CLIP = Path("tests/vectors/unmarked.mp4")
NOWHERE = {"COUNTERMARK_HOME": "/nonexistent"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with one file to verify and a few that cannot be."""
    here = tmp_path / "folder"
    (here / "sub").mkdir(parents=True)
    (here / "sub" / "clip.mp4").write_bytes(CLIP.read_bytes())
    (here / "note.txt").write_text("no video")
    with (here / "huge.mp4").open("wb") as huge:
        huge.truncate(3 * 2**20)  # the limit is set to 2 MiB below; nothing of it is on the disk
    os.mkfifo(here / "pipe")
    (here / "dead-link").symlink_to(tmp_path / "gone.mp4")
    (here / "link-to-folder").symlink_to(tmp_path)
    return here


LIMITED = {**NOWHERE, "COUNTERMARK_PROVENANCE__MAX_FILE_MIB": "2"}


def test_every_file_of_a_folder_gets_a_line_and_an_odd_one_stops_nobody(
    countermark: Countermark, folder: Path
) -> None:
    done = countermark("verify", "-r", folder, "--jsonl", **LIMITED)

    lines = [json.loads(line) for line in done.stdout.splitlines()]
    answers = {Path(line["path"]).name: line.get("status", "error") for line in lines}
    assert answers == {
        "clip.mp4": "unknown",
        "dead-link": "error",
        "huge.mp4": "error",
        "link-to-folder": "error",
        "note.txt": "unreadable",
        "pipe": "error",
    }
    assert [line["path"] for line in lines] == sorted(line["path"] for line in lines)
    assert all(line["error"] for line in lines if "status" not in line)
    assert done.returncode == 14  # worse than that some could not be examined
    assert done.stderr.count("countermark: ") == 4


def test_text_and_json_have_an_answer_for_every_file_too(
    countermark: Countermark, folder: Path
) -> None:
    text = countermark("verify", "-r", folder, **LIMITED)
    values = countermark("verify", "-r", folder, "--json", **LIMITED)

    assert text.stdout.count(": not examined\n") == 4
    assert f"{folder / 'sub' / 'clip.mp4'}: unknown" in text.stdout
    assert len(json.loads(values.stdout)) == 6
    assert text.returncode == values.returncode == 14


def test_json_is_an_object_for_one_file_and_a_list_for_more_than_one_could_be(
    countermark: Countermark, tmp_path: Path
) -> None:
    (tmp_path / "clip.mp4").write_bytes(CLIP.read_bytes())

    one = json.loads(countermark("verify", CLIP, "--json", **NOWHERE).stdout)
    two = json.loads(countermark("verify", CLIP, CLIP, "--json", **NOWHERE).stdout)
    folder = json.loads(countermark("verify", "-r", tmp_path, "--json", **NOWHERE).stdout)

    assert one["path"] == str(CLIP)
    assert [each["path"] for each in two] == [str(CLIP)] * 2
    assert [each["path"] for each in folder] == [str(tmp_path / "clip.mp4")]


def test_where_nothing_is_worse_a_file_that_could_not_be_examined_exits_1(
    countermark: Countermark, tmp_path: Path
) -> None:
    done = countermark("verify", tmp_path / "gone.mp4", "--json", **NOWHERE)
    with_unknown = countermark("verify", tmp_path / "gone.mp4", CLIP, "--json", **NOWHERE)

    assert done.returncode == 1
    assert set(json.loads(done.stdout)) == {"path", "error"}
    assert with_unknown.returncode == 10


def test_an_empty_folder_is_a_mistake_that_is_told(
    countermark: Countermark, tmp_path: Path
) -> None:
    done = countermark("verify", "-r", tmp_path, "--json", **NOWHERE)

    assert done.returncode == 1
    assert "there is no file" in done.stderr


@pytest.mark.parametrize("style", [(), ("--json",), ("--jsonl",)])
def test_a_name_that_is_no_utf_8_breaks_no_output(
    countermark: Countermark, tmp_path: Path, style: tuple[str, ...]
) -> None:
    latin = os.fsencode(tmp_path) + b"/caf\xe9 \x1b[31m.mp4"
    Path(os.fsdecode(latin)).write_bytes(CLIP.read_bytes())
    Path(os.fsdecode(latin + b".gone")).symlink_to("nothing")

    done = countermark("verify", "-r", tmp_path, *style, **NOWHERE)

    assert done.returncode == 10, done.stderr
    assert "Traceback" not in done.stderr
    assert r"caf\xe9" in done.stdout or r"caf\\xe9" in done.stdout
    assert "\x1b[31m" not in done.stdout + done.stderr
    if style:
        text = done.stdout if style == ("--json",) else f"[{','.join(done.stdout.splitlines())}]"
        first, second = json.loads(text)
        assert first["path"].endswith("/caf\\xe9 \x1b[31m.mp4")
        assert first["name"] == "caf\\xe9 \x1b[31m.mp4"
        assert "error" in second
