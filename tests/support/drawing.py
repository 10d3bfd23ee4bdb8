"""Clips that the tests draw themselves: textured, lit, moving, small."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from provenance.clip import Clip, MappedClip, StillClip
from provenance.video import Encoding, write_video

FAST = Encoding(crf=18, preset="veryfast", threads=1)


def drawn_frames(
    count: int = 24, *, width: int = 320, height: int = 240, seed: int = 7
) -> NDArray[np.uint8]:
    """Return (count, height, width, 3): a disc that drifts over a grainy, unevenly lit ground."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    ground = 110 + 40 * columns / width - 25 * rows / height
    ground += 9 * np.sin(columns / 5 + 0.8 * np.sin(rows / 9)) * np.cos(rows / 6)
    ground += rng.normal(0, 5, (height, width)).astype(np.float32)
    tint = np.array([1.0, 0.86, 0.72], np.float32)
    frames = np.empty((count, height, width, 3), np.uint8)
    for number in range(count):
        across = width * (0.25 + 0.5 * number / max(count - 1, 1))
        distance = np.hypot(columns - across, rows - height / 2)
        disc = np.clip((height / 5 - distance) / 2, 0, 1)[..., None]
        light = 205 - 0.4 * distance + 7 * np.sin(columns / 4 + rows / 7)
        colour = light[..., None] * np.array([0.95, 0.35, 0.25], np.float32)
        picture = ground[..., None] * tint * (1 - disc) + colour * disc
        frames[number] = np.clip(picture + rng.normal(0, 2, (height, width, 1)), 0, 255)
    return frames


def drawn_clip(count: int = 24, *, width: int = 320, height: int = 240, seed: int = 7) -> Clip:
    """Return a drawn clip of 16 frames a second."""
    return StillClip(drawn_frames(count, width=width, height=height, seed=seed), 16)


def drawn_video(
    path: Path, count: int = 24, *, width: int = 320, height: int = 240, seed: int = 7
) -> Path:
    """Write a drawn clip as MP4 and return its path."""
    write_video(drawn_clip(count, width=width, height=height, seed=seed), path, FAST)
    return path


def video_with_sound(path: Path, *, codec: str = "aac", container: str = "mp4") -> Path:
    """Write a second of drawn pictures and a tone; H.264 in MP4, or MPEG-4 in other containers."""
    with av.open(str(path), "w", format=container) as out:
        video = out.add_stream("libx264" if container == "mp4" else "mpeg4", rate=Fraction(16))
        video.width, video.height, video.pix_fmt = 160, 120, "yuv420p"
        sound = out.add_stream(codec, rate=44100)
        for rgb in drawn_frames(16, width=160, height=120):
            out.mux(video.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        out.mux(video.encode(None))
        tone = np.sin(np.arange(44100) * 2 * np.pi * 440 / 44100)
        samples = (tone * 8000).astype(np.int16)[None]
        layout = "mono"
        resampler = av.AudioResampler(
            format=sound.codec_context.format or "fltp", layout=layout, rate=44100
        )
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout=layout)
        frame.sample_rate = 44100
        size = sound.codec_context.frame_size or 1152
        fifo = av.AudioFifo()
        for part in resampler.resample(frame):
            fifo.write(part)
        while (part := fifo.read(size, partial=True)) is not None:
            out.mux(sound.encode(part))
        out.mux(sound.encode(None))
    return path


def brightened(clip: Clip, by: int) -> Clip:
    """Return the clip with every sample raised: a streaming change of the pictures."""
    return MappedClip(
        clip,
        lambda frames: (
            np.minimum(rgb.astype(np.int16) + by, 255).astype(np.uint8) for rgb in frames
        ),
    )
