"""Step 3 of the journey: where a clip comes from. It is generated, or it is brought.

Both kinds say before anything is done what the attempt's record will hold and which texts the gate
must see; then they hand over the clip.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from audit.canonical import JsonValue
from generator.errors import RequestInvalid
from generator.gates import PromptTexts
from generator.journey import Journey
from generator.models import (
    GenerationRequest,
    ModelIdentity,
    PromptReading,
    StepProgress,
    VideoModel,
)
from generator.progress import Phase, Progress
from generator.publish import file_sha256
from generator.request import (
    MakeRequest,
    ProtectRequest,
    Request,
    checked_prompt,
    effective,
    warnings_about,
)
from provenance.claims import OriginKind
from provenance.clip import Clip, StillClip
from provenance.credentials import Integrity, examine
from provenance.errors import StorageFailed
from provenance.trust import TrustLists
from provenance.video import MediaLimits, open_video


@dataclass(frozen=True, slots=True)
class Obtained:
    """A clip to be gated, and what is known of its making."""

    clip: Clip
    origin: OriginKind
    making: Mapping[str, JsonValue]  # what was really done, as opposed to asked for
    file: Path | None = None  # the private copy of what was brought
    model: ModelIdentity | None = None
    generated_by: str | None = None

    def keep(self, folder: Path) -> Path:
        """Return a file that holds the clip without loss, for whoever must look at it later."""
        if self.file is not None:
            return self.file
        path = folder / "frames.npy"
        np.save(path, np.stack([frame.rgb for frame in self.clip.frames()]))
        return path


class Source(Protocol):
    """A clip that does not exist yet, and everything that can be said of it beforehand."""

    @property
    def operation(self) -> str:
        """`make` or `protect`, for the record."""

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
    limits: MediaLimits
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
                return self._to_protect(request, folder)

    def _to_make(self, request: MakeRequest) -> "GeneratedSource":
        if self.model is None:
            raise RequestInvalid("no model is loaded here; this pipeline only protects clips")
        wanted = effective(request, self.model.limits)
        reading = self.model.read_prompt(wanted.prompt)
        return GeneratedSource(self.model, wanted, reading)

    def _to_protect(self, request: ProtectRequest, folder: Path) -> "BroughtSource":
        # One private copy is hashed, gated and used: what lies at the given path may change.
        prompt = None if request.prompt is None else checked_prompt(request.prompt)
        open_video(request.source, self.limits)
        copy = folder / f"input{request.source.suffix[:8]}"
        try:
            shutil.copyfile(request.source, copy)
        except OSError as error:
            raise StorageFailed(
                f"{request.source.name} cannot be copied into the home ({error.strerror}); "
                "free some space"
            ) from error
        self._refuse_broken_history(request.source.name, copy)
        return BroughtSource(
            copy, file_sha256(copy), open_video(copy, self.limits), prompt, request.generated_by
        )

    def _refuse_broken_history(self, name: str, copy: Path) -> None:
        """Refuse to put our name to credentials that do not fit what they are attached to."""
        evidence = examine(copy, self.trust)
        if evidence.integrity is Integrity.BROKEN:
            raise RequestInvalid(
                f"{name} carries Content Credentials that do not fit it ({evidence.reasons[0]}); "
                "bring the original, or a copy without credentials"
            )


@dataclass(frozen=True, slots=True)
class GeneratedSource:
    """A clip that a model is about to make."""

    video_model: VideoModel
    wanted: GenerationRequest
    reading: PromptReading
    operation: str = "make"
    input_digest: None = None

    @property
    def asked(self) -> Mapping[str, JsonValue]:
        """Every effective value but the texts, which the record holds as commitments."""
        wanted = self.wanted
        return {
            "width": wanted.width,
            "height": wanted.height,
            "frames": wanted.frames,
            "fps": wanted.fps,
            "steps": wanted.steps,
            # A seed may exceed what JSON carries exactly.
            "seed": str(wanted.seed),
            "prompt_tokens": self.reading.tokens,
            "prompt_truncated": self.reading.truncated,
        }

    @property
    def texts(self) -> PromptTexts:
        """The prompt as it came and as the model reads it, and the negative prompt."""
        return PromptTexts(self.wanted.prompt, self.reading.text, self.wanted.negative_prompt)

    @property
    def model(self) -> ModelIdentity:
        """The model that will run."""
        return self.video_model.identity

    @property
    def warnings(self) -> tuple[str, ...]:
        """What of the prompt the model will not read."""
        return warnings_about(self.reading)

    def obtain(self, journey: Journey) -> Obtained:
        """Generate, telling the listener step by step."""

        def on_step(step: StepProgress) -> None:
            journey.tell(
                Progress(Phase.GENERATING, step.step, step.steps, "steps", step.seconds_left)
            )

        journey.tell(Progress(Phase.GENERATING, 0, self.wanted.steps, "steps"))
        made = self.video_model.generate(
            self.wanted, on_step=on_step, checkpoint=journey.folder / "checkpoint.pt"
        )
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
    clip: Clip
    prompt: str | None
    generated_by: str | None
    operation: str = "protect"
    model: None = None
    warnings: tuple[str, ...] = ()

    @property
    def asked(self) -> Mapping[str, JsonValue]:
        """What the container says of the clip."""
        shape = self.clip.shape
        return {
            "width": shape.width,
            "height": shape.height,
            "fps_numerator": shape.frame_rate.numerator,
            "fps_denominator": shape.frame_rate.denominator,
            "generated_by": self.generated_by,
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
            making={},
            file=self.copy,
            generated_by=self.generated_by,
        )
