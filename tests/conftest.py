"""What all tests share."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of public material that is not part of the repository.

    COUNTERMARK_TEST_DATA names it, or it lies beside the checkout; without it the test is skipped,
    because nobody can be asked to have it.
    """
    named = os.environ.get("COUNTERMARK_TEST_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"public test material is not at {folder}; COUNTERMARK_TEST_DATA names it")
    return folder
