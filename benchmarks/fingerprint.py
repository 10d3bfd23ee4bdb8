"""How often does the fingerprint say match, inconclusive or different, and how fast is its index?

    python -m benchmarks.fingerprint FOLDER [--frames 40] [--attacks 10]

1. Each clip is marked and its fingerprint taken. Every attack of `tests/support/attacks.py` is made
   on it, the mark is looked for, and what is left is compared with the clip's own fingerprint under
   the geometry that the mark found: `honest`, by attack.
2. The same pictures are compared with the fingerprints of other clips under the same geometry, as
   if their mark had been copied: `copied` (unrelated clips) and `same_place` (another moment before
   the same camera).
3. Both once more without a mark: `unmarked`, as where only likeness leads to a record.
4. The evidence between unrelated clips follows an extreme value distribution: `chance` is what its
   fit says of `BEYOND_CHANCE`.
5. A million hashes: what finding one costs, 31 bits away, and whether all are found: `index`.

FOLDER holds the five public clips (benchmarks/README.md).
"""

import argparse
import itertools
import math
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.progress import track

from benchmarks.stamp import keep
from provenance.fingerprint import Answer, Comparison
from provenance.fingerprint.comparison import BEYOND_CHANCE, Mark, compare
from provenance.fingerprint.form import Fingerprint
from provenance.fingerprint.glimpse import Glimpse, glimpse_of
from provenance.fingerprint.index import FrameIndex
from provenance.fingerprint.sampling import Sampler, Sighting
from provenance.fingerprint.taking import fingerprint_of
from provenance.payload import MarkId
from provenance.video import MediaLimits, open_video
from provenance.watermark import Detection, Picture
from provenance.watermark.tile import open_watermarker
from tests.support import textured
from tests.support.attacks import ATTACKS, FRAME_RATE

WIDTH, HEIGHT = 416, 240
STORED, ASKED = 1_000_000, 200
FLIPPED_BITS = 31
PUBLIC = (  # file, place, seconds into it
    ("bigbuckbunny.mp4", "meadow", 0.0),
    ("bikes.mp4", "street", 0.0),
    ("bikes.mp4", "street", 5.0),
    ("carphone_pristine.mp4", "car", 0.0),
    ("city.mpg", "city", 0.0),
    ("vtest.avi", "square", 0.0),
    ("vtest.avi", "square", 40.0),
)
DRAWN = (3, 9)  # seeds


@dataclass(frozen=True, slots=True, eq=False)
class Filmed:
    """A clip, marked, and its fingerprint."""

    name: str
    place: str
    frames: Sequence[Picture]
    taken: Fingerprint


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison."""

    attack: str
    kind: str  # honest, copied or same_place
    found: Comparison
    marked: bool  # whether the mark's geometry was known


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--attacks", type=int, default=len(ATTACKS))
    options = parser.parse_args()
    cv2.setNumThreads(1)
    marker = open_watermarker(bytes(range(32)))
    clips = [_filmed(*each, marker) for each in _pictures(options.folder, options.frames)]
    cells = list(itertools.product(clips, ATTACKS[: options.attacks]))
    rows: list[Row] = []
    for clip, attack in track(cells, description="attacks"):
        frames = attack.change(clip.frames)
        detection = marker.detect(frames)
        seen = glimpse_of(_sighting(frames))
        rows += _compared(clip, clips, attack.name, seen, _mark(detection))
    keep(
        {
            "clips": [f"{clip.name}, {len(clip.taken.encode())} bytes" for clip in clips],
            **_summary(rows),
            "index": index_of_a_million(),
        },
        name="fingerprint",
    )


def _pictures(folder: Path, count: int) -> Iterator[tuple[str, str, list[Picture]]]:
    for name, place, start in PUBLIC:
        yield f"{name} from {start:.0f} s", place, _cut(folder / name, start, count)
    for seed in DRAWN:
        drawn = textured.clip(frames=count, height=HEIGHT, width=WIDTH, seed=seed)
        yield f"drawn {seed}", "drawn", drawn


def _cut(path: Path, start: float, count: int) -> list[Picture]:
    """Return RGB frames of 16 a second, scaled and cut to 416 x 240."""
    media = open_video(path, MediaLimits())
    wanted = (start + i / FRAME_RATE for i in range(count))
    frames, at = [], next(wanted)
    for frame in media.frames():
        while float(frame.ticks * media.shape.time_base) >= at:
            frames.append(_sized(frame.rgb))
            at = next(wanted, math.inf)
        if len(frames) == count:
            break
    return frames


def _sized(frame: Picture) -> Picture:
    height, width = frame.shape[:2]
    scale = max(WIDTH / width, HEIGHT / height)
    size = (math.ceil(width * scale), math.ceil(height * scale))
    large = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    top, left = (size[1] - HEIGHT) // 2, (size[0] - WIDTH) // 2
    return np.ascontiguousarray(large[top : top + HEIGHT, left : left + WIDTH], np.uint8)


def _filmed(name: str, place: str, frames: list[Picture], marker: Any) -> Filmed:  # noqa: ANN401
    marked = list(marker.embed(frames, MarkId.from_hex("0123456789abcdef"), strength=1.0))
    return Filmed(name, place, marked, fingerprint_of(_sighting(marked)))


def _sighting(frames: Iterable[Picture]) -> Sighting:
    sampler = Sampler(Fraction(FRAME_RATE))
    for frame in frames:
        sampler.offer(np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8))
    return sampler.sighting()


def _mark(found: Detection) -> Mark | None:
    if found.geometry is None:
        return None
    return Mark(found.geometry, found.evidence, Fraction(FRAME_RATE))


def _compared(
    clip: Filmed, clips: Sequence[Filmed], attack: str, seen: Glimpse, mark: Mark | None
) -> Iterator[Row]:
    """Compare with the clip's own fingerprint, every one of the same place, and two others."""
    others = [each for each in clips if each.place != clip.place]
    at = clips.index(clip)
    beside = [each for each in clips if each.place == clip.place and each is not clip]
    chosen = [("honest", clip), *(("same_place", each) for each in beside)]
    chosen += [("copied", others[(at + step) % len(others)]) for step in (0, 3)]
    for kind, other in chosen:
        if mark is not None:
            yield Row(attack, kind, compare(other.taken, seen, mark), marked=True)
        if kind == "honest" or attack == ATTACKS[0].name:
            yield Row(attack, kind, compare(other.taken, seen, None), marked=False)


