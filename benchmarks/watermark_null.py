"""Looks for marks where there are none: how the proven bound of one in a million fares in practice.

    python benchmarks/watermark_null.py [--words 20000] [--searches 40]

1. Noise goes through the list decoder: how many words come out with a right CRC, and how near does
   any candidate, CRC right or not, come to the threshold? There are 2**88 of those, of which 2**64
   have a right CRC and may be accepted; the best of all is expected at sqrt(2 * 88 * ln 2) = 11.05.
2. Whole searches of drawn, unmarked clips, each with a fresh key.
Results go to benchmarks/results/watermark_null.json.
"""

import argparse
import json
import time
from pathlib import Path

import cv2
import numpy as np

from provenance.payload import MarkCode
from provenance.watermark import MarkState
from provenance.watermark.readout import PATHS
from provenance.watermark.tile import open_watermarker
from tests.support import textured

RESULTS = Path(__file__).parent / "results" / "watermark_null.json"
BATCH = 100


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--words", type=int, default=20_000)
    parser.add_argument("--searches", type=int, default=40)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    rng = np.random.default_rng(20_261_122)
    report = {
        "command": "python benchmarks/watermark_null.py",
        "noise_words": noise_words(rng, options.words),
        "whole_searches": whole_searches(rng, options.searches),
    }
    print(json.dumps(report, indent=1))
    RESULTS.write_text(json.dumps(report, indent=1) + "\n")


def noise_words(rng: np.random.Generator, count: int) -> dict[str, float]:
    """Decode noise; return how often a CRC is right, and the largest statistic of any candidate."""
    code = MarkCode.of(payload_bits=64)
    largest, right = 0.0, 0
    for _ in range(count // BATCH):
        chips = rng.choice([-1.0, 1.0], 1024)  # by coded bit
        received = rng.normal(size=(BATCH, 1024))
        bits, _ = code.polar.decode(received * chips, paths=PATHS)
        right += sum(map(bool, code.candidates(received * chips, paths=PATHS)))
        signs = 1 - 2.0 * code.polar.encode(bits)  # (words, paths, 1024)
        correlation = np.einsum("wpn,wn->wp", signs, received * chips)
        energy = np.linalg.norm(received, axis=1)
        largest = max(largest, float((correlation.max(axis=1) / energy).max()))
    return {
        "words": count,
        "words_with_a_right_crc": right,
        "largest_statistic_of_any_candidate": round(largest, 2),
    }


def whole_searches(rng: np.random.Generator, count: int) -> dict[str, float]:
    """Search unmarked clips; return how many are called marked, which must be none."""
    found, largest, needed = 0, 0.0, 0.0
    started = time.process_time()
    for seed in range(count):
        frames = textured.clip(frames=4, height=240, width=416, seed=seed)
        detection = open_watermarker(rng.bytes(32)).detect(frames)
        found += detection.state is MarkState.FOUND
        largest, needed = max(largest, detection.statistic), detection.threshold
    return {
        "searches": count,
        "false_accepts": found,
        "largest_statistic": largest,
        "threshold": needed,
        "cpu_s_per_search": round((time.process_time() - started) / max(count, 1), 2),
    }


if __name__ == "__main__":
    main()
