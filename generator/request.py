"""What somebody asks for, and what of it will really be done.

A request is raw. Making it *effective* fills in the model's defaults and refuses, in one sentence,
whatever the model would silently change: diffusers rounds frame counts down, floors sizes and cuts
long prompts without a word.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from generator.errors import RequestInvalid
from generator.models import GenerationRequest, ModelLimits, PromptReading
from generator.models.bounds import SEED_BITS, check_bounds
from provenance.watermark.canonical import MOST_OBLONG
from provenance.watermark.embed import SMALLEST_SIDE

MAX_PROMPT_CHARS = 20_000  # a novel's chapter; the model reads far less, the gate reads all of it
MAX_STATEMENT_CHARS = 200  # a name, a version and a few words; it is printed on one line
SHOWN_CHARS = 200  # of a text that a warning quotes


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


@dataclass(frozen=True, slots=True)
class Effective:
    """A request as it will be done.

    Attributes:
        request: what the model gets; its texts are those that the model reads.
        prompt: what it reads of the prompt.
        negative_prompt: what it reads of the negative prompt.
    """

    request: GenerationRequest
    prompt: PromptReading
    negative_prompt: PromptReading

    @property
    def warnings(self) -> tuple[str, ...]:
        """What of the two texts the model will not read."""
        return (
            *_warnings_about(self.prompt, "prompt"),
            *_warnings_about(self.negative_prompt, "negative prompt"),
        )


def effective(
    request: MakeRequest, limits: ModelLimits, read_prompt: Callable[[str], PromptReading]
) -> Effective:
    """Return the request with every default filled in and its texts as the model reads them.

    Args:
        request: what somebody asks for.
        limits: of the model.
        read_prompt: how the model reads a text.

    Raises:
        RequestInvalid: anything that the model would change silently or cannot do, and a size that
            cannot carry the mark.
    """
    prompt = _read(request.prompt, "prompt", read_prompt, required=True)
    negative = _read(request.negative_prompt, "negative prompt", read_prompt, required=False)
    wanted = GenerationRequest(
        prompt=prompt.text,
        negative_prompt=negative.text,
        width=limits.width if request.width is None else request.width,
        height=limits.height if request.height is None else request.height,
        frames=limits.frames if request.frames is None else request.frames,
        fps=limits.fps,
        steps=limits.steps if request.steps is None else request.steps,
        seed=secrets.randbits(SEED_BITS) if request.seed is None else request.seed,
    )
    check_bounds(wanted, limits)
    _refuse_unmarkable(wanted.width, wanted.height, limits)
    return Effective(wanted, prompt, negative)


def checked(request: ProtectRequest) -> ProtectRequest:
    """Return the request if the texts that are given along with the clip can be taken.

    Raises:
        RequestInvalid: a text is empty, too long, or no valid Unicode; or the statement of what
            made the clip, which is signed and printed, is not one line of text.
    """
    if request.prompt is not None:
        check_prompt(request.prompt)
    if request.generated_by is None:
        return request
    statement = request.generated_by.strip()
    if not statement or len(statement) > MAX_STATEMENT_CHARS or not statement.isprintable():
        raise RequestInvalid(
            f"the statement of what generated the clip must be one line of 1 to "
            f"{MAX_STATEMENT_CHARS} printable characters, got {statement[:40]!r} "
            f"({len(statement)} characters); give the name of the model"
        )
    return replace(request, generated_by=statement)


def check_prompt(text: str) -> None:
    """Raise unless the text can be a prompt.

    Raises:
        RequestInvalid: it is empty, too long, or no valid Unicode.
    """
    _check_text(text, "prompt", required=True)


def parse_size(text: str) -> tuple[int, int]:
    """Return (width, height) of a text such as 832x480.

    Raises:
        RequestInvalid: any other text.
    """
    width, cross, height = text.lower().partition("x")
    if cross and width.isdecimal() and height.isdecimal() and len(text) < 12:
        return int(width), int(height)
    raise RequestInvalid(f"a size is WIDTHxHEIGHT, such as 832x480, got {text[:40]!r}; correct it")


def _warnings_about(reading: PromptReading, name: str) -> tuple[str, ...]:
    found = []
    if reading.unknown_words:
        words = _shown(", ".join(reading.unknown_words))
        found.append(f"the model does not know these words of the {name} and ignores them: {words}")
    if reading.truncated:
        found.append(
            f"the model reads only the first {reading.tokens} tokens of the {name}: "
            f"“{_shown(reading.text)}”"
        )
    return tuple(found)


def _shown(text: str) -> str:
    return text if len(text) <= SHOWN_CHARS else text[:SHOWN_CHARS] + "…"


def _read(
    text: str, name: str, read_prompt: Callable[[str], PromptReading], *, required: bool
) -> PromptReading:
    _check_text(text, name, required=required)
    reading = read_prompt(text)
    # Cleaning can leave nothing of a text, or make it longer: the limits hold for the rest too.
    _check_text(reading.text, name, required=required)
    return reading


def _refuse_unmarkable(width: int, height: int, limits: ModelLimits) -> None:
    short, long = sorted((width, height))
    if short < SMALLEST_SIDE or long > MOST_OBLONG * short:
        raise RequestInvalid(
            f"the watermark needs a short side of {SMALLEST_SIDE} pixels or more, a long side of "
            f"at most {MOST_OBLONG} short ones, got {width}x{height}; "
            f"try {limits.width}x{limits.height}"
        )


def _check_text(text: str, name: str, *, required: bool) -> None:
    if required and not text.strip():
        raise RequestInvalid(f"the {name} is empty; say what the clip should show")
    if len(text) > MAX_PROMPT_CHARS:
        raise RequestInvalid(
            f"the {name} has {len(text)} characters and at most {MAX_PROMPT_CHARS} are taken; "
            "shorten it"
        )
    if any(0xD800 <= ord(character) <= 0xDFFF for character in text):
        raise RequestInvalid(f"the {name} is not valid Unicode (a lone surrogate); retype it")
