"""What a video model is to the rest of the generator; no heavy library is imported here.

Open `VideoModel` first. Implementations are found by the entry-point group `countermark.models`,
each a function `open_model(settings: ModelSettings) -> VideoModel`: `wan` loads a Wan2.2 folder
that the operator pinned, `tiny` the folder that is shipped with the package, through the same code.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Which model to open, and from where.

    Attributes:
        name: entry-point name, e.g. "tiny" or "wan".
        folder: the diffusers folder; None for a model that is shipped with the package.
        digest: root digest (SHA-256, hex) that the operator pinned for `folder`; `wan` needs it.
        preset: name of a preset in `generator.presets`; `wan` needs it.
        threads: CPU threads for an operator's own model; None takes those of the preset. Another
            number gives other frames.
        home: COUNTERMARK_HOME: a relative `folder` starts there, digests of big files lie there.
    """

    name: str
    folder: Path | None
    digest: str | None
    preset: str | None
    threads: int | None
    home: Path


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which model made a clip, as records and manifests say it.

    Attributes:
        name: e.g. "countermark-tiny"; the tiny model is never called Wan2.2.
        architecture: the classes that run, e.g. "Wan2.2 two-expert (diffusers WanPipeline)".
        digest: root digest (SHA-256, hex) of the verified folder.
        licence: SPDX identifier of the weights.
    """

    name: str
    architecture: str
    digest: str
    licence: str


@dataclass(frozen=True, slots=True)
class ModelLimits:
    """What a request may ask for, and what it gets when it does not say (the last five).

    Sizes are pixels and multiples of `size_multiple`; frames are 4k + 1; fps is frames per second.
    """

    size_multiple: int
    max_width: int
    max_height: int
    max_frames: int
    max_steps: int
    width: int
    height: int
    frames: int
    fps: int
    steps: int


@dataclass(frozen=True, slots=True)
class PromptReading:
    """A prompt as the model will see it.

    Attributes:
        text: the cleaned text, cut where the model stops reading.
        tokens: how many tokens that is, the end token included.
        truncated: whether the model stops reading before the end.
        unknown_words: words of `text` that the model has no token for, in order, each once.
    """

    text: str
    tokens: int
    truncated: bool
    unknown_words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """Effective values of one clip; `seed` is 0 to 2**63 - 1."""

    prompt: str
    negative_prompt: str
    width: int
    height: int
    frames: int
    fps: int
    steps: int
    seed: int


@dataclass(frozen=True, slots=True)
class StepProgress:
    """Step `step` of `steps` is done; `seconds_left` is an estimate, None before there is one."""

    step: int
    steps: int
    seconds_left: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Generation:
    """A generated clip and how it was really made.

    Attributes:
        frames: (time, height, width, 3) uint8 RGB, read-only.
        fps: frames per second.
        effective: what the run did rather than what was asked: scheduler, steps per expert as the
            experts themselves counted them, guidance and shift as decimal strings, types, versions,
            threads. Strings and whole numbers only, no paths, so that it can stand in a record.
    """

    frames: NDArray[np.uint8]
    fps: int
    effective: Mapping[str, str | int]


class VideoModel(Protocol):
    """A model that turns a prompt into frames."""

    @property
    def identity(self) -> ModelIdentity:
        """Return which model this is."""
        ...

    @property
    def limits(self) -> ModelLimits:
        """Return what a request may ask for."""
        ...

    def read_prompt(self, text: str) -> PromptReading:
        """Return the prompt as the model will see it."""
        ...

    def generate(
        self,
        request: GenerationRequest,
        *,
        on_step: Callable[[StepProgress], None],
        checkpoint: Path | None = None,
    ) -> Generation:
        """Generate one clip; the same request gives the same frames, bit for bit.

        Args:
            request: effective values, inside `limits`.
            on_step: called after each step; raise `Cancelled` in it to stop. It comes out here, and
                the model stays usable.
            checkpoint: a file to keep the run's state in, so that a run that was cut off goes on
                from its last step and gives the same frames; it is removed when the clip is done.
                A convenience: where it cannot be written, the run goes on without one.

        Raises:
            RequestInvalid: the request lies outside `limits`.
            GenerationFailed: the memory does not suffice, the model broke off, or a step gave
                numbers that are not finite.
        """
        ...
