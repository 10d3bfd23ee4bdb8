"""Steps 5 to 7 of the journey: mark, encode, and read back what was encoded."""

from dataclasses import dataclass
from pathlib import Path

from audit.bodies import Stage
from audit.canonical import JsonValue
from generator.journey import Journey
from generator.progress import Phase, Progress
from provenance.clip import Clip, ClipShape, EvenClip, MappedClip
from provenance.errors import MarkDoesNotHold
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
            if self._reads_back(target, mark_id):
                return MarkedClip(
                    path=target,
                    mark_id=mark_id,
                    algorithm=self.watermarker.algorithm,
                    key_id=self.watermarker.key_id,
                    strength=strength,
                    shape=even.shape,
                    written=written,
                    media_digest=media_digest(target),
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

    def _reads_back(self, target: Path, mark_id: MarkId) -> bool:
        detection = self.watermarker.detect(open_video(target, self.limits).luma())
        return detection.mark_id == mark_id
