"""Where CI is `true`, a skip is a failure: nothing that a test needs may be missing there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.skips import stands

ROOT = Path(__file__).parents[2]
NEEDS_A_MODULE = """
import pytest

pytest.importorskip("no_such_module", reason="needs the `generate` extra")
"""
NEEDS_A_TOOL = """
import pytest


def test_with_a_tool():
    pytest.skip("no such tool")


def test_with_public_material(shared_data):
    raise AssertionError("it is not there")
"""


def pytest_on(folder: Path, *options: str, ci: str) -> str:
    done = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider",
            "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(folder), *options, str(folder),
        ],
        cwd=ROOT,
        env={**os.environ, "CI": ci, "COUNTERMARK_TEST_DATA": str(folder / "nowhere")},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    return done.stdout.splitlines()[-1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "test_module.py").write_text(NEEDS_A_MODULE)
    (tmp_path / "test_tool.py").write_text(NEEDS_A_TOOL)
    return tmp_path


def test_a_developer_without_a_tool_sees_skips(folder: Path) -> None:
    assert " 3 skipped" in pytest_on(folder, ci="")


def test_a_missing_module_stops_continuous_integration(folder: Path) -> None:
    assert " 1 error" in pytest_on(folder, ci="true")


def test_a_missing_tool_fails_there_and_public_material_does_not(folder: Path) -> None:
    (folder / "test_module.py").unlink()

    assert " 1 failed, 1 skipped" in pytest_on(folder, ci="true")


def test_the_environment_without_an_extra_leaves_its_tests_out_and_fails_for_nothing_else(
    folder: Path,
) -> None:
    closing = pytest_on(folder, "-m", "not gates and not generate", ci="true")

    assert " 1 failed, 2 skipped" in closing


def test_only_the_extra_that_is_left_out_may_be_missing() -> None:
    reason = "needs the `generate` extra"

    assert stands(reason, marks="not gates and not generate")
    assert not stands(reason, marks="not gates")
    assert not stands(reason, marks="gates or generate")
    assert not stands("no such tool", marks="not gates and not generate")
