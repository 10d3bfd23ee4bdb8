"""How well the built-in mark survives, what it costs the eye, and how long it takes.

    python -m benchmarks.watermark_quick --clips FOLDER [--frames 33] [--only NAME ...] [--table]

Each clip is marked, encoded as H.264 CRF 18 (preset medium, as a release is), attacked, and
searched with no knowledge of the attack. A cell counts only if the exact mark id comes back. VMAF
(v0.6.1, luma) compares the encoded clip with the original, once with and once without the mark.
Rows are kept, clip by clip,
in benchmarks/results/watermark_quick.json; `--table` prints them as Markdown for docs/watermark.md.
"""

import argparse
import json
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import av
import cv2
import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from benchmarks.stamp import keep
from provenance.payload import MarkId
from provenance.watermark import Picture
from provenance.watermark.tile import open_watermarker
from tests.support import reencode, textured

Frames = Sequence[Picture]
KEY = bytes(range(32))
MARK_ID = MarkId.from_hex("0123456789abcdef")
RESULTS = Path(__file__).parent / "results" / "watermark_quick.json"

ATTACKS: dict[str, Callable[[Frames], Frames]] = {
    "none": lambda clip: clip,
    "h264 crf 23": lambda clip: reencode.h264(clip, crf=23),
    "h264 crf 28": lambda clip: reencode.h264(clip, crf=28),
    "h264 crf 34": lambda clip: reencode.h264(clip, crf=34),
    "h265 crf 28": lambda clip: reencode.h265(clip, crf=28),
    "half size": lambda clip: reencode.resize(clip, width=0.5, height=0.5),
    "half size, h264 crf 28": lambda clip: reencode.h264(
        reencode.resize(clip, width=0.5, height=0.5), crf=28
    ),
    "crop to 50 % of the area": lambda clip: reencode.crop(clip, area=0.5),
    "crop to 25 % of the area": lambda clip: reencode.crop(clip, area=0.25),
    "crop to 50 %, h264 crf 28": lambda clip: reencode.h264(reencode.crop(clip, area=0.5), crf=28),
    "mirror": reencode.mirror,
    "mirror, crop to 75 %, h264 crf 28": lambda clip: reencode.h264(
        reencode.crop(reencode.mirror(clip), area=0.75), crf=28
    ),
    "turn by 2 degrees": lambda clip: reencode.rotate(clip, degrees=2),
    "turn by -5 degrees": lambda clip: reencode.rotate(clip, degrees=-5),
    "turn by 2 degrees, h264 crf 28": lambda clip: reencode.h264(
        reencode.rotate(clip, degrees=2), crf=28
    ),
    "squeeze to 3/4 of the width": lambda clip: reencode.resize(clip, width=0.75, height=1),
    "pad to a square": reencode.pad_to_square,
    "screenshot, jpeg 50": lambda clip: reencode.screenshot(clip, quality=50),
    "screenshot, crop to 75 %, jpeg 50": lambda clip: reencode.screenshot(
        reencode.crop(clip, area=0.75), quality=50
    ),
    "every other frame": lambda clip: clip[::2],
    "last second": lambda clip: clip[-16:],
    "60 % brightness": lambda clip: [_picture(cv2.convertScaleAbs(f, alpha=0.6)) for f in clip],
    "blur, sigma 2": lambda clip: [_picture(cv2.GaussianBlur(f, (0, 0), 2)) for f in clip],
    "noise, sigma 15": lambda clip: reencode.noise(clip, sigma=15, rng=np.random.default_rng(1)),
}


def main() -> None:
    options = _options()
    if options.table:
        print(table(json.loads(RESULTS.read_text(encoding="utf-8"))["clips"]))
        return
    cv2.setNumThreads(1)
    clips = {
        path.stem: path
        for path in sorted(options.clips.iterdir())
        if path.suffix in {".mp4", ".mpg", ".avi"}
    }
    for name in options.only or [*clips, "drawn"]:
        count = options.frames
        frames = _load(clips[name], count) if name in clips else textured.clip(frames=count)
        _keep(name, {"strength": options.strength, **measure(name, frames, options.strength)})


def _keep(name: str, row: dict[str, Any]) -> None:
    """Put one clip's row into the results, beside those of other clips."""
    report = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {"clips": {}}
    keep({"clips": {**report["clips"], name: row}})


