"""Writes `tests/vectors/manifest.json`: `python -m tests.support.manifest_vectors`.

Run it when the digest of docs/spec/manifest.md, section 4, changes before the first release, and
never again after: from then on a vector that no longer holds means that released clips break.
"""

import json
import tempfile
from pathlib import Path

from provenance.bmff import C2PA_USER_TYPE
from provenance.coverage import unbound_digest
from tests.support.forgery import box

PLACE = Path(__file__).parent.parent / "vectors" / "manifest.json"

FTYP = box(b"ftyp", b"isom\0\0\2\0isomiso2avc1mp41")
FREE, MDAT, MOOV = box(b"free", b""), box(b"mdat", b"samples"), box(b"moov", b"tables")
CREDENTIALS = box(b"uuid", C2PA_USER_TYPE + b"\0\0\0\0manifest\0" + bytes(8) + b"a store")

FILES = {
    "an MP4 before it is signed": FTYP + FREE + MDAT + MOOV,
    "the same after signing": FTYP + CREDENTIALS + FREE + MDAT + MOOV,
    "the empty box moved before the credentials": FTYP + FREE + CREDENTIALS + MDAT + MOOV,
    "the movie first": FTYP + MOOV + FREE + MDAT,
    "something in an appended free box": FTYP + FREE + MDAT + MOOV + box(b"free", b"hidden"),
    "a large size in the header of a skip box": (
        FTYP + MDAT + MOOV + b"\0\0\0\1skip" + (17).to_bytes(8, "big") + b"x"
    ),
    "a uuid box of somebody else, which the hash covers": (
        FTYP + MDAT + MOOV + box(b"uuid", bytes(16) + b"XMP")
    ),
}


def vectors() -> dict[str, object]:
    """Return small files in hexadecimal with the digest of each."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.mp4"
        found = []
        for name, content in FILES.items():
            path.write_bytes(content)
            found.append(
                {"name": name, "file": content.hex(), "unbound_sha256": unbound_digest(path)}
            )
    return {"about": "`unbound_sha256` of small files; docs/spec/manifest.md.", "digests": found}


if __name__ == "__main__":
    PLACE.write_text(json.dumps(vectors(), indent=1) + "\n", encoding="ascii")
