"""The shipped model through the code that loads Wan2.2: equal frames, cancel, resume, refusals."""

import dataclasses
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("diffusers", reason="needs the `generate` extra")

import torch

from generator.errors import Cancelled, GenerationFailed, ModelUnavailable, RequestInvalid
from generator.models import GenerationRequest, ModelSettings, StepProgress
from generator.models.tiny import DIGEST, folder, open_model
from generator.models.wan import WanModel
from generator.models.wan import open_model as open_wan
from generator.presets import tiny

pytestmark = pytest.mark.generate

REQUEST = GenerationRequest(
    prompt="a big red circle moving left on a blue background",
    negative_prompt="",
    width=64,
    height=64,
    frames=5,
    fps=16,
    steps=6,
    seed=7,
)
# As large as it gets: kernels that cut their work by the number of threads do so only here.
DEFAULTS = tiny().limits
WHOLE = dataclasses.replace(
    REQUEST,
    width=DEFAULTS.width,
    height=DEFAULTS.height,
    frames=DEFAULTS.frames,
    steps=DEFAULTS.steps,
)


def settings(**changes: object) -> ModelSettings:
    plain = ModelSettings("tiny", None, None, None, threads=None, home=Path("home"))
    return dataclasses.replace(plain, **changes)


def ignore(_: StepProgress) -> None:
    pass


@pytest.fixture(scope="module")
def model() -> WanModel:
    return open_model(settings())


def digest(model: WanModel, request: GenerationRequest = REQUEST) -> str:
    return hashlib.sha256(model.generate(request, on_step=ignore).frames.tobytes()).hexdigest()


def test_the_shipped_folder_is_the_one_in_the_code_and_small() -> None:
    files = [path for path in folder().rglob("*") if path.is_file()]

    assert json.loads((folder() / "weights.json").read_bytes())["format"]
    assert sum(path.stat().st_size for path in files) < 15_000_000


def test_the_model_says_what_it_is_and_never_that_it_is_wan(model: WanModel) -> None:
    assert model.identity.name == "countermark-tiny"
    assert model.identity.digest == DIGEST
    assert model.identity.architecture.startswith("Wan2.2 two-expert")


def test_a_clip_has_the_asked_size_and_cannot_be_written_to(model: WanModel) -> None:
    clip = model.generate(REQUEST, on_step=ignore)

    assert clip.frames.shape == (5, 64, 64, 3)
    assert clip.frames.dtype == np.uint8
    assert not clip.frames.flags.writeable


def test_the_same_seed_gives_the_same_frames_whatever_the_process_is_set_to(
    model: WanModel,
) -> None:
    before = torch.get_num_threads()
    try:
        digests = set()
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            digests.add(digest(model, WHOLE))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)

    assert len(digests) == 1


def test_the_same_seed_gives_the_same_frames_in_another_process_on_a_single_core(
    model: WanModel,
) -> None:
    program = (
        "import hashlib, os\n"
        "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from pathlib import Path\n"
        "from generator.models import GenerationRequest, ModelSettings\n"
        "from generator.models.tiny import open_model\n"
        "model = open_model(ModelSettings('tiny', None, None, None, None, Path('home')))\n"
        f"request = {WHOLE!r}\n"
        "frames = model.generate(request, on_step=lambda _: None).frames\n"
        "print(hashlib.sha256(frames.tobytes()).hexdigest())\n"
    )

    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.stdout.strip() == digest(model, WHOLE), done.stderr


def test_the_shipped_model_takes_no_thread_count_of_its_own() -> None:
    with pytest.raises(ModelUnavailable, match="take `threads` out"):
        open_model(settings(threads=4))


def test_an_operators_thread_count_stands_in_the_record_and_in_the_key_of_the_run() -> None:
    usual, more = (
        open_wan(
            settings(
                name="wan", folder=folder(), digest=DIGEST, preset="tiny", home=Path("/"), threads=n
            )
        )
        for n in (None, 2)
    )

    assert usual.generate(REQUEST, on_step=ignore).effective["threads"] == 1
    assert more.generate(REQUEST, on_step=ignore).effective["threads"] == 2
    assert usual._key(REQUEST) != more._key(REQUEST)


