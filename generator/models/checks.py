"""Whether a request lies inside a model's limits, and says what the model will read."""

from collections.abc import Callable

from generator.errors import RequestInvalid
from generator.models import GenerationRequest, ModelLimits, PromptReading

MAX_FPS = 120  # players stutter beyond
MAX_SEED = 2**63 - 1  # what JSON, SQLite and torch all carry


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
