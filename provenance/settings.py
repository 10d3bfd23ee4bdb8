"""The [provenance] table of countermark.toml."""

from pydantic import BaseModel, ConfigDict, Field

from provenance.sandbox import ProcessLimits
from provenance.video import Encoding, MediaLimits

MIB = 2**20


class ProvenanceSettings(BaseModel):
    """How clips are marked, encoded, signed and examined."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    watermarkers: tuple[str, ...] = Field(("tile",), min_length=1)
    """Entry points to load; the first one marks, all of them are looked for."""

    crf: int = Field(18, ge=0, le=30)
    """x264's constant rate factor for what we encode."""
    preset: str = "medium"
    encoder_threads: int = Field(2, ge=1, le=64)
    """Fixed, because the encoded bytes depend on it."""

    timestamp_authority: str = Field("local", pattern=r"^(local|https?://.+)$")
    """`local` is the authority that `countermark init` makes; or the address of an RFC 3161 one."""

    max_file_mib: int = Field(2048, ge=1)
    max_pixels: int = Field(4096 * 2304, ge=1)
    max_seconds: int = Field(3600, ge=1)

    examination_seconds: int = Field(1800, ge=1)
    """Time for examining one file. Pictures are looked at in order for three quarters of it; where
    the clip is longer, the answer says how far that went. An hour of 1080p takes some 15 minutes of
    one processor to decode (`benchmarks/streaming.py`)."""
    examination_memory_mib: int = Field(6144, ge=1024)
    """Address space of the process that does it; reading credentials takes about the file's size
    (measured)."""

    @property
    def process_limits(self) -> ProcessLimits:
        """What examining one file may use."""
        return ProcessLimits(
            seconds=self.examination_seconds, memory_bytes=self.examination_memory_mib * MIB
        )

    @property
    def limits(self) -> MediaLimits:
        """What we are willing to decode."""
        return MediaLimits(
            max_bytes=self.max_file_mib * MIB,
            max_pixels=self.max_pixels,
            max_seconds=self.max_seconds,
            max_frames=self.max_seconds * 60,
        )

    @property
    def encoding(self) -> Encoding:
        """How clips are encoded."""
        return Encoding(crf=self.crf, preset=self.preset, threads=self.encoder_threads)
