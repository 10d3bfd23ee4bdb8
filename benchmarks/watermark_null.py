"""Looks for wrong marks: how the proven bound of one in a million fares, and what it leaves out.

    python -m benchmarks.watermark_null [--words 20000] [--searches 40] [--trials 10000000]

0. What unmarked clips leave behind is held against payload chips of so many keys: how often does
   the statistic of one word reach the values that the bound gives a chance of 1e-1 ... 1e-6?
1. Noise goes through the list decoder: how many words come out with a right CRC, and how near does
   any candidate, CRC right or not, come to the threshold? There are 2**88 of those, of which 2**64
   have a right CRC and may be accepted; the best of all is expected at sqrt(2 * 88 * ln 2) = 11.05.
2. Whole searches of drawn, unmarked clips, each with a fresh key, as they are and with a code that
   takes every word of the decoder for a payload. What they leave is then held against so many
   issued ids, and the clearest grid of all is told: neither may reach the bound either.
3. Marks of 64 and of 128 bits buried in noise: how often does the decoder miss the right payload,
   and how strong is then the strongest wrong one? Only those are left to the CRC, and only below
   CERTAIN.
"""

import argparse
import time
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.stamp import keep
from provenance.payload import LONG_MARK_ID_BITS, MARK_ID_BITS, MarkCode
from provenance.watermark import MarkState
from provenance.watermark.accumulate import observe
from provenance.watermark.chips import expand
from provenance.watermark.readout import PATHS, upright
from provenance.watermark.tile import SINGLES, TileWatermarker, open_watermarker
from tests.support import textured
from tests.support.any_word import AnyWord

BATCH = 100
# Expected statistics of the right payload, by its bits.
STRENGTHS = {
    MARK_ID_BITS: (11.0, 12.0, 13.0, 14.0, 15.0),
    LONG_MARK_ID_BITS: (14.0, 15.0, 16.0, 17.0, 18.0, 19.0),
}
CHUNK = 10_000  # keys at a time: 40 MB
ISSUED = 100_000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--words", type=int, default=20_000)
    parser.add_argument("--searches", type=int, default=40)
    parser.add_argument("--trials", type=int, default=10_000_000)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    rng = np.random.default_rng(20_261_122)
    keep(
        {
            "statistic": statistic_of_nothing(rng, options.trials),
            "noise_words": noise_words(rng, options.words),
            "whole_searches": whole_searches(rng, options.searches),
            "misread_marks": {
                str(bits): [misread(rng, bits, value, options.words) for value in values]
                for bits, values in STRENGTHS.items()
            },
        }
    )


