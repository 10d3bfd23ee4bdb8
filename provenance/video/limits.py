"""How much of a video we are willing to decode, and how a refusal reads."""

from dataclasses import dataclass

from provenance.errors import UnsupportedMedia


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """What we are willing to decode.

    Every check raises `UnsupportedMedia`. All are asked twice: of what the header says before
    anything is decoded, and of what comes while reading, because headers lie.
    """

    max_bytes: int = 2 * 2**30  # an hour of 1080p at 4.5 Mbit/s
    max_pixels: int = 4096 * 2304  # a 4K picture
    max_seconds: int = 3600
    max_frames: int = 3600 * 60  # an hour at 60 frames per second

    def check_bytes(self, name: str, size: int) -> None:
        """Refuse a file of too many bytes."""
        if size > self.max_bytes:
            raise UnsupportedMedia(
                f"{name} has {size} bytes and at most {self.max_bytes} are taken; shrink it"
            )

    def check_picture(self, name: str, width: int, height: int) -> None:
        """Refuse pictures of too many pixels."""
        if width * height > self.max_pixels:
            raise UnsupportedMedia(
                f"{name} is {width}x{height} and at most {self.max_pixels} pixels a frame are "
                "taken; scale it down"
            )

    def check_length(self, name: str, *, seconds: float, frames: int) -> None:
        """Refuse a clip that is too long, by its time or by its frames."""
        if seconds > self.max_seconds:
            raise UnsupportedMedia(
                f"{name} lasts at least {seconds:.1f} s and at most {self.max_seconds} s are "
                "taken; cut it"
            )
        if frames > self.max_frames:
            raise UnsupportedMedia(
                f"{name} has at least {frames} frames and at most {self.max_frames} are taken; "
                "cut it"
            )
