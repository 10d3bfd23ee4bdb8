"""A stream of frames: each one checked, in order, and grouped into batches of bounded size."""

import math
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from safety.errors import InputUnexaminable
from safety.sampling import SamplingPlan

BATCH_FRAMES = 8  # 50 MB of 1080p: all that the gate holds of a clip, however long it is

Frame = tuple[int, float, NDArray[np.uint8]]
"""Number of the frame, its time in seconds, and its RGB pixels (height, width, 3)."""


def in_order(frames: Iterable[Frame], plan: SamplingPlan | None) -> Iterator[Frame]:
    """Yield the frames after checking each; with a plan, exactly the planned ones must come.

    Raises:
        InputUnexaminable: a frame is not 8-bit RGB, is out of order, is not planned, or is missing.
    """
    last_index, last_time_s, count = -1, -math.inf, 0
    for index, time_s, rgb in frames:
        if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
            raise InputUnexaminable(
                f"expected 8-bit RGB pixels (height, width, 3) for frame {index}, got {rgb.dtype} "
                f"{rgb.shape}"
            )
        if index <= last_index or not math.isfinite(time_s) or time_s < last_time_s:
            raise InputUnexaminable(
                f"frame {index} at {time_s} s does not come after frame {last_index} at "
                f"{last_time_s} s; frames are examined in order"
            )
        if plan is not None and plan.indices[count : count + 1] != (index,):
            raise InputUnexaminable(f"frame {index} came to the gate where the plan has another")
        last_index, last_time_s, count = index, time_s, count + 1
        yield index, time_s, rgb
    if plan is not None and count != len(plan.indices):
        raise InputUnexaminable(
            f"{count} of {len(plan.indices)} planned frames came to the gate; the clip ended early"
        )


def batches(frames: Iterable[Frame]) -> Iterator[list[Frame]]:
    """Group consecutive frames of one size, at most `BATCH_FRAMES` at a time."""
    batch: list[Frame] = []
    for frame in frames:
        if batch and (len(batch) == BATCH_FRAMES or batch[0][2].shape != frame[2].shape):
            yield batch
            batch = []
        batch.append(frame)
    if batch:
        yield batch
