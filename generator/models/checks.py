"""Whether a folder is of the preset's kind, and a request inside what the model can do."""

import json
from collections.abc import Callable
from pathlib import Path

from generator.errors import ModelUnavailable, RequestInvalid
from generator.models import GenerationRequest, ModelLimits, PromptReading
from generator.models.bounds import check_bounds
from generator.presets import Preset


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
    """Raise on a request that the model would silently change; it cuts prompts without a word.

    Raises:
        RequestInvalid: a value outside the limits, or a text that did not go through `read_prompt`.
    """
    check_bounds(request, limits)
    for name, text in (("prompt", request.prompt), ("negative_prompt", request.negative_prompt)):
        if read_prompt(text).text != text:
            raise RequestInvalid(
                f"the {name} is not yet as the model reads it; pass the text of read_prompt()"
            )