def _summary(rows: Sequence[Row]) -> dict[str, Any]:
    marked = [row for row in rows if row.marked]
    unrelated = [row.found.evidence for row in marked if row.kind == "copied"]
    return {
        "honest": _answers(row for row in marked if row.kind == "honest"),
        "copied": _answers(row for row in marked if row.kind == "copied"),
        "same_place": _answers(row for row in marked if row.kind == "same_place"),
        "unmarked": {
            kind: _answers(row for row in rows if not row.marked and row.kind == kind)
            for kind in ("honest", "copied", "same_place")
        },
        "by_attack": {
            attack: _answers(row for row in marked if row.kind == "honest" and row.attack == attack)
            for attack in dict.fromkeys(row.attack for row in marked)
        },
        "chance": _chance(unrelated),
    }


def _answers(rows: Iterable[Row]) -> dict[str, Any]:
    found = [row.found for row in rows]
    counted = Counter(each.answer for each in found)
    if not found:
        return {"of": 0}
    return {
        "of": len(found),
        **{answer.value: counted[answer] for answer in Answer},
        "likeness": _range([each.likeness for each in found]),
        "evidence": _range([each.evidence for each in found]),
    }


def _range(values: Sequence[float]) -> list[float]:
    """Return the least, the median and the largest."""
    return [round(float(np.quantile(values, share)), 2) for share in (0, 0.5, 1)]


def _chance(evidence: Sequence[float]) -> dict[str, Any]:
    """Fit Gumbel's distribution by its moments: each value is a largest one over all shifts."""
    scale = float(np.std(evidence)) * math.sqrt(6) / math.pi
    centre = float(np.mean(evidence)) - 0.5772 * scale
    beyond = math.exp(-(BEYOND_CHANCE - centre) / scale)
    return {
        "comparisons": len(evidence),
        "largest": round(max(evidence), 2),
        "gumbel": [round(centre, 2), round(scale, 2)],
        "threshold": BEYOND_CHANCE,
        "share_beyond_it_by_the_fit": float(f"{beyond:.1e}"),
    }


def index_of_a_million() -> dict[str, Any]:
    """Fill an index and ask it for hashes that have 31 bits flipped."""
    rng = np.random.default_rng(20_261_125)
    stored = rng.integers(0, 256, (STORED, 32), dtype=np.uint8)
    index = FrameIndex()
    start = time.process_time()
    index.add(stored, np.arange(STORED))
    built = time.process_time() - start
    found, spent = 0, []
    for label in rng.integers(0, STORED, ASKED):
        bits = np.unpackbits(stored[label])
        bits[rng.permutation(256)[:FLIPPED_BITS]] ^= 1
        start = time.process_time()
        near = index.near(np.packbits(bits)[None], most=8)
        spent.append(1000 * (time.process_time() - start))
        found += any(each.label == label for each in near)
    return {
        "hashes": STORED,
        "bits_flipped": FLIPPED_BITS,
        "found": found,
        "of": ASKED,
        "build_cpu_s": round(built, 1),
        "query_cpu_ms": _range(spent),
    }


if __name__ == "__main__":
    main()
