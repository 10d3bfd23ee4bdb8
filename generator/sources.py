"""Step 3 of the journey: where a clip comes from. It is generated, or it is brought.

Both kinds say before anything is done what the attempt's record will hold and which texts the gate
must see; then they hand over the clip.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from audit.canonical import JsonValue
from generator.errors import RequestInvalid
from generator.gates import PromptTexts
from generator.journey import Journey
from generator.models import (
    ModelIdentity,
    StepProgress,
    VideoModel,
)
from generator.progress import Phase, Progress
from generator.request import (
    Effective,
    MakeRequest,
    ProtectRequest,
    Request,
    checked,
    effective,
)
from provenance.claims import OriginKind
from provenance.clip import Clip, StillClip
from provenance.credentials import Integrity
from provenance.errors import (
    ExaminationFailed,
    StorageFailed,
    UnreadableMedia,
    UnsupportedMedia,
)
from provenance.examination import (
    Decoding,
    Examination,
    Question,
    examine_confined,
    open_file,
)
from provenance.settings import ProvenanceSettings
from provenance.trust import TrustLists
from provenance.video import VideoFile, open_video
from safety.verdict import Stage


@dataclass(frozen=True, slots=True)
class Obtained:
    """A clip to be gated, and what is known of its making."""

    clip: Clip
    origin: OriginKind
    making: Mapping[str, JsonValue]  # what was really done, as opposed to asked for
    stages: tuple[Stage, ...] = (Stage.OUTPUT,)  # as what the gate judges its frames
    file: Path | None = None  # the private copy of what was brought
    model: ModelIdentity | None = None
    generated_by: str | None = None


class Source(Protocol):
    """A clip that does not exist yet, and everything that can be said of it beforehand."""

    @property
    def operation(self) -> str:
        """`make` or `protect`, for the record."""

    @property
    def phase(self) -> Phase:
        """What takes time while the clip is obtained."""

    @property
    def asked(self) -> Mapping[str, JsonValue]:
        """The effective request, for the record; no text of the asker is in it."""

    @property
    def texts(self) -> PromptTexts | None:
        """What the prompt gate must see; None where no prompt is known."""

    @property
    def model(self) -> ModelIdentity | None:
        """The model that will run."""

    @property
    def input_digest(self) -> str | None:
        """SHA-256 of what was brought."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the asker should know."""

    def obtain(self, journey: Journey) -> Obtained:
        """Make the clip or open it."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Turns requests into sources."""

    model: VideoModel | None
    provenance: ProvenanceSettings
    trust: TrustLists

    def of(self, request: Request, folder: Path) -> Source:
        """Parse a request.

        Args:
            request: what somebody asks for.
            folder: the attempt's private folder, into which a brought clip is copied once.

        Raises:
            RequestInvalid: it cannot be done as asked.
            MediaError: what was brought is no clip that we take.
        """
        match request:
            case MakeRequest():
                return self._to_make(request)
            case ProtectRequest():
                return self._to_protect(checked(request), folder)

    def _to_make(self, request: MakeRequest) -> "GeneratedSource":
        if self.model is None:
            raise RequestInvalid("no model is loaded here; this pipeline only protects clips")
        wanted = effective(request, self.model.limits, self.model.read_prompt)
        return GeneratedSource(self.model, request, wanted)

    def _to_protect(self, request: ProtectRequest, folder: Path) -> "BroughtSource":
        # One private copy is examined, gated and used: what lies at the given path may change.
        copy = folder / f"input{request.source.suffix[:8]}"
        self._copy(request.source, copy)
        seen = self._examined(copy, request.source.name)
        return BroughtSource(
            copy,
            seen.sha256,
            open_video(copy, self.provenance.limits),
            request.prompt,
            request.generated_by,
        )

    def _copy(self, source: Path, copy: Path) -> None:
        with open_file(source, self.provenance.limits.max_bytes) as original:
            try:
                with copy.open("xb") as file:
                    shutil.copyfileobj(original, file)
            except OSError as error:
                raise StorageFailed(
                    f"{source.name} cannot be copied into the home ({error.strerror}); "
                    "free some space"
                ) from error

    def _examined(self, copy: Path, name: str) -> Examination:
        """Have the confined process parse and decode a stranger's clip before this one does.

        This process holds the keys. It later decodes the same frames again, for the gate and the
        mark (SECURITY.md); what breaks a decoder is stopped here.
        """
        question = Question(self.provenance.limits, self.trust)
        try:
            seen = examine_confined(copy, question, self.provenance.process_limits, name=name)
        except ExaminationFailed as error:
            raise UnreadableMedia(f"{name} cannot be taken: {error}") from error
        if seen.credentials.integrity is Integrity.BROKEN:
            # Our name would stand under credentials that do not fit what they are attached to.
            raise RequestInvalid(
                f"{name} carries Content Credentials that do not fit it "
                f"({seen.credentials.reasons[0]}); "
                "bring the original, or a copy without credentials"
            )
        if seen.decoding is Decoding.UNSUPPORTED:
            raise UnsupportedMedia(str(seen.media_problem))
        if seen.decoding is not Decoding.WHOLE:
            raise UnreadableMedia(str(seen.media_problem))
        return seen


