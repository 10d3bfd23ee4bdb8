"""A released file reaches its place whole, once, and replaces nothing."""

import errno
import hashlib
import os
import resource
from pathlib import Path

import pytest

from generator.errors import PublishFailed, RequestInvalid
from generator.publish import discard_unpublished, file_sha256, publish, refuse_taken

CONTENT = b"a signed clip" * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def staged(tmp_path: Path) -> Path:
    path = tmp_path / "private" / "signed.mp4"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    return path


def test_a_file_is_published_and_nothing_else_is_left(staged: Path, tmp_path: Path) -> None:
    publish(staged, tmp_path / "clip.mp4", sha256=DIGEST, attempt_id="a1")

    assert file_sha256(tmp_path / "clip.mp4") == DIGEST
    assert sorted(p.name for p in tmp_path.iterdir()) == ["clip.mp4", "private"]


def test_publishing_again_after_a_crash_is_harmless(staged: Path, tmp_path: Path) -> None:
    (tmp_path / ".a1.part").write_bytes(b"half of it")

    publish(staged, tmp_path / "clip.mp4", sha256=DIGEST, attempt_id="a1")
    publish(staged, tmp_path / "clip.mp4", sha256=DIGEST, attempt_id="a1")

    assert sorted(p.name for p in tmp_path.iterdir()) == ["clip.mp4", "private"]


def test_a_file_that_took_the_place_meanwhile_stays_what_it_was(
    staged: Path, tmp_path: Path
) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"somebody else's")

    with pytest.raises(PublishFailed, match="was taken by another file"):
        publish(staged, tmp_path / "clip.mp4", sha256=DIGEST, attempt_id="a1")

    assert (tmp_path / "clip.mp4").read_bytes() == b"somebody else's"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["clip.mp4", "private"]


def test_what_an_interrupted_publication_left_can_be_discarded(tmp_path: Path) -> None:
    (tmp_path / ".a1.part").write_bytes(b"half of it")

    discard_unpublished(tmp_path / "clip.mp4", "a1")
    discard_unpublished(tmp_path / "clip.mp4", "a1")

    assert list(tmp_path.iterdir()) == []


def test_a_target_that_cannot_be_used_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "there.mp4").write_bytes(b"x")

    with pytest.raises(RequestInvalid, match="never replaced"):
        refuse_taken(tmp_path / "there.mp4")
    with pytest.raises(RequestInvalid, match="does not exist"):
        refuse_taken(tmp_path / "nowhere" / "clip.mp4")
    refuse_taken(tmp_path / "free.mp4")


def test_a_name_as_long_as_the_file_system_allows_is_published_and_a_longer_one_refused(
    staged: Path, tmp_path: Path
) -> None:
    longest = "n" * (os.pathconf(tmp_path, "PC_NAME_MAX") - len(".mp4")) + ".mp4"

    refuse_taken(tmp_path / longest)
    publish(staged, tmp_path / longest, sha256=DIGEST, attempt_id="a1")

    assert file_sha256(tmp_path / longest) == DIGEST
    with pytest.raises(RequestInvalid, match="choose a shorter one"):
        refuse_taken(tmp_path / f"n{longest}")
    with pytest.raises(RequestInvalid, match="no place for a file"):
        refuse_taken(tmp_path / "/".join(["deep"] * 1000) / "clip.mp4")


@pytest.mark.parametrize("code", [errno.EPERM, errno.EOPNOTSUPP])
def test_a_file_system_without_hard_links_is_named_as_the_cause(
    staged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", refuse)  # none is at hand in a test

    with pytest.raises(PublishFailed, match="no hard links"):
        publish(staged, tmp_path / "clip.mp4", sha256=DIGEST, attempt_id="a1")

    assert sorted(p.name for p in tmp_path.iterdir()) == ["private"]


def test_a_copy_that_breaks_off_leaves_nothing_beside_the_place(
    staged: Path, tmp_path: Path
) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, before[1]))
    try:
        with pytest.raises(PublishFailed, match="free some space"):
            publish(staged, tmp_path / "clip.mp4", sha256=DIGEST, attempt_id="a1")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert sorted(p.name for p in tmp_path.iterdir()) == ["private"]
