"""Which stored pictures are alike? Every hash within 31 bits of a given one, among millions.

    index = FrameIndex()
    index.add(hashes, labels)            # (n, 32) PDQ, (n,) whose they are
    index.near(hashes, most=8)           # [Near(label, bits), ...], the likeliest first

Multi-index hashing (Norouzi, Punjani and Fleet, "Fast Search in Hamming Space with Multi-Index
Hashing", 2012): a hash is 16 words of 16 bits. Two hashes that differ in at most 31 bits have a
word in which they differ in at most one, or else it would be 32. So each word is looked up with no
and with one bit flipped, in a table of its own, and only what is found there is compared in full:
nothing within 31 bits is missed. Where a picture is as common as a black one, the tables lead to so
many that comparing with all there are is quicker, and that is done.

New hashes wait in a short list that is searched one by one, and are sorted in when it is long.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from provenance.fingerprint.form import HASH_BYTES
from provenance.fingerprint.pdq import ALIKE

WORDS, WORD_BITS = 16, 16
MOST_WAITING: Final = 20_000  # hashes searched one by one: .1 ms
PART: Final = 2**16  # hashes taken apart at once: 16 MB
COMMON: Final = 1 / 32  # of all hashes, with repeats: from there on comparing with all is quicker
MOST_LED_TO: Final = 1_000  # hashes, the nearest, that one picture has a vote for

Hashes = NDArray[np.uint8]  # (n, 32)
Labels = NDArray[np.int64]  # (n,)
Rows = NDArray[np.intp]  # (n,)
Columns = NDArray[np.uint64]  # (4, n): hashes, a quarter of each in a row
Bits = NDArray[np.uint16]  # (n,), in which hashes differ
Votes = NDArray[np.float64]  # (n,)


@dataclass(frozen=True, slots=True)
class Near:
    """A label that has a hash like one of those asked for."""

    label: int
    bits: int  # in which the nearest two differ


class FrameIndex:
    """Hashes with labels, to be found by likeness. One thread at a time."""

    def __init__(self) -> None:
        self._hashes: Columns = _columns(np.zeros((0, HASH_BYTES), np.uint8))
        self._labels: Labels = np.zeros(0, np.int64)
        self._sorted = 0  # how many of them the tables know
        self._order: list[NDArray[np.uint32]] = []  # per word: hashes in the order of its value
        self._starts: list[NDArray[np.uint32]] = []  # per word: where each value begins there

    def __len__(self) -> int:
        """How many hashes there are."""
        return len(self._labels)

    def add(self, hashes: Hashes, labels: Labels) -> None:
        """Add hashes (n, 32) with their labels (n,): all of them, or none when it fails."""
        longer = np.concatenate([self._hashes, _columns(hashes)], axis=1)
        self._labels = np.concatenate([self._labels, labels])
        self._hashes = longer
        if len(self) - self._sorted > MOST_WAITING:
            self._sort()

    def near(self, hashes: Hashes, *, most: int) -> list[Near]:
        """Return labels that have a hash within 31 bits of one of these, the likeliest first.

        Each hash asked for has one vote, which is shared by all that it leads to: a logo that every
        clip begins with says little about which of them it is. Equal votes go by the fewest bits.

        Args:
            hashes: (n, 32).
            most: labels that are returned.
        """
        led_to = [found for found in map(self._led_to, _columns(hashes).T) if len(found[0])]
        if not led_to:
            return []
        labels, bits, votes = (np.concatenate(each) for each in zip(*led_to, strict=True))
        found, at = np.unique(labels, return_inverse=True)
        total = np.bincount(at, votes)
        fewest = np.full(len(found), ALIKE, np.uint16)
        np.minimum.at(fewest, at, bits)
        likeliest = np.lexsort((found, fewest, -total))[:most]
        return [Near(int(found[i]), int(fewest[i])) for i in likeliest]

    def _led_to(self, one: Columns) -> tuple[Labels, Bits, Votes]:
        """Return whose hashes one (4,) is like, in how many bits they differ, and its votes."""
        rows, bits = self._alike(one)
        votes = np.full(min(len(rows), MOST_LED_TO), 1 / max(len(rows), 1))
        if len(rows) > MOST_LED_TO:
            nearest = np.argpartition(bits, MOST_LED_TO)[:MOST_LED_TO]
            rows, bits = rows[nearest], bits[nearest]
        return self._labels[rows], bits, votes

    def _alike(self, one: Columns) -> tuple[Rows, Bits]:
        """Return which hashes one (4,) is like, and in how many bits they differ."""
        rows, start = self._candidates(one), self._sorted
        if rows is None:
            rows, start = np.zeros(0, np.intp), 0
        bits = _differing(self._hashes[:, rows], one)
        others = _differing(self._hashes[:, start:], one)
        here, there = np.flatnonzero(bits <= ALIKE), np.flatnonzero(others <= ALIKE)
        return (
            np.concatenate([rows[here], start + there]),
            np.concatenate([bits[here], others[there]]),
        )

    def _candidates(self, one: Columns) -> Rows | None:
        """Return which sorted hashes share a word with this one, but for at most one bit.

        None where those are so many that comparing with every hash is quicker.
        """
        if not self._sorted:
            return np.zeros(0, np.intp)
        flips = np.concatenate([[0], 1 << np.arange(WORD_BITS)]).astype(np.uint16)
        found = []
        for word, value in enumerate(_words(one[:, None])[0]):
            values = (value ^ flips).astype(np.intp)
            starts, ends = self._starts[word][values], self._starts[word][values + 1]
            found += [self._order[word][a:b] for a, b in zip(starts, ends, strict=True) if a < b]
        if sum(map(len, found)) > COMMON * self._sorted:
            return None
        return np.unique(np.concatenate(found)).astype(np.intp) if found else np.zeros(0, np.intp)

    def _sort(self) -> None:
        parts = np.array_split(self._hashes, len(self) // PART + 1, axis=1)
        words = np.concatenate([_words(part) for part in parts])
        order, starts = [], []
        for word in range(WORDS):
            values = np.ascontiguousarray(words[:, word])
            order.append(np.argsort(values, kind="stable").astype(np.uint32))
            counts = np.bincount(values, minlength=2**WORD_BITS)
            starts.append(np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32))
        self._order, self._starts, self._sorted = order, starts, len(self)


def _columns(hashes: Hashes) -> Columns:
    """Return hashes (n, 32) as they are compared, (4, n)."""
    return np.ascontiguousarray(np.ascontiguousarray(hashes).view(np.uint64).T)


def _words(hashes: Columns) -> NDArray[np.uint16]:
    """Return hashes (4, n) as words (n, 16).

    Neighbouring frequencies of a picture are strong and weak together. A word has bits from far
    apart, so that its values are about equally common.
    """
    bytes_ = np.ascontiguousarray(hashes.T).view(np.uint8)  # (n, 32)
    bits = np.unpackbits(bytes_, axis=1).reshape(-1, WORD_BITS, WORDS)
    packed = np.ascontiguousarray(np.packbits(np.swapaxes(bits, 1, 2), axis=2))
    return packed.view(np.uint16).reshape(-1, WORDS)


def _differing(hashes: Columns, one: Columns) -> Bits:
    """Return in how many bits each of some hashes (4, n) differs from one (4,), as (n,)."""
    bits = np.zeros(hashes.shape[1], np.uint16)
    for column, quarter in zip(hashes, one, strict=True):
        bits += np.bitwise_count(column ^ quarter)
    return bits
