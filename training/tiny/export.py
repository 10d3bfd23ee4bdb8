"""Put the trained parts together as a WanPipeline folder and pin it.

Weights are stored as half floats: loading turns them into float32 exactly, on every machine alike.
"""

import json
import shutil
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKLWan,
    UniPCMultistepScheduler,
    WanPipeline,
    WanTransformer3DModel,
)
from transformers import UMT5EncoderModel

from generator.presets import tiny
from generator.weights import WeightsManifest, pin
from training.tiny.experts import BOUNDARY
from training.tiny.tokenizer import new_tokenizer

ABOUT = """# countermark-tiny

Weights of the model that countermark ships, trained by the project on clips that it draws, with the
classes of Wan2.2's diffusers pipeline. It is not Wan2.2. Apache-2.0. See docs/model-card-tiny.md.
"""


def export(
    folder: Path,
    *,
    vae: AutoencoderKLWan,
    text: UMT5EncoderModel,
    experts: tuple[WanTransformer3DModel, WanTransformer3DModel],
) -> WeightsManifest:
    """Write the pipeline folder anew and return its listing."""
    scheduler = UniPCMultistepScheduler(
        num_train_timesteps=1000,
        prediction_type="flow_prediction",
        use_flow_sigmas=True,
        flow_shift=float(tiny().shift),
    )
    pipeline = WanPipeline(
        tokenizer=new_tokenizer(),
        text_encoder=text.to(torch.float16),  # type: ignore[arg-type]  # their wrapper's type
        vae=vae.to(torch.float16),
        scheduler=scheduler,
        transformer=experts[0].to(torch.float16),
        transformer_2=experts[1].to(torch.float16),
        boundary_ratio=BOUNDARY,
    )
    shutil.rmtree(folder, ignore_errors=True)
    pipeline.save_pretrained(folder, safe_serialization=True)
    _rename_tokenizer_class(folder / "model_index.json")
    (folder / "README.md").write_text(ABOUT)
    return pin(folder)


def _rename_tokenizer_class(index: Path) -> None:
    """Name the tokenizer's class as readers with transformers 4 know it too."""
    content = json.loads(index.read_bytes())
    content["tokenizer"] = ["transformers", "PreTrainedTokenizerFast"]
    index.write_text(json.dumps(content, indent=2) + "\n")
