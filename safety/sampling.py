"""Which frames of a clip the gate looks at, and how long a shot could be that it never sees.

Up to a hundred frames: every one. Beyond that the clip is cut into cells of consecutive frames,
each shorter than half a second and none larger than a hundredth of the clip (rounded up), and one
frame of each cell is looked at, besides the first and the last frame. Which one is drawn from a
seed that is fixed before the clip exists (the leaf of the attempt's record), so nobody can place a
shot between the samples, and anybody can draw them again.

A shot that covers a whole cell is always seen. Any run of frames that holds no whole cell lies
inside two neighbouring cells without filling either, so it lasts less than a second plus a frame;
the plan states the exact figure for its clip as `longest_unseen`.
"""

import hashlib
import itertools
import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from safety.errors import InputUnexaminable

EVERY_FRAME_UP_TO = 100  # a clip of five seconds at 16 fps has 81
CELL_S = 0.5  # at least two frames a second
SEED_BYTES = 32  # a SHA-256 leaf


@dataclass(frozen=True, slots=True)
class SamplingPlan:
    """The frames to look at.

    Attributes:
        frame_count: frames of the clip.
        indices: numbers of the chosen ones, ascending; the first and the last frame are among them.
    """

    frame_count: int
    indices: tuple[int, ...]

    @classmethod
    def for_count(cls, frame_count: int, *, fps: float, seed: bytes) -> Self:
        """Plan for frames at a constant rate.

        Raises:
            InputUnexaminable: there is no frame, or the rate is not a positive number.
        """
        if not (math.isfinite(fps) and fps > 0):
            raise InputUnexaminable(f"expected a positive frame rate, got {fps}")
        return cls.for_times([index / fps for index in range(frame_count)], seed=seed)

    @classmethod
    def for_times(cls, times_s: Sequence[float], *, seed: bytes) -> Self:
        """Plan for frames at these times, which a container lists without decoding.

        Args:
            times_s: presentation times in seconds, in the order of the frames.
            seed: 32 bytes that were fixed before the clip existed.

        Raises:
            InputUnexaminable: there is no frame, or the times run backwards.
        """
        if len(seed) != SEED_BYTES:
            raise ValueError(f"expected a seed of {SEED_BYTES} bytes, got {len(seed)}")
        if not times_s:
            raise InputUnexaminable("the clip has no frames; nothing can be said of it")
        if not all(math.isfinite(time) for time in times_s) or any(
            later < earlier for earlier, later in itertools.pairwise(times_s)
        ):
            raise InputUnexaminable("the times of the frames run backwards; repair the file first")
        count = len(times_s)
        if count <= EVERY_FRAME_UP_TO:
            return cls(count, tuple(range(count)))
        chosen = {0, count - 1}
        for number, (start, end) in enumerate(_cells(times_s)):
            chosen.add(start + _draw(seed, number, end - start))
        return cls(count, tuple(sorted(chosen)))

    def takes(self, index: int) -> bool:
        """Tell whether a frame is among the chosen: a predicate for a stream of frames."""
        place = bisect_left(self.indices, index)
        return place < len(self.indices) and self.indices[place] == index

    @property
    def longest_unseen(self) -> int:
        """The most consecutive frames that nobody looks at."""
        return max((b - a - 1 for a, b in itertools.pairwise(self.indices)), default=0)


def _cells(times_s: Sequence[float]) -> list[tuple[int, int]]:
    """Cut into runs shorter than half a second, with at most a hundredth of the frames each."""
    largest = math.ceil(len(times_s) / EVERY_FRAME_UP_TO)
    cells = []
    start = 0
    for index in range(1, len(times_s)):
        if index - start >= largest or times_s[index] - times_s[start] >= CELL_S:
            cells.append((start, index))
            start = index
    return [*cells, (start, len(times_s))]


def _draw(seed: bytes, number: int, size: int) -> int:
    """Draw one of `size` frames for a cell: the same for the same seed, on every machine.

    64 bits of a hash, modulo a cell of at most a few dozen frames: the bias is below 2**-58.
    """
    drawn = hashlib.sha256(b"countermark frame sample\n" + seed + number.to_bytes(8)).digest()
    return int.from_bytes(drawn[:8]) % size
