"""The invisible mark: a clip says in its pixels which record it belongs to.

This file has the words that others speak: what a watermarker does and what looking for a mark can
find. The one built-in implementation is `tile.py`; open that next. Implementations are found by
entry point (`countermark.watermarkers`) and each is a function of a 32-byte key.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from provenance.errors import PayloadError
from provenance.payload import LONG_MARK_ID_BITS, MARK_ID_BITS, MarkId

Picture = NDArray[
    np.uint8
]  # (height, width, 3) RGB, or (height, width) luma where a mark is only read

STRENGTHS = (1.0, 1.4, 2.0)
"""To try in turn: 1.0 is what the eye allows (docs/watermark.md), the others are for clips where
that does not read back."""

MAX_FALSE_ACCEPTS = 1e-6
"""Proven bound on the chance that a search of a file without a mark of this key finds one."""

CERTAIN = {MARK_ID_BITS: 14.0, LONG_MARK_ID_BITS: 18.0}
"""Statistic from which an id of so many bits is not another one misread either. Where a mark is
nearly lost the decoder may miss its payload, and a wrong one then has the right CRC once in 500,000
words. `benchmarks/watermark_null.py` counts such words and says how far a wrong one came in them:
to 12.8 with 64 bits, and with 128, of which more fit near any word, to 16.1."""


class MarkState(StrEnum):
    """What a search for a mark came to."""

    FOUND = "found"  # a mark id was read, and chance is ruled out to MAX_FALSE_ACCEPTS
    NOT_FOUND = "not_found"  # none was read: the clip was never marked, or too much of it is lost


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
class Detection:
    """What one search of one clip with one key found, with the evidence for it."""

    state: MarkState
    mark_id: MarkId | None  # there exactly when the state is FOUND
    log10_p: float  # log10 of a bound on the chance of evidence this strong in an unmarked clip
    statistic: float  # correlation with the code word over the root of the energy, best of all
    threshold: float  # the statistic that FOUND needs
    hypotheses: int  # tries that the bound pays for
    frames: int  # frames looked at
    geometry: Geometry | None  # of the best try; None when nothing was found
    algorithm: str
    key_id: str

    @property
    def certain(self) -> bool:
        """Whether the id may be held against somebody: neither chance nor a misread mark."""
        return self.mark_id is not None and self.statistic >= CERTAIN[self.mark_id.bits]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; `from_json` reads them back."""
        return {
            **asdict(self),
            "state": self.state.value,
            "mark_id": self.mark_id.hex if self.mark_id else None,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return the detection that `to_json` wrote.

        Raises:
            PayloadError: when a field is missing, unknown or of the wrong kind.
        """
        try:
            mark_id, geometry = values["mark_id"], values["geometry"]
            return cls(
                **{
                    **values,
                    "state": MarkState(values["state"]),
                    "mark_id": MarkId.from_hex(mark_id) if mark_id is not None else None,
                    "geometry": Geometry(**geometry) if geometry is not None else None,
                }
            )
        except (KeyError, TypeError, ValueError) as error:
            raise PayloadError(
                f"this is no detection as to_json writes it ({error}); write it again"
            ) from error


class Search(Protocol):
    """One search of one clip with one key; several may share one pass over the frames."""

    def offer(self, frame: Picture) -> None:
        """Take in the next RGB or luma frame, in bounded memory.

        Raises:
            MarkDoesNotHold: when it is too small, or differs in size from those before.
        """

    def result(self) -> Detection:
        """Say what was found in the frames so far.

        Raises:
            MarkDoesNotHold: when there was no frame.
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

    def search(self) -> Search:
        """Begin to look for a mark, frame by frame."""

    def detect(self, frames: Iterable[Picture]) -> Detection:
        """Look for a mark in RGB or luma frames, which are read once, in order, in bounded memory.

        Raises:
            MarkDoesNotHold: when there is no frame, or they differ in size.
        """
