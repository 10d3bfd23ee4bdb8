"""Which released clips look like these pictures? An index over the log's fingerprints, in memory.

It is built when it is first asked and afterwards only reads what the log gained. A hash leads to a
record, and the record's whole fingerprint decides (`provenance.fingerprint.comparison`): what
stands in the database's column is a hint and no evidence.
"""

from dataclasses import dataclass, field
from threading import Lock

import numpy as np

from audit.reader import LedgerReader
from provenance.fingerprint.form import HASH_BYTES, KEY_BITS
from provenance.fingerprint.glimpse import Glimpse
from provenance.fingerprint.index import FrameIndex
from provenance.fingerprint.pdq import distances

MOST_CLIPS = 8  # that are compared in full, 0.1 s each
MOST_ASKED = 8  # pictures at hand that are looked up, 1 ms each over a million
LEAST_QUALITY = 10  # of these: a copy is often less sharp than what was stored
MOST_TURNED = 2  # that are looked up mirrored and turned as well


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
        chosen = _to_ask(seen)
        with self._lock:
            self._read(ledger)
            found = self._index.near(seen.hashes[chosen, 0])
            if not found:
                turned = seen.hashes[chosen[:MOST_TURNED], 1:]
                found = self._index.near(turned.reshape(-1, HASH_BYTES))
        return tuple(near.label for near in found[:MOST_CLIPS])

    def _read(self, ledger: LedgerReader) -> None:
        """Take in what the log gained."""
        labels: list[int] = []
        hashes: list[bytes] = []
        for index, stored in ledger.frame_hashes(after=self._last):
            count = len(stored) // HASH_BYTES
            hashes.append(stored[: count * HASH_BYTES])
            labels += [index] * count
            self._last = index
        if labels:
            rows = np.frombuffer(b"".join(hashes), np.uint8).reshape(-1, HASH_BYTES)
            self._index.add(rows, np.array(labels, np.int64))


def _to_ask(seen: Glimpse) -> list[int]:
    """Return which hashed moments to look up: they show something and are not alike."""
    kept: list[int] = []
    upright = seen.hashes[:, 0]
    for moment, quality in enumerate(seen.qualities):
        bits = distances(upright[[moment]], upright[kept]) if kept else np.array([])
        if quality >= LEAST_QUALITY and (bits > KEY_BITS).all() and len(kept) < MOST_ASKED:
            kept.append(moment)
    return kept
