"""The benchmark of what an issuer recognises goes on where it was, and never with another mark."""

import json
from pathlib import Path

import pytest

pytest.importorskip("imageio_ffmpeg", reason="needs the `dev` extra")

from benchmarks.mark_issued import kept

pytestmark = pytest.mark.dev
CELLS = {"bikes | blur | 0": {"recognised": True}}


@pytest.mark.parametrize(
    ("basis", "ids", "expected"),
    [("ab", 10, CELLS), ("cd", 10, {}), ("ab", 11, {})],
    ids=["the same", "another mark", "other ids"],
)
def test_only_cells_of_the_same_mark_and_ids_are_kept(
    tmp_path: Path, basis: str, ids: int, expected: object
) -> None:
    result = tmp_path / "mark_issued.json"
    result.write_text(json.dumps({"basis": "ab", "ids": 10, "cells": CELLS}))

    assert kept(result, basis, ids) == expected


def test_where_nothing_was_measured_and_in_results_of_before_nothing_is_kept(
    tmp_path: Path,
) -> None:
    result = tmp_path / "mark_issued.json"
    assert kept(result, "ab", 10) == {}

    result.write_text(json.dumps({"ids": 10, "cells": CELLS}))

    assert kept(result, "ab", 10) == {}
