"""A clip as the rest of the house sees it: a source of frames that can be opened again.

Nothing here holds a whole video: a minute of 1080p is 10 GB of RGB, so frames pass one by one, and
whoever needs them twice opens the source twice.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from provenance.errors import MediaError


@dataclass(frozen=True, slots=True)
class Colour:
    """How sample values mean colours: code points of ITU-T H.273 (2 = unspecified)."""

    primaries: int = 1
    transfer: int = 1
    matrix: int = 1  # BT.709


@dataclass(frozen=True, slots=True)
class ClipShape:
    """What is known of a clip before a frame of it is read."""

    width: int
    height: int
    frame_rate: Fraction  # nominal frames per second
    time_base: Fraction  # seconds per tick of `Frame.ticks`
    frame_count: int | None  # as declared; None where the container does not say
    colour: Colour = Colour()
    pixel_aspect: Fraction = Fraction(1)

    @property
    def duration_s(self) -> float | None:
        """Nominal duration in seconds."""
        return None if self.frame_count is None else float(self.frame_count / self.frame_rate)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture and when it is shown."""

    rgb: NDArray[np.uint8]  # (height, width, 3), read-only
    ticks: int  # presentation time in units of the clip's time base, from the clip's start


class Clip(Protocol):
    """A source of frames; each call of `frames` starts from the beginning."""

    @property
    def shape(self) -> ClipShape:
        """Size, rate and colour."""

    @property
    def sound(self) -> Path | None:
        """The file whose audio streams belong to the clip, if any."""

    def frames(self) -> Iterator[Frame]:
        """Yield every frame in presentation order."""

    def times_s(self) -> list[float]:
        """Return when each frame is shown, in seconds from the start."""


@dataclass(frozen=True, slots=True, eq=False)
class StillClip:
    """A clip that a model just made and that fits in memory."""

    array: NDArray[np.uint8]  # (time, height, width, 3), read-only
    frames_per_second: int

    def __post_init__(self) -> None:
        if self.array.dtype != np.uint8 or self.array.ndim != 4 or self.array.shape[3] != 3:
            raise MediaError(
                "frames are expected as uint8 of shape (time, height, width, 3), "
                f"got {self.array.dtype} {self.array.shape}; convert them first"
            )
        self.array.setflags(write=False)

    @property
    def shape(self) -> ClipShape:
        """Size and rate; generated pixels are BT.709."""
        count, height, width, _ = self.array.shape
        rate = Fraction(self.frames_per_second)
        return ClipShape(width, height, rate, 1 / rate, count)

    @property
    def sound(self) -> Path | None:
        """Generated clips are silent."""
        return None

    def frames(self) -> Iterator[Frame]:
        """Yield every frame; tick and frame number are the same."""
        for ticks, rgb in enumerate(self.array):
            yield Frame(rgb, ticks)

    def times_s(self) -> list[float]:
        """Return when each frame is shown."""
        return [ticks / self.frames_per_second for ticks in range(len(self.array))]


@dataclass(frozen=True, slots=True)
class MappedClip:
    """A clip whose pictures pass through a streaming function; times and sound stay."""

    source: Clip
    transform: Callable[[Iterable[NDArray[np.uint8]]], Iterator[NDArray[np.uint8]]]

    @property
    def shape(self) -> ClipShape:
        """The shape of the source: the function keeps size and count."""
        return self.source.shape

    @property
    def sound(self) -> Path | None:
        """The sound of the source."""
        return self.source.sound

    def frames(self) -> Iterator[Frame]:
        """Yield the transformed frames, each with its own time."""
        times: deque[int] = deque()

        def pictures() -> Iterator[NDArray[np.uint8]]:
            for frame in self.source.frames():
                times.append(frame.ticks)
                yield frame.rgb

        for rgb in self.transform(pictures()):
            yield Frame(rgb, times.popleft())

    def times_s(self) -> list[float]:
        """Return when each frame of the source is shown."""
        return self.source.times_s()


@dataclass(frozen=True, slots=True)
class EvenClip:
    """A clip of even sides, as 4:2:0 needs: an odd one shows its last row or column twice.

    Whatever is put into the pictures has to see them at the size in which they are written, so
    this comes before it.
    """

    source: Clip

    @property
    def shape(self) -> ClipShape:
        """The shape of the source with its sides rounded up."""
        shape = self.source.shape
        even = (shape.width + shape.width % 2, shape.height + shape.height % 2)
        return replace(shape, width=even[0], height=even[1])

    @property
    def sound(self) -> Path | None:
        """The sound of the source."""
        return self.source.sound

    def frames(self) -> Iterator[Frame]:
        """Yield every frame of the source at its even size."""
        for frame in self.source.frames():
            height, width, _ = frame.rgb.shape
            if height % 2 or width % 2:
                sides = ((0, height % 2), (0, width % 2), (0, 0))
                rgb = np.pad(frame.rgb, sides, mode="edge")
                rgb.setflags(write=False)
                yield Frame(rgb, frame.ticks)
            else:
                yield frame

    def times_s(self) -> list[float]:
        """Return when each frame of the source is shown."""
        return self.source.times_s()
