"""How well countermark-tiny does what its prompt says, on combinations that training never saw.

    python -m benchmarks.tiny_model [--clips 200] [--drawn 400] [--threads 2]

For each held-out combination of colour, shape, motion and background one clip is generated through
the shipped model and read by the scorer from its pixels. The scorer itself is measured first, on
freshly drawn clips. Lower bounds are Wilson's, at 95 %. Writes benchmarks/results/tiny_model.json.
"""

import argparse
import statistics
import time
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.stamp import keep
from generator.models import GenerationRequest
from generator.models.tiny import DIGEST, folder
from generator.models.wan import WanModel, load
from generator.presets import tiny
from training.tiny.score import Seen, look_at, wilson_lower
from training.tiny.tokenizer import caption
from training.tiny.world import Scene, add_grain, draw_look, every_scene, held_out, render

FACTORS = ("background", "colour", "shape", "motion")
SHEET_ROWS = 24


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--drawn", type=int, default=400)
    parser.add_argument("--threads", type=int, default=tiny().threads)
    parser.add_argument("--folder", type=Path, default=folder())
    parser.add_argument("--digest", default=DIGEST)
    parser.add_argument("--steps", type=int, default=tiny().limits.steps)
    parser.add_argument("--sheet", type=Path, help="write a contact sheet (PNG) of the first clips")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    model = load(arguments.folder, tiny(), digest=arguments.digest, threads=arguments.threads)
    figures = {
        "model": model.identity.name,
        "digest": model.identity.digest,
        "threads": arguments.threads,
        "steps": arguments.steps,
        "guidance": [tiny().guidance, str(tiny().guidance_low)],
        "flow_shift": tiny().shift,
        "scorer_on_drawn_clips": score_drawn(arguments.drawn),
        "held_out": score_generated(model, arguments.clips, arguments.steps, arguments.sheet),
    }
    keep(figures, "torch", "diffusers", "transformers")


def score_drawn(clips: int) -> dict[str, object]:
    """Measure the scorer on clips that are drawn, hence known."""
    rng, scenes = np.random.default_rng(99), every_scene()
    read = []
    for _ in range(clips):
        scene = scenes[int(rng.integers(len(scenes)))]
        pixels, _ = render(scene, draw_look(scene, rng))
        read.append((scene, look_at(add_grain(pixels, rng))))
    return shares(read)


def held_out_scenes(clips: int) -> list[Scene]:
    """Return one scene for each held-out combination, small and big in turn."""
    scenes: dict[str, list[Scene]] = {scene.combination: [] for scene in every_scene()}
    for scene in every_scene():
        scenes[scene.combination].append(scene)
    combinations = sorted(held_out())[:: max(1, len(held_out()) // clips)][:clips]
    return [scenes[name][index % 2] for index, name in enumerate(combinations)]


def score_generated(
    model: WanModel, clips: int, steps: int, sheet: Path | None
) -> dict[str, object]:
    """Generate and read one clip for each held-out combination."""
    limits = model.limits
    rows: list[NDArray[np.uint8]] = []
    read, seconds, contrast = [], [], []
    for seed, scene in enumerate(held_out_scenes(clips)):
        request = GenerationRequest(
            caption(scene), "", limits.width, limits.height, limits.frames, limits.fps, steps, seed
        )
        start = time.perf_counter()
        frames = model.generate(request, on_step=lambda _: None).frames
        seconds.append(time.perf_counter() - start)
        seen = look_at(frames)
        read.append((scene, seen))
        contrast.append(float(frames[16, :64, :64].std((0, 1)).mean()))
        print(seed, scene.combination, "->", seen.colour, seen.shape, seen.motion, seen.background)
        if len(rows) < SHEET_ROWS:
            rows.append(np.concatenate([frames[i] for i in (0, 8, 16, 24, 32)], axis=1))
    if sheet is not None:
        cv2.imwrite(str(sheet), np.concatenate(rows)[::2, ::2, ::-1])
    return shares(read) | {
        "seconds_per_clip_median": round(statistics.median(seconds), 2),
        "texture_levels_median": round(statistics.median(contrast), 2),
    }


def shares(read: list[tuple[Scene, Seen]]) -> dict[str, object]:
    """Return for each factor how many were right, the share and its lower bound."""
    right = Counter[str]()
    for scene, seen in read:
        agrees = seen.agrees(scene)
        right.update(factor for factor in FACTORS if agrees[factor])
        right["all four"] += all(agrees.values())
    total = len(read)
    table = {
        factor: {
            "right": right[factor],
            "share": round(right[factor] / total, 4),
            "lower_95": round(wilson_lower(right[factor], total), 4),
        }
        for factor in (*FACTORS, "all four")
    }
    return {"clips": total, **table}


if __name__ == "__main__":
    main()
