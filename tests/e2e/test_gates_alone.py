"""`protect` and `screen` need the extra `gates` and nothing of `generate`."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.drawing import drawn_video

pytestmark = pytest.mark.gates

GENERATE = (
    "torch", "diffusers", "transformers", "accelerate", "ftfy", "safetensors",
)  # fmt: skip


def countermark_without_generate(*arguments: object) -> "subprocess.CompletedProcess[str]":
    """Run the command in a process that cannot import what the extra `generate` brings."""
    hidden = "; ".join(f"sys.modules[{name!r}] = None" for name in GENERATE)
    words = ["countermark", *map(str, arguments)]
    code = f"import sys; sys.argv = {words!r}; {hidden}; from generator.cli import main; main()"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_a_clip_is_protected_and_verified(tmp_path: Path) -> None:
    home = ("--home", tmp_path / "home")
    source, target = drawn_video(tmp_path / "in.mp4"), tmp_path / "out.mp4"

    for arguments in (
        ("init", "--policy", "permissive"),
        ("protect", source, "-o", target),
        ("verify", target),
    ):
        done = countermark_without_generate(*home, *arguments)
        assert done.returncode == 0, done.stderr


def test_prompts_and_clips_are_screened(tmp_path: Path) -> None:
    source = drawn_video(tmp_path / "in.mp4")

    assert countermark_without_generate("screen", "prompt", "a lake").returncode == 0
    assert countermark_without_generate("screen", "clip", source).returncode in {0, 20, 21}
