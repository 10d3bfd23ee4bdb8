"""When pictures are shown: as the container says, or by counting where it cannot say.

Raw streams have no presentation times, an MPEG program stream has one for every few pictures, and
AVI has chunk numbers in decoding order. Times are believed only where they put the pictures into
the order in which they are shown; otherwise one nominal frame follows the other.
"""

import heapq
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

# Pictures that a decoder may hold back so that later ones are shown first: max_num_reorder_frames
# (ITU-T H.264, E.2.1) and sps_max_num_reorder_pics (H.265, 7.4.3.2) are at most 16.
DEEPEST_REORDERING = 16


class Clock(StrEnum):
    """Where the times of a clip's pictures come from."""

    STORED = "stored"  # the container has one for each picture, and they put them in order
    COUNTED = "counted"  # it has not: picture n is shown at n divided by the nominal frame rate


@dataclass(frozen=True, slots=True)
class Timing:
    """What the times of a clip's packets say, before anything is decoded."""

    clock: Clock
    pictures: int  # packets whose pictures are shown
    span: int  # from the first picture to the last, in ticks of this clock


def timing(stamps: Sequence[int | None], *, chunk_numbers: bool) -> Timing:
    """Decide which clock a clip has.

    Args:
        stamps: the presentation time of every shown packet, in ticks, in decoding order.
        chunk_numbers: the container stores no presentation times and the decoder reorders
            pictures, so that times which rise from packet to packet merely number the packets.
    """
    given = [stamp for stamp in stamps if stamp is not None]
    believable = (
        len(given) == len(stamps)
        and not (chunk_numbers and _rise(given))
        and _rise(_as_shown(given))
    )
    if believable and given:
        return Timing(Clock.STORED, len(given), max(given) - min(given))
    return Timing(Clock.COUNTED, len(stamps), max(len(stamps) - 1, 0))


def _as_shown(stamps: Iterable[int]) -> Iterator[int]:
    """Yield times in the order in which a decoder that reorders deepest would show them."""
    held: list[int] = []
    for stamp in stamps:
        if len(held) < DEEPEST_REORDERING:
            heapq.heappush(held, stamp)
        else:
            yield heapq.heappushpop(held, stamp)
    yield from sorted(held)


def _rise(stamps: Iterable[int]) -> bool:
    return all(later > earlier for earlier, later in itertools.pairwise(stamps))
