"""The invisible mark: a clip says in its pixels which record it belongs to.

This file has the words that others speak: what a watermarker does and what looking for a mark can
find. The one built-in implementation is `tile.py`; open that next. Implementations are found by
entry point (`countermark.watermarkers`) and each is a function of a 32-byte key.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from provenance.payload import LONG_MARK_ID_BITS, MARK_ID_BITS, MarkId

Picture = NDArray[
    np.uint8
]  # (height, width, 3) RGB, or (height, width) luma where a mark is only read

STRENGTHS = (1.0, 1.4, 2.0)
"""To try in turn: 1.0 is what the eye allows (docs/watermark.md), the others are for clips where
that does not read back."""

MAX_FALSE_ACCEPTS = 1e-6
"""Proven bound on the chance that a search of a file without a mark of this key reads an id; the
same for holding what it left against the issued ids, and for calling a mark present."""

CERTAIN = {MARK_ID_BITS: 14.0, LONG_MARK_ID_BITS: 18.0}
"""Statistic from which an id of so many bits is not another one misread either. Where a mark is
nearly lost the decoder may miss its payload, and a wrong one then has the right CRC once in 500,000
words. `benchmarks/watermark_null.py` counts such words and says how far a wrong one came in them:
to 13.4 with 64 bits, and with 128, of which more fit near any word, to 16.5."""


class MarkState(StrEnum):
    """What a search for a mark came to; chance is ruled out to MAX_FALSE_ACCEPTS for each."""

    FOUND = "found"  # a mark id was read
    PRESENT = "present"  # a mark of this key is there, and what it says is lost
    NOT_FOUND = "not_found"  # neither: the clip was never marked, or too much of it is lost


class Reading(StrEnum):
    """How an id was read: each way has a bound of its own on the chance of being wrong."""

    BLIND = "blind"  # decoded: every id was possible
    ISSUED = "issued"  # the one among the issued ids that what was received speaks for


@dataclass(frozen=True, slots=True)
class Geometry:
    """How the picture was changed since it was marked, as the mark's own grid shows it.

    A picture that was only resized has scale 1: scales are relative to the whole frame. Cropped to
    its left half and stretched back it would have scale_x = 2. The order, from the marked picture
    to the one at hand: mirror, scale, rotate.
    """

    scale_x: float  # how many times wider a thing looks, as a share of the short side, than it was
    scale_y: float  # the same, upright
    rotation_degrees: float  # counter-clockwise
    mirrored: bool  # left and right swapped
    shift_x: float  # where the grid lies, in its own pixels (short side 240), known modulo 64
    shift_y: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where in a clip the mark with the id that was read shows. Tells an attacker where to work.

    The numbers are statistics of a part alone, as `Detection.statistic` is of the whole. Where the
    mark is not they are about 0 +- 1, and more than 4 in one part in 30,000; so they are where it
    lies thin, between the patches of small and flat pictures. They describe the parts of a clip
    whose mark was found; the proof is that of the whole.
    """

    frames_per_moment: int  # of the clip, whether or not every one was looked at
    moments: tuple[float, ...]  # in order of time; the last may be shorter
    regions: tuple[tuple[float, ...], ...]  # rows of the picture at hand, equal parts, top left on


@dataclass(frozen=True, slots=True)
class Word:
    """What was received under one geometry, for `Watermarker.recognise`."""

    received: str  # base64 of one signed byte for each sign, in the order of the key's tables
    geometry: Geometry  # with the shift of the grid, before a clip's own place is known


@dataclass(frozen=True, slots=True)
class Detection:
    """What one search of one clip with one key found, with the evidence for it."""

    state: MarkState
    mark_id: MarkId | None  # there exactly when the state is FOUND
    reading: Reading  # how it was read, or was tried to be read
    log10_p: float  # log10 of a bound on the chance of evidence this strong in an unmarked clip
    presence_log10_p: float  # the same of a grid this clear, whatever the mark says
    statistic: float  # correlation with the code word over the root of the energy, best of all
    threshold: float  # the statistic that FOUND needs
    hypotheses: int  # words tried by `reading`; its bound pays for each with every possible id
    frames: int  # frames looked at
    geometry: Geometry | None  # of the best try; None when nothing was found
    evidence: Evidence | None  # None when nothing was found, or not in the pictures themselves
    words: tuple[Word, ...]  # the clearest, when no id was read
    algorithm: str
    key_id: str

    @property
    def certain(self) -> bool:
        """Whether it is this id that is there: neither chance nor another one misread.

        Who put it there is another question: marks can be copied and forged (docs/watermark.md).
        """
        return self.mark_id is not None and self.statistic >= CERTAIN[self.mark_id.bits]

    @property
    def independent(self) -> bool:
        """Whether it says something that a log with this id may be held against.

        An id that was chosen among those in a log is there by itself, however weak the mark.
        """
        return self.reading is Reading.BLIND or self.certain

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            **asdict(self),
            "state": self.state.value,
            "reading": self.reading.value,
            "mark_id": self.mark_id.hex if self.mark_id else None,
        }


class Watch(Protocol):
    """What the frames of one clip leave behind, the same for every key of a method."""

    def offer(self, frame: Picture) -> None:
        """Take in the next RGB or luma frame, in bounded memory.

        Raises:
            MarkDoesNotHold: when it is too small, or differs in size from those before.
        """


class Watermarker(Protocol):
    """Puts mark ids into pictures and finds them again, with one key."""

    @property
    def algorithm(self) -> str:
        """Which method this is, as the soft binding in a manifest names it."""

    @property
    def payload_bits(self) -> int:
        """How many bits the ids have that it puts into pictures: 64 or 128."""

    @property
    def key_id(self) -> str:
        """Which key this is, without saying the key: 8 hexadecimal digits."""

    def embed(
        self, frames: Iterable[Picture], mark_id: MarkId, *, strength: float = 1.0
    ) -> Iterator[Picture]:
        """Yield each RGB frame (height, width, 3) with the mark in it, one by one.

        Raises:
            MarkDoesNotHold: when the frames are too small for the mark, or differ in size.
            PayloadError: when the id has another number of bits.
        """

    def watch(self) -> Watch:
        """Begin to look at a clip, for this key and for others of the same method."""

    def search(self, seen: Any) -> Detection:  # noqa: ANN401 - what `watch` of this method gave
        """Look for a mark of this key in what the frames left behind.

        Args:
            seen: what `watch` returned, here or of another key, once it was shown every frame.

        Raises:
            MarkDoesNotHold: when there was no frame.
        """

    def detect(self, frames: Iterable[Picture]) -> Detection:
        """Look for a mark in RGB or luma frames, which are read once, in order, in bounded memory.

        Raises:
            MarkDoesNotHold: when there is no frame, or they differ in size.
        """

    def recognise(self, missed: Detection, issued: NDArray[np.uint8]) -> Detection:
        """Ask which of the issued ids it may have been, where a search with this key read none.

        Fewer ids are possible, so less evidence is enough. Returns the same detection where it
        is not.

        Args:
            missed: what the search came to.
            issued: the ids that are possible, (ids, payload bits / 8), most significant byte first.
                Ids issued under other keys only raise the evidence that is needed.

        Raises:
            PayloadError: when the words or the ids are not of this method.
        """
