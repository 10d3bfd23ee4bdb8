"""How fast the mark is written and looked for: CPU time of one core, with nothing else running.

    python -m benchmarks.mark_speed [--clips FOLDER] [--cache FOLDER]

Run it alone: beside another process the slowest search was seen to take a fifth more CPU time.
Five clips of 832 x 480 are marked, attacked in ways that leave the geometry, that change it and
that lose the mark, and searched with their own key and a wrong one. Each time is the lower of two.
"""

import hashlib
import time
from collections.abc import Callable
from typing import TypeVar

import cv2

from benchmarks.robustness import clips, material
from benchmarks.robustness.cells import key_of, mark_id_of
from benchmarks.robustness.quality import Frames
from benchmarks.robustness.summary import spread
from benchmarks.stamp import keep
from provenance.watermark import Detection
from provenance.watermark.tile import open_watermarker
from tests.support.attacks import named

CLIPS = ("bunny", "vtest", "bikes", "flat", "textured")
ATTACKS = (
    "identity", "h264 crf 28", "av1 crf 35", "gamma 2", "360p, 300k", "size 50 %", "mirror",
    "crop to 50 %", "crop to 25 %", "turn by 5 degrees", "squeeze to 4:3", "letterbox, 640 square",
    "crop 50 %, h264 28", "turn 2, h264 28", "telephone, aslant", "aslant", "h264 crf 40",
)  # fmt: skip
WRONG_KEY_ON = ("identity", "h264 crf 28", "crop to 50 %")
SCALE_SLACK, TURN_SLACK_DEGREES = 0.004, 0.15  # below what a search tells apart
Result = TypeVar("Result")


def main() -> None:
    asked = material.options(__doc__).parse_args()
    cv2.setNumThreads(1)
    embedded: dict[str, float] = {}
    searched: dict[str, list[float]] = {}
    for name in CLIPS:
        frames = material.frames(name, asked)
        marked, spent_s = _timed(lambda name=name, frames=frames: _marked(name, frames))
        embedded[name] = round(len(frames) / spent_s, 1)
        for came_to, seconds in _searches(name, marked):
            searched.setdefault(came_to, []).append(seconds)
        print(name, embedded[name], {k: max(v) for k, v in searched.items()}, flush=True)
    keep(
        {
            "frames": clips.FRAMES,
            "attacks": ATTACKS,
            "embed_frames_per_cpu_s": {**spread(list(embedded.values())), "by_clip": embedded},
            "detect_cpu_s": {name: spread(values) for name, values in sorted(searched.items())},
        }
    )


def _marked(name: str, frames: Frames) -> Frames:
    return list(open_watermarker(key_of(name, 0)).embed(frames, mark_id_of(name, 0)))


def _searches(name: str, marked: Frames) -> list[tuple[str, float]]:
    """Return what each search of a clip came to, and the seconds that it took."""
    keys = {"own": key_of(name, 0), "wrong": hashlib.sha256(f"wrong {name}".encode()).digest()}
    found = []
    for attack in ATTACKS:
        attacked = named(attack).change(marked)
        for whose, key in keys.items():
            if whose == "own" or attack in WRONG_KEY_ON:
                marker = open_watermarker(key)
                seen, spent_s = _timed(lambda m=marker, frames=attacked: m.detect(frames))
                found.append((_came_to(seen), round(spent_s, 2)))
    return found


def _came_to(found: Detection) -> str:
    seen = found.geometry
    if found.mark_id is None or seen is None:
        return "nothing found"
    upright = (
        abs(seen.scale_x - 1) <= SCALE_SLACK
        and abs(seen.scale_y - 1) <= SCALE_SLACK
        and abs(seen.rotation_degrees) <= TURN_SLACK_DEGREES
    )
    return "found, geometry untouched" if upright else "found, geometry searched"


def _timed(work: Callable[[], Result]) -> tuple[Result, float]:
    """Return what the work gives and the lower CPU time of two times, in seconds."""
    times: list[float] = []
    for _ in range(2):
        begun = time.process_time()
        result = work()
        times.append(time.process_time() - begun)
    return result, min(times)


if __name__ == "__main__":
    main()
