"""What somebody asks for, and what of it will really be done.

A request is raw. Making it *effective* fills in the model's defaults and refuses, in one sentence,
whatever the model would silently change: diffusers rounds frame counts down, floors sizes and cuts
long prompts without a word.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path

from generator.errors import RequestInvalid
from generator.models import GenerationRequest, ModelLimits, PromptReading

MAX_PROMPT_CHARS = 20_000  # a novel's chapter; the model reads far less, the gate reads all of it
SEED_BITS = 63
FRAMES_STEP = 4  # Wan's VAE packs four frames into one latent after the first: 4k+1


@dataclass(frozen=True, slots=True)
class MakeRequest:
    """A clip to be generated. None means: as the model does by default."""

    prompt: str
    target: Path | None = None  # where the clip is published; None: the home's clip folder
    negative_prompt: str = ""
    width: int | None = None
    height: int | None = None
    frames: int | None = None
    steps: int | None = None
    seed: int | None = None
    asked_by: str = (
        "local"  # whoever asked, as the caller knows them; a pseudonym stands in the log
    )


@dataclass(frozen=True, slots=True)
class ProtectRequest:
    """A clip made elsewhere that is to be gated, marked, signed and logged."""

    source: Path
    target: Path
    prompt: str | None = None  # where it is known
    generated_by: str | None = None  # the operator's statement of what made it
    asked_by: str = "local"


Request = MakeRequest | ProtectRequest


def effective(request: MakeRequest, limits: ModelLimits) -> GenerationRequest:
    """Return the request with every default filled in.

    Raises:
        RequestInvalid: anything that the model would change silently or cannot do.
    """
    size = (request.width or limits.width, request.height or limits.height)
    frames = request.frames if request.frames is not None else limits.frames
    steps = request.steps if request.steps is not None else limits.steps
    _refuse_size(size, limits)
    _refuse_frames(frames, limits)
    if not 1 <= steps <= limits.max_steps:
        raise RequestInvalid(
            f"steps must be from 1 to {limits.max_steps}, got {steps}; {limits.steps} is usual"
        )
    seed = request.seed if request.seed is not None else secrets.randbits(SEED_BITS)
    if not 0 <= seed < 2**SEED_BITS:
        raise RequestInvalid(
            f"seed must be from 0 to 2^{SEED_BITS} - 1, got {seed}; choose another"
        )
    return GenerationRequest(
        prompt=_checked_text(request.prompt, "prompt", required=True),
        negative_prompt=_checked_text(request.negative_prompt, "negative prompt", required=False),
        width=size[0],
        height=size[1],
        frames=frames,
        fps=limits.fps,
        steps=steps,
        seed=seed,
    )


def warnings_about(reading: PromptReading) -> tuple[str, ...]:
    """Return what the asker should know of how the model reads the prompt."""
    found = []
    if reading.unknown_words:
        words = ", ".join(reading.unknown_words)
        found.append(f"the model does not know: {words}; it will ignore them")
    if reading.truncated:
        found.append(f"the model reads only the first {reading.tokens} tokens: “{reading.text}”")
    return tuple(found)


def parse_size(text: str) -> tuple[int, int]:
    """Return (width, height) of a text such as 832x480.

    Raises:
        RequestInvalid: any other text.
    """
    width, cross, height = text.lower().partition("x")
    if cross and width.isdecimal() and height.isdecimal() and len(text) < 12:
        return int(width), int(height)
    raise RequestInvalid(f"a size is WIDTHxHEIGHT, such as 832x480, got {text[:40]!r}; correct it")


def _refuse_size(size: tuple[int, int], limits: ModelLimits) -> None:
    for name, value, most in zip(
        ("width", "height"), size, (limits.max_width, limits.max_height), strict=True
    ):
        step = limits.size_multiple
        if value < step or value > most or value % step:
            near = min(most, max(step, round(value / step) * step))
            raise RequestInvalid(
                f"{name} must be a multiple of {step} up to {most}, got {value}; try {near}"
            )


def _refuse_frames(frames: int, limits: ModelLimits) -> None:
    if not 1 <= frames <= limits.max_frames or frames % FRAMES_STEP != 1:
        top = (limits.max_frames - 1) // FRAMES_STEP * FRAMES_STEP + 1
        near = min(top, max(1, round((frames - 1) / FRAMES_STEP) * FRAMES_STEP + 1))
        raise RequestInvalid(
            f"the number of frames must be 4k+1 (1, 5, 9, …) up to {limits.max_frames}, "
            f"got {frames}; try {near}"
        )


def _checked_text(text: str, name: str, *, required: bool) -> str:
    if required and not text.strip():
        raise RequestInvalid(f"the {name} is empty; say what the clip should show")
    if len(text) > MAX_PROMPT_CHARS:
        raise RequestInvalid(
            f"the {name} has {len(text)} characters and at most {MAX_PROMPT_CHARS} are taken; "
            "shorten it"
        )
    if any(0xD800 <= ord(character) <= 0xDFFF for character in text):
        raise RequestInvalid(f"the {name} is not valid Unicode (a lone surrogate); retype it")
    return text


def checked_prompt(text: str) -> str:
    """Return a prompt that is given along with a clip, within the limits.

    Raises:
        RequestInvalid: empty, too long, or no valid Unicode.
    """
    return _checked_text(text, "prompt", required=True)
