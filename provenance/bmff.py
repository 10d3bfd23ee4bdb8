"""The outer boxes of an MP4 or MOV file, and the one that carries Content Credentials.

ISO 14496-12 boxes at the top level only, with C2PA's `uuid` box taken apart (C2PA specification
2.2, appendix A.5). The rest of a file is the decoder's business. Sizes are never believed beyond
the file's end, and the number of boxes is limited.
"""

import os
from dataclasses import dataclass
from typing import BinaryIO

MAX_BOXES = 200_000  # an hour of fragments of a fifth of a second, three boxes each, is 54,000
C2PA_USER_TYPE = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
MANIFEST_PURPOSE = b"manifest"

_HEADER, _LARGE_HEADER, _USER_TYPE = 8, 16, 16
_STORE_MARK = b"jumb\x00\x00\x00\x1ejumd"  # a superbox and the description of "c2pa"
_STORE_TYPE = bytes.fromhex("6332706100110010800000aa00389b71")
_HEAD_OF_STORE = 128  # of a box: its header, C2PA's fields and the first description
_PURPOSE_LIMIT = 64  # the known purposes have at most eight letters


class MalformedBoxes(ValueError):
    """The file is no sequence of boxes."""


@dataclass(frozen=True, slots=True)
class Box:
    """One box by its place in the file, bytes [start, end)."""

    kind: str
    start: int
    body: int
    """First byte after the header, and after the user type of a `uuid` box."""
    end: int
    user_type: bytes = b""

    @property
    def carries_credentials(self) -> bool:
        """Whether it is one of C2PA's boxes."""
        return self.user_type == C2PA_USER_TYPE


@dataclass(frozen=True, slots=True)
class CredentialsBox:
    """The content of a C2PA box whose purpose is the manifest store."""

    box: Box
    store_start: int
    preamble_is_canonical: bool
    """Version, flags and the offset of a Merkle box are zero, as in a file without fragments."""


def top_boxes(file: BinaryIO) -> list[Box]:
    """Walk the boxes of the file from its beginning to its very end.

    Raises:
        MalformedBoxes: sizes do not tile the file, or there are more boxes than `MAX_BOXES`.
    """
    length = file.seek(0, os.SEEK_END)
    boxes: list[Box] = []
    at = 0
    while at < length:
        if len(boxes) >= MAX_BOXES:
            raise MalformedBoxes(f"more than {MAX_BOXES} boxes")
        box = _box_at(file, at, length)
        boxes.append(box)
        at = box.end
    return boxes


def credentials_box(file: BinaryIO, box: Box) -> CredentialsBox | None:
    """Take apart a C2PA box; None when its purpose is another than the manifest store.

    Raises:
        MalformedBoxes: the box ends before its fields do.
    """
    file.seek(box.body)
    head = file.read(min(4 + _PURPOSE_LIMIT + 8, box.end - box.body))
    purpose, terminator, rest = head[4:].partition(b"\0")
    if not terminator or purpose != MANIFEST_PURPOSE:
        return None
    if len(rest) < 8:
        raise MalformedBoxes(f"the C2PA box at byte {box.start} ends within its header")
    return CredentialsBox(
        box=box,
        store_start=box.body + 4 + len(MANIFEST_PURPOSE) + 1 + 8,
        preamble_is_canonical=not any(head[:4]) and not any(rest[:8]),
    )


def holds_store(file: BinaryIO, box: Box) -> bool:
    """Whether a manifest store begins near the start of the box, whatever the box is called."""
    file.seek(box.start)
    head = file.read(min(_HEAD_OF_STORE, box.end - box.start))
    # A box with one damaged bit still has one of the two marks.
    return _STORE_MARK in head or _STORE_TYPE in head


def _box_at(file: BinaryIO, start: int, length: int) -> Box:
    file.seek(start)
    header = file.read(_LARGE_HEADER)
    if len(header) < _HEADER:
        raise MalformedBoxes(f"{length - start} bytes after the last box, at byte {start}")
    size, kind = int.from_bytes(header[:4], "big"), header[4:8]
    body = start + _HEADER
    if size == 1:  # a 64-bit size follows the type
        size, body = int.from_bytes(header[8:16], "big"), start + _LARGE_HEADER
    elif size == 0:  # the box lasts to the end of the file
        size = length - start
    end = start + size
    if end < body or end > length:
        raise MalformedBoxes(
            f"the box at byte {start} claims {size} bytes, {length - start} are there"
        )
    user_type = b""
    if kind == b"uuid":
        file.seek(body)
        user_type = file.read(min(_USER_TYPE, end - body))
        body += len(user_type)
    return Box(kind.decode("latin-1"), start, body, end, user_type)
