"""Writes `tests/vectors/fingerprint.json`: `python -m tests.support.fingerprint_vectors`."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from provenance.fingerprint.form import ALGORITHM, Box, Fingerprint, Moment
from provenance.fingerprint.pdq import Turn, spectrum_of

PLACE = Path(__file__).parent.parent / "vectors" / "fingerprint.json"
SIDES = ((320, 320), (64, 64), (200, 333))


def picture(height: int, width: int) -> NDArray[np.uint8]:
    """Return luma that any program can draw: (3 x x + 5 y y + x y + 7 x) div 64 modulo 256."""
    y, x = np.mgrid[:height, :width].astype(np.int64)
    return np.asarray((3 * x * x + 5 * y * y + x * y + 7 * x) // 64 % 256, np.uint8)


def vectors() -> dict[str, Any]:
    """Return what the file holds."""
    return {
        "about": "Fingerprints as bytes, and PDQ; docs/spec/fingerprint.md.",
        "algorithm": ALGORITHM,
        "fingerprints": [_described(each) for each in _examples()],
        "pdq": [_hashed(*sides) for sides in SIDES],
    }


def _examples() -> list[Fingerprint]:
    one = Moment(0, 100, bytes(range(32)), bytes(range(48)))
    near = Moment(500, 77, bytes(range(1, 33)), bytes(range(48, 96)))
    flat = Moment(2**32 - 1, 0, bytes(32), bytes(48))
    far = Moment(1000, 30, bytes(range(255, 223, -1)), bytes(range(96, 144)))
    return [
        Fingerprint(1.5, Box(0, 0, 1, 1), 6, 8, (one,)),
        Fingerprint(0.25, Box(0, 0.2, 1, 0.8), 8, 6, (one, near, far, flat)),
    ]


def _described(taken: Fingerprint) -> dict[str, Any]:
    return {
        "aspect_65536ths": round(taken.aspect * 65536),
        "content_65535ths": list(taken.content.units),
        "rows": taken.rows,
        "columns": taken.columns,
        "moments": [
            {
                "time_ms": moment.time_ms,
                "quality": moment.quality,
                "pdq": moment.pdq.hex(),
                "cells": moment.cells.hex(),
            }
            for moment in taken.moments
        ],
        "bytes": taken.encode().hex(),
        "key_hashes": [each.hex() for each in taken.key_hashes()],
    }


def _hashed(height: int, width: int) -> dict[str, Any]:
    seen = spectrum_of(picture(height, width))
    hashes = {turn.name.lower(): seen.hash(turn).tobytes().hex() for turn in Turn}
    return {"height": height, "width": width, "quality": seen.quality, "hashes": hashes}


if __name__ == "__main__":
    PLACE.write_text(json.dumps(vectors(), indent=1) + "\n", encoding="utf-8")
