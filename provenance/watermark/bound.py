"""When evidence for a mark is enough: the one rule that decides FOUND, and its proof.

Setting. A search looks at x, the n = 1024 real and imaginary parts received at the payload
frequencies, weighed as it likes. The payload's chips c are fair coins (from the key, by a PRF),
independent of everything that x was made from: the picture, the frequencies, and the *sync* signs
that found the grid. A payload m turns chip i by a sign b_i(m).

Rule. Accept m when  T = sum_i x_i c_i b_i(m) / sqrt(sum_i x_i**2)  >=  t.

Proof. For fixed x and m the terms are independent, symmetric and bounded by |x_i|; Hoeffding's
inequality (JASA 58, 1963, theorem 2) gives P(T >= t) <= exp(-t**2 / 2) whatever the picture is.
Union over all 2**k payloads and all H tries of one search:

    P(any false accept) <= H 2**k exp(-t**2 / 2).

H is the most tries that a search can make, not how many this one made, and which tries are made
never depends on the payload chips, but for stopping after an accepted one. No model of pictures
or codecs enters.

What it does not cover: a clip that does carry a mark of this key, read as another one. That takes a
word in which the decoder misses the right payload, and a wrong candidate of 32 with the right
CRC-24 above the threshold: at most 32 / 2**24 = 1.9e-6 for each such word, 8.6e-4 if all 450 tries
of a search were such words. They grow rare with the strength of the mark, and in 8,497 of them no
wrong candidate went beyond 13.4 (benchmarks/watermark_null.py): only an id read with a statistic of
`provenance.watermark.CERTAIN` may be held against somebody.
"""

import math

import numpy as np
from numpy.typing import NDArray

from provenance.payload import Bits
from provenance.watermark.chips import Chips


def statistic(received: NDArray[np.float32], chips: Chips, coded: Bits) -> float:
    """Return T for the received signs (1024,) and one code word."""
    seen = received.astype(np.float64)
    expected = chips.payload_signs * (1 - 2.0 * coded[chips.coded_bit_at])
    energy = float(np.sqrt(np.sum(seen * seen)))
    return float(seen @ expected) / energy if energy > 0 else 0.0


def threshold(*, payload_bits: int, tries: int, false_accepts: float) -> float:
    """Return the smallest t with `tries` 2**payload_bits exp(-t**2 / 2) <= false_accepts."""
    return math.sqrt(2 * (payload_bits * math.log(2) + math.log(tries) - math.log(false_accepts)))


def log10_bound(value: float, *, payload_bits: int, tries: int) -> float:
    """Return the base-10 logarithm of the bound for a statistic, at most 0."""
    if value <= 0:
        return 0.0
    nats = payload_bits * math.log(2) + math.log(tries) - value * value / 2
    return min(0.0, nats / math.log(10))
