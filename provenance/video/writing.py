"""Write a clip as H.264 in MP4, its sound carried along untouched where MP4 can hold it."""

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, cast

import av
import av.audio
import av.audio.frame
import av.audio.stream
import av.container
import av.error
import av.packet
import av.stream
import av.video.reformatter
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from provenance.clip import Clip, ClipShape, Frame
from provenance.errors import StorageFailed, UnreadableMedia
from provenance.video.reading import opened

# Audio codecs that players expect inside MP4; anything else is transcoded to AAC.
MP4_AUDIO = frozenset({"aac", "mp3", "mp2", "ac3", "eac3", "opus", "flac", "alac"})
AudioPacket: TypeAlias = "av.packet.Packet[av.stream.Stream]"
LIMITED_RANGE = 1  # AVCOL_RANGE_MPEG


@dataclass(frozen=True, slots=True)
class Encoding:
    """How pictures become H.264. The bytes depend on the thread count, so it is fixed here."""

    crf: int = 18  # x264's "visually lossless" range ends about here
    preset: str = "medium"
    threads: int = 2

    def __str__(self) -> str:
        """Name everything that changes the bytes, for the record."""
        library = ".".join(str(n) for n in av.library_versions["libavcodec"])
        return (
            f"libx264 crf={self.crf} preset={self.preset} threads={self.threads} "
            f"libavcodec={library}"
        )


def write_video(
    clip: Clip,
    target: Path,
    encoding: Encoding,
    *,
    on_frame: Callable[[int], None] = lambda _: None,
) -> None:
    """Encode a clip to `target`, which must not exist; on any failure nothing stays there.

    Raises:
        StorageFailed: the disk is full or refuses.
        UnreadableMedia: the clip or its sound does not decode to the end.
    """
    with _removed_on_failure(target):
        try:
            with av.open(str(target), "w", format="mp4", options={"fflags": "+bitexact"}) as out:
                _mux(clip, out, encoding, on_frame)
        except (av.error.FFmpegError, OSError) as error:
            raise StorageFailed(
                f"{target} cannot be written ({error.strerror or error}); "
                "free some space or choose another folder"
            ) from error
        _flush_to_disk(target)


def _mux(
    clip: Clip,
    out: av.container.OutputContainer,
    encoding: Encoding,
    on_frame: Callable[[int], None],
) -> None:
    shape = clip.shape
    pictures = _picture_stream(out, shape, encoding)
    with _sound_of(clip, out) as sound:
        convert = av.video.reformatter.VideoReformatter()
        for count, frame in enumerate(clip.frames(), start=1):
            picture = _encodable(frame, shape, convert)
            for packet in pictures.encode(picture):
                out.mux(packet)
            for packet in sound.until(float(frame.ticks * shape.time_base)):
                out.mux(packet)
            on_frame(count)
        for packet in itertools.chain(pictures.encode(None), sound.until(float("inf"))):
            out.mux(packet)


def _picture_stream(
    out: av.container.OutputContainer, shape: ClipShape, encoding: Encoding
) -> VideoStream:
    stream = out.add_stream(
        "libx264",
        rate=shape.frame_rate,
        options={"crf": str(encoding.crf), "preset": encoding.preset},
    )
    context = stream.codec_context
    context.width, context.height = shape.width + shape.width % 2, shape.height + shape.height % 2
    context.pix_fmt = "yuv420p"
    context.time_base = shape.time_base
    context.thread_count = encoding.threads
    context.sample_aspect_ratio = shape.pixel_aspect
    context.color_range = LIMITED_RANGE
    context.color_primaries = shape.colour.primaries
    context.color_trc = shape.colour.transfer
    context.colorspace = shape.colour.matrix
    return stream


def _encodable(
    frame: Frame, shape: ClipShape, convert: av.video.reformatter.VideoReformatter
) -> VideoFrame:
    """Return a frame as 4:2:0 in the clip's own matrix, with its own time."""
    picture = VideoFrame.from_ndarray(_even(frame.rgb), format="rgb24")
    picture = convert.reformat(picture, format="yuv420p", dst_colorspace=shape.colour.matrix)
    picture.pts, picture.time_base = frame.ticks, shape.time_base
    return picture


def _even(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Repeat the last row or column of an odd picture: 4:2:0 has no odd sizes."""
    height, width, _ = rgb.shape
    if height % 2 or width % 2:
        rgb = np.pad(rgb, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(rgb)


class _Sound:
    """The audio packets of a clip, handed out in step with the pictures."""

    def __init__(self, packets: Iterator[tuple[float, AudioPacket]]) -> None:
        self._packets = packets
        self._next = next(packets, None)

    def until(self, time_s: float) -> Iterator[AudioPacket]:
        """Yield the packets that start no later than `time_s`."""
        while self._next is not None and self._next[0] <= time_s:
            yield self._next[1]
            self._next = next(self._packets, None)


@contextlib.contextmanager
def _sound_of(clip: Clip, out: av.container.OutputContainer) -> Iterator[_Sound]:
    if clip.sound is None:
        yield _Sound(iter(()))
        return
    with opened(clip.sound) as source:
        first_picture = source.streams.video[0].start_time or 0
        origin = float(first_picture * (source.streams.video[0].time_base or 0))
        yield _Sound(_audio_packets(source, out, clip.sound, origin))


def _audio_packets(
    source: av.container.InputContainer,
    out: av.container.OutputContainer,
    path: Path,
    origin_s: float,
) -> Iterator[tuple[float, AudioPacket]]:
    """Yield (start in seconds, packet) of every audio stream, shifted to the pictures' start."""
    outputs = {s.index: _audio_stream(out, s) for s in source.streams.audio}
    try:
        for packet in source.demux(*source.streams.audio):
            target = outputs[packet.stream.index]
            if packet.stream.codec_context.name in MP4_AUDIO:
                parts = [packet] if packet.size else []
            else:
                decoded = cast("list[av.audio.frame.AudioFrame]", packet.decode())
                parts = [p for f in decoded for p in target.encode(f)]
            for part in parts:
                start_s = _shift(part, origin_s)
                part.stream = target
                yield start_s, part
        for source_stream in source.streams.audio:
            if source_stream.codec_context.name not in MP4_AUDIO:
                for part in outputs[source_stream.index].encode(None):
                    yield _shift(part, origin_s), part
    except (av.error.FFmpegError, OSError) as error:
        raise UnreadableMedia(f"the sound of {path.name} does not decode; repair it") from error


def _audio_stream(
    out: av.container.OutputContainer, source: av.audio.stream.AudioStream
) -> av.audio.stream.AudioStream:
    if source.codec_context.name in MP4_AUDIO:
        return out.add_stream_from_template(source)
    return out.add_stream("aac", rate=source.codec_context.sample_rate)


def _shift(packet: AudioPacket, origin_s: float) -> float:
    """Move a packet so that the clip starts at 0, and return its start in seconds."""
    ticks = round(origin_s / packet.time_base) if packet.time_base else 0
    if packet.pts is not None:
        packet.pts -= ticks
    if packet.dts is not None:
        packet.dts -= ticks
    return float((packet.pts or 0) * (packet.time_base or 0))


@contextlib.contextmanager
def _removed_on_failure(target: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:  # also on Ctrl-C: nothing half-written stays
        target.unlink(missing_ok=True)
        raise


def _flush_to_disk(target: Path) -> None:
    with target.open("rb") as file:
        os.fsync(file.fileno())
