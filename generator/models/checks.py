"""Whether a folder is of the preset's kind, and a request inside what the model can do."""

import json
from collections.abc import Callable
from pathlib import Path

from generator.errors import ModelUnavailable, RequestInvalid
from generator.models import GenerationRequest, ModelLimits, PromptReading
from generator.presets import Preset

MAX_FPS = 120  # players stutter beyond
MAX_SEED = 2**63 - 1  # what JSON, SQLite and torch all carry


def count_experts(folder: Path) -> int:
    """Return how many experts the Wan pipeline in a verified folder has.

    Raises:
        ModelUnavailable: the folder holds no Wan pipeline.
    """
    path = folder / "model_index.json"
    index = json.loads(path.read_bytes()) if path.is_file() else {}
    if index.get("_class_name") != "WanPipeline":
        raise ModelUnavailable(
            f"the model folder holds {index.get('_class_name', 'no pipeline')}, expected a "
            "WanPipeline; download Wan2.2 in the diffusers layout"
        )
    second = index.get("transformer_2", [None, None])
    return 1 if second[0] is None else 2


def check_index(folder: Path, preset: Preset) -> None:
    """Raise unless the verified folder is a Wan pipeline with the preset's number of experts.

    Raises:
        ModelUnavailable: it is another one.
    """
    if (experts := count_experts(folder)) != preset.experts:
        raise ModelUnavailable(
            f"the model folder holds {experts} expert(s), the preset {preset.name} needs "
            f"{preset.experts}; choose the preset that fits the folder"
        )


def check_request(
    request: GenerationRequest, limits: ModelLimits, read_prompt: Callable[[str], PromptReading]
) -> None:
    """Raise on a request that the model would silently change.

    Diffusers rounds sizes and frame counts down and cuts prompts without a word, so that a clip
    would not be what its record says.

    Raises:
        RequestInvalid: a value outside the limits, or a text that did not go through `read_prompt`.
    """
    _check_side("width", request.width, limits.max_width, limits)
    _check_side("height", request.height, limits.max_height, limits)
    if not 0 < request.frames <= limits.max_frames or request.frames % 4 != 1:
        raise RequestInvalid(
            f"frames is {request.frames}, expected 4k + 1 up to {limits.max_frames}"
        )
    _check_between("steps", request.steps, 1, limits.max_steps)
    _check_between("fps", request.fps, 1, MAX_FPS)
    _check_between("seed", request.seed, 0, MAX_SEED)
    for name, text in (("prompt", request.prompt), ("negative_prompt", request.negative_prompt)):
        if read_prompt(text).text != text:
            raise RequestInvalid(
                f"the {name} is not yet as the model reads it; pass the text of read_prompt()"
            )


def _check_side(name: str, value: int, most: int, limits: ModelLimits) -> None:
    if not 0 < value <= most or value % limits.size_multiple:
        raise RequestInvalid(
            f"{name} is {value}, expected a multiple of {limits.size_multiple} up to {most}"
        )


def _check_between(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise RequestInvalid(f"{name} is {value}, expected {least} to {most}")
