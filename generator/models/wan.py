"""The one door to torch, diffusers and transformers: a WanPipeline from a verified local folder.

Nothing is fetched and nothing but safetensors is read: the folder's root digest is checked first
(`generator.weights`), then the pipeline is loaded with local files alone. The same request gives
the same frames bit for bit, on the same kind of processor and software: the noise comes from a
generator on the CPU, the thread count is the preset's, one clip is made per call, and what was
really done stands in `Generation.effective`.
"""

import contextlib
import hashlib
import json
import os
import platform
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

# huggingface_hub and CUDA read these once, when they are imported, so they stand before that.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # deterministic matrix products

import diffusers
import numpy as np
import torch
import transformers
from diffusers import UniPCMultistepScheduler, WanPipeline

from generator.errors import GenerationFailed, ModelUnavailable
from generator.models import (
    Generation,
    GenerationRequest,
    ModelIdentity,
    ModelLimits,
    ModelSettings,
    PromptReading,
    StepProgress,
)
from generator.models.checks import check_index, check_request
from generator.models.prompts import PromptReader
from generator.models.resume import Checkpoint, load_checkpoint
from generator.models.run import Run, describe
from generator.presets import Preset, find_preset
from generator.weights import DigestMemory, verify_folder


def open_model(settings: ModelSettings) -> "WanModel":
    """Open the Wan2.2 folder that the operator pinned.

    Raises:
        ModelUnavailable: folder, digest or preset is not set, or the folder is not the pinned one.
    """
    if settings.folder is None or settings.digest is None:
        raise ModelUnavailable(
            "the model `wan` needs `folder` and `digest`; "
            "pin the folder with `countermark model pin`"
        )
    memory = DigestMemory(settings.home / "cache" / "weights.json")
    folder = settings.home / settings.folder  # an absolute folder stays as it is
    preset = find_preset(settings.preset)
    return load(folder, preset, digest=settings.digest, threads=settings.threads, memory=memory)


def load(
    folder: Path,
    preset: Preset,
    *,
    digest: str,
    threads: int | None = None,
    memory: DigestMemory | None = None,
) -> "WanModel":
    """Verify a folder and load it.

    Args:
        folder: a pipeline in the diffusers layout.
        preset: how to run it.
        digest: the root digest that the folder must have.
        threads: CPU threads in place of the preset's; they change the frames.
        memory: remembers digests of big files; None hashes everything.

    Raises:
        ModelUnavailable: it is not the pinned one, or not a pipeline of the preset's kind.
    """
    verified = verify_folder(folder, expected=digest, memory=memory)
    folder = verified.folder
    check_index(folder, preset)
    reader = PromptReader.open(folder, max_tokens=preset.text_tokens)
    default = getattr(torch, preset.float_type)
    with _quiet():
        try:
            pipeline = WanPipeline.from_pretrained(
                str(folder),
                dtype={"vae": torch.float32, "default": default},
                use_safetensors=True,
                local_files_only=True,
            )
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ModelUnavailable(
                f"the model folder {folder} is the pinned one and does not load ({error}); "
                f"pin a complete Wan2.2 folder in the diffusers layout"
            ) from error
        pipeline.scheduler = _ResumableUniPC.from_config(
            pipeline.scheduler.config, flow_shift=float(preset.shift)
        )
    verified.require_unchanged()
    pipeline.set_progress_bar_config(disable=True)
    if torch.cuda.is_available():
        pipeline.enable_model_cpu_offload()  # one expert on the card at a time
    identity = ModelIdentity(preset.model, preset.architecture, digest, preset.licence)
    return WanModel(pipeline, preset, identity, reader=reader, threads=threads or preset.threads)


