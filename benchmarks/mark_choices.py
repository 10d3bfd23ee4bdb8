"""What each choice in the mark's design is worth: taken back, at the same loss of VMAF-NEG.

    python -m benchmarks.mark_choices [--clips FOLDER] [--cache FOLDER]

A clip is marked as shipped and once for each choice taken back, always at the strength that costs
it 3 of VMAF-NEG or 42 dB of PSNR-Y, whichever comes first. Then it is re-encoded, and the figure is
the statistic of the right id where nothing has to be searched for (11.34 is needed). `colour` is
not a choice taken back but one that was not made: the same tile in blue and yellow (Cb), at 44 dB
of PSNR in RGB and no mark on luma.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np

from benchmarks.robustness import material
from benchmarks.robustness.quality import fidelity, vmaf
from benchmarks.stamp import keep
from provenance.payload import MarkId
from provenance.watermark import Picture, chips, perception
from provenance.watermark.accumulate import observe
from provenance.watermark.bound import statistic
from provenance.watermark.canonical import canonical_size
from provenance.watermark.chips import TILE, offset
from provenance.watermark.embed import mark_spectrum
from provenance.watermark.readout import upright
from provenance.watermark.tile import SINGLES, TileWatermarker, open_watermarker
from tests.support import reencode

Frames = Sequence[Picture]
CLIPS = ("bunny", "city", "soft", "tiny circle")
FRAMES = 33
MOST_LOST, LEAST_DB = 3.0, 42.0
COLOUR_DB = 44.0
BLUE = (0.0, -0.344, 1.772)  # RGB of a step in Cb: BT.601, full range
TAKEN_BACK: dict[str, dict[Any, dict[str, Any]]] = {
    "as shipped": {},
    "any structure hides": {perception: {"ENOUGH": (1.0, 1e-9)}},
    "also on edges": {perception: {"STEEP": (1e9,) * len(perception.DETAIL)}},
    "never in patches": {
        perception: {"SPREAD_OUT": (1.0,) * len(perception.DETAIL), "SMALL": (0, 1)}
    },
    "falling spectrum": {chips: {"SPECTRAL_SLOPE": -0.6}},
    "spectrum of before": {chips: {"SPECTRAL_SLOPE": 0.5, "FINEST": 9.0}},
}
ATTACKS: dict[str, Callable[[Frames], Frames]] = {
    "h264 crf 28": lambda frames: reencode.h264(frames, crf=28),
    "h264 crf 34": lambda frames: reencode.h264(frames, crf=34),
    "h265 crf 28": lambda frames: reencode.h265(frames, crf=28),
}
MARKER, MARK_ID = open_watermarker(bytes(range(32))), MarkId(0x0123456789ABCDEF)


def main() -> None:
    asked = material.options(__doc__).parse_args()
    cv2.setNumThreads(1)
    rows: dict[str, Any] = {}
    for name in CLIPS:
        frames = material.frames(name, asked, FRAMES)
        rows[name] = {choice: measure(frames, back) for choice, back in TAKEN_BACK.items()}
        rows[name]["colour"] = survived(coloured(frames), channel=2)
        print(name, rows[name], flush=True)
    keep({"frames": FRAMES, "clips": rows})


def measure(frames: Frames, taken_back: dict[Any, dict[str, Any]]) -> dict[str, float]:
    """Return what survives with a choice taken back, at the strength that the eye allows."""
    with changed(taken_back):
        strength, marked = at_the_limit(frames)
    return {"strength": round(strength, 2), **survived(marked)}


def at_the_limit(frames: Frames) -> tuple[float, Frames]:
    """Return the strength that costs as much as it may, and the clip marked with it."""
    of_itself, strength = vmaf(frames, frames)["vmaf_neg"], 1.0
    for _ in range(6):
        marked = list(MARKER.embed(frames, MARK_ID, strength=strength))
        lost = of_itself - vmaf(frames, marked)["vmaf_neg"]
        psnr = fidelity(frames, marked)["psnr_y_db"]
        # The loss grows with about the 3/2 power of the strength, PSNR falls with its square.
        step = min((MOST_LOST / max(lost, 0.05)) ** (2 / 3), 10 ** ((psnr - LEAST_DB) / 20))
        if abs(step - 1) < 0.02:
            break
        strength = min(strength * step, 4.0)
    return strength, marked


def survived(marked: Frames, channel: int = 0) -> dict[str, float]:
    """Return the statistic of the right id after each attack, from one channel of YCrCb."""
    return {name: _found(attack(marked), channel) for name, attack in ATTACKS.items()}


def coloured(frames: Frames) -> Frames:
    """Return frames with the tile in blue and yellow, everywhere alike, and luma as it was."""
    marker = _tile_marker()
    height, width = frames[0].shape[:2]
    rows, columns = canonical_size(height, width)
    signs, sizes = mark_spectrum(
        marker.chips, marker.code.encode(MARK_ID.value), min(height, width)
    )
    flat = np.where(sizes > 0, 1.0, 0.0)  # colour survives best with a flat spectrum
    tile = np.roll(
        np.fft.irfft2(signs * flat, (TILE, TILE)), offset(marker.chips, MARK_ID)[::-1], (0, 1)
    )
    plane = np.tile(tile / tile.std(), (-(-rows // TILE), -(-columns // TILE)))[:rows, :columns]
    change = cv2.resize(plane.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    step = 255 * 10 ** (-COLOUR_DB / 20) / np.sqrt(np.mean(np.square(BLUE)))
    steps = change[..., None] * np.float32(step) * np.array(BLUE, np.float32)
    return [np.clip(np.rint(frame + steps), 0, 255).astype(np.uint8) for frame in frames]


def _found(frames: Frames, channel: int) -> float:
    marker = _tile_marker()
    coded = marker.code.encode(MARK_ID.value)
    seen = observe(_channel(frame, channel) for frame in frames)
    tries = upright(seen, marker.chips, singles=SINGLES)
    return round(max(statistic(each.received, marker.chips, coded) for each in tries), 1)


def _channel(frame: Picture, channel: int) -> Picture:
    return np.ascontiguousarray(cv2.cvtColor(frame, cv2.COLOR_RGB2YCrCb)[..., channel])


def _tile_marker() -> TileWatermarker:
    if not isinstance(MARKER, TileWatermarker):
        raise TypeError("the built-in mark was expected")
    return MARKER


@contextmanager
def changed(values: dict[Any, dict[str, Any]]) -> Iterator[None]:
    """Give modules other constants for a while."""
    before = {
        module: {name: getattr(module, name) for name in names} for module, names in values.items()
    }
    try:
        for module, names in values.items():
            vars(module).update(names)
        yield
    finally:
        for module, names in before.items():
            vars(module).update(names)


if __name__ == "__main__":
    main()
