"""`countermark doctor` on the mark keys of a home, and on what this kernel can confine."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.e2e.conftest import Countermark
from tests.support.old_kernel import LANDLOCK_CREATE_RULESET
from tests.support.press import new_home


def answers(said: str, question: str) -> list[tuple[bool | None, str]]:
    values: list[dict[str, Any]] = json.loads(said)
    return [(a["ok"], a["answer"]) for a in values if a["question"] == question]


def test_the_mark_keys_are_named_and_so_is_one_that_the_log_knows_and_that_is_gone(
    countermark: Countermark, tmp_path: Path
) -> None:
    home = new_home(tmp_path / "home")
    doctor = ("--home", home.path, "doctor", "--json")
    rotated = countermark("--home", home.path, "keys", "rotate", "mark", "--json")
    new = json.loads(rotated.stdout)["key_id"]

    ((ok, words),) = answers(countermark(*doctor).stdout, "mark keys")
    old = words.split()[2]
    (home.keys / "mark-1.key").unlink()
    done = countermark(*doctor)

    assert ok
    assert words == f"{new} marks, {old} is looked for"
    assert answers(done.stdout, "mark keys") == [
        (True, f"{new} marks"),
        (None, f"{old} is not here, so the clips that it marked are not found by it"),
    ]


def test_a_home_without_mark_keys_is_bad(countermark: Countermark, tmp_path: Path) -> None:
    home = new_home(tmp_path / "home")
    (home.keys / "mark-1.key").unlink()

    done = countermark("--home", home.path, "doctor", "--json")

    assert done.returncode == 1
    assert (False, "none is here; restore them") in answers(done.stdout, "mark keys")


def test_a_kernel_that_cannot_confine_the_examination_is_told(tmp_path: Path) -> None:
    old = f"from tests.support.old_kernel import lack; lack([{LANDLOCK_CREATE_RULESET}])"
    words = ["countermark", "--home", str(tmp_path / "none"), "doctor", "--json"]
    code = f"{old}; import sys; sys.argv = {words!r}; from generator.cli import main; main()"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    ((ok, answer),) = answers(done.stdout, "confinement")
    assert ok is None
    assert "the kernel has no Landlock here" in answer
    assert 'audit.upload_confinement is "possible"' in answer
