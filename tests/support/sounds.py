"""Films with sound, and their sound packets."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream

from tests.support.footage import numbered

PIECE = 1000  # samples per frame handed to the encoder
PICTURES_PER_SECOND = 25


@dataclass(frozen=True, slots=True)
class Recording:
    """How a second of sound lies beside a second of pictures."""

    container: str = "mp4"
    codec: str = "aac"
    rate: int = 48_000  # samples per second
    layout: str = "mono"
    language: str | None = None
    late_s: Fraction = Fraction(0)  # of the sound behind the pictures


def record(path: Path, how: Recording) -> Path:
    """Write a second of grey pictures with a tone and return where it is."""
    with av.open(str(path), "w", format=how.container) as out:
        pictures = out.add_stream(
            "libx264", rate=PICTURES_PER_SECOND, options={"preset": "ultrafast"}
        )
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        sound = out.add_stream(how.codec, rate=how.rate, layout=how.layout)
        if not isinstance(sound, AudioStream):
            raise TypeError(f"{how.codec} is no audio codec")
        if how.language:
            sound.metadata["language"] = how.language
        for rgb in numbered(PICTURES_PER_SECOND):
            out.mux(pictures.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        out.mux(pictures.encode(None))
        for samples in _tone(how):
            out.mux(sound.encode(samples))
        out.mux(sound.encode(None))
    return path


def sound_of(path: Path) -> tuple[AudioStream, list[bytes], float]:
    """Return the first sound stream of a file, its packets, and when the first one starts (s)."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
        first = packets[0]
        return (
            stream,
            [bytes(packet) for packet in packets],
            float((first.pts or 0) * first.time_base),
        )


def _tone(how: Recording) -> list[av.AudioFrame]:
    channels = av.AudioLayout(how.layout).nb_channels
    wave = 8000 * np.sin(2 * np.pi * 440 * np.arange(how.rate) / how.rate)
    frames = []
    for start in range(0, how.rate, PIECE):
        piece = wave[start : start + PIECE].astype(np.int16)
        frame = av.AudioFrame.from_ndarray(
            np.repeat(piece, channels)[None], format="s16", layout=how.layout
        )
        frame.sample_rate, frame.time_base = how.rate, Fraction(1, how.rate)
        frame.pts = start + round(how.late_s * how.rate)
        frames.append(frame)
    return frames
