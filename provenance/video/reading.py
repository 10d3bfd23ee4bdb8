"""Read a video file that anybody may have sent.

The demuxers are listed, no other file or address is ever opened, and the limits hold for what the
header declares, for what the packets say and for what is decoded: headers lie.
"""

import contextlib
import itertools
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
from av.sidedata.sidedata import SideData
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from provenance.clip import ClipShape, Colour, Frame
from provenance.errors import UnreadableMedia, UnsupportedMedia
from provenance.video.colours import SD_MAX_HEIGHT, colour_of, swscale_matrix
from provenance.video.completeness import is_cut, size_of
from provenance.video.limits import MediaLimits
from provenance.video.orientation import Orientation
from provenance.video.times import Clock, Timing, timing

DAMAGE = (av.error.FFmpegError, OSError)  # what reading a damaged file raises

# Containers we take. Playlists (hls, dash, concat) are absent: they open other files and addresses.
DEMUXERS = "mov,matroska,avi,mpeg,mpegts,mpegvideo,h264,hevc"
NO_TIMESTAMPS = 0x80  # AVFMT_NOTIMESTAMPS: a raw stream
PLANAR = frozenset({"yuv420p", "yuvj420p", "yuv422p", "yuv444p", "gray"})  # plane 0 is the luma


@dataclass(frozen=True, slots=True)
class VideoFile:
    """A video on disk whose header is within the limits; a `Clip`. Made by `open_video`."""

    path: Path
    shape: ClipShape
    limits: MediaLimits
    has_sound: bool
    container: str  # the demuxer's name
    codec: str
    clock: Clock
    orientation: Orientation  # of every picture, as the first one says
    losses: tuple[str, ...]  # what of the file `frames` does not hand on, each in plain words

    @property
    def sound(self) -> Path | None:
        """The file itself where it has audio streams."""
        return self.path if self.has_sound else None

    def frames(self) -> Iterator[Frame]:
        """Yield every frame as RGB, upright.

        Raises:
            UnreadableMedia: at the first frame that does not decode, or where the file ends early.
            UnsupportedMedia: where the clip turns out longer or larger than it declared, its times
                run backwards, or its samples cannot be converted.
        """
        convert = av.video.reformatter.VideoReformatter()
        for frame, ticks in self._timed():
            picture = self._converted(convert, frame, "rgb24")
            rgb = self.orientation.upright(cast("NDArray[np.uint8]", picture.to_ndarray()))
            rgb.setflags(write=False)
            yield Frame(rgb, ticks)

    def luma(self) -> Iterator[NDArray[np.uint8]]:
        """Yield the luma of every frame, (height, width) uint8: all that the mark needs."""
        convert = av.video.reformatter.VideoReformatter()
        for frame, _ in self._decoded():
            planar = frame.format.name in PLANAR
            picture = frame if planar else self._converted(convert, frame, "yuv420p")
            plane = picture.planes[0]  # its memory lives as long as the array: nothing is copied
            rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
            luma = self.orientation.upright(rows[: plane.height, : plane.width])
            luma.setflags(write=False)
            yield luma

    def times_s(self) -> list[float]:
        """Return when each frame is shown, found by decoding: packets and frames need not match."""
        return [float(ticks * self.shape.time_base) for _, ticks in self._timed()]

    def _timed(self) -> Iterator[tuple[VideoFrame, int]]:
        """Yield raw frames with their ticks from the start of the clip, which rise."""
        last = -1
        for count, (frame, ticks) in enumerate(self._decoded()):
            if ticks is None or ticks <= last:
                raise UnsupportedMedia(
                    f"the times of {self.path.name} stop rising at frame {count}; "
                    "re-encode the clip to a constant frame rate"
                )
            last = ticks
            yield frame, ticks

    def _decoded(self) -> Iterator[tuple[VideoFrame, int | None]]:
        """Yield raw frames within the limits, with what their own time says."""
        with opened(self.path) as container:
            stream = picture_stream(container, self.path)
            stream.codec_context.thread_type = "AUTO"
            start: int | None = None
            for count, frame in enumerate(_every_frame(container, stream, self.path)):
                stamp = frame.pts if self.clock is Clock.STORED else count
                start = stamp if start is None else start
                ticks = None if stamp is None or start is None else stamp - start
                self._check(frame, count, ticks or 0)
                yield frame, ticks

    def _converted(
        self, convert: av.video.reformatter.VideoReformatter, frame: VideoFrame, pixels: str
    ) -> VideoFrame:
        matrix = swscale_matrix(self.shape.colour)
        colours = {"src_colorspace": matrix, "dst_colorspace": matrix}
        try:
            return convert.reformat(frame, format=pixels, **colours)
        except av.error.FFmpegError as error:
            raise UnsupportedMedia(
                f"{self.path.name} has samples of the kind {frame.format.name}, which cannot be "
                "converted; convert it to yuv420p first"
            ) from error

    def _check(self, frame: VideoFrame, count: int, ticks: int) -> None:
        """Refuse a clip that is longer or larger than it said."""
        size = self.orientation.size(frame.width, frame.height)
        if size != (self.shape.width, self.shape.height):
            raise UnsupportedMedia(
                f"the picture changes size to {size[0]}x{size[1]} at frame {count}; "
                "re-encode the clip to one size"
            )
        seconds = float(ticks * self.shape.time_base)
        self.limits.check_length(self.path.name, seconds=seconds, frames=count + 1)


