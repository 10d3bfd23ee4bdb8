"""The built-in mark, `org.countermark.tile.1`: a keyed tile, read back by soft decoding.

`tile_long` is the same with ids of 128 bits, for who issues UUIDs; it needs a stronger signal.

    marker = open_watermarker(new_key())
    marked = marker.embed(frames, MarkId.random(), strength=STRENGTHS[0])
    marker.detect(marked).mark_id

How a search goes (`detect`):
 1. one pass over the frames (`accumulate.py`);
 2. as if the picture had at most been resized or mirrored;
 3. cropped or padded; 4. stretched as a whole; 5. turned; 6. cropped and squeezed: the clearest
    poses of each kind are refined and decoded (`search.py`, `readout.py`).
A payload is accepted when its evidence passes the bound for the *whole* search (`bound.py`). The
search stops there, unless the evidence is only just enough: then another pose may explain more of
the picture, and the strongest one tells the geometry.

Where no id passes, the grid alone may still show that a mark is there (`presence.py`), and the
clearest words are kept to be held against issued ids (`issued.py`).
"""

import math
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, islice

import numpy as np
from numpy.typing import NDArray

from provenance.errors import PayloadError
from provenance.payload import LONG_MARK_ID_BITS, MARK_ID_BITS, MarkCode, MarkId
from provenance.watermark import (
    MAX_FALSE_ACCEPTS,
    STRENGTHS,
    Detection,
    MarkState,
    Reading,
    Watermarker,
)
from provenance.watermark.accumulate import Observation, Observer, observe
from provenance.watermark.bound import log10_bound, threshold
from provenance.watermark.chips import KEY_BYTES, LONG_ALGORITHM, Chips, expand, offset
from provenance.watermark.embed import embed_frames
from provenance.watermark.evidence import gather
from provenance.watermark.issued import PER_POSE, clearest, geometry_of, recognise
from provenance.watermark.presence import grid_clarity, presence_bound
from provenance.watermark.readout import Decoded, Try, posed, read, upright
from provenance.watermark.search import (
    SEARCHED,
    Pose,
    Spectrum,
    candidates,
    scaled,
    squeezed,
    stretched,
    turned,
)

CANDIDATES = 6  # poses of each kind and picture that are refined and decoded
SINGLES = 3  # spells per pose that are decoded alone, and moments where there is no pose
KINDS: tuple[Callable[[int, int], NDArray[np.float64]], ...] = (
    lambda _rows, _columns: scaled(),
    stretched,
    lambda _rows, _columns: turned(),
    lambda _rows, _columns: squeezed(),
)

UPRIGHT_TRIES = 2 * (3 + 2 * SINGLES)  # mirrored or not: the whole, two combined, and single ones
POSED_TRIES = len(KINDS) * SEARCHED * CANDIDATES * (3 + SINGLES)
AMPLE = 1.2  # thresholds; a clip turned by 2 degrees may pass as upright, but not by this much
TRIES = UPRIGHT_TRIES + POSED_TRIES  # the most that one search can make; the bound pays for all
LOG10_MOST = math.log10(MAX_FALSE_ACCEPTS)

Picture = NDArray[np.uint8]


def new_key() -> bytes:
    """Return a fresh secret key for a deployment's marks."""
    return secrets.token_bytes(KEY_BYTES)


def open_watermarker(key: bytes) -> Watermarker:
    """Return the built-in watermarker for a 32-byte key.

    Raises:
        KeyUnavailable: when the key has another length.
    """
    return TileWatermarker(expand(key), MarkCode.of(payload_bits=MARK_ID_BITS))


def open_long_watermarker(key: bytes) -> Watermarker:
    """Return the built-in watermarker for ids of 128 bits and a 32-byte key.

    Raises:
        KeyUnavailable: when the key has another length.
    """
    return TileWatermarker(expand(key, LONG_ALGORITHM), MarkCode.of(payload_bits=LONG_MARK_ID_BITS))


