"""Everything that can be read from one file: Content Credentials, pictures, marks.

`examine` does the work. `examine_confined` has a child process with limits do it (`sandbox.py`),
which is how every file from outside is looked at; `answer` is what that child calls.
"""

import hashlib
import importlib.metadata
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from provenance import credentials
from provenance.credentials import CredentialsEvidence
from provenance.errors import MarkError, MediaError
from provenance.sandbox import ProcessLimits, run_child
from provenance.trust import TrustList, TrustLists
from provenance.video import MediaLimits, VideoFile, open_video
from provenance.watermark import Detection, Watermarker

WATERMARKERS = "countermark.watermarkers"  # the entry point group
CHUNK_BYTES = 2**20
LIBRARIES = ("countermark", "c2pa-python", "encypher-c2pa", "av", "opencv-python-headless")


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


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """What decoding the pictures showed."""

    container: str
    codec: str
    width: int
    height: int
    frame_rate: str  # a fraction, such as 30000/1001
    has_sound: bool


@dataclass(frozen=True, slots=True)
class Examination:
    """What was read from the file. Judging it is somebody else's work."""

    size: int
    sha256: str
    media: MediaFacts | None
    media_problem: str | None  # why the pictures could not be read, or not to the end
    credentials: CredentialsEvidence
    marks: tuple[Detection, ...]
    mark_problem: str | None  # why marks could not be looked for
    unlimited: tuple[str, ...]  # limits that the system did not let us set
    versions: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; `from_json` reads them back."""
        return {
            "size": self.size,
            "sha256": self.sha256,
            "media": None if self.media is None else asdict(self.media),
            "media_problem": self.media_problem,
            "credentials": self.credentials.to_json(),
            "marks": [mark.to_json() for mark in self.marks],
            "mark_problem": self.mark_problem,
            "versions": dict(self.versions),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return the examination that `to_json` wrote."""
        media = values["media"]
        return cls(
            size=values["size"],
            sha256=values["sha256"],
            media=None if media is None else MediaFacts(**media),
            media_problem=values["media_problem"],
            credentials=CredentialsEvidence.from_json(values["credentials"]),
            marks=tuple(Detection.from_json(mark) for mark in values["marks"]),
            mark_problem=values["mark_problem"],
            unlimited=(),
            versions=values["versions"],
        )


def examine_confined(path: Path, question: Question, limits: ProcessLimits) -> Examination:
    """Examine a file in a child process with limits on time, memory, files and network.

    Raises:
        ExaminationFailed: the child died or overran its limits; the file is to blame.
    """
    asked = {
        "path": str(path.resolve()),
        "limits": asdict(question.limits),
        "claim_trust": [_list_to_json(t) for t in question.trust.claim],
        "timestamp_trust": [_list_to_json(t) for t in question.trust.timestamp],
        "mark_keys": [[key.method, key.secret.hex()] for key in question.mark_keys],
    }
    answered, unlimited = run_child(__name__, asked, limits)
    return replace(Examination.from_json(answered), unlimited=unlimited)


def examine(path: Path, question: Question) -> Examination:
    """Examine a file in this very process: for our own files, and inside the child.

    1. Hash the bytes. 2. Read the Content Credentials. 3. Decode, and look for each mark.
    """
    size, sha256 = _digest(path)  # (1)
    evidence = credentials.examine(path, question.trust)  # (2)
    media, media_problem = _open(path, question.limits)  # (3)
    marks: list[Detection] = []
    mark_problem = None
    if media is not None:
        try:
            for key in question.mark_keys:
                found, media_problem = _look_for_mark(media, key)
                marks.append(found)
        except MarkError as error:
            mark_problem = str(error)
    return Examination(
        size=size,
        sha256=sha256,
        media=None if media is None else _facts(media),
        media_problem=media_problem,
        credentials=evidence,
        marks=tuple(marks),
        mark_problem=mark_problem,
        unlimited=(),
        versions={name: importlib.metadata.version(name) for name in LIBRARIES},
    )


def answer(values: Mapping[str, Any]) -> dict[str, Any]:
    """Answer the question that `examine_confined` asked, as the confined child."""
    question = Question(
        limits=MediaLimits(**values["limits"]),
        trust=TrustLists(
            claim=tuple(_list_from_json(v) for v in values["claim_trust"]),
            timestamp=tuple(_list_from_json(v) for v in values["timestamp_trust"]),
        ),
        mark_keys=tuple(MarkKey(m, bytes.fromhex(secret)) for m, secret in values["mark_keys"]),
    )
    return examine(Path(values["path"]), question).to_json()


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


def _digest(path: Path) -> tuple[int, str]:
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            size += len(chunk)
            digest.update(chunk)
    return size, digest.hexdigest()


def _open(path: Path, limits: MediaLimits) -> tuple[VideoFile | None, str | None]:
    try:
        return open_video(path, limits), None
    except MediaError as error:
        return None, str(error)


def _look_for_mark(media: VideoFile, key: MarkKey) -> tuple[Detection, str | None]:
    """Return what one key finds, and where decoding stopped if it did not reach the end."""
    problems: list[str] = []

    def until_damage() -> Iterator[NDArray[np.uint8]]:
        try:
            yield from media.luma()
        except MediaError as error:
            problems.append(str(error))

    detection = load_watermarker(key.method, key.secret).detect(until_damage())
    return detection, problems[0] if problems else None


def _facts(media: VideoFile) -> MediaFacts:
    shape = media.shape
    return MediaFacts(
        container=media.container,
        codec=media.codec,
        width=shape.width,
        height=shape.height,
        frame_rate=str(shape.frame_rate),
        has_sound=media.has_sound,
    )


def _list_to_json(trusted: TrustList) -> dict[str, Any]:
    return {"name": trusted.name, "pem": trusted.pem.decode("latin-1"), "date": trusted.date}


def _list_from_json(values: Mapping[str, Any]) -> TrustList:
    return TrustList(name=values["name"], pem=values["pem"].encode("latin-1"), date=values["date"])