def measure(name: str, frames: Frames, strength: float) -> dict[str, Any]:
    """Return quality, speed and the row of attacks for one clip."""
    marker = open_watermarker(KEY)
    started = time.process_time()
    marked = list(marker.embed(frames, MARK_ID, strength=strength))
    embed_s = time.process_time() - started
    released = reencode.h264(marked, crf=18)
    unmarked = reencode.h264(frames, crf=18)
    row: dict[str, Any] = {
        "size": f"{frames[0].shape[1]}x{frames[0].shape[0]}",
        "frames": len(frames),
        "embed_frames_per_cpu_s": round(len(frames) / embed_s, 1),
        "psnr_rgb_db": round(
            float(np.mean([cv2.PSNR(a, b) for a, b in zip(frames, marked, strict=True)])), 2
        ),
        "vmaf_unmarked": vmaf(frames, unmarked),
        "vmaf_marked": vmaf(frames, released),
        "attacks": {},
    }
    row["vmaf_drop"] = round(row["vmaf_unmarked"] - row["vmaf_marked"], 2)
    print(name, {key: value for key, value in row.items() if key != "attacks"}, flush=True)
    for attack, change in ATTACKS.items():
        row["attacks"][attack] = _search(marker.detect, change(released))
        print(f"  {attack:36s} {row['attacks'][attack]}", flush=True)
    row["attacks"]["(never marked)"] = _search(marker.detect, unmarked)
    row["exact"] = sum(cell["outcome"] == "exact" for cell in row["attacks"].values())
    print(
        f"  {'(never marked)':36s} {row['attacks']['(never marked)']}; exact {row['exact']}",
        flush=True,
    )
    return row


def table(clips: dict[str, Any]) -> str:
    """Return the results as a Markdown table: a statistic where the exact id came back, else -."""
    rows = [
        ["", *clips],
        ["---"] * (1 + len(clips)),
        ["size", *(row["size"] for row in clips.values())],
        ["frames", *(str(row["frames"]) for row in clips.values())],
        ["PSNR (RGB), dB", *(f"{row['psnr_rgb_db']:.1f}" for row in clips.values())],
        ["VMAF without mark", *(f"{row['vmaf_unmarked']:.1f}" for row in clips.values())],
        ["VMAF with mark", *(f"{row['vmaf_marked']:.1f}" for row in clips.values())],
    ]
    for attack in ATTACKS:
        cells = [row["attacks"][attack] for row in clips.values()]
        told = [f"{c['statistic']}" if c["outcome"] == "exact" else "-" for c in cells]
        rows.append([attack, *told])
    exact = [f"{row['exact']} of {len(ATTACKS)}" for row in clips.values()]
    return "\n".join(f"| {' | '.join(row)} |" for row in [*rows, ["exact id", *exact]])


def vmaf(original: Frames, other: Frames) -> float:
    """Return the mean VMAF of `other` against `original`, both of the same size."""
    height, width = other[0].shape[:2]
    layout = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{width}x{height}"]
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, "other"), Path(folder, "original")]
        for path, frames in zip(paths, (other, original), strict=True):
            with path.open("wb") as file:
                for frame in frames:
                    picture = np.ascontiguousarray(frame[:height, :width])
                    file.write(
                        av.VideoFrame.from_ndarray(picture, format="rgb24")
                        .to_ndarray(format="yuv420p")
                        .tobytes()
                    )
        inputs = [word for path in paths for word in (*layout, "-i", str(path))]
        command = [
            imageio_ffmpeg.get_ffmpeg_exe(),
            "-hide_banner",
            *inputs,
            "-lavfi",
            "libvmaf",
            "-f",
            "null",
            "-",
        ]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    return float(re.findall(r"VMAF score: ([\d.]+)", said)[-1])


def _search(detect: Callable[[Frames], Any], frames: Frames) -> dict[str, Any]:
    started = time.process_time()
    found = detect(frames)
    outcome = (
        "not found" if found.mark_id is None else "exact" if found.mark_id == MARK_ID else "WRONG"
    )
    return {
        "outcome": outcome,
        "statistic": round(found.statistic, 1),
        "log10_p": round(found.log10_p, 1),
        "cpu_s": round(time.process_time() - started, 2),
    }


def _picture(array: NDArray[Any]) -> Picture:
    """Return 8-bit pixels as they are; OpenCV and PyAV only say that they give some array."""
    return np.asarray(array, np.uint8)


def _load(path: Path, count: int) -> Frames:
    frames: list[Picture] = []
    with av.open(path) as container:
        for frame in container.decode(video=0):
            frames.append(_picture(frame.to_ndarray(format="rgb24")))
            if len(frames) == count:
                break
    return frames


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--clips", type=Path, default=Path(), help="folder of .mp4, .mpg and .avi files"
    )
    parser.add_argument(
        "--frames", type=int, default=33, help="frames taken from the start of each clip"
    )
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument(
        "--table", action="store_true", help="print the results and do nothing else"
    )
    parser.add_argument("--only", nargs="*", help="names of clips without suffix, or `drawn`")
    return parser.parse_args()


if __name__ == "__main__":
    main()
