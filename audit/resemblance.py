"""Which released clips look like these pictures? An index over the log's fingerprints, in memory.

It is built when it is first asked and afterwards only reads what the log gained. A hash leads to a
record, and the record's whole fingerprint decides (`provenance.fingerprint.comparison`): what
stands in the database's column is a hint and no evidence.
"""

from dataclasses import dataclass, field
from threading import Lock

import numpy as np

from audit.hints import frame_hashes
from audit.reader import LedgerReader
from provenance.fingerprint.form import HASH_BYTES, KEY_BITS
from provenance.fingerprint.glimpse import Glimpse
from provenance.fingerprint.index import FrameIndex, Hashes
from provenance.fingerprint.pdq import distances

MOST_CLIPS = 8  # that are compared in full, 0.1 s each
MOST_ASKED = 8  # pictures at hand that are looked up, 1 ms each over a million
LEAST_QUALITY = 10  # of these: a copy is often less sharp than what was stored
MOST_TURNED = 8  # that are looked up mirrored and turned as well, seven ways


@dataclass(slots=True)
class Resemblance:
    """Finds clips by likeness; safe to use from several threads."""

    _index: FrameIndex = field(default_factory=FrameIndex)
    _last: int = -1
    _lock: Lock = field(default_factory=Lock)

    def nearest(self, ledger: LedgerReader, seen: Glimpse) -> tuple[int, ...]:
        """Return the indices of `cleared` records that may be of these pictures, likeliest first.

        Args:
            ledger: the log; always the same one.
            seen: the pictures at hand.
        """
        with self._lock:
            self._read(ledger)
            found = self._index.near(_to_ask(seen), most=MOST_CLIPS)
        return tuple(near.label for near in found)

    def _read(self, ledger: LedgerReader) -> None:
        """Take in what the log gained: all of it, or nothing if the log cannot be read."""
        last, labels, hashes = self._last, list[int](), list[bytes]()
        for index, stored in frame_hashes(ledger, after=last):
            count = len(stored) // HASH_BYTES
            hashes.append(stored[: count * HASH_BYTES])
            labels += [index] * count
            last = index
        if labels:
            rows = np.frombuffer(b"".join(hashes), np.uint8).reshape(-1, HASH_BYTES)
            self._index.add(rows, np.array(labels, np.int64))
        self._last = last


def _to_ask(seen: Glimpse) -> Hashes:
    """Return the hashes (n, 32) to look up: of moments that show something and are not alike.

    Some are asked for mirrored and turned in any case: a logo that lies the same way round when it
    is mirrored would else lead to every clip that has it, and to no look at the rest.
    """
    apart: list[int] = []
    upright = seen.hashes[:, 0]
    for moment, quality in enumerate(seen.qualities):
        bits = distances(upright[[moment]], upright[apart]) if apart else np.array([])
        if quality >= LEAST_QUALITY and (bits > KEY_BITS).all():
            apart.append(moment)
    turned = seen.hashes[_spread(apart, MOST_TURNED), 1:]
    return np.concatenate([upright[_spread(apart, MOST_ASKED)], turned.reshape(-1, HASH_BYTES)])


def _spread(moments: list[int], most: int) -> list[int]:
    """Return some moments from all over: ours may come after somebody's titles."""
    count = min(most, len(moments))
    return [moments[(2 * i + 1) * len(moments) // (2 * count)] for i in range(count)]
