"""The ISCC Video-Code of ISO 24138, which C2PA lists as `io.iscc.v0`: for others to find a clip by.

It needs the extra `iscc`: iscc-lib hashes, and ffmpeg's filter `signature` (the binary of
imageio-ffmpeg, run as a process of its own) takes the MPEG-7 video signature (ISO/IEC 15938-3) that
is hashed. ffmpeg never parses a file from outside: it gets what we encoded, or plain luma.
"""

import base64
import binascii
import subprocess
from pathlib import Path
from typing import Final

import imageio_ffmpeg
import iscc_lib
import numpy as np
from numpy.typing import NDArray

from provenance.errors import FingerprintError

ALGORITHM: Final = "io.iscc.v0"
CODE_BITS = 256
PER_SECOND = 5  # frames, as ISCC's reference implementation takes them
MOST_SECONDS = 600  # that ffmpeg may take: it decodes an hour of 1080p in less

_PREFIX = "ISCC:"
_HEADER_BYTES = 2  # of a code: its kind, version and length
# The signature file, in bits (ISO/IEC 15938-3, annex on binary representation).
_BEFORE_SEGMENTS = 242  # sizes and times of the whole
_SEGMENT = 2 * 32 + 1 + 2 * 32 + 5 * 243  # its frames, time flag, times, five bags of words
_FRAME_HEAD = 1 + 32 + 8 + 5 * 8  # time flag, time, confidence, words
_FRAME = 76 * 8  # 380 elements of 0, 1 or 2, five to a byte
_POWERS = np.array([81, 27, 9, 3, 1])


def open_video_code() -> "IsccVideoCode":
    """Return the method; see `codes.VideoCode`."""
    return IsccVideoCode()


class IsccVideoCode:
    """Takes and compares ISCC Video-Codes."""

    algorithm = ALGORITHM

    def of_file(self, path: Path) -> str:
        """Return the code of a file that we encoded ourselves."""
        return _code(_signature(["-i", str(path)]))

    def of_pictures(self, pictures: NDArray[np.uint8], per_second: float) -> str:
        """Return the code of luma pictures (n, height, width)."""
        _, height, width = pictures.shape
        kind = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{width}x{height}"]
        rate = ["-r", f"{per_second:.3f}", "-i", "-"]
        return _code(_signature([*kind, *rate], np.ascontiguousarray(pictures).tobytes()))

    def bits_between(self, one: str, other: str) -> int:
        """Return in how many of 256 bits two codes differ."""
        a, b = (int.from_bytes(_digest(code)) for code in (one, other))
        return (a ^ b).bit_count()


def frames_in(signature: bytes) -> NDArray[np.uint8]:
    """Return each frame's elements (frames, 380) in an MPEG-7 signature file.

    Raises:
        FingerprintError: it is none.
    """
    bits = np.unpackbits(np.frombuffer(signature, np.uint8))
    if len(bits) < _BEFORE_SEGMENTS + 32:
        raise FingerprintError(f"{len(signature)} bytes are no MPEG-7 signature; take it anew")
    segments = int.from_bytes(np.packbits(bits[_BEFORE_SEGMENTS : _BEFORE_SEGMENTS + 32]).tobytes())
    start = _BEFORE_SEGMENTS + 32 + segments * _SEGMENT + 1  # and the flag of compression
    count = (len(bits) - start) // (_FRAME_HEAD + _FRAME)
    if count < 1:
        raise FingerprintError("there is no frame in the MPEG-7 signature; use a longer clip")
    frames = bits[start : start + count * (_FRAME_HEAD + _FRAME)].reshape(count, -1)
    packed = np.packbits(frames[:, _FRAME_HEAD:], axis=1)  # (frames, 76)
    return np.asarray(packed[:, :, None] // _POWERS % 3, np.uint8).reshape(count, -1)


def _signature(source: list[str], given: bytes | None = None) -> bytes:
    """Return what ffmpeg's filter says of its input."""
    wanted = f"fps=fps={PER_SECOND},signature=format=binary:filename=/dev/stdout"
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-threads", "1"]
    try:
        done = subprocess.run(
            [*ffmpeg, *source, "-an", "-vf", wanted, "-f", "null", "-"],
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            timeout=MOST_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise FingerprintError(
            f"ffmpeg took no MPEG-7 signature ({error}); reinstall the extra `iscc`"
        ) from error
    return done.stdout


def _code(signature: bytes) -> str:
    frames = [tuple(map(int, frame)) for frame in frames_in(signature)]
    return str(iscc_lib.gen_video_code_v0(frames, bits=CODE_BITS).iscc)


def _digest(code: str) -> bytes:
    text = code.removeprefix(_PREFIX)
    try:
        decoded = base64.b32decode(text + "=" * (-len(text) % 8))
    except binascii.Error as error:
        raise FingerprintError(f"{code[:80]!r} is no ISCC; take it anew") from error
    if not code.startswith(_PREFIX) or len(decoded) != _HEADER_BYTES + CODE_BITS // 8:
        raise FingerprintError(f"{code[:80]!r} is no ISCC of {CODE_BITS} bits; take it anew")
    return decoded[_HEADER_BYTES:]
