"""Steps 5 to 7 of the journey: mark, encode, read back, and take the fingerprint."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from audit.canonical import JsonValue
from audit.vocabulary import Stage
from generator.journey import Journey
from generator.progress import Phase, Progress
from provenance.clip import Clip, ClipShape, EvenClip, MappedClip
from provenance.errors import FingerprintError, MarkDoesNotHold
from provenance.fingerprint.codes import VideoCode, load_video_code
from provenance.fingerprint.form import Fingerprint
from provenance.fingerprint.sampling import Sampler
from provenance.fingerprint.taking import fingerprint_of
from provenance.payload import MarkId
from provenance.video import Encoding, MediaLimits, Written, media_digest, open_video, write_video
from provenance.watermark import STRENGTHS, Watermarker


@dataclass(frozen=True, slots=True)
class MarkedClip:
    """An encoded clip from which the mark was read back."""

    path: Path
    mark_id: MarkId
    algorithm: str
    key_id: str
    strength: float
    shape: ClipShape
    written: Written
    media_digest: str  # SHA-256 over the packets, which signing must not change
    fingerprint: Fingerprint  # of the pictures as they were encoded
    video_codes: Mapping[str, str]  # others' codes of the same, by algorithm
    encoding: Encoding

    @property
    def making(self) -> dict[str, JsonValue]:
        """What the record says of marking and encoding."""
        return {
            "encoding": str(self.encoding),
            "mark_strength_milli": round(self.strength * 1000),
            "sound": self.written.sound.value,
        }


@dataclass(frozen=True, slots=True)
class Marking:
    """Puts a mark into clips at the weakest strength that survives our own encode."""

    watermarker: Watermarker
    encoding: Encoding
    limits: MediaLimits

    def mark(self, clip: Clip, mark_id: MarkId, journey: Journey) -> MarkedClip:
        """Write the marked clip into the journey's folder.

        Raises:
            MarkDoesNotHold: the mark does not read back at any strength.
        """
        even = EvenClip(clip)
        target = journey.folder / "marked.mp4"
        for strength in STRENGTHS:
            written = self._encode(even, mark_id, strength, target, journey)
            journey.enter(Stage.MARK, Phase.READING_BACK)
            fingerprint = self._read_back(target, mark_id)
            if fingerprint is not None:
                return MarkedClip(
                    path=target,
                    mark_id=mark_id,
                    algorithm=self.watermarker.algorithm,
                    key_id=self.watermarker.key_id,
                    strength=strength,
                    shape=even.shape,
                    written=written,
                    media_digest=media_digest(target),
                    fingerprint=fingerprint,
                    video_codes=_video_codes(target),
                    encoding=self.encoding,
                )
            target.unlink()
        raise MarkDoesNotHold(
            "the watermark cannot be read back from this clip at any invisible strength; "
            "choose a clip that is longer, larger or has more texture"
        )

    def _encode(
        self,
        clip: Clip,
        mark_id: MarkId,
        strength: float,
        target: Path,
        journey: Journey,
    ) -> Written:
        marked = MappedClip(
            clip, lambda frames: self.watermarker.embed(frames, mark_id, strength=strength)
        )
        total = clip.shape.frame_count
        return write_video(
            marked,
            target,
            self.encoding,
            on_frame=lambda count: journey.tell(Progress(Phase.MARKING, count, total)),
        )

    def _read_back(self, target: Path, mark_id: MarkId) -> Fingerprint | None:
        """Decode a clip once; return its fingerprint, or None where the mark cannot be read."""
        media = open_video(target, self.limits)
        watch, sampler = self.watermarker.watch(), Sampler(media.shape.frame_rate)
        for luma in media.luma():
            watch.offer(luma)
            sampler.offer(luma)
        if self.watermarker.search(watch).mark_id != mark_id:
            return None
        return fingerprint_of(sampler.sighting())


def _video_codes(path: Path) -> dict[str, str]:
    """Return the codes whose extras are installed.

    Raises:
        FingerprintError: one is installed, and took none.
    """
    try:
        code: VideoCode = load_video_code()
    except FingerprintError:
        return {}
    return {code.algorithm: code.of_file(path)}
