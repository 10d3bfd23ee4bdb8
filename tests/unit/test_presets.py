"""Presets hold what Wan2.2's own configurations say, in a form that records can carry."""

import pytest

from generator.errors import ModelUnavailable
from generator.presets import every_preset, find_preset


def test_guidance_and_shift_are_decimal_strings() -> None:
    for preset in every_preset().values():
        for text in (preset.shift, preset.guidance, preset.guidance_low):
            assert text is None or float(text) > 0


def test_defaults_lie_inside_the_limits() -> None:
    for preset in every_preset().values():
        limits = preset.limits
        assert limits.width % limits.size_multiple == limits.height % limits.size_multiple == 0
        assert limits.width <= limits.max_width
        assert limits.height <= limits.max_height
        assert limits.frames % 4 == limits.max_frames % 4 == 1
        assert limits.frames <= limits.max_frames
        assert limits.steps <= limits.max_steps


def test_one_expert_has_one_guidance() -> None:
    for preset in every_preset().values():
        assert (preset.guidance_low is None) == (preset.experts == 1)


def test_the_tiny_model_is_never_called_wan() -> None:
    assert find_preset("tiny").model == "countermark-tiny"


@pytest.mark.parametrize("name", [None, "", "sora"])
def test_an_unknown_preset_is_refused_with_the_known_ones(name: str | None) -> None:
    with pytest.raises(ModelUnavailable, match="t2v-a14b"):
        find_preset(name)
