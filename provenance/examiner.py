"""Read one open file: what the confined child does (`confinement.py`), and nobody else.

1. `prepare`: load the methods that look for marks, before a byte of the file is read.
2. Read the Content Credentials; that is the first part of the answer.
3. Decode the pictures once, to the end, and show each to every method and to whoever keeps some to
   compare (`fingerprint/glimpse.py`); the second part.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

from provenance import credentials
from provenance.credentials import CredentialsEvidence
from provenance.errors import FingerprintError, MarkError, MediaError, UnsupportedMedia
from provenance.examination import (
    CREDENTIALS_PART,
    PICTURES_PART,
    Decoding,
    MediaFacts,
    PicturesSeen,
    load_watermarker,
)
from provenance.fingerprint.glimpse import GlimpseText, glimpse_of, written
from provenance.fingerprint.sampling import Sampler
from provenance.trust import TrustList, TrustLists
from provenance.video import MediaLimits, VideoFile, open_video
from provenance.watermark import Detection, Picture, Watch, Watermarker


class Watcher(Protocol):
    """Whoever looks at every frame, in order."""

    def offer(self, luma: Picture) -> None:
        """Look at the next frame's luma."""


@dataclass(slots=True)
class Looking:
    """One look at the pictures for all keys of a method."""

    watch: Watch
    markers: list[Watermarker]


@dataclass(slots=True)
class Marks:
    """The looks for marks that are under way, by method."""

    methods: dict[str, Looking] = field(default_factory=dict)
    problem: str | None = None

    def begin(self, method: str, secret: bytes) -> None:
        """Add a key to look for."""
        try:
            marker = load_watermarker(method, secret)
        except MarkError as error:
            self.problem = str(error)
            return
        if method not in self.methods:
            self.methods[method] = Looking(marker.watch(), [])
        self.methods[method].markers.append(marker)

    def offer(self, luma: Picture) -> None:
        """Show a frame to every method; one that cannot use it ends."""
        for method, looking in tuple(self.methods.items()):
            try:
                looking.watch.offer(luma)
            except MarkError as error:
                self.problem = str(error)
                del self.methods[method]

    def results(self) -> Iterator[Detection]:
        """Yield what was found with each key."""
        for looking in self.methods.values():
            for marker in looking.markers:
                try:
                    yield marker.search(looking.watch)
                except MarkError as error:
                    self.problem = str(error)


class Keepsake:
    """Keeps some pictures of the clip, unless there is nothing to keep."""

    def __init__(self, frame_rate: Fraction) -> None:
        self._sampler = Sampler(frame_rate)
        self.problem: str | None = None

    def offer(self, luma: Picture) -> None:
        """Look at a frame; after one that cannot be kept, at none any more."""
        if self.problem is None:
            try:
                self._sampler.offer(luma)
            except FingerprintError as error:
                self.problem = str(error)

    def result(self) -> GlimpseText | None:
        """Return what was kept; None where `problem` says why there is nothing."""
        if self.problem is None:
            try:
                return written(glimpse_of(self._sampler.sighting()))
            except FingerprintError as error:
                self.problem = str(error)
        return None


def prepare(values: Mapping[str, Any], file: Path) -> Callable[[], Iterator[bytes]]:
    """Return what answers the question that `examination.examine_open` asked (1)."""
    until = time.monotonic() + values["decoding_seconds"]
    marks = Marks()
    for method, secret in values["mark_keys"]:
        marks.begin(method, bytes.fromhex(secret))
    limits = MediaLimits(**values["limits"])
    trust = TrustLists(
        claim=tuple(map(_list_from_json, values["claim_trust"])),
        timestamp=tuple(map(_list_from_json, values["timestamp_trust"])),
    )

    def answer() -> Iterator[bytes]:
        yield CREDENTIALS_PART.dump_json(_without_store(credentials.examine(file, trust)))  # (2)
        seen = _pictures(file, limits, marks, until)  # (3)
        yield PICTURES_PART.dump_json(_naming(values["name"], file, seen))

    return answer


def decode(
    media: VideoFile, watchers: Sequence[Watcher], until: float
) -> tuple[Decoding, str | None]:
    """Show every frame to every watcher; return how far that went, and why not further."""
    try:
        for frames, luma in enumerate(media.luma(), start=1):
            for watcher in watchers:
                watcher.offer(luma)
            if time.monotonic() > until:
                return Decoding.STOPPED, (
                    f"only the first {frames} frames were looked at, then the time was up; "
                    "raise provenance.examination_seconds or cut the clip"
                )
    except UnsupportedMedia as error:
        return Decoding.UNSUPPORTED, str(error)
    except MediaError as error:
        return Decoding.DAMAGED, str(error)
    return Decoding.WHOLE, None


def _pictures(file: Path, limits: MediaLimits, marks: Marks, until: float) -> PicturesSeen:
    try:
        media = open_video(file, limits)
    except UnsupportedMedia as error:
        return PicturesSeen(Decoding.UNSUPPORTED, None, str(error))
    except MediaError as error:
        return PicturesSeen(Decoding.UNREADABLE, None, str(error))
    keepsake = Keepsake(media.shape.frame_rate)
    decoding, problem = decode(media, (marks, keepsake), until)
    glimpse = keepsake.result()
    found = tuple(marks.results())
    return PicturesSeen(
        decoding, _facts(media), problem, found, marks.problem, glimpse, keepsake.problem
    )


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


def _without_store(evidence: CredentialsEvidence) -> CredentialsEvidence:
    """Leave out the verifier's whole report: what it says was taken from it."""
    return replace(evidence, first=replace(evidence.first, store={}))


def _naming(name: str, file: Path, seen: PicturesSeen) -> PicturesSeen:
    """Have a message call the file what its sender calls it, and not by a descriptor's number."""
    problem = seen.media_problem
    if problem is None or not problem.startswith(f"{file.name} "):
        return seen
    return replace(seen, media_problem=name + problem.removeprefix(file.name))


def _list_from_json(values: Mapping[str, Any]) -> TrustList:
    return TrustList(name=values["name"], pem=values["pem"].encode("latin-1"), date=values["date"])