def test_another_seed_gives_other_frames(model: WanModel) -> None:
    assert digest(model, dataclasses.replace(REQUEST, seed=8)) != digest(model)


def test_progress_counts_every_step_and_estimates_the_rest(model: WanModel) -> None:
    seen: list[StepProgress] = []

    model.generate(REQUEST, on_step=seen.append)

    assert [item.step for item in seen] == [1, 2, 3, 4, 5, 6]
    assert seen[0].seconds_left is None
    assert seen[-1].seconds_left == 0


def test_a_cancelled_run_leaves_the_model_usable(model: WanModel) -> None:
    before = digest(model)

    def cancel(progress: StepProgress) -> None:
        if progress.step == 3:
            raise Cancelled("asked to stop")

    with pytest.raises(Cancelled, match="asked to stop"):
        model.generate(REQUEST, on_step=cancel)

    assert digest(model) == before


@pytest.mark.parametrize("cut_after", [1, 2, 3, 5])
def test_a_run_that_was_cut_off_goes_on_and_ends_the_same(
    model: WanModel, tmp_path: Path, cut_after: int
) -> None:
    whole = model.generate(REQUEST, on_step=ignore)
    path = tmp_path / "run.safetensors"

    def cut(progress: StepProgress) -> None:
        if progress.step == cut_after:
            raise Cancelled("cut")

    with pytest.raises(Cancelled):
        model.generate(REQUEST, on_step=cut, checkpoint=path)
    steps: list[int] = []
    resumed = model.generate(REQUEST, on_step=lambda p: steps.append(p.step), checkpoint=path)

    assert steps == list(range(cut_after + 1, 7))
    np.testing.assert_array_equal(resumed.frames, whole.frames)
    assert resumed.effective["steps_high"] == whole.effective["steps_high"]
    assert resumed.effective["resumed_from_step"] == cut_after
    assert not path.exists()


def test_the_checkpoint_of_another_request_is_not_taken_up(model: WanModel, tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"

    def cut(progress: StepProgress) -> None:
        if progress.step == 3:
            raise Cancelled("cut")

    with pytest.raises(Cancelled):
        model.generate(REQUEST, on_step=cut, checkpoint=path)
    other = dataclasses.replace(REQUEST, seed=8)
    clip = model.generate(other, on_step=ignore, checkpoint=path)

    assert "resumed_from_step" not in clip.effective
    assert hashlib.sha256(clip.frames.tobytes()).hexdigest() == digest(model, other)


def test_what_was_really_done_is_told_without_floats_or_paths(model: WanModel) -> None:
    effective = model.generate(REQUEST, on_step=ignore).effective

    assert effective["steps_high"] + effective["steps_low"] == 6
    assert effective["steps_high"] >= 1
    assert effective["boundary"] == "0.875"
    assert effective["dtype_vae"] == effective["dtype_transformer"] == "float32"
    assert {type(value) for value in effective.values()} == {str, int}
    assert not any("/" in str(value) for value in effective.values())
    assert effective["device"].startswith(("cpu (", "cuda"))


def test_the_largest_seed_stands_in_the_record_as_text(model: WanModel) -> None:
    clip = model.generate(dataclasses.replace(REQUEST, seed=2**63 - 1), on_step=ignore)

    assert clip.effective["seed"] == "9223372036854775807"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"width": 100}, "multiple of 64"),
        ({"height": 320}, "up to 256"),
        ({"frames": 10}, "4k\\+1"),
        ({"frames": 37}, "up to 33"),
        ({"steps": 0}, "from 1 to"),
        ({"fps": 0}, "from 1 to"),
        ({"seed": -1}, "from 0 to"),
        ({"seed": 2**63}, "from 0 to"),
        ({"prompt": "a  red&amp;blue circle"}, "read_prompt"),
        ({"negative_prompt": " ugly"}, "read_prompt"),
    ],
)
def test_what_diffusers_would_silently_change_is_refused(
    model: WanModel, change: dict[str, int], expected: str
) -> None:
    with pytest.raises(RequestInvalid, match=expected):
        model.generate(dataclasses.replace(REQUEST, **change), on_step=ignore)


