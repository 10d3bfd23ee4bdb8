"""A released file reaches its place whole, once, and replaces nothing."""

import hashlib
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
    (tmp_path / ".clip.mp4.a1.part").write_bytes(b"half of it")

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
    (tmp_path / ".clip.mp4.a1.part").write_bytes(b"half of it")

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
