"""The attacks that work on the mark: what somebody does who has marked clips, our source, no key.

    python -m benchmarks.mark_defeats --clips FOLDER [--cache FOLDER] [--part NAME ...]

Every clip that the attacker has was marked at strength 1 and encoded as it is released (CRF 18).

estimate:   the tile out of one clip, by averaging its frames on the public grid; what the same
            averaging makes of the unmarked clip stands beside it.
removal:    that estimate, subtracted: everywhere as strongly as the eye allows, or place by place
            as strongly as it is found there.
copy:       that estimate, added to an unmarked clip, which is then encoded like a release.
many:       clips of one key with different ids, averaged as they are, and aligned among
            themselves; what they share taken out of another clip.
forgery:    a mark with an id that was never issued, on an unmarked clip. `three clips` multiplies
            three aligned estimates; `known ids` learns which sign carries which bit from many
            aligned clips whose manifests say their ids.
collusion:  differently marked versions of the same pictures, averaged.
regenerate: shrinking, low rates, denoising, ever stronger.
autoencoder: through that of countermark-tiny and back, on clips of the world that it knows.

`statistic` is that of the right id where nothing has to be searched for (11.34 is needed);
`searched_statistic`, `state` and `id_read` are what a whole search says. PSNR and VMAF are the
price: they hold the pictures against those that the attacker started from. An estimate's
`correlation` with the true signs is 1 where it is perfect, and the share of `signs_right` is .5 by
chance. Needs the extras `generate` and `dev`. With `--part` nothing is kept; otherwise the file is
written after each part.
"""

import time
from collections.abc import Callable, Mapping
from functools import partial

import cv2
import numpy as np

from benchmarks.robustness import clips, material
from benchmarks.robustness.keyless import (
    SWEEPS,
    Change,
    Complex,
    Frames,
    aligned,
    alignment,
    autoencoded,
    estimated,
    laid_over,
    learned,
    moved,
    moved_onto,
    product_of,
    shared_part,
    squared_up,
    taken_out,
)
from benchmarks.robustness.owner import (
    FRAMES,
    KEY,
    RELEASE_CRF,
    Bench,
    Figures,
    attacked,
    id_of,
    on_one_grid,
    price,
    shared_right,
    sync_shown,
)
from benchmarks.stamp import keep
from provenance.payload import MarkId
from tests.support import reencode

OTHER_KEY = bytes(range(1, 33))
AVERAGED = (1, 4, 16, 81)  # frames
TAKEN_OUT = (1.0,)  # strengths
EXCESS = (1.0, 1.2, 1.4)  # times what least squares find
PUT_ON = (0.0, 0.25, 0.5)  # at 0 the encoding alone
CLIPS = ("bikes", "vtest", "soft")  # much moves; the camera stands still; drawn and out of focus
ONTO = {"bikes": "city", "vtest": "bunny", "soft": "megamind"}
CROWD_SIZES = (1, 4, 16, 64)
ASIDE = "megamind"  # not in the crowd
VERSIONS = (2, 4, 8)
SWEPT = ("bikes", "soft")
TINY = ("tiny circle", "tiny square")
ROUNDS = (1,)  # through the autoencoder


def main() -> None:
    parser = material.options(__doc__)
    parser.add_argument("--part", nargs="+", choices=PARTS, help="only these, and keep nothing")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    bench, found = Bench(options.cache, options.clips), {}
    for name in options.part or PARTS:
        start = time.monotonic()
        found[name] = PARTS[name](bench)
        print(name, found[name], f"({time.monotonic() - start:.0f} s)", flush=True)
        if not options.part:
            keep({"frames": FRAMES, "parts": found}, "torch", "diffusers", shown=False)


def estimate(bench: Bench) -> Figures:
    """Return how well averaging finds the tile, by clip and number of frames."""
    found: Figures = {}
    for name in CLIPS:
        plain = bench.frames(name, clips.FRAMES)
        for kind, frames in ("marked", bench.released(plain, id_of(0))), ("unmarked", plain):
            found[f"{name}, {kind}"] = {
                count: bench.agreement(estimated(spread(frames, count)), id_of(0))
                for count in AVERAGED
            }
    return found


def removal(bench: Bench) -> Figures:
    """Return what subtracting a clip's own estimate leaves, by clip and strength."""
    found: Figures = {}
    for name in CLIPS:
        marked = bench.released(bench.frames(name), id_of(0))
        signs = estimated(marked)
        found[name] = {"untouched": bench.left(marked, id_of(0))}
        for strength in TAKEN_OUT:
            found[name][f"everywhere, {strength}"] = attacked(
                bench, marked, _added(signs, -strength)
            )
        for excess in EXCESS:
            change = partial(taken_out, signs=signs, excess=excess)
            found[name][f"place by place, {excess}"] = attacked(bench, marked, change)
    return found


