"""The published vectors of the manifest's digest, against ours and the page in plain code."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from provenance.coverage import unbound_digest

PLACE = Path(__file__).parent.parent / "vectors" / "manifest.json"
DIGESTS: list[dict[str, Any]] = json.loads(PLACE.read_text(encoding="utf-8"))["digests"]
C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


def as_the_page_says(content: bytes) -> str:
    """Follow docs/spec/manifest.md, section 4, and nothing of ours."""
    parts, signed = [], False
    while content:
        size, kind = int.from_bytes(content[:4], "big"), content[4:8]
        start = 16 if size == 1 else 8
        size = int.from_bytes(content[8:16], "big") if size == 1 else size
        if kind == b"uuid" and content[start : start + 16] == C2PA:
            parts.append(b"c")
            signed = True
        elif kind in {b"ftyp", b"mfra", b"free", b"skip"}:
            parts.append(b"w" + size.to_bytes(8, "big") + content[:size])
        else:
            parts.append(b"h")
        content = content[size:]
    if not signed:
        parts.insert(1, b"c")
    return hashlib.sha256(b"countermark boxes v1\n" + b"".join(parts)).hexdigest()


@pytest.mark.parametrize("case", DIGESTS, ids=lambda case: case["name"])
def test_a_digest_is_what_was_published_and_what_the_page_says(
    case: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "file.mp4"
    path.write_bytes(bytes.fromhex(case["file"]))

    assert unbound_digest(path) == case["unbound_sha256"]
    assert as_the_page_says(path.read_bytes()) == case["unbound_sha256"]


def test_signing_does_not_change_the_digest_and_moving_the_empty_box_does() -> None:
    by_name = {case["name"]: case["unbound_sha256"] for case in DIGESTS}

    unsigned = by_name["an MP4 before it is signed"]
    assert by_name["the same after signing"] == unsigned
    assert by_name["the empty box moved before the credentials"] != unsigned
