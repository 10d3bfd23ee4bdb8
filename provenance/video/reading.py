"""Read a video file that anybody may have sent.

The demuxers are listed, no other file or address is ever opened, and what the header declares is
checked before the first frame and enforced while reading: headers lie.
"""

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import av.container
import av.error
import av.packet
import av.stream
import av.video.reformatter
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from provenance.clip import ClipShape, Colour, Frame
from provenance.errors import UnreadableMedia, UnsupportedMedia

# Containers we take. Playlists (hls, dash, concat) are absent: they open other files and addresses.
DEMUXERS = "mov,matroska,avi,mpeg,mpegts,mpegvideo,h264,hevc"
HDR_TRANSFERS = {16: "PQ", 18: "HLG"}  # H.273 transfer characteristics
UNSPECIFIED = 2  # H.273
SD_MAX_HEIGHT = 576  # up to here unspecified colour means BT.601, above BT.709: what players assume
BT601, BT709 = Colour(6, 6, 6), Colour(1, 1, 1)


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """What we are willing to decode."""

    max_bytes: int = 2 * 2**30  # an hour of 1080p at 4.5 Mbit/s
    max_pixels: int = 4096 * 2304  # a 4K picture
    max_seconds: int = 3600
    max_frames: int = 3600 * 60  # an hour at 60 frames per second


@dataclass(frozen=True, slots=True)
class VideoFile:
    """A video on disk whose header is within the limits; a `Clip`. Made by `open_video`."""

    path: Path
    shape: ClipShape
    limits: MediaLimits
    has_sound: bool
    container: str  # the demuxer's name
    codec: str

    @property
    def sound(self) -> Path | None:
        """The file itself where it has audio streams."""
        return self.path if self.has_sound else None

    def frames(self) -> Iterator[Frame]:
        """Yield every frame as RGB, upright.

        Raises:
            UnreadableMedia: at the first frame that does not decode, or where the file ends early.
            UnsupportedMedia: where the clip turns out longer or larger than it declared.
        """
        convert = av.video.reformatter.VideoReformatter().reformat
        matrix = self.shape.colour.matrix
        for frame, ticks in self._decoded():
            picture = convert(frame, format="rgb24", src_colorspace=matrix)
            rgb = _upright(cast("NDArray[np.uint8]", picture.to_ndarray()), frame.rotation)
            rgb.setflags(write=False)
            yield Frame(rgb, ticks)

    def luma(self) -> Iterator[NDArray[np.uint8]]:
        """Yield the luma of every frame, (height, width) uint8: all that the mark needs."""
        for frame, _ in self._decoded():
            planar = frame.format.name in {"yuv420p", "yuvj420p", "yuv422p", "yuv444p", "gray"}
            plane = (frame if planar else frame.reformat(format="yuv420p")).planes[0]
            rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
            yield _upright(rows[: plane.height, : plane.width].copy(), frame.rotation)

    def times_s(self) -> list[float]:
        """Return when each frame is shown, found by decoding: packets and frames need not match."""
        return [float(ticks * self.shape.time_base) for _, ticks in self._decoded()]

    def _decoded(self) -> Iterator[tuple[VideoFrame, int]]:
        """Yield raw frames with their ticks from the start of the clip, within the limits."""
        with opened(self.path) as container:
            stream = _picture_stream(container, self.path)
            stream.codec_context.thread_type = "AUTO"
            start: int | None = None
            for count, frame in enumerate(_every_frame(container, stream, self.path)):
                _refuse_growth(frame, count, self.shape, self.limits)
                ticks = frame.pts if frame.pts is not None else count
                start = ticks if start is None else start
                yield frame, ticks - start


def open_video(path: Path, limits: MediaLimits) -> VideoFile:
    """Check a file's header and first frame against the limits and return it as a clip.

    Raises:
        UnreadableMedia: no file, an empty one, or no video that we can parse.
        UnsupportedMedia: too large, too long, or high dynamic range.
    """
    size = _size_of(path)
    if size > limits.max_bytes:
        raise UnsupportedMedia(
            f"{path.name} has {size} bytes and at most {limits.max_bytes} are taken; shrink it"
        )
    with opened(path) as container:
        stream = _picture_stream(container, path)
        _refuse_declared(path, container, stream, limits)
        first = next(_every_frame(container, stream, path), None)
        if first is None:
            raise UnreadableMedia(f"{path.name} holds no picture that decodes; send another file")
        return VideoFile(
            path=path,
            shape=_shape(stream, first.rotation),
            limits=limits,
            has_sound=bool(container.streams.audio),
            container=container.format.name,
            codec=stream.codec_context.name,
        )


def media_digest(path: Path) -> str:
    """Return the SHA-256 (hex) of a file's media packets: what signing must leave unchanged.

    Covers, for every stream in order, its kind, codec, time base and decoder configuration, then
    every packet with its times, in file order. Boxes and offsets of the container are not in it.
    """
    digest = hashlib.sha256()
    with opened(path) as container:
        try:
            for stream in container.streams:
                extra = getattr(stream.codec_context, "extradata", None) or b""
                name = stream.codec_context.name if stream.codec_context else "data"
                head = f"{stream.index} {stream.type} {name} {stream.time_base} {len(extra)}\n"
                digest.update(head.encode() + extra)
            for packet in container.demux():
                if packet.size:
                    head = f"{packet.stream_index} {packet.pts} {packet.dts} {packet.size}\n"
                    digest.update(head.encode() + bytes(packet))
        except (av.error.FFmpegError, OSError) as error:
            raise UnreadableMedia(f"{path.name} has packets that cannot be read") from error
    return digest.hexdigest()


