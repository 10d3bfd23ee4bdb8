"""What numbers a model takes; each refusal says what would do instead.

Diffusers rounds sizes and frame counts down without a word, so that a clip would not be what its
record says. So they are refused here, where a request comes in and again where a model runs it.
"""

from generator.errors import RequestInvalid
from generator.models import GenerationRequest, ModelLimits

FRAMES_STEP = 4  # Wan's VAE packs four frames into one latent after the first: 4k+1
MAX_FPS = 120  # players stutter beyond
SEED_BITS = 63  # what JSON as text, SQLite and torch all carry


def check_bounds(request: GenerationRequest, limits: ModelLimits) -> None:
    """Raise on numbers that the model would change or cannot do.

    Raises:
        RequestInvalid: the first of them.
    """
    _check_side("width", request.width, limits.max_width, limits)
    _check_side("height", request.height, limits.max_height, limits)
    _check_frames(request.frames, limits)
    _check_between("steps", request.steps, 1, limits.max_steps, usual=limits.steps)
    _check_between("fps", request.fps, 1, MAX_FPS, usual=limits.fps)
    if not 0 <= request.seed < 2**SEED_BITS:
        raise RequestInvalid(
            f"seed must be from 0 to 2^{SEED_BITS} - 1, got {request.seed}; choose another"
        )


def _check_side(name: str, value: int, most: int, limits: ModelLimits) -> None:
    step = limits.size_multiple
    if value < step or value > most or value % step:
        near = min(most, max(step, round(value / step) * step))
        raise RequestInvalid(
            f"{name} must be a multiple of {step} up to {most}, got {value}; try {near}"
        )


def _check_frames(frames: int, limits: ModelLimits) -> None:
    if not 1 <= frames <= limits.max_frames or frames % FRAMES_STEP != 1:
        top = (limits.max_frames - 1) // FRAMES_STEP * FRAMES_STEP + 1
        near = min(top, max(1, round((frames - 1) / FRAMES_STEP) * FRAMES_STEP + 1))
        raise RequestInvalid(
            f"the number of frames must be 4k+1 (1, 5, 9, …) up to {limits.max_frames}, "
            f"got {frames}; try {near}"
        )


def _check_between(name: str, value: int, least: int, most: int, *, usual: int) -> None:
    if not least <= value <= most:
        raise RequestInvalid(
            f"{name} must be from {least} to {most}, got {value}; {usual} is usual"
        )
