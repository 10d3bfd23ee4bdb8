"""Readers that see something else than what was written, to find out what a search rests on."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from provenance.payload import CRC_BITS, Bits, MarkCode, bits_of, number_of
from provenance.watermark.chips import Chips


class AnyWord(MarkCode):
    """The mark's polar code whose CRC bits are payload too: the decoder's best is always taken."""

    @classmethod
    def new(cls) -> "AnyWord":
        """Return the code; its payloads have 24 bits more than a mark id."""
        code = MarkCode.of(payload_bits=64)
        return cls(payload_bits=code.payload_bits + CRC_BITS, polar=code.polar)

    def encode(self, payload: int) -> Bits:
        """Return the coded bits of a payload, without a CRC."""
        return self.polar.encode(bits_of(payload, self.payload_bits))

    def candidates(self, soft: NDArray[np.floating], *, paths: int) -> list[list[int]]:
        """Return every candidate of the decoder."""
        decoded, _ = self.polar.decode(soft, paths=paths)
        return [[number_of(path) for path in word] for word in decoded]


def with_other_payload_signs(chips: Chips, seed: int) -> Chips:
    """Return tables whose grid is the same and whose payload says nothing that was put in."""
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], len(chips.payload_signs))
    return dataclasses.replace(chips, payload_signs=signs.astype(chips.payload_signs.dtype))