@dataclass(frozen=True, slots=True)
class GeneratedSource:
    """A clip that a model is about to make."""

    video_model: VideoModel
    request: MakeRequest
    effective: Effective
    operation: str = "make"
    phase: Phase = Phase.GENERATING
    input_digest: None = None

    @property
    def asked(self) -> Mapping[str, JsonValue]:
        """Every effective value but the texts, which the record holds as commitments."""
        wanted, prompt, negative = (
            self.effective.request,
            self.effective.prompt,
            self.effective.negative_prompt,
        )
        return {
            "width": wanted.width,
            "height": wanted.height,
            "frames": wanted.frames,
            "fps": wanted.fps,
            "steps": wanted.steps,
            # A seed may exceed what JSON carries exactly.
            "seed": str(wanted.seed),
            "prompt_tokens": prompt.tokens,
            "prompt_truncated": prompt.truncated,
            "negative_prompt_tokens": negative.tokens,
            "negative_prompt_truncated": negative.truncated,
        }

    @property
    def texts(self) -> PromptTexts:
        """Both texts as they came and as the model reads them."""
        return PromptTexts(
            self.request.prompt,
            self.effective.prompt.text,
            self.request.negative_prompt,
            self.effective.negative_prompt.text,
        )

    @property
    def model(self) -> ModelIdentity:
        """The model that will run."""
        return self.video_model.identity

    @property
    def warnings(self) -> tuple[str, ...]:
        """What of the texts the model will not read."""
        return self.effective.warnings

    def obtain(self, journey: Journey) -> Obtained:
        """Generate, telling the listener step by step."""
        wanted = self.effective.request
        unit = f"steps for {wanted.frames} frames"

        def on_step(step: StepProgress) -> None:
            journey.tell(Progress(Phase.GENERATING, step.step, step.steps, unit, step.seconds_left))

        journey.tell(Progress(Phase.GENERATING, 0, wanted.steps, unit))
        made = self.video_model.generate(wanted, on_step=on_step)
        return Obtained(
            clip=StillClip(made.frames, made.fps),
            origin=OriginKind.AI_GENERATED,
            making=dict(made.effective),
            model=self.model,
        )


@dataclass(frozen=True, slots=True)
class BroughtSource:
    """A clip made elsewhere, in its private copy."""

    copy: Path
    input_digest: str
    clip: VideoFile
    prompt: str | None
    generated_by: str | None
    operation: str = "protect"
    phase: Phase = Phase.OPENING
    model: None = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What of the file the protected clip will not have."""
        return self.clip.losses

    @property
    def asked(self) -> Mapping[str, JsonValue]:
        """What the container says of the clip."""
        shape = self.clip.shape
        return {
            "width": shape.width,
            "height": shape.height,
            "fps_numerator": shape.frame_rate.numerator,
            "fps_denominator": shape.frame_rate.denominator,
        }

    @property
    def texts(self) -> PromptTexts | None:
        """The prompt that was given along, if any."""
        return None if self.prompt is None else PromptTexts(self.prompt, self.prompt)

    def obtain(self, journey: Journey) -> Obtained:
        """Hand over the private copy."""
        del journey
        return Obtained(
            clip=self.clip,
            origin=OriginKind.OPENED,
            making={"losses": list(self.clip.losses)},
            stages=(Stage.INPUT, Stage.OUTPUT),
            file=self.copy,
            generated_by=self.generated_by,
        )
