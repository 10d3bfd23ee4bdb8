"""A request is refused where the model would silently change it."""

from dataclasses import replace
from pathlib import Path

import pytest

from generator.errors import RequestInvalid
from generator.models import ModelLimits, PromptReading
from generator.request import (
    Effective,
    MakeRequest,
    ProtectRequest,
    checked,
    effective,
    parse_size,
)

LIMITS = ModelLimits(
    size_multiple=32,
    max_width=512,
    max_height=512,
    max_frames=65,
    max_steps=50,
    width=256,
    height=256,
    frames=33,
    fps=16,
    steps=12,
)


def read(text: str) -> PromptReading:
    """Read a text as a model does that strips it and stops after eight words."""
    words = text.split()
    kept = " ".join(words[:8])
    unknown = tuple(word for word in words[:8] if word == "dragon")
    return PromptReading(kept, len(words[:8]), truncated=len(words) > 8, unknown_words=unknown)


def made_of(request: MakeRequest) -> Effective:
    return effective(request, LIMITS, read)


def test_defaults_are_filled_in_from_the_model() -> None:
    made = made_of(MakeRequest("a red circle", seed=7)).request

    assert (made.width, made.height, made.frames, made.fps, made.steps) == (256, 256, 33, 16, 12)
    assert made.seed == 7


def test_a_missing_seed_is_drawn_and_recorded() -> None:
    seeds = {made_of(MakeRequest("a red circle")).request.seed for _ in range(20)}

    assert len(seeds) == 20


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"width": 250}, "width must be a multiple of 32 up to 512, got 250; try 256"),
        ({"height": 4096}, "height must be a multiple of 32 up to 512, got 4096; try 512"),
        ({"width": 0, "height": 0}, "width must be a multiple of 32 up to 512, got 0; try 32"),
        ({"width": 64}, "short side of 96 pixels or more"),
        ({"width": 64}, "got 64x256; try 256x256"),
        ({"width": 512, "height": 96}, "at most 4 short ones, got 512x96"),
        ({"frames": 34}, "got 34; try 33"),
        ({"frames": 36}, "got 36; try 37"),
        ({"frames": 1000}, "got 1000; try 65"),
        ({"frames": 0}, "got 0; try 1"),
        ({"steps": 0}, "steps must be from 1 to 50, got 0"),
        ({"seed": -1}, "seed must be from 0"),
        ({"prompt": "  "}, "the prompt is empty; say what the clip should show"),
        ({"prompt": "x" * 20_001}, "has 20001 characters and at most 20000"),
        ({"negative_prompt": "\ud800"}, "negative prompt is not valid Unicode"),
    ],
)
def test_each_refusal_says_what_was_expected_what_came_and_what_to_do(
    changes: dict[str, object], sentence: str
) -> None:
    wanted = {"prompt": "a red circle"} | changes

    with pytest.raises(RequestInvalid) as refusal:
        made_of(MakeRequest(**wanted))  # type: ignore[arg-type]  # one wrong value each

    assert sentence in str(refusal.value)


def test_every_frame_count_of_the_form_4k_plus_1_is_taken() -> None:
    for frames in range(1, 66, 4):
        assert made_of(MakeRequest("x", frames=frames)).request.frames == frames


def test_sizes_are_read_as_people_write_them() -> None:
    assert parse_size("832x480") == (832, 480)
    assert parse_size("832X480") == (832, 480)
    for wrong in ("832", "x480", "832x", "8e2x480", "-8x8", "832x480x3", "²x2"):
        with pytest.raises(RequestInvalid, match="WIDTHxHEIGHT"):
            parse_size(wrong)


def test_the_model_gets_the_texts_as_it_reads_them() -> None:
    made = made_of(MakeRequest("  a  red circle ", negative_prompt="ugly\n", seed=1))

    assert made.request.prompt == made.prompt.text == "a red circle"
    assert made.request.negative_prompt == made.negative_prompt.text == "ugly"
    assert made.warnings == ()


def test_a_text_of_which_cleaning_leaves_nothing_is_empty() -> None:
    with pytest.raises(RequestInvalid, match="the prompt is empty"):
        effective(
            MakeRequest("&nbsp;"),
            LIMITS,
            lambda _: PromptReading("", 1, truncated=False, unknown_words=()),
        )


def test_a_text_that_cleaning_makes_too_long_is_refused() -> None:
    with pytest.raises(RequestInvalid, match="at most 20000"):
        effective(
            MakeRequest("\ufb03" * 9000),
            LIMITS,
            lambda _: PromptReading("ffi" * 9000, 1, truncated=False, unknown_words=()),
        )


def test_the_asker_is_told_what_the_model_does_not_read() -> None:
    made = made_of(MakeRequest("a dragon " + "and a hill " * 4, negative_prompt="a dragon", seed=1))

    unknown, cut, of_the_negative = made.warnings
    assert "these words of the prompt and ignores them: dragon" in unknown
    assert "only the first 8 tokens of the prompt: “a dragon and a hill and a hill”" in cut
    assert "words of the negative prompt" in of_the_negative


def test_a_prompt_given_along_with_a_clip_meets_the_same_limits() -> None:
    request = ProtectRequest(Path("in.mp4"), Path("out.mp4"), prompt="a cat")

    assert checked(request) == request
    for prompt in ("", "x" * 20_001, "\ud800"):
        with pytest.raises(RequestInvalid, match="the prompt"):
            checked(replace(request, prompt=prompt))


def test_the_statement_of_what_made_a_clip_is_one_printable_line() -> None:
    request = ProtectRequest(Path("in.mp4"), Path("out.mp4"), generated_by=" Wan2.2, at home ")

    assert checked(request).generated_by == "Wan2.2, at home"
    for statement in ("", "  ", "a\nb", "\x1b[31mred", "\ud800", "\u202eabc", "x" * 201):
        with pytest.raises(RequestInvalid, match="one line of 1 to 200 printable characters"):
            checked(replace(request, generated_by=statement))