def open_video(path: Path, limits: MediaLimits) -> VideoFile:
    """Check a file against the limits and return it as a clip.

    Its packets are read once, without decoding, to see how long it is and whether its times can be
    believed (1 % of what decoding costs).

    Raises:
        UnreadableMedia: no file, an empty one, or no video that we can parse.
        UnsupportedMedia: too large, too long, high dynamic range, or turned by an odd angle.
    """
    limits.check_bytes(path.name, size_of(path))
    with opened(path) as container:
        stream = picture_stream(container, path)
        context = stream.codec_context
        limits.check_picture(path.name, context.width, context.height)
        first = next(_every_frame(container, stream, path), None)
        if first is None:
            raise UnreadableMedia(f"{path.name} holds no picture that decodes; send another file")
        when = _timing(path, limits)
        orientation = _orientation(first)
        shape = _shape(path, stream, first, orientation, when)
        limits.check_picture(path.name, shape.width, shape.height)
        lasts_s = float(when.span * shape.time_base + 1 / shape.frame_rate)
        seconds = max(lasts_s, (container.duration or 0) / av.time_base)  # the sound may be longer
        limits.check_length(path.name, seconds=seconds, frames=when.pictures)
        return VideoFile(
            path=path,
            shape=shape,
            limits=limits,
            has_sound=bool(container.streams.audio),
            container=container.format.name,
            codec=stream.codec_context.name,
            clock=when.clock,
            orientation=orientation,
            losses=_losses(container, stream, first),
        )


@contextlib.contextmanager
def opened(path: Path) -> Iterator[av.container.InputContainer]:
    """Open a file with the listed demuxers only; no other file or address can be reached."""
    options = {"format_whitelist": DEMUXERS, "protocol_whitelist": "file"}
    try:
        # The scheme is said: a name such as `take: 2.mp4` would be read as an address.
        container = av.open(f"file:{path}", options=options, metadata_errors="replace")
    except (*DAMAGE, ValueError) as error:
        raise UnreadableMedia(
            f"{path.name} is no video that can be read; "
            "MP4, MOV, Matroska, WebM, AVI or MPEG was expected"
        ) from error
    with container:
        yield container


def picture_stream(container: av.container.InputContainer, path: Path) -> VideoStream:
    """Return the largest video stream that has a decoder and is no cover picture.

    Raises:
        UnreadableMedia: there is none.
    """
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


def pictures_start_s(path: Path) -> float:
    """Return when a file shows its first picture, in seconds of its own clock."""
    with opened(path) as container:
        stream = picture_stream(container, path)
        first = next(_every_frame(container, stream, path), None)
        stamp = first.pts if first is not None and first.pts is not None else stream.start_time
        return float((stamp or 0) * (stream.time_base or 0))


def codec_name(stream: av.stream.Stream) -> str:
    """Return the name of a stream's codec; its decoder may have another (`mp3float` for `mp3`)."""
    return stream.codec_context.codec.canonical_name


def _every_frame(
    container: av.container.InputContainer, stream: VideoStream, path: Path
) -> Iterator[VideoFrame]:
    """Yield every decoded frame; a cut or damaged file raises where the damage is."""
    frames = 0
    try:
        for packet in container.demux(stream):
            if packet.is_corrupt:
                raise _cut(path, frames)
            for frame in packet.decode():
                frames += 1
                yield frame
        if _lacks_samples(container, path):
            raise _cut(path, frames)
    except DAMAGE as error:
        raise _cut(path, frames) from error


