"""A request is refused where the model would silently change it."""

import pytest

from generator.errors import RequestInvalid
from generator.models import ModelLimits, PromptReading
from generator.request import MakeRequest, checked_prompt, effective, parse_size, warnings_about

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


def test_defaults_are_filled_in_from_the_model() -> None:
    made = effective(MakeRequest("a red circle", seed=7), LIMITS)

    assert (made.width, made.height, made.frames, made.fps, made.steps) == (256, 256, 33, 16, 12)
    assert made.seed == 7


def test_a_missing_seed_is_drawn_and_recorded() -> None:
    seeds = {effective(MakeRequest("a red circle"), LIMITS).seed for _ in range(20)}

    assert len(seeds) == 20


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"width": 250}, "width must be a multiple of 32 up to 512, got 250; try 256"),
        ({"height": 4096}, "height must be a multiple of 32 up to 512, got 4096; try 512"),
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
        effective(MakeRequest(**wanted), LIMITS)  # type: ignore[arg-type]  # one wrong value each

    assert sentence in str(refusal.value)


def test_every_frame_count_of_the_form_4k_plus_1_is_taken() -> None:
    for frames in range(1, 66, 4):
        assert effective(MakeRequest("x", frames=frames), LIMITS).frames == frames


def test_sizes_are_read_as_people_write_them() -> None:
    assert parse_size("832x480") == (832, 480)
    assert parse_size("832X480") == (832, 480)
    for wrong in ("832", "x480", "832x", "8e2x480", "-8x8", "832x480x3", "²x2"):
        with pytest.raises(RequestInvalid, match="WIDTHxHEIGHT"):
            parse_size(wrong)


def test_the_asker_is_told_what_the_model_does_not_read() -> None:
    quiet = PromptReading("a red circle", 4, truncated=False, unknown_words=())
    loud = PromptReading("a red", 2, truncated=True, unknown_words=("dragon",))

    assert warnings_about(quiet) == ()
    assert "does not know: dragon" in warnings_about(loud)[0]
    assert "only the first 2 tokens: “a red”" in warnings_about(loud)[1]


def test_a_prompt_given_along_with_a_clip_meets_the_same_limits() -> None:
    assert checked_prompt("a cat") == "a cat"
    with pytest.raises(RequestInvalid):
        checked_prompt("")
