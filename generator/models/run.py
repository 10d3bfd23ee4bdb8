"""One pass through a Wan pipeline's loop, and what it really did.

The pipeline is passed in, so that this file needs no torch. Diffusers calls `Run.after_step` after
each denoising step; raising there is the one clean way to stop (setting `pipe._interrupt` decodes
half-noised latents and returns them like a clip).
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generator.errors import GenerationFailed
from generator.models import GenerationRequest, StepProgress
from generator.models.resume import Checkpoint, CheckpointUnwritable
from generator.presets import Preset

EXPERTS = {"transformer": "high", "transformer_2": "low"}  # component -> side of the boundary


class Run:
    """Progress, guard against numbers that are not finite, checkpoint, and steps per expert."""

    def __init__(
        self,
        pipeline: Any,  # noqa: ANN401 - diffusers is untyped for us
        key: str,
        steps: int,
        found: Checkpoint | None,
        *,
        on_step: Callable[[StepProgress], None],
        path: Path | None,
    ) -> None:
        self._pipeline, self._key, self._steps = pipeline, key, steps
        self._on_step, self._path = on_step, path
        self.resumed_from = found.step if found else 0
        self.latents: NDArray[Any] | None = found.arrays["latents"] if found else None
        self.counts = {side: found.numbers[side] if found else 0 for side in EXPERTS.values()}
        self._running = ""
        self._first_end: float | None = None
        self.lost_checkpoint_at: int | None = None  # the step that could not be kept

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        """Let each expert itself say when it runs: counted, not computed from the boundary."""
        hooks = []
        for part, side in EXPERTS.items():
            if (expert := getattr(self._pipeline, part, None)) is not None:

                def note(*_: object, side: str = side) -> None:
                    self._running = side

                hooks.append(expert.register_forward_pre_hook(note))
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def after_step(
        self,
        pipeline: Any,  # noqa: ANN401 - diffusers is untyped for us
        index: int,
        _timestep: object,
        tensors: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Guard, keep and report the state after a step; diffusers wants a dict back.

        Raises:
            GenerationFailed: the step gave numbers that are not finite.
        """
        done, latents = self.resumed_from + index + 1, tensors["latents"].numpy(force=True)
        if not np.isfinite(latents).all():
            raise GenerationFailed(
                f"step {done} of {self._steps} gave numbers that are not finite; try another seed"
            )
        self.counts[self._running] += 1
        if self._path is not None and done < self._steps:
            self._keep(pipeline.scheduler.checkpoint(self._key, done, latents, self.counts))
        self._on_step(StepProgress(done, self._steps, self._seconds_left(index, done)))
        return {}

    def _keep(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint; after one that cannot be written no more are tried."""
        if self._path is None:
            return
        try:
            checkpoint.save(self._path)
        except CheckpointUnwritable:
            self._path, self.lost_checkpoint_at = None, checkpoint.step

    def _seconds_left(self, index: int, done: int) -> float | None:
        now = time.monotonic()
        if self._first_end is None:
            self._first_end = now  # the first step also carries the text encoder: not counted
            return None
        return (now - self._first_end) / index * (self._steps - done)


def describe(
    pipeline: Any,  # noqa: ANN401 - diffusers is untyped for us
    preset: Preset,
    request: GenerationRequest,
    run: Run,
) -> dict[str, str | int]:
    """Return what the run did, in strings and whole numbers."""
    effective: dict[str, str | int] = {
        "scheduler": "UniPCMultistepScheduler",
        "flow_shift": preset.shift,
        "guidance": preset.guidance,
        "steps": request.steps,
        "seed": str(request.seed),  # it may exceed what a record's numbers carry exactly
        "frames": request.frames,
        "height": request.height,
        "width": request.width,
        "fps": request.fps,
        "text_tokens": preset.text_tokens,
    }
    if preset.guidance_low is not None:
        effective["guidance_low"] = preset.guidance_low
        effective["boundary"] = str(pipeline.config.boundary_ratio)
    for part, side in EXPERTS.items():
        if getattr(pipeline, part, None) is not None:
            effective[f"steps_{side}"] = run.counts[side]
    for part in ("text_encoder", "transformer", "transformer_2", "vae"):
        if (component := getattr(pipeline, part, None)) is not None:
            effective[f"dtype_{part}"] = str(component.dtype).removeprefix("torch.")
    if run.resumed_from:
        effective["resumed_from_step"] = run.resumed_from
    if run.lost_checkpoint_at is not None:
        effective["no_checkpoint_from_step"] = run.lost_checkpoint_at
    return effective
