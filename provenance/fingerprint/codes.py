"""Codes of whole videos that others use too, each an extra: found by entry point, or told missing.

The one built-in is `iscc.py`. Like every door to a heavy library it is imported by nobody.
"""

import importlib.metadata
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from provenance.errors import FingerprintError

CODES = "countermark.video_codes"  # the entry point group
ISCC = "iscc"  # entry point name, and the extra that it needs


class VideoCode(Protocol):
    """Takes and compares codes of one kind."""

    @property
    def algorithm(self) -> str:
        """The code's name in C2PA's list of soft bindings."""

    def of_file(self, path: Path) -> str:
        """Return the code of a file that we encoded ourselves.

        Raises:
            FingerprintError: none could be taken.
        """

    def of_pictures(self, pictures: NDArray[np.uint8], per_second: float) -> str:
        """Return the code of luma pictures (n, height, width).

        Raises:
            FingerprintError: none could be taken.
        """

    def bits_between(self, one: str, other: str) -> int:
        """Return in how many of 256 bits two codes differ.

        Raises:
            FingerprintError: one of them is no code of this kind.
        """


def load_video_code(name: str = ISCC) -> VideoCode:
    """Load a kind of code by entry point.

    Raises:
        FingerprintError: the extra that it needs is not installed.
    """
    found = importlib.metadata.entry_points(group=CODES, name=name)
    try:
        code: VideoCode = next(iter(found)).load()()
    except (ImportError, StopIteration) as error:
        raise FingerprintError(
            f"{name.upper()} codes need the extra `{name}`; "
            f"install it with pip install 'countermark[{name}]'"
        ) from error
    return code
