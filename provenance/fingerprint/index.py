"""Which stored pictures are alike? Every hash within 31 bits of a given one, among millions.

    index = FrameIndex()
    index.add(hashes, labels)        # (n, 32) PDQ, (n,) whose they are
    index.near(hashes)               # [(label, bits), ...], the nearest first

Multi-index hashing (Norouzi, Punjani and Fleet, "Fast Search in Hamming Space with Multi-Index
Hashing", 2012): a hash is 16 words of 16 bits. Two hashes that differ in at most 31 bits have a
word in which they differ in at most one, or else it would be 32. So each word is looked up with no
and with one bit flipped, in a table of its own, and only what is found there is compared in full:
nothing within 31 bits is missed.

New hashes wait in a short list that is searched one by one, and are sorted in when it is long.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from provenance.fingerprint.form import HASH_BYTES
from provenance.fingerprint.pdq import ALIKE

WORDS, WORD_BITS = 16, 16
MOST_WAITING: Final = 20_000  # hashes searched one by one: 5 ms
PART: Final = 2**16  # hashes taken apart at once: 16 MB
MOST_CANDIDATES: Final = 200_000  # compared per hash; a picture as common as that leads nowhere

Hashes = NDArray[np.uint8]  # (n, 32)
Labels = NDArray[np.int64]  # (n,)


@dataclass(frozen=True, slots=True)
class Near:
    """A stored hash that is like one of those asked for."""

    label: int
    bits: int  # in which they differ


class FrameIndex:
    """Hashes with labels, to be found by likeness. One thread at a time."""

    def __init__(self) -> None:
        self._hashes: Hashes = np.zeros((0, HASH_BYTES), np.uint8)
        self._labels: Labels = np.zeros(0, np.int64)
        self._sorted = 0  # how many of them the tables know
        self._order: list[NDArray[np.uint32]] = []  # per word: hashes in the order of its value
        self._starts: list[NDArray[np.uint32]] = []  # per word: where each value begins there

    def __len__(self) -> int:
        """How many hashes there are."""
        return len(self._labels)

    def add(self, hashes: Hashes, labels: Labels) -> None:
        """Add hashes (n, 32) with their labels (n,)."""
        self._hashes = np.concatenate([self._hashes, hashes])
        self._labels = np.concatenate([self._labels, labels])
        if len(self) - self._sorted > MOST_WAITING:
            self._sort()

    def near(self, hashes: Hashes) -> list[Near]:
        """Return each label that has a hash within 31 bits of one of these, the nearest first."""
        nearest: dict[int, int] = {}
        for one in hashes:
            rows = np.concatenate([self._candidates(one), np.arange(self._sorted, len(self))])
            bits = _differing(self._hashes[rows], one)
            for row in np.flatnonzero(bits <= ALIKE):
                label, found = int(self._labels[rows[row]]), int(bits[row])
                nearest[label] = min(found, nearest.get(label, found))
        return sorted((Near(*each) for each in nearest.items()), key=lambda n: (n.bits, n.label))

    def _candidates(self, one: Hashes) -> NDArray[np.intp]:
        """Return which sorted hashes share a word with this one, but for at most one bit."""
        if not self._sorted:
            return np.zeros(0, np.intp)
        flips = np.concatenate([[0], 1 << np.arange(WORD_BITS)]).astype(np.uint16)
        found = []
        for word, value in enumerate(_words(one[None])[0]):
            values = (value ^ flips).astype(np.intp)
            starts, ends = self._starts[word][values], self._starts[word][values + 1]
            found += [self._order[word][a:b] for a, b in zip(starts, ends, strict=True) if a < b]
        if not found or sum(map(len, found)) > MOST_CANDIDATES:
            return np.zeros(0, np.intp)
        return np.unique(np.concatenate(found)).astype(np.intp)

    def _sort(self) -> None:
        parts = np.array_split(self._hashes, len(self) // PART + 1)
        words = np.concatenate([_words(part) for part in parts])
        self._order, self._starts = [], []
        for word in range(WORDS):
            values = np.ascontiguousarray(words[:, word])
            self._order.append(np.argsort(values, kind="stable").astype(np.uint32))
            counts = np.bincount(values, minlength=2**WORD_BITS)
            self._starts.append(np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32))
        self._sorted = len(self)


def _words(hashes: Hashes) -> NDArray[np.uint16]:
    """Return hashes (n, 32) as words (n, 16).

    Neighbouring frequencies of a picture are strong and weak together. A word has bits from far
    apart, so that its values are about equally common.
    """
    bits = np.unpackbits(hashes, axis=1).reshape(-1, WORD_BITS, WORDS)
    bytes_ = np.ascontiguousarray(np.packbits(np.swapaxes(bits, 1, 2), axis=2))
    return bytes_.view(np.uint16).reshape(-1, WORDS)


def _differing(hashes: Hashes, one: Hashes) -> NDArray[np.int64]:
    """Return in how many bits each of some hashes (n, 32) differs from one, (n,)."""
    words = (hashes ^ one).view(np.uint64)
    # The sums of 2, 4 and 8 neighbouring bits, in place (Hacker's Delight, 5-1).
    words = words - ((words >> 1) & np.uint64(0x5555555555555555))
    fours = np.uint64(0x3333333333333333)
    words = (words & fours) + ((words >> 2) & fours)
    words = (words + (words >> 4)) & np.uint64(0x0F0F0F0F0F0F0F0F)
    counted = (words * np.uint64(0x0101010101010101)) >> 56
    return np.asarray(counted.astype(np.int64).sum(axis=1), np.int64)
