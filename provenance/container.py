"""What kind of file this is, by its first bytes; names and extensions are not believed."""

from collections.abc import Callable

HEAD_BYTES = 32
"""How many of a file's first bytes `media_type` needs."""

_EBML = b"\x1a\x45\xdf\xa3"

_BRANDS = {
    b"qt  ": "video/quicktime",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heif",
    b"avif": "image/avif",
    b"M4A ": "audio/mp4",
}
_RIFF_KINDS = {b"WEBP": "image/webp", b"AVI ": "video/avi", b"WAVE": "audio/wav"}
_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"ID3", "audio/mpeg"),
    (_EBML, "video/x-matroska"),
    (b"\x00\x00\x01\xba", "video/mpeg"),  # a program stream's pack header, ISO/IEC 13818-1
)


def media_type(head: bytes) -> str | None:
    """Return the media type of a file that begins with `head`; None when it is none we know."""
    readers: tuple[Callable[[bytes], str | None], ...] = (_bmff, _riff, _magic)
    return next((kind for kind in (read(head) for read in readers) if kind is not None), None)


def can_carry_credentials(kind: str | None) -> bool:
    """Whether C2PA has defined a place for a manifest in such a file: not in WebM and Matroska."""
    return kind != "video/x-matroska"


def _bmff(head: bytes) -> str | None:
    # Old QuickTime files begin with another box; they are told by its type.
    if head[4:8] in {b"moov", b"mdat", b"wide", b"free", b"skip"}:
        return "video/quicktime"
    return _BRANDS.get(head[8:12], "video/mp4") if head[4:8] == b"ftyp" else None


def _riff(head: bytes) -> str | None:
    return _RIFF_KINDS.get(head[8:12]) if head[:4] == b"RIFF" else None


def _magic(head: bytes) -> str | None:
    return next((kind for magic, kind in _MAGIC if head.startswith(magic)), None)
