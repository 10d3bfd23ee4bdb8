"""What a key's owner sees of his mark in clips that were attacked without the key."""

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.robustness import clips
from benchmarks.robustness.keyless import (
    AT,
    SYNC,
    Change,
    Complex,
    Frames,
    Place,
    estimated,
    moved,
    moved_onto,
)
from benchmarks.robustness.quality import fidelity, vmaf
from provenance.payload import MarkId
from provenance.watermark import Detection
from provenance.watermark.accumulate import observe
from provenance.watermark.bound import statistic
from provenance.watermark.chips import TILE, expand, offset
from provenance.watermark.embed import mark_spectrum
from provenance.watermark.readout import upright
from provenance.watermark.tile import SINGLES, TileWatermarker, open_watermarker
from tests.support import reencode

Figures = dict[str, Any]

KEY = bytes(range(32))
RELEASE_CRF = 18
FRAMES = 17  # of a clip that is attacked
CROWD = ("city", "vtest", "bikes", "bunny", "bikes later", "soft", "textured", "flat")
PIECE = 8  # frames of each clip in the crowd


class Bench:
    """The clips; and the key's owner, who marks them and says what is left of a mark."""

    def __init__(self, cache: Path, folder: Path | None) -> None:
        self._cache, self._folder = cache, folder
        marker = open_watermarker(KEY)
        if not isinstance(marker, TileWatermarker):
            raise TypeError("the built-in mark was expected")
        self._marker = marker

    def frames(self, name: str, count: int = FRAMES, start: int = 0) -> Frames:
        """Return some of a clip's unmarked frames."""
        path = clips.prepare(clips.named(name), self._cache, self._folder)
        return list(np.load(path, mmap_mode="r")[start : start + count])

    def released(self, frames: Frames, mark_id: MarkId) -> Frames:
        """Return what an attacker gets to see: marked and encoded."""
        return reencode.h264(list(self._marker.embed(frames, mark_id)), crf=RELEASE_CRF)

    @cached_property
    def crowd(self) -> list[tuple[MarkId, Complex]]:
        """Ids of many short clips, and what they show; neighbours come from different films."""
        pieces = [(name, start) for start in range(0, 8 * PIECE, PIECE) for name in CROWD]
        ids = [id_of(100 + index) for index in range(len(pieces))]
        return [
            (each, estimated(self.released(self.frames(name, PIECE, start), each)))
            for each, (name, start) in zip(ids, pieces, strict=True)
        ]

    def word(self, mark_id: MarkId) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Return an id's coded bits as signs, (1024,); the code is public."""
        coded = self._marker.code.encode(mark_id.value)
        return np.asarray(1 - 2.0 * coded, np.float32)

    def place(self, mark_id: MarkId) -> Place:
        """Return where the grid of a clip with an id lies."""
        return offset(self._marker.chips, mark_id)

    def agreement(self, signs: Complex, mark_id: MarkId) -> Figures:
        """Return how well an estimate from a clip agrees with what was put there."""
        right, down = self.place(mark_id)
        at_home = moved(signs, (-right, -down))
        coded = self._marker.code.encode(mark_id.value)
        true = mark_spectrum(self._marker.chips, coded, clips.HEIGHT)[0][AT]
        same = [at_home.real * true.real > 0, at_home.imag * true.imag > 0]
        return {
            "correlation": correlation(at_home, true),
            "signs_right": round(float(np.mean(same)), 3),
        }

    def search(self, frames: Frames, ids: Sequence[MarkId]) -> tuple[Detection, list[float]]:
        """Return what a search finds, and the statistic of each id where nothing is searched."""
        seen, chips = observe(frames), self._marker.chips
        tries = upright(seen, chips, singles=SINGLES)
        words = [self._marker.code.encode(each.value) for each in ids]
        best = [max(statistic(each.received, chips, word) for each in tries) for word in words]
        return self._marker.read(seen), [round(each, 1) for each in best]

    def left(self, frames: Frames, mark_id: MarkId) -> Figures:
        """Return what the owner finds of the mark with an id."""
        found, (unsearched,) = self.search(frames, [mark_id])
        return {
            "statistic": unsearched,
            "searched_statistic": round(found.statistic, 1),
            "state": found.state.value,
            "id_read": found.mark_id == mark_id,
        }


def attacked(
    bench: Bench, frames: Frames, change: Change, mark_id: MarkId | None = None
) -> Figures:
    """Return what is found after an attack, and its price."""
    changed = change(frames)
    return {**bench.left(changed, mark_id or id_of(0)), **price(frames, changed)}


def price(before: Frames, after: Frames) -> Figures:
    """Return what was lost of the pictures."""
    lost = vmaf(before, before)["vmaf"] - vmaf(before, after)["vmaf"]
    return {"psnr_y_db": fidelity(before, after)["psnr_y_db"], "vmaf_lost": round(lost, 1)}


def id_of(number: int) -> MarkId:
    """Return one of a row of random-looking ids."""
    return MarkId.random(np.random.default_rng([2026, number]).bytes)


def correlation(signs: Complex, true: Complex) -> float:
    """Return 1 where an estimate is perfect up to a positive factor."""
    fit = np.vdot(true, signs).real / max(np.linalg.norm(signs) * np.linalg.norm(true), 1e-9)
    return round(float(fit), 3)


def sync_shown(signs: Complex, key: bytes) -> float:
    """Return the correlation with the signs that show a key's grid, wherever that is highest."""
    chips, frequencies = expand(key), list(zip(*AT, strict=True))
    true = np.zeros(len(frequencies), np.complex64)
    where = [frequencies.index(tuple(each)) for each in chips.sync_at]
    true[where] = chips.sync_signs
    return correlation(moved_onto(signs, true)[where], chips.sync_signs)


def on_one_grid(bench: Bench, ids: Sequence[MarkId], moves: Sequence[Place]) -> int:
    """Return how many clips an alignment brought onto the grid that most of them are on."""
    places = [bench.place(each) for each in ids]
    grids = Counter(
        ((right + x) % TILE, (down + y) % TILE)
        for (right, down), (x, y) in zip(places, moves, strict=True)
    )
    return max(grids.values())


def shared_right(shared: Complex) -> float:
    """Return which share of the frequencies taken for shared ones show the grid."""
    true = {tuple(each) for each in expand(KEY).sync_at}
    taken = np.array(AT).T[np.abs(shared) > 0]
    return sum(tuple(each) in true for each in taken) / SYNC
