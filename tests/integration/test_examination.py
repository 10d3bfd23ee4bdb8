"""What is read from one file: once, from one descriptor, to the end, and said in plain words."""

import hashlib
import mmap
import os
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from provenance import credentials, examiner
from provenance.errors import ExaminationFailed, MediaError
from provenance.examination import (
    Decoding,
    MarkKey,
    Question,
    examine_confined,
    examine_open,
    open_file,
)
from provenance.sandbox import ProcessLimits
from provenance.trust import TrustLists
from provenance.video import MediaLimits, open_video
from provenance.watermark import MarkState, Picture
from tests.support.drawing import drawn_video
from tests.support.pki import Desk

LIMITS = ProcessLimits()
NOTHING_BELIEVED = Question(MediaLimits(), TrustLists())
ONE_KEY = MarkKey("tile", b"1" * 32)
TWO_KEYS = replace(NOTHING_BELIEVED, mark_keys=(ONE_KEY, MarkKey("tile", b"2" * 32)))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return drawn_video(tmp_path_factory.mktemp("examination") / "clip.mp4", 8)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk.open(tmp_path_factory.mktemp("desk"))


@dataclass(slots=True)
class Onlooker:
    """A watch that only notes which frame it is shown, in a book that several may share."""

    name: str
    book: list[tuple[str, int]] = field(default_factory=list)

    def offer(self, frame: Picture) -> None:
        assert frame.ndim == 2
        self.book.append((self.name, sum(name == self.name for name, _ in self.book)))


@contextmanager
def written_to(path: Path) -> Iterator[None]:
    """Keep appending to a file."""
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            with path.open("ab") as file:
                file.write(b"\0")
            time.sleep(0.01)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        stop.set()
        writer.join()


@contextmanager
def changed_through_a_mapping(path: Path) -> Iterator[None]:
    """Keep counting in the last four bytes of a file."""
    stop = threading.Event()
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapping:
        mapping[-4:] = struct.pack(">I", 1)

        def write() -> None:
            count = 1
            while not stop.wait(0.01):
                count += 1
                mapping[-4:] = struct.pack(">I", count)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            yield
        finally:
            stop.set()
            writer.join()


def test_a_file_is_read_whole_and_its_digest_is_that_of_its_bytes(clip: Path) -> None:
    seen = examine_confined(clip, TWO_KEYS, LIMITS)

    assert seen.sha256 == hashlib.sha256(clip.read_bytes()).hexdigest()
    assert seen.size == clip.stat().st_size
    assert seen.decoding is Decoding.WHOLE
    assert seen.media is not None
    assert (seen.media.width, seen.media.height) == (320, 240)
    assert (seen.media_problem, seen.mark_problem) == (None, None)
    assert [mark.frames for mark in seen.marks] == [8, 8]
    assert {mark.state for mark in seen.marks} == {MarkState.NOT_FOUND}
    assert len({mark.key_id for mark in seen.marks}) == 2


def test_every_method_sees_every_frame_in_one_pass(clip: Path) -> None:
    book: list[tuple[str, int]] = []
    names = ("first", "second")
    marks = examiner.Marks({name: examiner.Looking(Onlooker(name, book), []) for name in names})

    decoding, problem = examiner.decode(
        open_video(clip, MediaLimits()), [marks], until=time.monotonic() + 60
    )

    assert (decoding, problem) == (Decoding.WHOLE, None)
    assert book == [(name, frame) for frame in range(8) for name in ("first", "second")]


def test_keys_of_one_method_share_one_look() -> None:
    marks = examiner.Marks()

    for secret in (b"1" * 32, b"2" * 32):
        marks.begin("tile", secret)

    assert [len(looking.markers) for looking in marks.methods.values()] == [2]


def test_what_the_child_says_of_credentials_arrives_as_it_was_found(
    desk: Desk, clip: Path, tmp_path: Path
) -> None:
    signed = tmp_path / "signed.mp4"
    desk.sign(clip, signed)
    found = credentials.examine(signed, desk.trust)

    seen = examine_confined(signed, replace(NOTHING_BELIEVED, trust=desk.trust), LIMITS)

    assert seen.credentials == replace(found, first=replace(found.first, store={}))


@pytest.mark.parametrize("keys", [(), (ONE_KEY,)])
def test_pictures_are_decoded_to_the_end_with_and_without_a_key(
    clip: Path, tmp_path: Path, keys: tuple[MarkKey, ...]
) -> None:
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(clip.read_bytes()[: int(clip.stat().st_size * 0.7)])

    seen = examine_confined(cut, replace(NOTHING_BELIEVED, mark_keys=keys), LIMITS)

    assert seen.decoding in {Decoding.DAMAGED, Decoding.UNREADABLE}
    assert str(seen.media_problem).startswith("cut.mp4 ")


