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
"""

import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from provenance.errors import PayloadError
from provenance.payload import LONG_MARK_ID_BITS, MARK_ID_BITS, MarkCode, MarkId
from provenance.watermark import (
    MAX_FALSE_ACCEPTS,
    STRENGTHS,
    Detection,
    Geometry,
    MarkState,
    Watermarker,
)
from provenance.watermark.accumulate import Observation, Observer, observe
from provenance.watermark.bound import log10_bound, threshold
from provenance.watermark.chips import KEY_BYTES, LONG_ALGORITHM, TILE, Chips, expand, offset
from provenance.watermark.embed import embed_frames
from provenance.watermark.readout import Reading, Try, posed, read, upright
from provenance.watermark.search import (
    Spectrum,
    candidates,
    scaled,
    squeezed,
    stretched,
    turned,
)

CANDIDATES = 6  # poses of each kind and picture that are refined and decoded
SINGLES = 3  # spells per pose that are decoded alone, and moments where there is no pose
SEARCHED = 3  # pictures searched: the whole clip, its first moment (a key frame), its middle
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

    def search(self) -> "TileSearch":
        """Begin to look for a mark; see `Watermarker.search`."""
        return TileSearch(self)

    def detect(self, frames: Iterable[Picture]) -> Detection:
        """Look for a mark; see `Watermarker.detect`, and this module for the steps."""
        return self.read(observe(frames))  # (1)

    def read(self, observation: Observation) -> Detection:
        """Look for a mark in what the frames left behind: steps 2 to 6."""
        strongest: tuple[Reading, Try] | None = None
        for tries in self._all_tries(observation):
            reading = read(tries, self.code, self.chips)
            if reading is None or (strongest and reading.statistic <= strongest[0].statistic):
                continue
            strongest = (reading, tries[reading.tried])
            if reading.statistic >= AMPLE * self._threshold():
                break
        return self._detection(observation, strongest)

    def _all_tries(self, observation: Observation) -> Iterator[list[Try]]:
        yield upright(observation, self.chips, singles=SINGLES)  # (2)
        middle = observation.spells[len(observation.spells) // 2]
        searched = (observation.total, observation.moments[0], middle)[:SEARCHED]
        spectra = [Spectrum(picture) for picture in searched]
        shape = observation.total.shape
        for poses in KINDS:  # (3) to (6)
            for spectrum in spectra:
                for pose in candidates(spectrum, poses(*shape), self.chips, count=CANDIDATES):
                    yield posed(observation, pose, self.chips, spells=SINGLES)

    def _threshold(self) -> float:
        return threshold(
            payload_bits=self.code.payload_bits, tries=TRIES, false_accepts=MAX_FALSE_ACCEPTS
        )

    def _detection(
        self, observation: Observation, strongest: tuple[Reading, Try] | None
    ) -> Detection:
        needed = self._threshold()
        found = strongest is not None and strongest[0].statistic >= needed
        value = strongest[0].statistic if strongest else 0.0
        mark_id = MarkId(strongest[0].payload, self.payload_bits) if strongest and found else None
        return Detection(
            state=MarkState.FOUND if found else MarkState.NOT_FOUND,
            mark_id=mark_id,
            log10_p=log10_bound(value, payload_bits=self.code.payload_bits, tries=TRIES),
            statistic=value,
            threshold=needed,
            hypotheses=TRIES,
            frames=observation.frames,
            geometry=_geometry(strongest[1], offset(self.chips, mark_id))
            if strongest and mark_id
            else None,
            algorithm=self.algorithm,
            key_id=self.key_id,
        )


@dataclass(slots=True)
class TileSearch:
    """A search that is under way; see `provenance.watermark.Search`."""

    marker: TileWatermarker
    seen: Observer = field(default_factory=Observer)

    def offer(self, frame: Picture) -> None:
        """Take in the next frame."""
        self.seen.offer(frame)  # (1)

    def result(self) -> Detection:
        """Say what was found in the frames so far."""
        return self.marker.read(self.seen.observation())


def _geometry(attempt: Try, place: tuple[int, int]) -> Geometry:
    pose = attempt.pose
    return Geometry(
        scale_x=pose.scale_x,
        scale_y=pose.scale_y,
        rotation_degrees=pose.turn_degrees,
        mirrored=pose.mirrored,
        shift_x=(attempt.shift[0] - place[0]) % TILE,
        shift_y=(attempt.shift[1] - place[1]) % TILE,
    )
