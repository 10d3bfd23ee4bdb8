"""A checkpoint of a half-done run is taken up only by the run that wrote it."""

import resource
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("safetensors", reason="needs the `generate` extra")

from generator.models.resume import Checkpoint, CheckpointUnwritable, load_checkpoint

pytestmark = pytest.mark.generate


@pytest.fixture
def checkpoint() -> Checkpoint:
    arrays = {"latents": np.arange(8, dtype=np.float32), "timestep_0": np.array(875)}
    return Checkpoint("run-1", 5, {"high": 3, "low": 2}, arrays)


def test_what_was_saved_comes_back(checkpoint: Checkpoint, tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "run")

    found = load_checkpoint(tmp_path / "run", key="run-1")

    assert found is not None
    assert (found.step, dict(found.numbers)) == (5, {"high": 3, "low": 2})
    np.testing.assert_array_equal(found.arrays["latents"], checkpoint.arrays["latents"])
    assert found.arrays["timestep_0"].shape == ()


def test_saving_leaves_nothing_else_behind(checkpoint: Checkpoint, tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "run")

    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_another_run_does_not_take_it_up(checkpoint: Checkpoint, tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "run")

    assert load_checkpoint(tmp_path / "run", key="run-2") is None


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x08\x00\x00\x00\x00\x00\x00\x00{}      "])
def test_a_torn_file_counts_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run").write_bytes(content)

    assert load_checkpoint(tmp_path / "run", key="run-1") is None


def test_a_half_written_file_counts_as_none(checkpoint: Checkpoint, tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "run")
    whole = (tmp_path / "run").read_bytes()
    (tmp_path / "run").write_bytes(whole[:-9])

    assert load_checkpoint(tmp_path / "run", key="run-1") is None


def test_no_file_counts_as_none(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path / "none", key="run-1") is None


def test_a_full_disk_is_told_in_a_sentence_and_leaves_nothing_behind(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))  # bytes: a disk on which no more fit
    try:
        with pytest.raises(CheckpointUnwritable, match="run cannot be written"):
            checkpoint.save(tmp_path / "run")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert list(tmp_path.iterdir()) == []
