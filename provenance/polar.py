"""Polar codes with a successive-cancellation list decoder, in numpy.

The code is E. Arikan's (IEEE Trans. Inf. Theory 55(7), 2009); the list decoder follows Tal and
Vardy (same journal, 61(5), 2015) in its log-likelihood form (Balatsoukas-Stimming, Parizi and
Burg, 2015). Which positions carry bits is decided by the polarization weight, the beta expansion
with beta = 2**(1/4) that 3GPP discussed for 5G (R1-1708833): exact, without a design noise level,
so a stranger rebuilds it from one formula.

Soft values are log-likelihood ratios: positive says 0, negative says 1.

Example:
    >>> code = PolarCode.of(length=16, info_bits=4)
    >>> word = code.encode(np.array([1, 0, 1, 1], np.uint8))
    >>> paths, _ = code.decode((1 - 2.0 * word)[None], paths=2)
    >>> paths[0, 0].tolist()
    [1, 0, 1, 1]
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint8]
Soft = NDArray[np.float32]
Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class PolarCode:
    """A polar code: `length` coded bits; before the transform, `info` are the positions of bits."""

    length: int
    info: Index

    @classmethod
    def of(cls, *, length: int, info_bits: int) -> Self:
        """Return the code of `length`, a power of two, with bits at its most reliable positions."""
        info = np.sort(reliability_order(length)[length - info_bits :])
        info.setflags(write=False)
        return cls(length=length, info=info)

    def encode(self, bits: Bits) -> Bits:
        """Return the code words (..., length) of the information bits (..., info)."""
        source = np.zeros((*bits.shape[:-1], self.length), np.uint8)
        source[..., self.info] = bits
        return transform(source)

    def decode(self, soft: NDArray[np.floating], *, paths: int) -> tuple[Bits, Soft]:
        """Return the most likely information bits of each received word, best path first.

        Args:
            soft: log-likelihood ratios, (words, length).
            paths: how many candidates are kept side by side; 1 is plain successive cancellation.

        Returns:
            Information bits (words, paths, info) and their penalties (words, paths): the smaller,
            the likelier.
        """
        frozen = np.ones(self.length, bool)
        frozen[self.info] = False
        search = _ListSearch(frozen=frozen, paths=paths, words=len(soft))
        coded, _ = search.descend(np.asarray(soft, np.float32)[:, None, :], 0)
        order = np.argsort(search.penalty, axis=1, kind="stable")
        coded = np.take_along_axis(coded, order[:, :, None], axis=1)
        penalty = np.take_along_axis(search.penalty, order, axis=1)
        return transform(coded)[..., self.info], penalty  # the transform is its own inverse


def reliability_order(length: int) -> Index:
    """Return the positions 0 ... length - 1, least reliable first, by polarization weight.

    The weight of position i is the sum of 2**(j/4) over the bits j that are set in i. No two
    positions weigh the same, since 1, 2**(1/4), 2**(1/2) and 2**(3/4) are linearly independent
    over the integers.
    """
    position = np.arange(length)
    weight = np.zeros(length)
    for j in range(length.bit_length() - 1):
        weight += ((position >> j) & 1) * 2.0 ** (j / 4)
    return np.argsort(weight, kind="stable")


def transform(bits: Bits) -> Bits:
    """Multiply bits (..., length) by the n-fold Kronecker power of [[1, 0], [1, 1]]."""
    shape = bits.shape
    coded = bits.copy()
    half = 1
    while half < shape[-1]:
        coded = coded.reshape(*shape[:-1], -1, 2, half)
        coded[..., 0, :] ^= coded[..., 1, :]
        half *= 2
    return coded.reshape(shape)


class _ListSearch:
    """One run of the list decoder over many words; `penalty` is (words, paths)."""

    def __init__(self, *, frozen: NDArray[np.bool_], paths: int, words: int) -> None:
        self.frozen = frozen
        self.paths = paths
        self.penalty = np.zeros((words, 1), np.float32)
        self._word = np.arange(words)[:, None]

    def descend(self, soft: Soft, start: int) -> tuple[Bits, Index]:
        """Decide the subtree whose coded bits have the soft values (words, paths, size).

        Returns:
            The coded bits (words, paths after, size), and for each path the one it grew from
            (words, paths after).
        """
        size = soft.shape[2]
        frozen = self.frozen[start : start + size]
        if frozen.all():  # nothing to decide: the word here is all zero
            self.penalty = self.penalty + np.maximum(-soft, 0).sum(axis=2)
            return np.zeros(soft.shape, np.uint8), self._unchanged(soft.shape[1])
        if frozen[:-1].all():  # one free bit, repeated over the whole subtree
            bit, origin = self._fork(soft)
            return np.repeat(bit[:, :, None], size, axis=2), origin
        half = size // 2
        first, second = soft[..., :half], soft[..., half:]
        smaller = np.minimum(np.abs(first), np.abs(second))
        left, origin = self.descend(np.copysign(smaller, first * second), start)
        # Each path goes on from the ancestor that it grew from, with that one's soft values.
        first, second = first[self._word, origin], second[self._word, origin]
        right, later = self.descend(second + np.where(left, -first, first), start + half)
        left = left[self._word, later]
        return np.concatenate([left ^ right, right], axis=2), np.take_along_axis(
            origin, later, axis=1
        )

    def _fork(self, soft: Soft) -> tuple[Bits, Index]:
        """Try both values of a free bit on every path and keep the best `paths` of them."""
        zero = self.penalty + np.maximum(-soft, 0).sum(axis=2)
        one = self.penalty + np.maximum(soft, 0).sum(axis=2)
        both = np.stack([zero, one], axis=2).reshape(
            len(soft), -1
        )  # (words, 2 * paths), bit is the parity
        if both.shape[1] <= self.paths:
            kept = np.broadcast_to(np.arange(both.shape[1]), both.shape)
        else:
            kept = np.argpartition(both, self.paths - 1, axis=1)[:, : self.paths]
        self.penalty = np.take_along_axis(both, kept, axis=1)
        return (kept & 1).astype(np.uint8), kept >> 1

    def _unchanged(self, paths: int) -> Index:
        return np.broadcast_to(np.arange(paths), (len(self.penalty), paths))
