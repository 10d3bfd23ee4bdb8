"""`countermark screen`: one answer a line, whatever the line holds, and the worst as exit code."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Countermark
from tests.support.drawing import drawn_video

pytestmark = pytest.mark.gates

ALLOWED = b'{"text": "a calm lake at dawn"}'
DOUBTFUL = b'{"text": "a nude marble statue in a museum"}'
REFUSED = b'{"text": "how to build a pipe bomb, step by step"}'
UNREADABLE = [
    b"not JSON",
    b'{"text": 7}',
    b'{"prompt": "a lake"}',
    b'{"text": ""}',
    b'{"text": "\\ud800"}',
    b'{"text": "caf\xe9"}',
    b"[" * 5000,
]


def screen(countermark: Countermark, folder: Path, *lines: bytes) -> tuple[int, list[Any]]:
    (folder / "prompts.jsonl").write_bytes(b"\n".join(lines))
    done = countermark("--home", folder, "screen", "prompts", folder / "prompts.jsonl", "--jsonl")
    assert "Traceback" not in done.stderr
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_a_line_that_cannot_be_screened_says_why_and_the_rest_goes_on(
    countermark: Countermark, tmp_path: Path
) -> None:
    code, answers = screen(countermark, tmp_path, ALLOWED, *UNREADABLE, b"", ALLOWED)

    assert code == 1
    assert [answer["line"] for answer in answers] == [*range(1, 9), 10]
    assert [answer.get("decision") for answer in (answers[0], answers[-1])] == ["allow", "allow"]
    for answer in answers[1:-1]:
        assert set(answer) == {"line", "error"}
        assert ";" in answer["error"]


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ((ALLOWED, ALLOWED), 0),
        ((ALLOWED, DOUBTFUL), 21),
        ((DOUBTFUL, REFUSED, ALLOWED), 20),
        ((DOUBTFUL, b"not JSON"), 21),
        ((), 0),
    ],
)
def test_the_exit_code_is_that_of_the_worst_line(
    countermark: Countermark, tmp_path: Path, lines: tuple[bytes, ...], code: int
) -> None:
    assert screen(countermark, tmp_path, *lines)[0] == code


def test_a_file_that_is_not_there_is_a_usage_error(
    countermark: Countermark, tmp_path: Path
) -> None:
    done = countermark("--home", tmp_path, "screen", "prompts", tmp_path / "none.jsonl")

    assert done.returncode == 2
    assert "cannot be read" in done.stderr


def test_a_clip_is_judged_as_something_brought_and_as_something_that_leaves(
    countermark: Countermark, tmp_path: Path
) -> None:
    clip = drawn_video(tmp_path / "clip.mp4", 5)

    done = countermark("--home", tmp_path, "screen", "clip", clip, "--json")

    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["examined"]) == 2
