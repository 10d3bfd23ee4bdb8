"""What a mark costs a clip, measured on raw frames: visibility, fidelity, colour, flicker.

VMAF and VMAF-NEG (both v0.6.1) come out of ffmpeg's libvmaf and look at luma alone, so a figure for
the two colour channels stands beside them: a mark that hides in colour costs no VMAF. libvmaf does
not give 100 to a clip held against itself, so that is measured too, and the difference counts.
"""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

RATE = 16
MODELS = {"vmaf": "vmaf_v0.6.1", "vmaf_neg": "vmaf_v0.6.1neg"}
LOW_PERCENTILE = 5
UNCHANGED = 1e-5  # mean square, grey levels: what single precision leaves of no change; 98 dB

Picture = NDArray[np.uint8]
Frames = Sequence[Picture]


def quality(original: Frames, marked: Frames) -> dict[str, Any]:
    """Return all figures for one marked clip, whose frames are those of the original, changed."""
    itself, seen = vmaf(original, original), vmaf(original, marked)
    figures: dict[str, Any] = {}
    for name in MODELS:
        figures[name] = seen[name]
        figures[f"{name}_of_the_original"] = itself[name]
        figures[f"{name}_lost"] = round(itself[name] - seen[name], 2)
        low = f"{name}_low"
        figures[f"{low}_lost"] = round(itself[low] - seen[low], 2)
    return {**figures, **fidelity(original, marked)}


def fidelity(original: Frames, marked: Frames) -> dict[str, Any]:
    """Return PSNR in decibels, SSIM of luma, and how large and how restless the change is.

    A PSNR is None where nothing changed at all. Luma and colour are those of BT.601, full range.
    """
    squares = np.zeros(4)  # of RGB, Y, Cr, Cb
    similar, largest, flicker = [], 0, []
    before: NDArray[np.float32] | None = None
    for one, other in zip(original, marked, strict=True):
        change = other.astype(np.float32) - one
        apart = _ycc(other) - _ycc(one)
        squares[0] += np.square(change).mean()
        squares[1:] += np.square(apart).mean(axis=(0, 1))
        largest = max(largest, int(np.abs(change).max()))
        similar.append(_ssim(_ycc(one)[..., 0], _ycc(other)[..., 0]))
        if before is not None:
            flicker.append(float(np.abs(apart[..., 0] - before).mean()))
        before = apart[..., 0]
    rgb, luma, red, blue = squares / len(original)
    return {
        "psnr_rgb_db": _decibels(rgb),
        "psnr_y_db": _decibels(luma),
        "psnr_colour_db": _decibels((red + blue) / 2),
        "ssim_y": round(float(np.mean(similar)), 4),
        "largest_change": largest,
        "flicker_levels": round(float(np.mean(flicker)), 3) if flicker else 0.0,
    }


def vmaf(reference: Frames, distorted: Frames) -> dict[str, float]:
    """Return mean and 5th percentile over the frames of both models."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = [folder / "distorted.y4m", folder / "reference.y4m"]
        for path, frames in zip(paths, (distorted, reference), strict=True):
            _write(path, frames)
        models = "|".join(rf"version={version}\:name={model}" for model, version in MODELS.items())
        graph = f"libvmaf=model='{models}':n_threads=1:log_fmt=json:log_path=log.json"
        _ffmpeg(
            ["-i", paths[0].name, "-i", paths[1].name, "-lavfi", graph, "-f", "null", "-"], folder
        )
        log = json.loads((folder / "log.json").read_text(encoding="utf-8"))
    figures = {}
    for model in MODELS:
        scores = [frame["metrics"][model] for frame in log["frames"]]
        figures[model] = round(float(np.mean(scores)), 2)
        figures[f"{model}_low"] = round(float(np.percentile(scores, LOW_PERCENTILE)), 2)
    return figures


def _write(path: Path, frames: Frames) -> None:
    height, width = frames[0].shape[:2]
    command = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(RATE)]
    command += ["-i", "-", "-pix_fmt", "yuv420p", path.name]
    _ffmpeg(command, path.parent, content=np.ascontiguousarray(np.stack(frames)).tobytes())


def _ffmpeg(arguments: list[str], folder: Path, content: bytes | None = None) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-v", "error", "-threads", "1"]
    done = subprocess.run(
        [*command, *arguments], input=content, capture_output=True, check=False, cwd=folder
    )
    if done.returncode:
        raise RuntimeError(
            f"ffmpeg ended with {done.returncode}: {done.stderr.decode(errors='replace')[-300:]}; "
            "libvmaf is in the build that imageio-ffmpeg brings"
        )


def _ycc(frame: Picture) -> NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(frame.astype(np.float32), cv2.COLOR_RGB2YCrCb), np.float32)


def _ssim(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return SSIM: Wang, Bovik, Sheikh, Simoncelli, IEEE Trans. Image Proc. 13(4), 2004."""

    def blurred(picture: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.GaussianBlur(picture, (11, 11), 1.5), np.float32)

    a, b = blurred(one), blurred(other)
    aa, bb, ab = (blurred(x) for x in (one * one, other * other, one * other))
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    top = (2 * a * b + c1) * (2 * (ab - a * b) + c2)
    return float((top / ((a * a + b * b + c1) * (aa - a * a + bb - b * b + c2))).mean())


def _decibels(mean_square: float) -> float | None:
    if mean_square < UNCHANGED:
        return None
    return round(float(10 * np.log10(255**2 / mean_square)), 2)
