"""Video that tests draw themselves: moving textured shapes, with and without sound."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from provenance.clip import Clip, MappedClip, StillClip
from provenance.video import Encoding, write_video

FAST = Encoding(preset="ultrafast", threads=1)
FRAMES_PER_SECOND = 16
SAMPLES_PER_SECOND = 48_000

Frames = NDArray[np.uint8]


def drawn_frames(count: int, *, width: int = 320, height: int = 240, seed: int = 7) -> Frames:
    """Return RGB frames (time, height, width, 3): a lit disc crosses a grainy gradient."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    ground = 90 + 60 * x / width + 40 * y / height + rng.normal(0, 8, (height, width))
    frames = np.empty((count, height, width, 3), np.uint8)
    for t in range(count):
        disc = np.hypot(x - width / 4 - 3 * t, y - height / 2) < height / 5
        red = np.where(disc, 200, ground)
        green = np.where(disc, 80 + 0.3 * x, ground)
        blue = np.where(disc, 60 + 0.3 * y, ground * 0.8)
        frames[t] = np.clip(np.stack([red, green, blue], axis=2), 0, 255).astype(np.uint8)
    return frames


def drawn_clip(count: int, *, width: int = 320, height: int = 240, seed: int = 7) -> StillClip:
    """Return drawn frames as a clip of 16 frames a second."""
    frames = drawn_frames(count, width=width, height=height, seed=seed)
    return StillClip(frames, FRAMES_PER_SECOND)


def drawn_video(
    path: Path, count: int = 24, *, width: int = 320, height: int = 240, seed: int = 7
) -> Path:
    """Write a drawn clip as MP4 and return where it is."""
    write_video(drawn_clip(count, width=width, height=height, seed=seed), path, FAST)
    return path


def brightened(clip: Clip, by: int) -> MappedClip:
    """Return a clip whose pictures are brighter by so many grey levels."""

    def brighter(pictures: Iterable[Frames]) -> Iterator[Frames]:
        for picture in pictures:
            yield np.minimum(picture.astype(np.int16) + by, 255).astype(np.uint8)

    return MappedClip(clip, brighter)


def video_with_sound(path: Path, *, codec: str = "aac", container: str = "mp4") -> Path:
    """Write a second of pictures with a tone and return where it is."""
    with av.open(str(path), "w", format=container) as out:
        pictures = out.add_stream(
            "libx264", rate=FRAMES_PER_SECOND, options={"preset": "ultrafast"}
        )
        pictures.width, pictures.height, pictures.pix_fmt = 160, 120, "yuv420p"
        sound = out.add_stream(codec, rate=SAMPLES_PER_SECOND, layout="mono")
        if not isinstance(sound, AudioStream):
            raise TypeError(f"{codec} is no audio codec")
        for rgb in drawn_frames(FRAMES_PER_SECOND, width=160, height=120):
            out.mux(pictures.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        out.mux(pictures.encode())
        tone = 8000 * np.sin(2 * np.pi * 440 * np.arange(SAMPLES_PER_SECOND) / SAMPLES_PER_SECOND)
        for start in range(0, SAMPLES_PER_SECOND, 1000):
            piece = tone[None, start : start + 1000].astype(np.int16)
            samples = av.AudioFrame.from_ndarray(piece, format="s16", layout="mono")
            samples.sample_rate, samples.pts = SAMPLES_PER_SECOND, start
            out.mux(sound.encode(samples))
        out.mux(sound.encode())
    return path