class WanModel:
    """A loaded pipeline; implements `generator.models.VideoModel`."""

    def __init__(
        self,
        pipeline: Any,  # noqa: ANN401 - diffusers is untyped for us
        preset: Preset,
        identity: ModelIdentity,
        *,
        reader: PromptReader,
        threads: int,
    ) -> None:
        self._pipeline, self._preset, self._identity = pipeline, preset, identity
        self._reader, self._threads = reader, threads
        self._lock = threading.Lock()  # a pipeline keeps the state of its one run in itself

    @property
    def identity(self) -> ModelIdentity:
        """Return which model this is."""
        return self._identity

    @property
    def limits(self) -> ModelLimits:
        """Return what a request may ask for."""
        return self._preset.limits

    def read_prompt(self, text: str) -> PromptReading:
        """Return the prompt as the model will see it."""
        return self._reader.read(text)

    def generate(
        self,
        request: GenerationRequest,
        *,
        on_step: Callable[[StepProgress], None],
        checkpoint: Path | None = None,
    ) -> Generation:
        """Generate one clip, as `generator.models.VideoModel` says.

        1. Check the request, and that its texts are what the model will see.
        2. Take up the run where its checkpoint ends, if there is one.
        3. Denoise, counting the steps of each expert; 4. decode into bytes.
        """
        check_request(request, self._preset.limits, self.read_prompt)  # (1)
        with self._lock, self._failures_told(), torch.inference_mode(), _determinism(self._threads):
            run = self._take_up(request, on_step, checkpoint)  # (2)
            video = self._denoise(request, run)  # (3)
            frames = self._to_bytes(video, request)  # (4)
            effective = describe(self._pipeline, self._preset, request, run) | self._machine()
        if checkpoint is not None:
            checkpoint.unlink(missing_ok=True)
        return Generation(frames, request.fps, effective)

    def _take_up(
        self,
        request: GenerationRequest,
        on_step: Callable[[StepProgress], None],
        path: Path | None,
    ) -> Run:
        """Return the run, at the step where its checkpoint ends or at the first."""
        key = self._key(request)
        found = load_checkpoint(path, key=key) if path else None
        self._pipeline.scheduler.resume = found
        return Run(self._pipeline, key, request.steps, found, on_step=on_step, path=path)

    def _denoise(self, request: GenerationRequest, run: Run) -> np.ndarray[Any, Any]:
        """Run the pipeline; returns (time, height, width, 3) in [0, 1]."""
        preset, low = self._preset, self._preset.guidance_low
        try:
            with run.counted():
                output = self._pipeline(
                    prompt=request.prompt,
                    negative_prompt=request.negative_prompt,
                    height=request.height,
                    width=request.width,
                    num_frames=request.frames,
                    num_inference_steps=request.steps,
                    guidance_scale=float(preset.guidance),
                    guidance_scale_2=None if low is None else float(low),
                    max_sequence_length=preset.text_tokens,
                    generator=torch.Generator("cpu").manual_seed(request.seed),
                    latents=_tensor(run.latents),
                    callback_on_step_end=run.after_step,
                    output_type="np",
                )
        finally:
            self._pipeline.maybe_free_model_hooks()  # also after a cancel, or the next run fails
        return np.asarray(output.frames[0])

    def _to_bytes(
        self, video: np.ndarray[Any, Any], request: GenerationRequest
    ) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """Return read-only RGB of numbers in [0, 1]; both are (time, height, width, 3)."""
        if not np.isfinite(video).all():
            raise GenerationFailed(
                f"{self._identity.name} decoded numbers that are not finite; try another seed"
            )
        frames: np.ndarray[Any, np.dtype[np.uint8]] = np.rint(video * 255).astype(np.uint8)
        if frames.shape[:3] != (request.frames, request.height, request.width):
            raise GenerationFailed(f"the model gave frames of {frames.shape}, not what was asked")
        frames.setflags(write=False)
        return frames

    @contextlib.contextmanager
    def _failures_told(self) -> Iterator[None]:
        """Say in one sentence what torch says in many, and what to do about it."""
        try:
            yield
        except (torch.OutOfMemoryError, MemoryError) as error:
            raise GenerationFailed(
                f"{self._identity.name} needs more memory than there is; "
                "ask for fewer frames or a smaller size, or end what else uses the memory"
            ) from error
        except RuntimeError as error:  # torch has no other class for what goes wrong in it
            said = (str(error).splitlines() or [type(error).__name__])[0]
            raise GenerationFailed(
                f"{self._identity.name} broke off ({said[:200]}); if it speaks of memory, ask for "
                "fewer frames or a smaller size, else check the installation of torch"
            ) from error

    def _machine(self) -> dict[str, str | int]:
        """Return what else the frames depend on: the processor, the threads, the software."""
        device = self._pipeline._execution_device  # noqa: SLF001 - it has no public name
        kind = (
            torch.cuda.get_device_name(device)
            if device.type == "cuda"
            else torch.backends.cpu.get_cpu_capability()
        )
        return {
            "device": f"{device} ({kind})",
            "threads": self._threads,
            "attention": "native",
            **_versions(),
        }

    def _key(self, request: GenerationRequest) -> str:
        """Return what identifies a run: two runs with equal keys give equal frames."""
        fields = {name: getattr(request, name) for name in request.__slots__}
        fields |= {
            "model": self._identity.digest,
            "preset": repr(self._preset),
            **self._machine(),
        }
        return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


