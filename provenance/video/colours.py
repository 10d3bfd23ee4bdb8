"""What the samples of a picture mean: code points of ITU-T H.273, and what is assumed without."""

from collections.abc import Sequence

from provenance.clip import Colour
from provenance.errors import UnsupportedMedia

HDR_TRANSFERS = {16: "PQ", 18: "HLG"}
UNSAID = frozenset({0, 2, 3})  # RGB or reserved, unspecified, reserved
MATRICES = frozenset({1, 4, 5, 6, 7, 9})  # those that swscale converts
SD_MAX_HEIGHT = 576  # up to here unspecified colour means BT.601, above BT.709: what players assume
BT601, BT709 = Colour(6, 6, 6), Colour(1, 1, 1)


def colour_of(name: str, tags: Sequence[int], *, standard_definition: bool) -> Colour:
    """Return what the samples of a file mean.

    Args:
        name: the file's name, for the refusal.
        tags: primaries, transfer characteristics and matrix as the file has them.
        standard_definition: the pictures are small and not RGB, so that BT.601 is assumed.

    Raises:
        UnsupportedMedia: high dynamic range, or a matrix that cannot be undone.
    """
    if tags[1] in HDR_TRANSFERS:
        raise UnsupportedMedia(
            f"{name} is high dynamic range ({HDR_TRANSFERS[tags[1]]}), which 8-bit processing "
            "would damage; convert it to BT.709 first"
        )
    assumed = BT601 if standard_definition else BT709
    defaults = (assumed.primaries, assumed.transfer, assumed.matrix)
    colour = Colour(*(d if t in UNSAID else t for t, d in zip(tags, defaults, strict=True)))
    if colour.matrix not in MATRICES:
        raise UnsupportedMedia(
            f"{name} has its colours in matrix {colour.matrix} of H.273, which cannot be undone; "
            "convert it to BT.709 first"
        )
    return colour


def swscale_matrix(colour: Colour) -> int:
    """Return the matrix by swscale's number, which knows one name for BT.601 (5 and 6 in H.273)."""
    return 5 if colour.matrix == 6 else colour.matrix
