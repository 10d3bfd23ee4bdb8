"""The whole demo on the embedded model, as `make demo` plays it."""

import json
import re
from pathlib import Path

import pytest

from tests.e2e.conftest import Countermark
from tests.support.press import new_home

pytestmark = pytest.mark.generate


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_home(tmp_path_factory.mktemp("press") / "home").path


def test_the_demo_shows_every_line_and_its_files_answer_as_it_said(
    countermark: Countermark, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    played = countermark("--home", home, "demo")
    assert played.returncode == 0, played.stderr + played.stdout
    words = [line.split()[0] for line in played.stdout.splitlines() if line[:1].isalpha()]
    assert [word for word in words if word.islower()] == [
        "made",
        "intact",
        "stripped",
        "altered",
        "refused",
        "damaged",
    ]

    folder = next(home.glob("clips/demo-*"))
    for name, code in (("clip.mp4", 0), ("reencoded.mp4", 15), ("one-byte-changed.mp4", 12)):
        assert countermark("--home", home, "verify", folder / name).returncode == code
    tampered = countermark("--home", folder / "tampered-home", "log", "check")
    refusal = next(line for line in played.stdout.splitlines() if line.startswith("refused"))
    record = re.search(r"record \d+", refusal)
    assert tampered.returncode == 30
    assert record is not None
    damaged = next(line for line in played.stdout.splitlines() if line.startswith("damaged"))
    for told in (damaged, tampered.stdout):
        assert f"column decision of {record[0]} is 'allow'" in told
    assert [path.name for path in (folder / "tampered-home" / "keys").iterdir()] == ["log.vkey"]
    assert countermark("--home", home, "log", "check").returncode == 0


def test_the_demo_is_read_by_programs_too(countermark: Countermark, tmp_path: Path) -> None:
    played = countermark("--home", tmp_path / "home", "demo", "--json")

    told = [json.loads(line) for line in played.stdout.splitlines()]

    assert [each["came"] for each in told] == [
        "made", "intact", "stripped", "altered", "refused", "damaged"
    ]  # fmt: skip
    assert all(Path(each["path"]).is_file() for each in told[:4])


def test_the_same_seed_makes_the_same_pictures_and_a_clip_of_its_own(
    countermark: Countermark, home: Path, tmp_path: Path
) -> None:
    prompt = "a small red square standing still on a white background"
    made = [
        countermark("--home", home, "make", prompt, "--seed", 5, "--json", "-o", tmp_path / name)
        for name in ("one.mp4", "two.mp4")
    ]

    values = [json.loads(done.stdout) for done in made]
    records = [
        json.loads(countermark("--home", home, "log", "show", v["record_index"] - 1).stdout)
        for v in values
    ]
    makings = [shown["record"]["body"]["making"] for shown in records]

    assert [v["outcome"] for v in values] == ["released", "released"]
    assert makings[0] == makings[1]
    assert values[0]["mark_id"] != values[1]["mark_id"]
    assert "Wan2.2" not in records[0]["record"]["body"]["model"]["name"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--size", "250x250"), "width must be a multiple of"),
        (("--size", "0x0"), "width must be a multiple of"),
        (("--size", "64x64"), "the watermark needs a short side of 96 pixels"),
        (("--frames", "34"), "4k+1"),
        (("--steps", "0"), "steps must be from 1"),
        (("--size", "big"), "WIDTHxHEIGHT"),
    ],
)
def test_a_request_that_the_model_would_silently_change_is_a_usage_error(
    countermark: Countermark, home: Path, tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    done = countermark("--home", home, "make", "a red circle", *options, "-o", tmp_path / "x.mp4")

    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "x.mp4").exists()


def test_words_that_the_model_does_not_know_are_named(
    countermark: Countermark, home: Path, tmp_path: Path
) -> None:
    done = countermark(
        "--home", home, "make", "a big red dragon on a blue background", "--size", "128x128",
        "--steps", "3", "--frames", "9", "--seed", "7", "--json", "-o", tmp_path / "x.mp4",
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "dragon" in json.loads(done.stdout)["warnings"][0]
