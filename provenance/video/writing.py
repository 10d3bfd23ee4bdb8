"""Write a clip as H.264 in MP4, its sound carried along untouched where MP4 can hold it."""

import contextlib
import errno
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias, cast

import av
import av.audio
import av.audio.frame
import av.audio.stream
import av.codec
import av.container
import av.error
import av.packet
import av.stream
import av.video.reformatter
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from provenance.clip import Clip, ClipShape, Frame
from provenance.errors import StorageFailed, UnreadableMedia, UnsupportedMedia
from provenance.video.colours import swscale_matrix
from provenance.video.reading import DAMAGE, codec_name, opened, pictures_start_s

# Audio codecs that players expect inside MP4; anything else is transcoded to AAC.
MP4_AUDIO = frozenset({"aac", "mp3", "mp2", "ac3", "eac3", "opus", "flac", "alac"})
# Speakers that AAC has a channel configuration for (ISO 14496-3, table 1.19), by their number.
AAC_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1", 8: "7.1"}
AudioPacket: TypeAlias = "av.packet.Packet[av.stream.Stream]"
LIMITED_RANGE = 1  # AVCOL_RANGE_MPEG

# What the system says when the disk, and not the clip, is at fault.
DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
DISK_FAILS = (errno.EIO, errno.ESTALE, errno.ENOENT, errno.ENOTDIR)
DISK_FORBIDS = (errno.EROFS, errno.EACCES, errno.EPERM)


@dataclass(frozen=True, slots=True)
class Encoding:
    """How pictures become H.264. The bytes depend on the thread count, so it is fixed here."""

    crf: int = 18  # x264's "visually lossless" range ends about here
    preset: str = "medium"
    threads: int = 2
    lookahead: int = 12  # frames; x264's own 40 for this preset hold 190 MB more of a 1080p clip

    def __str__(self) -> str:
        """Name everything that changes the bytes, for the record."""
        library = ".".join(str(n) for n in av.library_versions["libavcodec"])
        return (
            f"libx264 crf={self.crf} preset={self.preset} threads={self.threads} "
            f"rc-lookahead={self.lookahead} libavcodec={library}"
        )


class SoundTrack(StrEnum):
    """What became of the sound of a clip that was written."""

    NONE = "none"  # it has none
    COPIED = "copied"  # packet by packet, untouched
    TRANSCODED = "transcoded"  # to AAC, since MP4 does not hold the codec of at least one stream


@dataclass(frozen=True, slots=True)
class Written:
    """What was written."""

    frames: int
    sound: SoundTrack


def write_video(
    clip: Clip,
    target: Path,
    encoding: Encoding,
    *,
    on_frame: Callable[[int], None] = lambda _: None,
) -> Written:
    """Encode a clip of even sides to `target`, which must not exist; a failure leaves nothing.

    Raises:
        StorageFailed: the target exists, or the disk is full or refuses.
        UnreadableMedia: the clip or its sound does not decode to the end.
        UnsupportedMedia: the sides are odd, or the clip cannot be encoded.
    """
    shape = clip.shape
    if shape.width % 2 or shape.height % 2:
        raise UnsupportedMedia(
            f"the clip is {shape.width}x{shape.height} and 4:2:0 has even sides; "
            "take it through EvenClip before it is written"
        )
    with _created(target):
        output = _Output(target)
        with output.closed_at_the_end():
            written = _mux(clip, output, encoding, on_frame)
        with _blamed(target):
            _flush_to_disk(target)
    return written


def _mux(
    clip: Clip, output: "_Output", encoding: Encoding, on_frame: Callable[[int], None]
) -> Written:
    shape = clip.shape
    count = 0
    pictures = _picture_stream(output.container, shape, encoding)
    with _sound_of(clip, output.container) as sound:
        convert = av.video.reformatter.VideoReformatter()
        for count, frame in enumerate(clip.frames(), start=1):
            output.encode(pictures, _encodable(frame, shape, convert))
            output.copy(sound.until(float(frame.ticks * shape.time_base)))
            on_frame(count)
        output.encode(pictures, None)
        output.copy(sound.until(float("inf")))
        return Written(count, sound.track)


class _Output:
    """The MP4 file that is being written."""

    def __init__(self, target: Path) -> None:
        self._target = target
        with _blamed(target):
            self.container = av.open(
                f"file:{target}", "w", format="mp4", options={"fflags": "+bitexact"}
            )

    def encode(self, pictures: VideoStream, picture: VideoFrame | None) -> None:
        """Write a picture, or what the encoder still holds."""
        with _blamed(self._target):
            self.container.mux(pictures.encode(picture))

    def copy(self, packets: Iterable[AudioPacket]) -> None:
        """Write packets."""
        for packet in packets:
            with _blamed(self._target):
                self.container.mux(packet)

    @contextlib.contextmanager
    def closed_at_the_end(self) -> Iterator[None]:
        """Finish the file; where something failed before, say that and not what follows from it."""
        try:
            yield
        except BaseException:
            with contextlib.suppress(*DAMAGE):
                self.container.close()
            raise
        with _blamed(self._target):
            self.container.close()