@dataclass(frozen=True, slots=True, eq=False)
class TileWatermarker:
    """Puts mark ids into pictures and finds them again, with the tables of one key."""

    chips: Chips
    code: MarkCode

    @property
    def algorithm(self) -> str:
        """The method's name in manifests and records."""
        return self.chips.algorithm

    @property
    def payload_bits(self) -> int:
        """How many bits an id has."""
        return self.code.payload_bits

    @property
    def key_id(self) -> str:
        """Eight hexadecimal digits that name the key without giving it away."""
        return self.chips.key_id

    def embed(
        self, frames: Iterable[Picture], mark_id: MarkId, *, strength: float = STRENGTHS[0]
    ) -> Iterator[Picture]:
        """Yield each RGB frame with the mark in it; see `Watermarker.embed`."""
        if mark_id.bits != self.code.payload_bits:
            raise PayloadError(
                f"this mark carries ids of {self.code.payload_bits} bits, not of {mark_id.bits}; "
                f"take MarkId.random(bits={self.code.payload_bits})"
            )
        return embed_frames(
            frames,
            self.chips,
            self.code.encode(mark_id.value),
            strength=strength,
            place=offset(self.chips, mark_id),
        )

    def watch(self) -> Observer:
        """Begin to look at a clip; see `Watermarker.watch`."""
        return Observer()

    def search(self, seen: Observer) -> Detection:
        """Look for a mark in what was seen; see `Watermarker.search`."""
        return self.read(seen.observation())

    def detect(self, frames: Iterable[Picture]) -> Detection:
        """Look for a mark; see `Watermarker.detect`, and this module for the steps."""
        return self.read(observe(frames))  # (1)

    def recognise(self, missed: Detection, issued: NDArray[np.uint8]) -> Detection:
        """Ask which issued id it may have been; see `Watermarker.recognise`."""
        return recognise(missed, issued, self.chips, self.code)

    def read(self, observation: Observation) -> Detection:
        """Look for a mark in what the frames left behind: steps 2 to 6."""
        outcome = Outcome()
        for tries, clarity in self._steps(observation):
            outcome.take(tries, read(tries, self.code, self.chips), clarity)
            if outcome.statistic >= AMPLE * self._threshold():
                break
        return self._detection(observation, outcome)

    def _steps(self, observation: Observation) -> Iterator[tuple[list[Try], float]]:
        """Yield tries, and how clearly any pose that was searched until then showed the grid."""
        yield upright(observation, self.chips, singles=SINGLES), 0.0  # (2)
        middle = observation.spells[len(observation.spells) // 2]
        searched = (observation.total, observation.moments[0], middle)[:SEARCHED]
        spectra = [Spectrum(picture) for picture in searched]
        shape = observation.total.shape
        for poses in KINDS:  # (3) to (6)
            for spectrum in spectra:
                found = candidates(spectrum, poses(*shape), self.chips, count=CANDIDATES)
                # The clearest pose is mostly the one; the others are quicker to decode together.
                for poses_at_once in (found.poses[:1], found.poses[1:]):
                    yield self._posed(observation, poses_at_once), found.clarity

    def _posed(self, observation: Observation, poses: Sequence[Pose]) -> list[Try]:
        return [
            attempt
            for pose in poses
            for attempt in posed(observation, pose, self.chips, spells=SINGLES)
        ]

    def _threshold(self) -> float:
        return threshold(
            payload_bits=self.code.payload_bits, tries=TRIES, false_accepts=MAX_FALSE_ACCEPTS
        )

    def _detection(self, observation: Observation, outcome: "Outcome") -> Detection:
        needed = self._threshold()
        present = presence_bound(grid_clarity(observation, self.chips), outcome.clarity)
        missed = Detection(
            state=MarkState.PRESENT if present <= LOG10_MOST else MarkState.NOT_FOUND,
            mark_id=None,
            reading=Reading.BLIND,
            log10_p=log10_bound(outcome.statistic, payload_bits=self.payload_bits, tries=TRIES),
            presence_log10_p=present,
            statistic=outcome.statistic,
            threshold=needed,
            hypotheses=TRIES,
            frames=observation.frames,
            geometry=None,
            evidence=None,
            words=clearest(outcome.leading),
            algorithm=self.algorithm,
            key_id=self.key_id,
        )
        if outcome.best is None or outcome.statistic < needed:
            return missed
        decoded, found_in = outcome.best
        mark_id = MarkId(decoded.payload, self.payload_bits)
        coded = self.code.encode(mark_id.value)
        return replace(
            missed,
            state=MarkState.FOUND,
            mark_id=mark_id,
            geometry=geometry_of(found_in, offset(self.chips, mark_id)),
            evidence=gather(observation, found_in, coded, self.chips),
            words=(),
        )


@dataclass(slots=True)
class Outcome:
    """What the tries came to so far."""

    best: tuple[Decoded, Try] | None = None
    clarity: float = 0.0  # of the clearest pose that was searched
    leading: list[Try] = field(default_factory=list)  # the first few of each pose

    @property
    def statistic(self) -> float:
        """Of the strongest payload; 0 where there is none."""
        return self.best[0].statistic if self.best else 0.0

    def take(self, tries: Sequence[Try], decoded: Decoded | None, clarity: float) -> None:
        """Take in the tries of some poses, pose by pose, and what was decoded from them."""
        self.clarity = max(self.clarity, clarity)
        for _, of_pose in groupby(tries, key=lambda attempt: attempt.pose):
            self.leading += islice(of_pose, PER_POSE)
        if decoded is not None and decoded.statistic > self.statistic:
            self.best = decoded, tries[decoded.tried]
