"""Whether a file is there, and as long as its own structure says.

A file that was cut still decodes up to the cut, often without an error, and the number of samples
in its header is no measure: edit lists leave samples out of honest clips. What cannot be mended is
an outermost box, chunk or element that claims more bytes than there are.

Streams without a length (MPEG, raw H.264, a Matroska recording whose length was never filled in)
cannot be told from shorter ones.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from provenance.errors import UnreadableMedia

MAX_PIECES = 200_000  # an hour of fragments of a fifth of a second, three boxes each, is 54,000

_EBML, _SEGMENT = bytes.fromhex("1a45dfa3"), bytes.fromhex("18538067")  # RFC 8794; RFC 9559, 5.1
_UNKNOWN_CHUNK = frozenset({0, 0xFFFFFFFF})  # what a writer leaves that never came back


def size_of(path: Path) -> int:
    """Return how many bytes a file has.

    Raises:
        UnreadableMedia: there is none, or it is empty.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise UnreadableMedia(
            f"{path} cannot be opened ({error.strerror}); name a video file"
        ) from error
    if not path.is_file():
        raise UnreadableMedia(f"{path} is not a file; name a video file")
    if size == 0:
        raise UnreadableMedia(f"{path.name} is empty (0 bytes); a video file was expected")
    return size


def is_cut(path: Path, demuxer: str) -> bool:
    """Whether a file ends before its structure does.

    Args:
        path: the file.
        demuxer: what libavformat calls its container, such as `mov,mp4,m4a,3gp,3g2,mj2`.
    """
    measure = _MEASURES.get(demuxer.partition(",")[0])
    if measure is None:
        return False
    with path.open("rb") as file:
        length = file.seek(0, os.SEEK_END)
        return measure(file, length) > length


def _boxes_end(file: BinaryIO, length: int) -> int:
    """Return where the last top-level box of an MP4 or MOV file ends (ISO 14496-12, 4.2)."""
    end = 0
    for _ in range(MAX_PIECES):
        file.seek(end)
        header = file.read(16)
        size, kind = int.from_bytes(header[:4], "big"), header[4:8]
        if size == 1:
            size = int.from_bytes(header[8:], "big")
        # A box of size 0 lasts to the end; what has no name is no box but something appended.
        if size < 8 or len(kind) < 4 or not (kind.isascii() and kind.decode().isprintable()):
            break
        end += size
        if end >= length:
            break
    return end


def _chunks_end(file: BinaryIO, length: int) -> int:
    """Return where the last RIFF chunk of an AVI file ends (OpenDML files have several)."""
    end = 0
    for _ in range(MAX_PIECES):
        file.seek(end + end % 2)
        header = file.read(8)
        size = int.from_bytes(header[4:], "little")
        if header[:4] != b"RIFF" or size in _UNKNOWN_CHUNK:
            break
        end += end % 2 + 8 + size
        if end >= length:
            break
    return end


def _segment_end(file: BinaryIO, length: int) -> int:
    """Return where the first segment of a Matroska file ends, or the file where it is not said."""
    file.seek(0)
    head = file.read(4096)  # the EBML header has some forty bytes
    at = 0
    while (kind := head[at : at + 4]) in {_EBML, _SEGMENT}:
        size, body = _vint(head, at + 4)
        if size is None:
            break
        if kind == _SEGMENT:
            return body + size
        at = body + size
    return length


def _vint(head: bytes, at: int) -> tuple[int | None, int]:
    """Return an EBML size, None where it is unknown, and where it ends (RFC 8794, 4 and 6.2)."""
    if at >= len(head) or not head[at]:
        return None, at
    octets = 9 - head[at].bit_length()
    bits = 7 * octets
    value = int.from_bytes(head[at : at + octets], "big") & ((1 << bits) - 1)
    return (None if value == (1 << bits) - 1 else value), at + octets


_MEASURES: Mapping[str, Callable[[BinaryIO, int], int]] = {
    "mov": _boxes_end,
    "avi": _chunks_end,
    "matroska": _segment_end,
}
