"""Where another distribution claims our names, every command refuses and says what to do."""

from pathlib import Path

import pytest

from tests.e2e.conftest import Countermark
from tests.support.claims import installed


@pytest.fixture
def beside(tmp_path: Path) -> dict[str, str]:
    """Return an environment in which a distribution called provenance is installed, too."""
    installed(tmp_path, "provenance", files=["provenance/__init__.py", "provenance/core.py"])
    return {"PYTHONPATH": str(tmp_path)}


@pytest.mark.parametrize(
    "arguments",
    [
        ("verify", "tests/vectors/unmarked.mp4"),
        ("log", "ls"),
        ("token", "ls"),
        ("serve",),
        ("init",),
        ("screen", "prompt", "a red circle"),
        ("protect", "tests/vectors/unmarked.mp4", "-o", "out.mp4"),
    ],
)
def test_every_command_refuses(
    countermark: Countermark, beside: dict[str, str], tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    done = countermark("--home", tmp_path / "home", *arguments, **beside)

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(
        "countermark: the package 'provenance' is also installed by provenance, which overwrites "
    )
    assert not (tmp_path / "home").exists()


def test_help_is_given_all_the_same(countermark: Countermark, beside: dict[str, str]) -> None:
    done = countermark("--help", **beside)

    assert done.returncode == 0
    assert "verify" in done.stdout


def test_the_doctor_tells_it_as_one_answer_among_others(
    countermark: Countermark, beside: dict[str, str], tmp_path: Path
) -> None:
    done = countermark("--home", tmp_path / "home", "doctor", **beside)

    assert done.returncode == 1
    assert "uninstall provenance" in done.stdout
    assert "libraries" in done.stdout