def test_messages_call_a_file_what_its_sender_calls_it(tmp_path: Path) -> None:
    (tmp_path / "copy").write_bytes(b"no video")

    seen = examine_confined(tmp_path / "copy", NOTHING_BELIEVED, LIMITS, name="holiday.mov")

    assert seen.decoding is Decoding.UNREADABLE
    assert str(seen.media_problem).startswith("holiday.mov ")


def test_pictures_are_looked_at_as_long_as_there_is_time_and_the_answer_says_how_far(
    clip: Path,
) -> None:
    marks = examiner.Marks()

    decoding, problem = examiner.decode(
        open_video(clip, MediaLimits()), [marks], until=time.monotonic() - 1
    )

    assert decoding is Decoding.STOPPED
    assert str(problem).startswith("only the first 1 frames were looked at")


def test_a_clip_beyond_the_limits_is_unsupported_and_not_unreadable(clip: Path) -> None:
    small = replace(NOTHING_BELIEVED, limits=MediaLimits(max_pixels=100))

    seen = examine_confined(clip, small, LIMITS)

    assert seen.decoding is Decoding.UNSUPPORTED
    assert "at most 100 pixels" in str(seen.media_problem)


def test_a_method_that_is_not_installed_leaves_the_rest_of_the_answer(clip: Path) -> None:
    asked = replace(NOTHING_BELIEVED, mark_keys=(MarkKey("glow", b"1" * 32), ONE_KEY))

    seen = examine_confined(clip, asked, LIMITS)

    assert "no watermarking method 'glow'" in str(seen.mark_problem)
    assert len(seen.marks) == 1
    assert seen.decoding is Decoding.WHOLE


def test_pictures_too_small_for_a_mark_are_decoded_all_the_same(tmp_path: Path) -> None:
    tiny = drawn_video(tmp_path / "tiny.mp4", 3, width=16, height=8)

    seen = examine_confined(tiny, TWO_KEYS, LIMITS)

    assert seen.decoding is Decoding.WHOLE
    assert seen.marks == ()
    assert "16 pixels" in str(seen.mark_problem)


def test_a_file_swapped_in_meanwhile_is_not_the_one_that_is_judged(
    clip: Path, desk: Desk, tmp_path: Path
) -> None:
    path = tmp_path / "inbox.mp4"
    path.write_bytes(clip.read_bytes())
    desk.sign(clip, tmp_path / "signed.mp4")

    with open_file(path, MediaLimits().max_bytes) as file:
        (tmp_path / "signed.mp4").replace(path)
        seen = examine_open(file, "inbox.mp4", NOTHING_BELIEVED, LIMITS)

    assert seen.sha256 == hashlib.sha256(clip.read_bytes()).hexdigest()
    assert seen.credentials.presence is credentials.Presence.ABSENT


def test_a_file_that_is_written_to_meanwhile_is_not_judged(clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "growing.mp4"
    path.write_bytes(clip.read_bytes())

    with written_to(path), pytest.raises(ExaminationFailed, match=r"growing.mp4 was changed while"):
        examine_confined(path, NOTHING_BELIEVED, LIMITS)


def test_a_file_that_is_changed_through_a_mapping_is_not_judged(clip: Path, tmp_path: Path) -> None:
    """The file's times move at the first such write alone, which was before we opened it."""
    path = tmp_path / "mapped.mp4"
    path.write_bytes(clip.read_bytes() + struct.pack(">I4sI", 12, b"free", 0))

    with (
        changed_through_a_mapping(path),
        pytest.raises(ExaminationFailed, match="was changed while"),
    ):
        examine_confined(path, NOTHING_BELIEVED, LIMITS)


@pytest.mark.parametrize("kind", ["nothing", "folder", "pipe", "device", "large"])
def test_what_is_no_file_to_examine_is_told_in_one_sentence(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "thing"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path = Path("/dev/zero")
    elif kind == "large":
        path.write_bytes(b"12345")
    question = replace(NOTHING_BELIEVED, limits=MediaLimits(max_bytes=4))

    with pytest.raises(MediaError, match=r"name a file|at most 4 are taken") as refused:
        examine_confined(path, question, LIMITS)

    assert "\n" not in str(refused.value)