@contextlib.contextmanager
def opened(path: Path) -> Iterator[av.container.InputContainer]:
    """Open a file with the listed demuxers only; no other file or address can be reached."""
    options = {"format_whitelist": DEMUXERS, "protocol_whitelist": "file"}
    try:
        container = av.open(str(path), options=options, metadata_errors="replace")
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise UnreadableMedia(
            f"{path.name} is no video that can be read; "
            "MP4, MOV, Matroska, WebM, AVI or MPEG was expected"
        ) from error
    with container:
        yield container


def _size_of(path: Path) -> int:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise UnreadableMedia(
            f"{path} cannot be opened ({error.strerror}); name a video file"
        ) from error
    if not path.is_file():
        raise UnreadableMedia(f"{path} is not a file; name a video file")
    if size == 0:
        raise UnreadableMedia(f"{path.name} is empty (0 bytes); a video file was expected")
    return size


def _picture_stream(container: av.container.InputContainer, path: Path) -> VideoStream:
    """Return the largest video stream that has a decoder and is no cover picture."""
    cover = av.stream.Disposition.attached_pic
    streams = [
        s
        for s in container.streams.video
        if s.codec_context is not None and s.codec_context.width > 0 and not s.disposition & cover
    ]
    if not streams:
        raise UnreadableMedia(
            f"{path.name} has no pictures; a clip with a video track was expected"
        )
    return max(streams, key=lambda s: s.codec_context.width * s.codec_context.height)


def _every_frame(
    container: av.container.InputContainer, stream: VideoStream, path: Path
) -> Iterator[VideoFrame]:
    """Yield every decoded frame; a cut or damaged file raises where the damage is."""
    packets = frames = 0
    try:
        for packet in container.demux(stream):
            packets += packet.size > 0
            if packet.is_corrupt:
                raise _cut(path, frames)
            for frame in packet.decode():
                frames += 1
                yield frame
    except (av.error.FFmpegError, OSError) as error:
        raise _cut(path, frames) from error
    if packets < stream.frames:
        raise _cut(path, frames)


def _cut(path: Path, frames: int) -> UnreadableMedia:
    return UnreadableMedia(
        f"{path.name} is cut off or damaged after {frames} frames; send the complete file"
    )


def _refuse_declared(
    path: Path,
    container: av.container.InputContainer,
    stream: VideoStream,
    limits: MediaLimits,
) -> None:
    """Refuse what the header already puts beyond the limits."""
    context = stream.codec_context
    if context.width * context.height > limits.max_pixels:
        raise UnsupportedMedia(
            f"{path.name} is {context.width}x{context.height} and at most "
            f"{limits.max_pixels} pixels a frame are taken; scale it down"
        )
    seconds = (container.duration or 0) / av.time_base
    if seconds > limits.max_seconds or stream.frames > limits.max_frames:
        raise UnsupportedMedia(
            f"{path.name} lasts {seconds:.0f} s ({stream.frames} frames) and at most "
            f"{limits.max_seconds} s ({limits.max_frames} frames) are taken; cut it"
        )
    if context.color_trc in HDR_TRANSFERS:
        raise UnsupportedMedia(
            f"{path.name} is high dynamic range ({HDR_TRANSFERS[context.color_trc]}), which 8-bit "
            "processing would damage; convert it to BT.709 first"
        )


def _refuse_growth(frame: VideoFrame, count: int, shape: ClipShape, limits: MediaLimits) -> None:
    """Refuse a clip that is longer or larger than its header said."""
    if {frame.width, frame.height} != {shape.width, shape.height}:
        raise UnsupportedMedia(
            f"the picture changes size to {frame.width}x{frame.height} at frame {count}; "
            "re-encode the clip to one size"
        )
    if count >= limits.max_frames:
        raise UnsupportedMedia(f"the clip has more than {count} frames, the limit; cut it")


def _shape(stream: VideoStream, rotation: int) -> ClipShape:
    context = stream.codec_context
    size, aspect = (context.width, context.height), Fraction(context.sample_aspect_ratio or 1)
    if rotation % 180:
        size, aspect = size[::-1], 1 / aspect
    rate = Fraction(stream.average_rate or stream.guessed_rate or 25)
    return ClipShape(
        width=size[0],
        height=size[1],
        frame_rate=rate,
        time_base=Fraction(stream.time_base or 1 / rate),
        frame_count=stream.frames or None,
        colour=_colour(stream),
        pixel_aspect=aspect,
    )


def _colour(stream: VideoStream) -> Colour:
    context = stream.codec_context
    assumed = BT601 if context.height <= SD_MAX_HEIGHT else BT709
    tags = (context.color_primaries, context.color_trc, context.colorspace)
    given = [int(tag) if tag not in {0, UNSPECIFIED} else None for tag in tags]
    defaults = (assumed.primaries, assumed.transfer, assumed.matrix)
    return Colour(*(g or d for g, d in zip(given, defaults, strict=True)))


def _upright(picture: NDArray[np.uint8], rotation: int) -> NDArray[np.uint8]:
    """Turn a picture as its display matrix asks; `rotation` is in degrees, counter-clockwise."""
    turns = round(rotation / 90) % 4
    return picture if not turns else np.ascontiguousarray(np.rot90(picture, turns))
