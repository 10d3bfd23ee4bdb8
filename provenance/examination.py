"""Everything that can be read from one file: Content Credentials, pictures, marks.

    seen = examine_confined(path, Question(MediaLimits(), trust, mark_keys), ProcessLimits())

The file is opened once, here. A child process with limits (`sandbox.py`) reads it through that one
descriptor (`examiner.py` is what it runs), so whatever lies at the path later is not read. A file
that has other bytes afterwards is refused. Bytes that somebody changes while the child reads, and
then puts back, may go unnoticed: examine a file that nobody else can write to. The child answers in
two parts, credentials first: where a decoder breaks over the pictures, the first part stands.
"""

import hashlib
import importlib.metadata
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Final, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from provenance.credentials import CredentialsEvidence
from provenance.errors import (
    ExaminationFailed,
    MarkError,
    ProvenanceError,
    UnreadableMedia,
    UnsupportedMedia,
)
from provenance.fingerprint.glimpse import Glimpse, GlimpseText
from provenance.sandbox import ProcessLimits, Said, run_child
from provenance.trust import TrustList, TrustLists
from provenance.video import MediaLimits
from provenance.watermark import Detection, Watermarker

EXAMINER = "provenance.examiner"  # what the child runs
WATERMARKERS = "countermark.watermarkers"  # the entry point group
CHUNK_BYTES = 2**20
LIBRARIES = ("countermark", "c2pa-python", "encypher-c2pa", "av", "opencv-python-headless")
DECODING_SHARE = 0.75  # of the child's time; reading marks takes some seconds a key afterwards

_Part = TypeVar("_Part")
_NOT_ASKED = (
    "the process examining the file answered something else than what was asked; "
    "nothing that it said is believed"
)


@dataclass(frozen=True, slots=True)
class MarkKey:
    """A secret with which to look for a mark, and the method that it belongs to."""

    method: str  # entry point name
    secret: bytes


@dataclass(frozen=True, slots=True)
class Question:
    """What to look for in a file, and whom to believe."""

    limits: MediaLimits
    trust: TrustLists
    mark_keys: tuple[MarkKey, ...] = ()


class Decoding(StrEnum):
    """How far the pictures could be decoded."""

    WHOLE = "whole"
    DAMAGED = "damaged"  # up to some frame, where the file is cut off or broken
    STOPPED = "stopped"  # up to some frame, where the time was up
    UNSUPPORTED = "unsupported"  # longer, larger or of another kind than we take
    UNREADABLE = "unreadable"  # no video that we can parse
    BROKE_OFF = "broke_off"  # the process died over it


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """What the container says of the pictures."""

    container: str
    codec: str
    width: int
    height: int
    frame_rate: str  # a fraction, such as 30000/1001
    has_sound: bool

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[1-9][0-9]{0,9}(/[1-9][0-9]{0,9})?", self.frame_rate):
            raise UnreadableMedia(
                f"a frame rate is a positive fraction such as 30000/1001, not "
                f"{self.frame_rate[:40]!r}; examine the file anew"
            )


@dataclass(frozen=True, slots=True)
class PicturesSeen:
    """The second part of the child's answer."""

    __pydantic_config__: ClassVar = ConfigDict(allow_inf_nan=False)  # JSON has neither

    decoding: Decoding
    media: MediaFacts | None
    media_problem: str | None
    marks: tuple[Detection, ...] = ()
    mark_problem: str | None = None
    glimpse: GlimpseText | None = None
    glimpse_problem: str | None = None


@dataclass(frozen=True, slots=True)
class Examination:
    """What was read from the file. Judging it is somebody else's work."""

    size: int
    sha256: str
    credentials: CredentialsEvidence
    decoding: Decoding
    media: MediaFacts | None  # None where the pictures could not be opened
    media_problem: str | None  # why the pictures could not be read, or not to the end
    marks: tuple[Detection, ...]
    mark_problem: str | None  # why marks could not be looked for
    glimpse: Glimpse | None  # of the pictures, to compare; None where there is nothing to see
    glimpse_problem: str | None  # why there is none
    unlimited: tuple[str, ...]  # limits that the system did not let us set
    versions: Mapping[str, str]


CREDENTIALS_PART: Final = TypeAdapter(CredentialsEvidence)
PICTURES_PART: Final = TypeAdapter(PicturesSeen)
"""How the two parts of the answer are written as JSON, and checked when they are read."""


def examine_confined(
    path: Path, question: Question, limits: ProcessLimits, *, name: str | None = None
) -> Examination:
    """Examine a file in a child process with limits on time, memory, files and network.

    Args:
        path: of the file; opened once.
        question: what to look for.
        limits: for the child.
        name: what messages call the file; the last part of its path where none is given.

    Raises:
        UnreadableMedia: there is no such file.
        UnsupportedMedia: it is larger than the question's limit.
        ExaminationFailed: the child died or overran its limits over it before it said anything, or
            answered nonsense; the file is to blame.
        ExaminationUnavailable: the child could not be started or confined.
    """
    with open_file(path, question.limits.max_bytes) as file:
        return examine_open(file, name or path.name, question, limits)