def _lacks_samples(container: av.container.InputContainer, path: Path) -> bool:
    """Whether the file ends before its structure does, or before a sample that its index lists."""
    demuxer = container.format.name
    if is_cut(path, demuxer):
        return True
    size = path.stat().st_size
    return demuxer.startswith("mov") and any(
        entry.pos + entry.size > size
        for stream in container.streams
        for entry in stream.index_entries
    )


def _cut(path: Path, frames: int) -> UnreadableMedia:
    return UnreadableMedia(
        f"{path.name} is cut off or damaged after {frames} frames; send the complete file"
    )


def _timing(path: Path, limits: MediaLimits) -> Timing:
    """Read the times of the packets whose pictures are shown; damage is left to the decoding."""
    stamps: list[int | None] = []
    with opened(path) as container:
        stream = picture_stream(container, path)
        timeless = container.format.flags & NO_TIMESTAMPS
        numbered = container.format.name == "avi" and stream.codec_context.has_b_frames
        with contextlib.suppress(*DAMAGE):
            packets = (p for p in container.demux(stream) if p.size and not p.is_discard)
            counted = itertools.islice(packets, limits.max_frames + 1)
            stamps.extend(None if timeless else p.pts for p in counted)
        return timing(stamps, chunk_numbers=numbered)


def _shape(
    path: Path, stream: VideoStream, first: VideoFrame, orientation: Orientation, when: Timing
) -> ClipShape:
    width, height = orientation.size(first.width, first.height)
    aspect = Fraction(stream.codec_context.sample_aspect_ratio or 1)
    counted = when.clock is Clock.COUNTED or not stream.time_base
    # A raw stream has no average rate but libavformat's default; the guess has looked into it.
    rates = (stream.guessed_rate, stream.average_rate)
    rate = Fraction(next(filter(None, rates if counted else reversed(rates)), 25))
    return ClipShape(
        width=width,
        height=height,
        frame_rate=rate,
        time_base=1 / rate if counted else Fraction(stream.time_base or 1),
        frame_count=when.pictures,
        colour=_colour(path, first),
        pixel_aspect=1 / aspect if orientation.transposed else aspect,
    )


def _orientation(frame: VideoFrame) -> Orientation:
    """Return how a frame is to be turned; not for every frame, since this keeps it in memory.

    In PyAV a frame and its side data hold each other until the garbage collector comes.
    """
    try:
        matrix = cast("SideData | None", frame.side_data.get("DISPLAYMATRIX"))
    except ValueError:
        # PyAV lists no side data where it has no name for one of them (Exif, views): then it still
        # tells the turn, but not whether there is a mirror too.
        return Orientation.of_turn(frame.rotation)
    if matrix is None:
        return Orientation()
    return Orientation.of_matrix(np.frombuffer(memoryview(matrix), np.int32).tolist())


def _colour(path: Path, frame: VideoFrame) -> Colour:
    tags = (frame.color_primaries, frame.color_trc, frame.colorspace)
    small = frame.height <= SD_MAX_HEIGHT and not frame.format.is_rgb
    return colour_of(path.name, tags, standard_definition=small)


def _losses(
    container: av.container.InputContainer, stream: VideoStream, first: VideoFrame
) -> tuple[str, ...]:
    """Say in plain words what 8-bit 4:2:0 pictures and the sound leave out of a file."""
    parts = first.format.components
    bits = max(part.bits for part in parts)
    colour = [part for part in parts[1:] if not part.is_alpha]
    half_wide, half_high = (first.width + 1) // 2, (first.height + 1) // 2
    others = sorted({s.type for s in container.streams if s.index != stream.index} - {"audio"})
    losses = {
        f"{bits}-bit samples are reduced to 8-bit": bits > 8,
        "the alpha channel is dropped": stream.metadata.get("alpha_mode") == "1"
        or any(part.is_alpha for part in parts),
        "colours are reduced to 4:2:0": any(
            part.width > half_wide or part.height > half_high for part in colour
        ),
        "interlaced pictures are encoded as progressive ones": first.interlaced_frame,
        f"further tracks are left out: {', '.join(others)}": bool(others),
    }
    return tuple(words for words, holds in losses.items() if holds)
