"""Folders in the shape of the real Wan2.2 repositories, random weights, the real classes."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("diffusers", reason="needs the `generate` extra")

from diffusers import WanPipeline

from generator.errors import ModelUnavailable
from generator.models import GenerationRequest, ModelSettings
from generator.models.tiny import folder as tiny_folder
from generator.models.wan import WanModel, open_model
from generator.weights import pin
from tests.support.wan_folders import write_one_expert

pytestmark = pytest.mark.generate


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    write_one_expert(home / "ti2v", tiny_folder() / "tokenizer")
    return home


def settings(home: Path) -> ModelSettings:
    digest = pin(home / "ti2v").root_digest
    return ModelSettings("wan", Path("ti2v"), digest, "ti2v-5b", threads=1, home=home)


@pytest.fixture(scope="module")
def model(home: Path) -> WanModel:
    return open_model(settings(home))


def test_a_one_expert_folder_runs_in_its_presets_number_types(model: WanModel) -> None:
    request = GenerationRequest("a red circle", "", 64, 64, 5, 24, 3, 1)

    clips = [model.generate(request, on_step=lambda _: None) for _ in range(2)]

    assert clips[0].frames.shape == (5, 64, 64, 3)
    np.testing.assert_array_equal(clips[0].frames, clips[1].frames)
    effective = clips[0].effective
    assert effective["steps_high"] == 3
    assert "steps_low" not in effective
    assert (effective["dtype_vae"], effective["dtype_transformer"]) == ("float32", "bfloat16")
    assert effective["flow_shift"] == "5.0"


def test_a_pickle_beside_the_weights_is_refused(tmp_path: Path) -> None:
    write_one_expert(tmp_path / "ti2v", tiny_folder() / "tokenizer")
    mine = settings(tmp_path)
    (tmp_path / "ti2v" / "vae" / "diffusion_pytorch_model.bin").write_bytes(b"\x80\x04.")

    with pytest.raises(ModelUnavailable, match="can carry code"):
        open_model(mine)


def test_a_pinned_folder_without_safetensors_does_not_load(tmp_path: Path) -> None:
    write_one_expert(tmp_path / "ti2v", tiny_folder() / "tokenizer")
    (tmp_path / "ti2v" / "vae" / "diffusion_pytorch_model.safetensors").unlink()

    with pytest.raises(ModelUnavailable, match="does not load"):
        open_model(settings(tmp_path))


def test_a_file_that_is_exchanged_while_the_folder_loads_is_noticed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = home / "ti2v" / "vae" / "diffusion_pytorch_model.safetensors"
    load = WanPipeline.from_pretrained

    def load_and_exchange(*arguments: object, **options: object) -> object:
        pipeline = load(*arguments, **options)
        before = weights.stat()
        twin = weights.with_name("twin.safetensors")
        shutil.copyfile(weights, twin)
        os.utime(twin, ns=(before.st_atime_ns, before.st_mtime_ns))
        twin.replace(weights)
        return pipeline

    mine = settings(home)
    monkeypatch.setattr(WanPipeline, "from_pretrained", load_and_exchange)

    with pytest.raises(ModelUnavailable, match="changed while it was loaded"):
        open_model(mine)