def test_numbers_that_are_not_finite_stop_the_run() -> None:
    broken = open_model(settings())
    weight = broken._pipeline.transformer_2.proj_out.weight
    weight.requires_grad_(requires_grad=False).fill_(float("nan"))

    with pytest.raises(GenerationFailed, match="not finite"):
        broken.generate(REQUEST, on_step=ignore)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("Tried to allocate 70 GiB"), "needs more memory than there is"),
        (MemoryError(), "needs more memory than there is"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory\nframe #0"), "can't allocate"),
    ],
)
def test_what_breaks_inside_torch_is_told_with_advice_and_leaves_the_model_usable(
    model: WanModel, error: Exception, expected: str
) -> None:
    def broken(*_: object) -> None:
        raise error

    hook = model._pipeline.vae.decoder.register_forward_pre_hook(broken)
    try:
        with pytest.raises(GenerationFailed, match=expected) as caught:
            model.generate(REQUEST, on_step=ignore)
    finally:
        hook.remove()

    assert "\n" not in str(caught.value)
    assert model.generate(REQUEST, on_step=ignore).frames.shape == (5, 64, 64, 3)


def test_a_checkpoint_that_cannot_be_written_costs_the_run_nothing(
    model: WanModel, tmp_path: Path
) -> None:
    clip = model.generate(REQUEST, on_step=ignore, checkpoint=tmp_path / "no folder" / "run")

    assert clip.effective["no_checkpoint_from_step"] == 1
    assert hashlib.sha256(clip.frames.tobytes()).hexdigest() == digest(model)


def test_unknown_words_are_told(model: WanModel) -> None:
    reading = model.read_prompt("a red dinosaur moving left on a blue background")

    assert reading.unknown_words == ("dinosaur",)


def test_the_reading_is_what_the_pipeline_reads(model: WanModel) -> None:
    from diffusers.pipelines.wan.pipeline_wan import prompt_clean

    text = "  A &amp;quot;red&amp;quot;\tcircle … " + "blue " * 60
    reading = model.read_prompt(text)
    tokens = model._pipeline.tokenizer(
        [prompt_clean(text)], max_length=32, truncation=True, add_special_tokens=True
    ).input_ids[0]

    assert reading.truncated
    assert model._pipeline.tokenizer([reading.text]).input_ids[0] == tokens
    assert prompt_clean(reading.text) == reading.text


def test_the_shipped_model_takes_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="`wan`"):
        open_model(settings(folder=tmp_path))


def test_an_operators_folder_loads_by_its_digest_and_gives_the_same_frames(
    model: WanModel, tmp_path: Path
) -> None:
    shutil.copytree(folder(), tmp_path / "model")
    mine = settings(name="wan", folder=Path("model"), digest=DIGEST, preset="tiny", home=tmp_path)

    assert digest(open_wan(mine)) == digest(model)


def test_an_operators_folder_with_one_changed_byte_is_refused(tmp_path: Path) -> None:
    shutil.copytree(folder(), tmp_path / "model")
    weights = tmp_path / "model" / "vae" / "diffusion_pytorch_model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)

    with pytest.raises(ModelUnavailable, match="vae/diffusion_pytorch_model"):
        open_wan(
            settings(name="wan", folder=Path("model"), digest=DIGEST, preset="tiny", home=tmp_path)
        )


@pytest.mark.parametrize("missing", ["folder", "digest"])
def test_an_operators_folder_needs_both_place_and_digest(tmp_path: Path, missing: str) -> None:
    mine = settings(name="wan", folder=folder(), digest=DIGEST, preset="tiny", home=tmp_path)

    with pytest.raises(ModelUnavailable, match="model pin"):
        open_wan(dataclasses.replace(mine, **{missing: None}))


def test_a_preset_of_another_kind_is_refused(tmp_path: Path) -> None:
    mine = settings(name="wan", folder=folder(), digest=DIGEST, preset="ti2v-5b", home=tmp_path)

    with pytest.raises(ModelUnavailable, match="expert"):
        open_wan(mine)
