"""How each known model is run: sizes, steps, guidance, shift and number types.

The values of the Wan2.2 presets are those of Wan-Video/Wan2.2 (wan/configs/*.py): shift 12, 40
steps, guidance 4 on the high-noise and 3 on the low-noise expert for T2V-A14B; shift 5, 50 steps,
guidance 5 and 121 frames at 24 fps for TI2V-5B. Guidance and shift are decimal strings, because
they stand in records, which hold no floats.

Of the thread counts: eight cores are found beside any card that holds the big models. The tiny one
takes one thread, 1.5 s of processor time for a clip; with two, on a machine that had other work,
they waited for each other and a clip took 29 s (measured, 2 x86-64 cores, torch 2.14).
"""

from dataclasses import dataclass
from typing import Literal

from generator.errors import ModelUnavailable
from generator.models import ModelLimits

FloatType = Literal["float32", "bfloat16"]


@dataclass(frozen=True, slots=True)
class Preset:
    """One way to run a model.

    Attributes:
        name: as the settings name it.
        model: the name that records give the model.
        architecture: the classes that run.
        licence: SPDX identifier of the weights.
        limits: what a request may ask for, and the defaults.
        shift: flow shift of the scheduler; it decides how many steps each expert does.
        guidance: classifier-free guidance on the high-noise expert, or on the only one.
        guidance_low: the same on the low-noise expert; None where there is one expert.
        text_tokens: padded length of the text; padding is part of the result.
        experts: how many experts the folder must hold.
        float_type: number type of text encoder and experts; the VAE always runs in float32.
        threads: CPU threads. Sums come out differently with another number, so it is part of the
            result; more than the machine has cores costs time and changes nothing.
    """

    name: str
    model: str
    architecture: str
    licence: str
    limits: ModelLimits
    shift: str
    guidance: str
    guidance_low: str | None
    text_tokens: int
    experts: Literal[1, 2]
    float_type: FloatType
    threads: int


TWO_EXPERTS = "Wan2.2 two-expert (diffusers WanPipeline)"
ONE_EXPERT = "Wan2.2 one-expert (diffusers WanPipeline)"


def tiny() -> Preset:
    """Return the preset of the model that is shipped with this package."""
    return Preset(
        name="tiny",
        model="countermark-tiny",
        architecture=TWO_EXPERTS,
        licence="Apache-2.0",
        limits=ModelLimits(
            size_multiple=64,
            max_width=256,
            max_height=256,
            max_frames=33,
            max_steps=60,
            width=256,
            height=256,
            frames=33,
            fps=16,
            steps=20,
        ),
        shift="5.0",
        guidance="3.0",
        guidance_low="2.0",
        text_tokens=32,
        experts=2,
        float_type="float32",
        threads=1,
    )


def t2v_a14b() -> Preset:
    """Return the preset of Wan2.2-T2V-A14B: two experts of 14 billion parameters."""
    return Preset(
        name="t2v-a14b",
        model="Wan2.2-T2V-A14B",
        architecture=TWO_EXPERTS,
        licence="Apache-2.0",
        limits=ModelLimits(
            size_multiple=16,
            max_width=1280,
            max_height=1280,
            max_frames=81,
            max_steps=100,
            width=832,
            height=480,
            frames=81,
            fps=16,
            steps=40,
        ),
        shift="12.0",
        guidance="4.0",
        guidance_low="3.0",
        text_tokens=512,
        experts=2,
        float_type="bfloat16",
        threads=8,
    )


def ti2v_5b() -> Preset:
    """Return the preset of Wan2.2-TI2V-5B, from text alone: one expert, patches of 32x32x4."""
    return Preset(
        name="ti2v-5b",
        model="Wan2.2-TI2V-5B",
        architecture=ONE_EXPERT,
        licence="Apache-2.0",
        limits=ModelLimits(
            size_multiple=32,
            max_width=1280,
            max_height=1280,
            max_frames=121,
            max_steps=100,
            width=1280,
            height=704,
            frames=121,
            fps=24,
            steps=50,
        ),
        shift="5.0",
        guidance="5.0",
        guidance_low=None,
        text_tokens=512,
        experts=1,
        float_type="bfloat16",
        threads=8,
    )


def every_preset() -> dict[str, Preset]:
    """Return all presets by name."""
    return {preset.name: preset for preset in (tiny(), t2v_a14b(), ti2v_5b())}


def find_preset(name: str | None) -> Preset:
    """Return the preset of that name.

    Raises:
        ModelUnavailable: there is none.
    """
    presets = every_preset()
    if name is None or name not in presets:
        raise ModelUnavailable(
            f"no preset {name!r}; set `preset` to one of {', '.join(sorted(presets))}"
        )
    return presets[name]