def _picture_stream(
    out: av.container.OutputContainer, shape: ClipShape, encoding: Encoding
) -> VideoStream:
    stream = out.add_stream(
        "libx264",
        rate=shape.frame_rate,
        options={
            "crf": str(encoding.crf),
            "preset": encoding.preset,
            "rc-lookahead": str(encoding.lookahead),
        },
    )
    context = stream.codec_context
    context.width, context.height = shape.width, shape.height
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
    picture = VideoFrame.from_ndarray(np.ascontiguousarray(frame.rgb), format="rgb24")
    matrix = swscale_matrix(shape.colour)
    picture = convert.reformat(picture, format="yuv420p", dst_colorspace=matrix)
    picture.pts, picture.time_base = frame.ticks, shape.time_base
    return picture


class _Sound:
    """The audio packets of a clip, handed out in step with the pictures."""

    def __init__(self, packets: Iterator[tuple[float, AudioPacket]], track: SoundTrack) -> None:
        self.track = track
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
        yield _Sound(iter(()), SoundTrack.NONE)
        return
    with opened(clip.sound) as source:
        outputs = {s.index: _audio_stream(out, s) for s in source.streams.audio}
        packets = _audio_packets(source, outputs, clip.sound)
        copied = all(codec_name(s) in MP4_AUDIO for s in source.streams.audio)
        yield _Sound(packets, SoundTrack.COPIED if copied else SoundTrack.TRANSCODED)


def _audio_stream(
    out: av.container.OutputContainer, source: av.audio.stream.AudioStream
) -> av.audio.stream.AudioStream:
    if codec_name(source) in MP4_AUDIO:
        target = out.add_stream_from_template(source)
    else:
        count, layout = source.layout.nb_channels, source.layout.name
        known = layout in AAC_LAYOUTS.values()
        target = out.add_stream(
            "aac",
            rate=_aac_rate(source.codec_context.sample_rate),
            layout=layout if known else AAC_LAYOUTS.get(count, "stereo"),
        )
    if source.language:
        target.metadata["language"] = source.language
    return target


def _aac_rate(rate: int) -> int:
    """Return the lowest rate of AAC that keeps all that a rate holds, or its highest one."""
    rates = av.codec.Codec("aac", "w").audio_rates or [rate]
    return min((r for r in rates if r >= rate), default=max(rates))


def _audio_packets(
    source: av.container.InputContainer,
    outputs: Mapping[int, av.audio.stream.AudioStream],
    path: Path,
) -> Iterator[tuple[float, AudioPacket]]:
    """Yield (start in seconds, packet) of every audio stream, shifted to the pictures' start."""
    origin_s = pictures_start_s(path)
    try:
        for packet in source.demux(*source.streams.audio):
            target = outputs[packet.stream.index]
            for part in _parts(packet, target):
                start_s = _shift(part, origin_s)
                part.stream = target
                yield start_s, part
    except (*DAMAGE, ValueError) as error:  # ValueError: the format of the samples changes
        raise UnreadableMedia(f"the sound of {path.name} does not decode; repair it") from error


def _parts(packet: AudioPacket, target: av.audio.stream.AudioStream) -> list[AudioPacket]:
    """Return what becomes of a packet; the empty one at the end flushes decoder and encoder."""
    if codec_name(packet.stream) in MP4_AUDIO:
        return [packet] if packet.size else []
    decoded = cast("list[av.audio.frame.AudioFrame | None]", packet.decode())
    if not packet.size:
        decoded.append(None)
    return [part for frame in decoded for part in target.encode(frame)]


def _shift(packet: AudioPacket, origin_s: float) -> float:
    """Move a packet so that the clip starts at 0, and return its start in seconds."""
    ticks = round(origin_s / packet.time_base) if packet.time_base else 0
    if packet.pts is not None:
        packet.pts -= ticks
    if packet.dts is not None:
        packet.dts -= ticks
    return float((packet.pts or 0) * (packet.time_base or 0))


@contextlib.contextmanager
def _created(target: Path) -> Iterator[None]:
    """Make a file that was not there before; on any failure it is gone again, and no other."""
    with _blamed(target):
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    try:
        yield
    except BaseException:  # also on Ctrl-C: nothing half-written stays
        target.unlink(missing_ok=True)
        raise


def _flush_to_disk(target: Path) -> None:
    with target.open("rb") as file:
        os.fsync(file.fileno())


@contextlib.contextmanager
def _blamed(target: Path) -> Iterator[None]:
    """Say whose fault it is that a file cannot be written: the disk's or the clip's."""
    try:
        yield
    except DAMAGE as error:
        what = error.strerror or str(error)
        if error.errno == errno.EEXIST:
            raise StorageFailed(
                f"{target} exists and is not replaced; name another file or remove it first"
            ) from error
        if error.errno in (*DISK_IS_FULL, *DISK_FAILS, *DISK_FORBIDS):
            raise StorageFailed(
                f"{target} cannot be written ({what}); free some space or choose another folder"
            ) from error
        raise UnsupportedMedia(
            f"the clip cannot be encoded as {target.name} ({what}); re-encode it as MP4 first"
        ) from error