def examine_open(
    file: BinaryIO, name: str, question: Question, limits: ProcessLimits
) -> Examination:
    """Examine an open file, whatever its path leads to by now; see `examine_confined`."""
    before = os.fstat(file.fileno())
    # What a file's digest is, a process that the file may have taken over must not decide.
    size, sha256 = _digest(file.fileno())
    asked = {
        "name": name,
        "limits": asdict(question.limits),
        "decoding_seconds": limits.seconds * DECODING_SHARE,
        "claim_trust": [_list_to_json(t) for t in question.trust.claim],
        "timestamp_trust": [_list_to_json(t) for t in question.trust.timestamp],
        "mark_keys": [[key.method, key.secret.hex()] for key in question.mark_keys],
    }
    said = run_child(EXAMINER, asked, limits, descriptor=file.fileno())
    after = os.fstat(file.fileno())
    # The times alone would miss a change within one tick of the clock, or through a mapping.
    changed = (before.st_size, before.st_ctime_ns) != (after.st_size, after.st_ctime_ns)
    if changed or _digest(file.fileno()) != (size, sha256):
        raise ExaminationFailed(
            f"{name} was changed while it was examined; examine a copy that nobody writes to"
        )
    return assembled(said, size=size, sha256=sha256)


def assembled(said: Said, *, size: int, sha256: str) -> Examination:
    """Return what a child said as an examination, after checking its shape.

    Raises:
        ExaminationFailed: it said nothing, or nothing of the shape that was agreed on.
    """
    if len(said.parts) > 2 or (len(said.parts) < 2 and said.broke_off is None):
        raise ExaminationFailed(
            f"the process examining the file gave {len(said.parts)} answers where two belong; "
            "nothing that it said is believed"
        )
    if not said.parts:
        raise ExaminationFailed(said.broke_off or "the process examining the file said nothing")
    pictures = (
        _checked(PICTURES_PART, said.parts[1])
        if len(said.parts) == 2
        else PicturesSeen(
            decoding=Decoding.BROKE_OFF,
            media=None,
            media_problem=said.broke_off,
            mark_problem=said.broke_off,
            glimpse_problem=said.broke_off,
        )
    )
    return Examination(
        size=size,
        sha256=sha256,
        credentials=_checked(CREDENTIALS_PART, said.parts[0]),
        decoding=pictures.decoding,
        media=pictures.media,
        media_problem=pictures.media_problem,
        marks=pictures.marks,
        mark_problem=pictures.mark_problem,
        glimpse=_glimpse(pictures.glimpse),
        glimpse_problem=pictures.glimpse_problem
        or (pictures.media_problem if pictures.glimpse is None else None),
        unlimited=said.unlimited,
        versions={name: importlib.metadata.version(name) for name in LIBRARIES},
    )


@contextmanager
def open_file(path: Path, max_bytes: int) -> Iterator[BinaryIO]:
    """Open a file that somebody brought, for reading.

    Raises:
        UnreadableMedia: there is no such file, or it is a folder, a pipe or a device.
        UnsupportedMedia: it has more bytes than are taken.
    """
    try:
        # Without O_NONBLOCK, opening a pipe waits for somebody to write to it.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise UnreadableMedia(f"{path} cannot be opened ({error.strerror}); name a file") from error
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise UnreadableMedia(f"{path} is not a file that can be read; name a file")
        if found.st_size > max_bytes:
            raise UnsupportedMedia(
                f"{path.name} has {found.st_size} bytes and at most {max_bytes} are taken; "
                "shrink it, or raise provenance.max_file_mib"
            )
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            yield file
    finally:
        os.close(descriptor)


def load_watermarker(method: str, secret: bytes) -> Watermarker:
    """Load one listed watermarking method by entry point.

    Raises:
        MarkError: no installed distribution offers it.
    """
    found = importlib.metadata.entry_points(group=WATERMARKERS, name=method)
    if not found:
        raise MarkError(
            f"no watermarking method {method!r} is installed; "
            "correct provenance.watermarkers or install the plug-in"
        )
    watermarker: Watermarker = next(iter(found)).load()(secret)
    return watermarker


def _checked(part: TypeAdapter[_Part], line: bytes) -> _Part:
    try:
        return part.validate_json(line, strict=True)
    except (ValidationError, ProvenanceError) as error:  # values refuse what they cannot be
        raise ExaminationFailed(_NOT_ASKED) from error


def _glimpse(text: GlimpseText | None) -> Glimpse | None:
    try:
        return None if text is None else text.glimpse()
    except ProvenanceError as error:
        raise ExaminationFailed(_NOT_ASKED) from error


def _digest(descriptor: int) -> tuple[int, str]:
    """Return the size and the SHA-256 of what a file holds now, whatever was read of it before."""
    digest = hashlib.sha256()
    size = 0
    while chunk := os.pread(descriptor, CHUNK_BYTES, size):
        size += len(chunk)
        digest.update(chunk)
    return size, digest.hexdigest()


def _list_to_json(trusted: TrustList) -> dict[str, Any]:
    return {"name": trusted.name, "pem": trusted.pem.decode("latin-1"), "date": trusted.date}
