"""A sealed clip is whole or not there, replaces nothing, and opens under its own key alone."""

import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from generator.holding import CHUNK_BYTES, Holding
from provenance.errors import StorageFailed
from tests.support.drawing import drawn_clip

KEY = bytes(range(32))


@pytest.fixture
def holding(tmp_path: Path) -> Holding:
    folder = tmp_path / "held"
    folder.mkdir()
    return Holding(folder, KEY)


@contextmanager
def files_of_at_most(limit: int) -> Iterator[None]:
    """Let the kernel refuse longer files, as it refuses them on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1])
def test_what_was_sealed_opens_as_it_was(holding: Holding, tmp_path: Path, size: int) -> None:
    content = np.random.default_rng(size).bytes(size)
    (tmp_path / "in").write_bytes(content)

    digest = holding.seal(tmp_path / "in", "a1")

    assert names(holding.folder) == ["a1.sealed"]
    assert holding.unseal("a1", tmp_path / "out") == digest
    assert (tmp_path / "out").read_bytes() == content


def test_a_clip_that_lies_in_no_file_is_sealed_without_loss(
    holding: Holding, tmp_path: Path
) -> None:
    clip = drawn_clip(5)

    holding.seal_clip(clip, tmp_path, "a1")

    holding.unseal("a1", tmp_path / "out.npy")
    assert np.array_equal(np.load(tmp_path / "out.npy"), clip.array)


def test_a_sealed_file_that_is_there_stays_what_it_is(holding: Holding, tmp_path: Path) -> None:
    (holding.folder / "a1.sealed").write_bytes(b"somebody's")
    (tmp_path / "in").write_bytes(b"mine")

    with pytest.raises(StorageFailed, match="File exists"):
        holding.seal(tmp_path / "in", "a1")

    assert (holding.folder / "a1.sealed").read_bytes() == b"somebody's"
    assert names(holding.folder) == ["a1.sealed"]


def test_a_full_disk_leaves_no_half_a_sealed_file(holding: Holding, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(bytes(200_000))

    with files_of_at_most(50_000), pytest.raises(StorageFailed, match="free some space"):
        holding.seal(tmp_path / "in", "a1")
    with files_of_at_most(50_000), pytest.raises(StorageFailed, match="free some space"):
        holding.seal_clip(drawn_clip(5), tmp_path, "a2")

    assert names(holding.folder) == []


def test_an_interrupted_sealing_leaves_nothing_and_can_be_repeated(
    holding: Holding, tmp_path: Path
) -> None:
    with (tmp_path / "in").open("wb") as file:
        file.truncate(4 * 2**30)  # takes seconds to seal and no room on the disk
    script = (
        "import sys; from pathlib import Path; from generator.holding import Holding\n"
        f"Holding(Path(sys.argv[1]), {KEY!r}).seal(Path(sys.argv[2]), 'a1')"
    )
    command = [sys.executable, "-c", script, str(holding.folder), str(tmp_path / "in")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        while not names(holding.folder):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)

    assert process.returncode != 0
    assert names(holding.folder) == []

    (holding.folder / ".a1.part").write_bytes(b"what a power cut left")
    (tmp_path / "in").write_bytes(b"short")
    holding.seal(tmp_path / "in", "a1")
    assert names(holding.folder) == ["a1.sealed"]


def test_a_sealed_file_that_was_cut_opens_nothing_and_the_place_stays_free(
    holding: Holding, tmp_path: Path
) -> None:
    (tmp_path / "in").write_bytes(bytes(2 * CHUNK_BYTES))
    holding.seal(tmp_path / "in", "a1")
    sealed = holding.folder / "a1.sealed"
    sealed.write_bytes(sealed.read_bytes()[: CHUNK_BYTES + 32])

    with pytest.raises(StorageFailed, match="does not open"):
        holding.unseal("a1", tmp_path / "out")

    assert not (tmp_path / "out").exists()


def test_opening_a_held_clip_replaces_no_file(holding: Holding, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"mine")
    holding.seal(tmp_path / "in", "a1")
    (tmp_path / "out").write_bytes(b"somebody's")

    with pytest.raises(StorageFailed, match="the place is taken"):
        holding.unseal("a1", tmp_path / "out")

    assert (tmp_path / "out").read_bytes() == b"somebody's"
