"""A code that takes every word for a payload, to see what a right CRC would hide."""

import numpy as np
from numpy.typing import NDArray

from provenance.payload import CRC_BITS, Bits, MarkCode, bits_of, number_of


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