def copied(bench: Bench) -> Figures:
    """Return what is read where an estimate was added to another clip."""
    found: Figures = {}
    for name, target in ONTO.items():
        signs = estimated(bench.released(bench.frames(name, clips.FRAMES), id_of(0)))
        plain = bench.frames(target)
        found[f"{name} onto {target}"] = {
            strength: attacked(bench, plain, _published(signs, strength)) for strength in PUT_ON
        }
    return found


def many(bench: Bench) -> Figures:
    """Return what averaging clips of one key finds of the signs that they share."""
    ids, crowd = zip(*bench.crowd, strict=True)
    victim = bench.released(bench.frames(ASIDE), id_of(0))
    found: Figures = {}
    for size in CROWD_SIZES:
        moves = alignment(crowd[:size])
        together = [moved(*each) for each in zip(crowd, moves, strict=False)]
        shared = shared_part(together)
        placed = moved_onto(shared, estimated(victim))
        found[size] = {
            "as_they_are": sync_shown(np.sum(crowd[:size], axis=0), KEY),
            "aligned": sync_shown(np.sum(together, axis=0), KEY),
            "aligned, against another key": sync_shown(np.sum(together, axis=0), OTHER_KEY),
            "clips_on_one_grid": on_one_grid(bench, ids[:size], moves),
            "shared_frequencies_right": round(shared_right(shared), 3),
            "taken_out_of_another_clip": attacked(bench, victim, _added(placed, -1.0)),
        }
    return found


def forgery(bench: Bench) -> Figures:
    """Return what is read where an id that was never issued was put onto an unmarked clip."""
    plain, wanted = bench.frames(ASIDE), id_of(9999)
    ids, crowd = zip(*bench.crowd, strict=True)
    found: Figures = {}
    for size in CROWD_SIZES[1:]:
        together = squared_up(aligned(crowd[:size]))
        words = np.stack([bench.word(each) for each in ids[:size]])
        signs = learned(together, words, bench.word(wanted))
        found[f"{size} known ids"] = attacked(bench, plain, _published(signs, 1.0), wanted)
    three = [
        estimated(bench.released(bench.frames(name, clips.FRAMES), id_of(index)))
        for index, name in enumerate(CLIPS)
    ]
    signs = product_of(squared_up(aligned(three)))
    never_issued = MarkId(id_of(0).value ^ id_of(1).value ^ id_of(2).value)
    found["three clips"] = attacked(bench, plain, _published(signs, 1.0), never_issued)
    return found


def collusion(bench: Bench) -> Figures:
    """Return which id is read where versions of the same pictures were averaged."""
    found: Figures = {}
    for name in SWEPT:
        plain, ids = bench.frames(name), [id_of(index) for index in range(max(VERSIONS))]
        versions = [bench.released(plain, each) for each in ids]
        for count in VERSIONS:
            mixed = [
                np.rint(np.mean(same, axis=0)).astype(np.uint8)
                for same in zip(*versions[:count], strict=True)
            ]
            read, statistics = bench.search(mixed, ids[:count])
            found[f"{name}, {count} versions"] = {
                "state": read.state.value,
                "version_read": ids.index(read.mark_id) if read.mark_id in ids else None,
                "another_id_read": read.mark_id is not None and read.mark_id not in ids[:count],
                "statistics": statistics,
                **price(versions[0], mixed),
            }
    return found


def regenerated(bench: Bench) -> Figures:
    """Return what is left after each sweep's levels."""
    found: Figures = {}
    for name in SWEPT:
        marked = bench.released(bench.frames(name), id_of(0))
        found[name] = {
            sweep: {level: attacked(bench, marked, change(level)) for level in levels}
            for sweep, (levels, change) in SWEEPS.items()
        }
    return found


def autoencoder(bench: Bench) -> Figures:
    """Return what the autoencoder of countermark-tiny leaves, on clips like those it learnt."""
    found: Figures = {}
    for name in TINY:
        marked = bench.released(bench.frames(name), id_of(0))
        found[name] = {"untouched": bench.left(marked, id_of(0))} | {
            f"{rounds} times": attacked(bench, marked, autoencoded(rounds)) for rounds in ROUNDS
        }
    return found


def spread(frames: Frames, count: int) -> Frames:
    return [frames[index] for index in np.linspace(0, len(frames) - 1, count).round().astype(int)]


def _added(signs: Complex, strength: float) -> Change:
    return lambda frames: laid_over(frames, signs, strength)


def _published(signs: Complex, strength: float) -> Change:
    return lambda frames: reencode.h264(laid_over(frames, signs, strength), crf=RELEASE_CRF)


PARTS: Mapping[str, Callable[[Bench], Figures]] = {
    "estimate": estimate,
    "forgery": forgery,
    "copy": copied,
    "removal": removal,
    "many": many,
    "autoencoder": autoencoder,
    "collusion": collusion,
    "regenerate": regenerated,
}


if __name__ == "__main__":
    main()
