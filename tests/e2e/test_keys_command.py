"""`countermark keys`, and clips of two mark keys through the real `protect` and `verify`."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from provenance.keys import write_secret
from tests.e2e.conftest import Countermark
from tests.support.drawing import drawn_video
from tests.support.press import new_home
from tests.support.thief import reencoded


def answered(countermark: Countermark, *arguments: object, code: int = 0) -> Any:  # noqa: ANN401
    done = countermark(*arguments, "--json")
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def test_the_list_says_which_key_is_for_what_and_since_when(
    countermark: Countermark, tmp_path: Path
) -> None:
    home = new_home(tmp_path / "home")
    countermark("--home", home.path, "keys", "rotate", "mark")

    listed = answered(countermark, "--home", home.path, "keys", "ls")
    told = countermark("--home", home.path, "keys", "ls")

    assert {key["kind"] for key in listed} == {"log", "signing", "timestamp", "mark", "sealing"}
    assert [(key["use"], key["file"]) for key in listed if key["kind"] == "mark"] == [
        ("in_use", "keys/mark-2.key"),
        ("looked_for", "keys/mark-1.key"),
    ]
    assert all(key["since"] and key["record_index"] is not None for key in listed)
    assert told.returncode == 0
    for key in listed:
        assert key["key_id"][:16] in told.stdout


def test_a_kind_that_is_not_rotated_is_a_usage_error_in_one_sentence(
    countermark: Countermark, tmp_path: Path
) -> None:
    home = new_home(tmp_path / "home")

    done = countermark("--home", home.path, "keys", "rotate", "log")

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "takes one kind, mark" in done.stderr


@pytest.mark.gates
def test_a_clip_marked_before_a_rotation_verifies_after_it(
    countermark: Countermark, tmp_path: Path
) -> None:
    home = new_home(tmp_path / "home")
    home.settings.write_text(home.settings.read_text().replace("default", "permissive"))
    first = answered(countermark, "--home", home.path, "keys", "ls")
    old = protected(countermark, home.path, tmp_path, "old", seed=7)
    second = answered(countermark, "--home", home.path, "keys", "rotate", "mark")
    new = protected(countermark, home.path, tmp_path, "new", seed=8)

    ids = [k["key_id"] for k in first if k["kind"] == "mark"], [second["key_id"]]
    for clip, (key_id,) in zip((old, new), ids, strict=True):
        copy = reencoded(Path(clip["path"]), tmp_path / f"{clip['mark_id']}-copy.mp4")
        for path, status, code in ((clip["path"], "intact", 0), (copy, "stripped", 15)):
            report = answered(countermark, "--home", home.path, "verify", path, code=code)
            mark = report["layers"]["watermark"]
            assert (report["status"], mark["mark_id"]) == (status, clip["mark_id"])
            searches = mark["searches"]
            assert [each["key_id"] for each in searches if each["mark_id"]] == [key_id]
            assert len(searches) == 2

    without = shutil.copytree(home.path, tmp_path / "without")
    (without / "keys" / "mark-1.key").unlink()
    report = answered(countermark, "--home", without, "verify", old["path"])
    assert report["layers"]["watermark"]["state"] == "not_found"
    assert report["status"] == "intact"


@pytest.mark.gates
def test_a_rotation_that_died_before_its_record_is_recorded_before_its_key_marks(
    countermark: Countermark, tmp_path: Path
) -> None:
    home = new_home(tmp_path / "home")
    home.settings.write_text(home.settings.read_text().replace("default", "permissive"))
    write_secret(home.keys / "mark-2.key")

    protected(countermark, home.path, tmp_path, "clip", seed=7)

    keys = answered(countermark, "--home", home.path, "keys", "ls")
    (marking,) = (k for k in keys if k["kind"] == "mark" and k["use"] == "in_use")
    log = answered(countermark, "--home", home.path, "log", "ls", "--kind", "cleared")
    (cleared,) = log["records"]
    assert marking["file"] == "keys/mark-2.key"
    assert cleared["record"]["body"]["mark"]["key_id"] == marking["key_id"]
    assert marking["record_index"] < cleared["index"]


def protected(
    countermark: Countermark, home: Path, folder: Path, name: str, *, seed: int
) -> dict[str, Any]:
    source = drawn_video(folder / f"{name}-source.mp4", seed=seed)
    target = folder / f"{name}.mp4"
    made = answered(countermark, "--home", home, "protect", source, "-o", target)
    assert made["outcome"] == "released"
    return dict(made)
