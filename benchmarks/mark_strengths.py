"""What a weaker or a stronger mark would be worth: the curve behind the strength that ships.

    python -m benchmarks.mark_strengths [--clips FOLDER] [--cache FOLDER]

Clips where the shipped strength misses something that was aimed at: `textured` loses more of
VMAF-NEG than 3, the others do not keep the mark through every everyday attack. Each is marked at
several strengths; a row says what that costs on raw frames, and the statistic of the find after
attacks (None: no id came back).
"""

from typing import Any

import cv2

from benchmarks.robustness import material
from benchmarks.robustness.quality import Frames, fidelity, vmaf
from benchmarks.stamp import keep
from provenance.payload import MarkId
from provenance.watermark.tile import open_watermarker
from tests.support.attacks import named

CLIPS = (
    "textured", "tiny circle", "city", "bikes", "bikes later", "bunny", "soft", "carphone",
)  # fmt: skip
STRENGTHS = (0.5, 0.7, 1.0, 1.4)
ATTACKS = ("h264 crf 28", "h264 crf 34", "screenshot of h264 crf 28", "size 50 %, h264 28")
MARKER, MARK_ID = open_watermarker(bytes(range(32))), MarkId(0x0123456789ABCDEF)


def main() -> None:
    asked = material.options(__doc__).parse_args()
    cv2.setNumThreads(1)
    found: dict[str, Any] = {}
    for name in CLIPS:
        found[name] = curve(material.frames(name, asked))
    keep({"attacks": ATTACKS, "clips": found})


def curve(frames: Frames) -> list[dict[str, Any]]:
    """Return a row for each strength."""
    itself = vmaf(frames, frames)["vmaf_neg"]
    return [_row(frames, strength, itself) for strength in STRENGTHS]


def _row(frames: Frames, strength: float, itself: float) -> dict[str, Any]:
    marked = list(MARKER.embed(frames, MARK_ID, strength=strength))
    return {
        "strength": strength,
        "vmaf_neg_lost": round(itself - vmaf(frames, marked)["vmaf_neg"], 2),
        "psnr_y_db": fidelity(frames, marked)["psnr_y_db"],
        "statistic": {attack: _statistic(named(attack).change(marked)) for attack in ATTACKS},
    }


def _statistic(attacked: Frames) -> float | None:
    seen = MARKER.detect(attacked)
    return round(seen.statistic, 1) if seen.mark_id == MARK_ID else None


if __name__ == "__main__":
    main()
