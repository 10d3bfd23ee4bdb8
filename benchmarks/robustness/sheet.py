"""Contact sheets to look at: original, marked, and the change made sixteen times as strong.

Numbers do not see mottling in a sky; somebody has to look.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.robustness import clips
from benchmarks.robustness.cells import key_of, mark_id_of
from benchmarks.robustness.task import Setup
from provenance.watermark.tile import open_watermarker

AMPLIFIED = 16
SHOWN = (0.1, 0.5, 0.9)  # shares of the clip's length

Picture = NDArray[np.uint8]


def write(names: Sequence[str], setup: Setup, folder: Path) -> None:
    """Write NAME.png for each clip: a row for each moment, three pictures in each."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        path = clips.prepare(clips.named(name), setup.cache, None)
        frames = list(np.load(path, mmap_mode="r")[: setup.frames])
        marker = open_watermarker(key_of(name, 0))
        marked = list(marker.embed(frames, mark_id_of(name, 0), strength=setup.strength))
        at = [int(share * (len(frames) - 1)) for share in SHOWN]
        sheet = np.concatenate([_row(frames[index], marked[index]) for index in at])
        target = folder / f"{name.replace(' ', '-')}.png"
        cv2.imwrite(str(target), sheet[..., ::-1])
        print(target)


def _row(original: Picture, marked: Picture) -> Picture:
    change = 128 + AMPLIFIED * (marked.astype(np.int32) - original)
    shown = np.clip(change, 0, 255).astype(np.uint8)
    return np.concatenate([original, marked, shown], axis=1)
