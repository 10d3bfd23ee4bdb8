"""What of a video file signing must leave unchanged."""

import hashlib
from pathlib import Path

from provenance.errors import UnreadableMedia
from provenance.video.reading import DAMAGE, codec_name, opened


def media_digest(path: Path) -> str:
    """Return the SHA-256 (hex) of a file's media packets.

    Covers, for every stream in order, its kind, codec, time base and decoder configuration, then
    every packet with its times, in file order. Boxes and offsets of the container are not in it.

    Raises:
        UnreadableMedia: the packets cannot be read to the end.
    """
    digest = hashlib.sha256()
    with opened(path) as container:
        try:
            for stream in container.streams:
                extra = getattr(stream.codec_context, "extradata", None) or b""
                name = codec_name(stream) if stream.codec_context else "data"
                head = f"{stream.index} {stream.type} {name} {stream.time_base} {len(extra)}\n"
                digest.update(head.encode() + extra)
            for packet in container.demux():
                if packet.size:
                    head = f"{packet.stream_index} {packet.pts} {packet.dts} {packet.size}\n"
                    digest.update(head.encode() + bytes(packet))
        except DAMAGE as error:
            raise UnreadableMedia(f"{path.name} has packets that cannot be read") from error
    return digest.hexdigest()
