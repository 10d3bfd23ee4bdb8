"""Is a record's time near the time at which it was signed? Pure.

A record says by its writer's clock when something happened; the checkpoint that first covers it is
filed under the minute of its signing, by the same machine. Where the two lie far apart a clock was
wrong, or somebody wrote a record for another day. Neither time is proven by anything, so this is a
warning; what bounds times from outside says docs/spec/record.md.
"""

from collections.abc import Iterable
from typing import Final

from audit.integrity.problems import Found, ProblemKind, and_more
from audit.records import Record

FAR_MS: Final = 60 * 60 * 1000
"""An hour: more than the longest wait for a lock and less than a wrong time zone."""


class Times:
    """Follows records in the log's order, beside the checkpoints that first covered them."""

    def __init__(self, signed: Iterable[tuple[object, object]]) -> None:
        """Take the stored checkpoints.

        Args:
            signed: (records covered, milliseconds since 1970) in order; rows hold anything.
        """
        self._signed = [
            (size, at) for size, at in signed if isinstance(size, int) and isinstance(at, int)
        ]
        self._next = 0
        self._far: list[tuple[int, str]] = []

    def see(self, index: int, record: Record) -> None:
        """Take one record in."""
        while self._next < len(self._signed) and self._signed[self._next][0] <= index:
            self._next += 1
        if self._next == len(self._signed):
            return
        at = self._signed[self._next][1]
        # The record may have been covered by a checkpoint that was thinned out since, at any time
        # after the one that is still kept before it.
        since = self._signed[self._next - 1][1] if self._next else at
        if not min(since, at) - FAR_MS <= record.time_ms <= at + FAR_MS:
            self._far.append((index, f"{record.time:%Y-%m-%d %H:%M}"))

    def report(self, found: Found) -> None:
        """Report the first record whose time is far off, and how many are."""
        if self._far:
            index, time = self._far[0]
            sentence = f"record {index} says {time}, more than an hour from when it was signed"
            found.report(ProblemKind.TIME, index, sentence + and_more(len(self._far) - 1))
