"""Flip bits of signed clips and count how many `examine` does not notice.

Run from the repository's root:

    python -m benchmarks.bit_flips [FLIPS] > benchmarks/results/bit_flips.json

Three clips of 33 frames at 256 x 256: silent, with AAC sound, and with the movie header first. For
the silent one FLIPS (2,000) random bits of the file and one bit in every eighth byte of the box
that holds the manifest; for the others a quarter and an eighth of that. Nothing but the file is
asked: no log, no watermark. A flip is noticed when the file is `unreadable` or its integrity
`broken`. (The time-stamp token alone, byte by byte: tests/integration/test_timestamp.py.)
"""

import json
import platform
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from provenance.credentials import Integrity, Presence, examine
from provenance.trust import TrustLists
from tests.support import forgery
from tests.support.drawing import drawn_frames
from tests.support.pki import Desk

FRAMES, SIDE = 33, 256


def make(path: Path, *, sound: bool, header_first: bool) -> Path:
    options = {"movflags": "+faststart"} if header_first else {}
    with av.open(str(path), "w", format="mp4", options=options) as out:
        video = out.add_stream("libx264", rate=Fraction(16), options={"crf": "18", "threads": "1"})
        video.width = video.height = SIDE
        video.pix_fmt = "yuv420p"
        audio = out.add_stream("aac", rate=48_000) if sound else None
        for rgb in drawn_frames(FRAMES, width=SIDE, height=SIDE):
            out.mux(video.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        out.mux(video.encode(None))
        if audio is not None:
            for part in range(90):
                tone = np.sin(np.arange(1024) / 10 + part).astype(np.float32)
                frame = av.AudioFrame.from_ndarray(np.stack([tone, tone]), format="fltp")
                frame.sample_rate, frame.pts = 48_000, part * 1024
                out.mux(audio.encode(frame))
            out.mux(audio.encode(None))
    return path


def outcomes(
    content: bytes, places: Iterable[tuple[int, int]], trust: TrustLists, scratch: Path
) -> tuple[dict[str, int], list[tuple[int, int]]]:
    counted: Counter[str] = Counter()
    missed = []
    for at, bit in places:
        scratch.write_bytes(forgery.flipped(content, at, bit))
        found = examine(scratch, trust)
        kind = f"{found.presence}/{found.integrity}/{found.agreement}"
        counted[kind] += 1
        caught = found.presence is Presence.UNREADABLE or found.integrity is Integrity.BROKEN
        if not caught:
            missed.append((at, bit))
    return dict(counted), missed


def main() -> None:
    flips = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    report: dict[str, object] = {
        "command": f"python -m benchmarks.bit_flips {flips}",
        "machine": f"{platform.machine()}, 2 cores, busy; Python {platform.python_version()}",
        "clips": {},
    }
    clips: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "keys").mkdir()
        desk = Desk.open(folder / "keys")
        for label, sound, first in (
            ("silent", False, False),
            ("sound", True, False),
            ("header_first", False, True),
        ):
            source = make(folder / f"{label}.mp4", sound=sound, header_first=first)
            signed, scratch = folder / f"{label}-signed.mp4", folder / "flipped.mp4"
            began = time.perf_counter()
            desk.sign(source, signed)
            signing = time.perf_counter() - began
            content = signed.read_bytes()
            box = forgery.credentials_box_of(signed)
            began = time.process_time()
            assert examine(signed, desk.trust).integrity is Integrity.HOLDS
            reading = time.process_time() - began
            share, step = (flips, 8) if label == "silent" else (flips // 4, 64)
            anywhere = [
                (at, bit) for at, bit, _ in forgery.random_flips(content, share, seed=20261122)
            ]
            every_byte = [(at, at % 8) for at in range(box.start, box.end, step)]
            found, missed = outcomes(content, anywhere, desk.trust, scratch)
            boxed, boxed_missed = outcomes(content, every_byte, desk.trust, scratch)
            clips[label] = {
                "bytes": len(content),
                "signing_wall_s": round(signing, 3),
                "reading_cpu_s": round(reading, 3),
                "random_bits": {"flips": share, "outcomes": found, "missed": missed},
                "one_bit_in_bytes_of_the_manifest_box": {
                    "every": step,
                    "flips": len(every_byte),
                    "outcomes": boxed,
                    "missed": boxed_missed,
                },
            }
            print(label, "done", file=sys.stderr)
    report["clips"] = clips
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