class _ResumableUniPC(UniPCMultistepScheduler):  # type: ignore[misc]  # diffusers is untyped for us
    """UniPC that can give its memory away and take it back after another process was cut off."""

    resume: Checkpoint | None = None
    timesteps: torch.Tensor
    _every_timestep: torch.Tensor

    def set_timesteps(self, num_inference_steps: int, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Yield the steps that are still to do."""
        super().set_timesteps(num_inference_steps, *args, **kwargs)
        self._every_timestep = self.timesteps
        if (state := self.resume) is None:
            return
        order = self.config.solver_order
        arrays, numbers = state.arrays, state.numbers
        self.model_outputs = [_tensor(arrays.get(f"output_{i}")) for i in range(order)]
        self.timestep_list = [_tensor(arrays.get(f"timestep_{i}")) for i in range(order)]
        self.last_sample = _tensor(arrays.get("last_sample"))
        self.lower_order_nums, self.this_order = numbers["lower_order_nums"], numbers["this_order"]
        self._step_index = state.step
        self.timesteps = self._every_timestep[state.step :]

    def set_begin_index(self, begin_index: int = 0) -> None:
        """Start where the run ends so far."""
        super().set_begin_index(self.resume.step if self.resume else begin_index)

    def step(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the class it extends
        """Take a step; the order of the last ones depends on the length of the whole schedule."""
        self.timesteps = self._every_timestep
        return super().step(*args, **kwargs)

    def checkpoint(
        self, key: str, step: int, latents: torch.Tensor, counts: Mapping[str, int]
    ) -> Checkpoint:
        """Return all that the next step depends on."""
        named = {"latents": latents, "last_sample": self.last_sample}
        named |= {f"output_{i}": value for i, value in enumerate(self.model_outputs)}
        named |= {f"timestep_{i}": value for i, value in enumerate(self.timestep_list)}
        arrays = {k: torch.as_tensor(v).cpu().numpy() for k, v in named.items() if v is not None}
        numbers = {"lower_order_nums": self.lower_order_nums, "this_order": self.this_order}
        return Checkpoint(key, step, numbers | dict(counts), arrays)


@contextlib.contextmanager
def _determinism(threads: int) -> Iterator[None]:
    """Set the thread count and deterministic algorithms for one run, and put both back."""
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(mode=True)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(mode=before[1])


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the libraries' progress bars and advice off stderr while loading."""
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # theirs
    before = diffusers.utils.logging.get_verbosity()
    diffusers.utils.logging.set_verbosity_error()
    try:
        yield
    finally:
        diffusers.utils.logging.set_verbosity(before)


def _versions() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "diffusers": diffusers.__version__,
        "transformers": transformers.__version__,
    }


def _tensor(array: np.ndarray[Any, Any] | None) -> torch.Tensor | None:
    return None if array is None else torch.from_numpy(array)
