"""The published fingerprints, against ours and the page in plain code."""

import json
from typing import Any

import numpy as np
import pytest

from provenance.fingerprint.form import Fingerprint
from tests.support.fingerprint_vectors import PLACE, picture, vectors

PUBLISHED: dict[str, Any] = json.loads(PLACE.read_text(encoding="utf-8"))


def as_the_page_says(case: dict[str, Any]) -> bytes:
    """Follow docs/spec/fingerprint.md, section 2, and nothing of ours."""
    moments = case["moments"]
    written = b"CMFP\x01" + bytes([case["rows"], case["columns"], len(moments)])
    written += case["aspect_65536ths"].to_bytes(4, "big")
    written += b"".join(edge.to_bytes(2, "big") for edge in case["content_65535ths"])
    for moment in moments:
        written += moment["time_ms"].to_bytes(4, "big") + bytes([moment["quality"]])
        written += bytes.fromhex(moment["pdq"]) + bytes.fromhex(moment["cells"])
    return written


def test_ours_are_what_was_published() -> None:
    assert vectors() == PUBLISHED


@pytest.mark.parametrize("case", PUBLISHED["fingerprints"], ids=lambda case: case["rows"])
def test_a_fingerprint_is_what_the_page_says(case: dict[str, Any]) -> None:
    encoded = bytes.fromhex(case["bytes"])

    assert as_the_page_says(case) == encoded
    assert Fingerprint.decode(encoded).encode() == encoded


@pytest.mark.dev
def test_the_page_has_metas_hash() -> None:
    pdqhash = pytest.importorskip("pdqhash", reason="needs the `dev` extra")
    for case in PUBLISHED["pdq"]:
        grey = picture(case["height"], case["width"])
        theirs, _ = pdqhash.compute(np.stack([grey] * 3, axis=2))

        ours = np.unpackbits(np.frombuffer(bytes.fromhex(case["hashes"]["upright"]), np.uint8))

        assert int((ours != theirs).sum()) <= 2
