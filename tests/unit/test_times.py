"""Which times of a container are believed."""

import pytest

from provenance.video.times import Clock, Timing, timing


def test_times_that_put_reordered_pictures_in_order_are_believed() -> None:
    assert timing([0, 3, 1, 2, 6, 4, 5], chunk_numbers=False) == Timing(Clock.STORED, 7, 6)


def test_uneven_times_are_believed() -> None:
    assert timing([100, 140, 1000, 1001], chunk_numbers=False) == Timing(Clock.STORED, 4, 901)


@pytest.mark.parametrize(
    "stamps",
    [
        [None, None, None],
        [0, 3, None, 1],
        [0, 1, 1, 2],
        [*range(100, 140), *range(100, 140)],  # two recordings, one after the other
    ],
)
def test_times_that_are_missing_doubled_or_start_again_are_counted(
    stamps: list[int | None],
) -> None:
    count = len(stamps)

    assert timing(stamps, chunk_numbers=False) == Timing(Clock.COUNTED, count, count - 1)


def test_times_that_only_number_the_chunks_are_counted() -> None:
    assert timing([1, 2, 3, 4], chunk_numbers=True).clock is Clock.COUNTED
    assert timing([1, 2, 3, 4], chunk_numbers=False).clock is Clock.STORED
    assert timing([1, 4, 2, 3], chunk_numbers=True).clock is Clock.STORED


def test_a_clip_without_packets_is_counted() -> None:
    assert timing([], chunk_numbers=False) == Timing(Clock.COUNTED, 0, 0)
