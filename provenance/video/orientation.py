"""How a decoded picture is to be turned and mirrored before it is shown.

A display matrix (ISO 14496-12, 6.2.2) says where a point goes: x' = a x + c y, y' = b x + d y, with
y pointing down. Of the eight ways to put a rectangle upright each is one reading order of its
samples, so nothing is ever resampled.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from provenance.errors import UnsupportedMedia

ONE = 2**16  # 1.0 in the 16.16 fixed point of a display matrix
SLANT = 100  # a right angle may be off by rounding, not by one part in so many


@dataclass(frozen=True, slots=True)
class Orientation:
    """A reading order: rows and columns exchanged or not, then each read forwards or backwards."""

    transposed: bool = False
    down: int = 1  # -1: the last row is shown first
    across: int = 1  # -1: the last column is shown first

    @classmethod
    def of_matrix(cls, matrix: Sequence[int]) -> Self:
        """Return the orientation of a display matrix.

        Args:
            matrix: its nine numbers as the file has them, a b u c d v x y w; scale is ignored,
                and a matrix of zeros, which some writers leave, turns nothing.

        Raises:
            UnsupportedMedia: it turns by something else than quarter turns.
        """
        a, b, c, d = matrix[0], matrix[1], matrix[3], matrix[4]
        if not any((a, b, c, d)):
            return cls()
        if SLANT * max(abs(b), abs(c)) < min(abs(a), abs(d)):
            return cls(transposed=False, down=_sign(d), across=_sign(a))
        if SLANT * max(abs(a), abs(d)) < min(abs(b), abs(c)):
            return cls(transposed=True, down=_sign(b), across=_sign(c))
        raise UnsupportedMedia(
            "the clip asks players to turn its pictures by an angle that is no quarter turn; "
            "apply the turn by re-encoding it"
        )

    @classmethod
    def of_turn(cls, degrees: float) -> Self:
        """Return the orientation of a turn, in degrees counter-clockwise.

        Raises:
            UnsupportedMedia: it is no quarter turn.
        """
        cosine, sine = (round(ONE * f(math.radians(degrees))) for f in (math.cos, math.sin))
        return cls.of_matrix((cosine, -sine, 0, sine, cosine, 0, 0, 0, ONE))

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Return width and height as shown."""
        return (height, width) if self.transposed else (width, height)

    def upright(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a picture, (height, width) or (height, width, 3), as it is shown."""
        if self == UPRIGHT:
            return picture
        turned = picture.swapaxes(0, 1) if self.transposed else picture
        return np.ascontiguousarray(turned[:: self.down, :: self.across])


UPRIGHT = Orientation()


def _sign(number: int) -> int:
    return 1 if number > 0 else -1