def statistic_of_nothing(rng: np.random.Generator, count: int) -> list[dict[str, float]]:
    """Hold words of unmarked clips against random chips; return how often each value is reached."""
    words = np.concatenate([_received(rng.bytes(32), seed) for seed in range(20)])
    words /= np.linalg.norm(words, axis=1, keepdims=True)
    levels = np.sqrt(-2 * np.log(10.0 ** -np.arange(1, 7)))
    reached = np.zeros(len(levels), np.int64)
    for _ in range(count // CHUNK):
        coins = np.unpackbits(np.frombuffer(rng.bytes(CHUNK * 128), np.uint8)).astype(np.float32)
        signs = 1 - 2 * coins.reshape(CHUNK, 1024)
        found = np.sort(signs @ words[rng.integers(len(words))])
        reached += CHUNK - np.searchsorted(found, levels)
    return [
        {
            "value": round(float(level), 3),
            "bound": 10.0 ** -(index + 1),
            "reached_in": count,
            "reached": int(times),
        }
        for index, (level, times) in enumerate(zip(levels, reached, strict=True))
    ]


def _received(key: bytes, seed: int) -> NDArray[np.float32]:
    """Return what an unmarked clip leaves at a key's payload frequencies, (tries, 1024)."""
    seen = observe(textured.clip(frames=20, height=240, width=416, seed=seed))
    return np.stack([each.received for each in upright(seen, expand(key), singles=SINGLES)])


def noise_words(rng: np.random.Generator, count: int) -> dict[str, float]:
    """Decode noise; return how often a CRC is right, and the largest statistic of any candidate."""
    code = MarkCode.of(payload_bits=64)
    largest, right = 0.0, 0
    for _ in range(count // BATCH):
        received = rng.normal(size=(BATCH, 1024))
        right += sum(map(bool, code.candidates(received, paths=PATHS)))
        largest = max(largest, float(_statistics(code, received)[1].max()))
    return {
        "words": count,
        "words_with_a_right_crc": right,
        "largest_statistic_of_any_candidate": round(largest, 2),
    }


def whole_searches(rng: np.random.Generator, count: int) -> dict[str, float]:
    """Search unmarked clips; return how many are called marked, which must be none."""
    found, recognised, largest, needed, spent_s, presence = 0, 0, 0.0, 0.0, 0.0, 0.0
    for seed in range(count):
        key, frames = rng.bytes(32), textured.clip(frames=4, height=240, width=416, seed=seed)
        started = time.process_time()
        detection = open_watermarker(key).detect(frames)
        spent_s += time.process_time() - started
        found += detection.state is not MarkState.NOT_FOUND
        presence = min(presence, detection.presence_log10_p)
        issued = np.frombuffer(rng.bytes(8 * ISSUED), np.uint8).reshape(-1, 8)
        recognised += open_watermarker(key).recognise(detection, issued).mark_id is not None
        credulous = TileWatermarker(expand(key), AnyWord.new()).detect(frames)
        largest, needed = max(largest, credulous.statistic), detection.threshold
    return {
        "searches": count,
        "false_accepts": found,
        "issued_ids": ISSUED,
        "falsely_recognised": recognised,
        "least_log10_p_of_presence": round(presence, 2),
        "largest_statistic_of_any_candidate": round(largest, 2),
        "threshold": round(needed, 3),
        "cpu_s_per_search": round(spent_s / max(count, 1), 2),
    }


def misread(
    rng: np.random.Generator, payload_bits: int, value: float, count: int
) -> dict[str, float]:
    """Decode noisy marks; return how often the right payload is missed, and what is there then."""
    code = MarkCode.of(payload_bits=payload_bits)
    share = value / 32  # the statistic of a perfect mark is the root of 1024
    scale = share / np.sqrt(1 - share**2)
    missed, largest = 0, 0.0
    for sent in _words(rng, code, count // BATCH):
        received = scale * sent + rng.normal(size=sent.shape)
        signs, statistics = _statistics(code, received)
        lost = ~(signs == sent[:, None]).all(axis=2).any(axis=1)  # (words,)
        missed += int(lost.sum())
        largest = max(largest, float(statistics[lost].max(initial=0.0)))
    return {
        "expected_statistic": value,
        "words": count,
        "right_payload_missed": missed,
        "largest_wrong_statistic_then": round(largest, 2),
    }


def _words(rng: np.random.Generator, code: MarkCode, batches: int) -> Iterator[NDArray[np.float64]]:
    """Give batches of random code words as signs, (BATCH, 1024)."""
    for _ in range(batches):
        size = code.payload_bits // 8
        payloads = [int.from_bytes(rng.bytes(size), "big") for _ in range(BATCH)]
        yield np.stack([1 - 2.0 * code.encode(payload) for payload in payloads])


def _statistics(
    code: MarkCode, received: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each candidate's signs (words, paths, 1024) and statistic (words, paths)."""
    bits, _ = code.polar.decode(received, paths=PATHS)
    signs = 1 - 2.0 * code.polar.encode(bits)
    energy = np.linalg.norm(received, axis=1)
    return signs, np.einsum("wpn,wn->wp", signs, received) / energy[:, None]


if __name__ == "__main__":
    main()
