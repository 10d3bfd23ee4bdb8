"""The two experts, trained by flow matching on cached latents; the text encoder goes on with them.

One net learns all noise levels first and is then copied into two, each of which goes on alone on
its side of the boundary: both start with what is common, what words mean and how a shape looks.
The velocity is v = noise - x0 at x = (1 - sigma) x0 + sigma noise, as Wan2.2 has it.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel
from torch.nn import functional
from transformers import UMT5EncoderModel

from training.tiny.runs import Plan, Run
from training.tiny.tokenizer import paraphrase
from training.tiny.vae import CHANNELS, SEED, encode, to_tensor, training_scenes
from training.tiny.words import TEXT_WIDTH, CaptionReader, new_text_encoder, trained_words
from training.tiny.world import Scene, draw_look, render

BOUNDARY = 0.875  # as Wan2.2-T2V-A14B has it
OVERLAP = 0.02  # each expert also sees a little of the other's side
SHIFT = 3.0  # of the training's noise levels towards noise
BATCH = 16
CAPTION_DROPOUT = 0.1
PEAK_RATE = 1.5e-3
SPLIT_RATE = 0.35  # of the peak rate: what is common is learned by then
SHARD_CLIPS = 60
ENCODED_TOGETHER = 4  # a quarter faster than one by one
SHARDS = 32
FIRST_SHARDS = 8  # the first step waits for these; later ones join one after another
STEPS_PER_SHARD = 100
SHARED_STEPS = 3300
SPLIT_STEPS = 1200  # both experts together, in turn


@dataclass(frozen=True, slots=True, eq=False)
class Latents:
    """Cached latents of drawn clips, normalised, with the scenes they show."""

    values: torch.Tensor  # (clips, CHANNELS, time, height, width)
    scenes: list[Scene]


def new_expert(seed: int) -> WanTransformer3DModel:
    """Return an untrained expert; one token is 64x64 pixels of 4 frames."""
    torch.manual_seed(seed)
    return WanTransformer3DModel(
        patch_size=(1, 2, 2),
        num_attention_heads=6,
        attention_head_dim=32,
        in_channels=CHANNELS,
        out_channels=CHANNELS,
        text_dim=TEXT_WIDTH,
        freq_dim=128,
        ffn_dim=384,
        num_layers=4,
        cross_attn_norm=True,
        qk_norm="rms_norm_across_heads",
        rope_max_seq_len=64,
    )


def shard_scenes(shard: int) -> tuple[list[Scene], np.random.Generator]:
    """Return the scenes of a shard and the generator that draws their looks.

    Scenes are dealt out from shuffled decks, so that each combination comes equally often.
    """
    scenes, first = training_scenes(), shard * SHARD_CLIPS
    picked = []
    for index in range(first, first + SHARD_CLIPS):
        deck, place = divmod(index, len(scenes))
        order = np.random.default_rng([SEED, 1, deck]).permutation(len(scenes))
        picked.append(scenes[int(order[place])])
    return picked, np.random.default_rng([SEED, 2, shard])


def encode_shard(vae: AutoencoderKLWan, folder: Path, shard: int) -> None:
    """Draw and encode one shard of clips, unless its file is there already."""
    path = folder / f"latents-{shard:03}.npy"
    if path.exists():
        return
    scenes, rng = shard_scenes(shard)
    values = []
    with torch.inference_mode():
        for first in range(0, SHARD_CLIPS, ENCODED_TOGETHER):
            group = scenes[first : first + ENCODED_TOGETHER]
            clips = np.stack([render(scene, draw_look(scene, rng))[0] for scene in group])
            values.append(encode(vae, to_tensor(clips)))
    fresh = folder / f"fresh-{shard:03}-{os.getpid()}.npy"  # another process may be at it too
    np.save(fresh, torch.cat(values).numpy())
    fresh.rename(path)


def load_latents(folder: Path, shards: int, mean: torch.Tensor, std: torch.Tensor) -> Latents:
    """Read the first shards, waiting for those that another process is still encoding."""
    values, scenes = [], []
    for shard in range(shards):
        path = folder / f"latents-{shard:03}.npy"
        while not path.exists():
            time.sleep(2)
        values.append(torch.from_numpy(np.load(path)))
        scenes += shard_scenes(shard)[0]
    return Latents((torch.cat(values) - mean) / std, scenes)


def latent_statistics(folder: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Return each channel's mean and spread over the first shards, (1, CHANNELS, 1, 1, 1)."""
    zero, one = torch.zeros(1), torch.ones(1)
    values = load_latents(folder, FIRST_SHARDS, zero, one).values
    axes = (0, 2, 3, 4)
    return values.mean(axes, keepdim=True), values.std(axes, keepdim=True)


def flow_loss(
    expert: WanTransformer3DModel, clean: torch.Tensor, text: torch.Tensor, sigma: torch.Tensor
) -> torch.Tensor:
    """Return each clip's squared error of the velocity, (batch,)."""
    noise = torch.randn_like(clean)
    mix = sigma.view(-1, 1, 1, 1, 1)
    velocity = expert(
        hidden_states=(1 - mix) * clean + mix * noise,
        timestep=sigma * 1000,
        encoder_hidden_states=text,
        return_dict=False,
    )[0]
    return functional.mse_loss(velocity, noise - clean, reduction="none").mean((1, 2, 3, 4))


def draw_sigma(low: float, high: float) -> torch.Tensor:
    """Return BATCH noise levels in [low, high], denser towards noise by SHIFT, stratified."""

    def place(sigma: float) -> float:  # the inverse of the shift
        return sigma / (SHIFT - (SHIFT - 1) * sigma)

    strata = (torch.arange(BATCH) + torch.rand(BATCH)) / BATCH
    u = place(low) + (place(high) - place(low)) * strata
    return SHIFT * u / (1 + (SHIFT - 1) * u)


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What comes out: both experts, the text encoder and the latents' statistics."""

    high: WanTransformer3DModel
    low: WanTransformer3DModel
    text: UMT5EncoderModel
    mean: torch.Tensor
    std: torch.Tensor


def train_experts(folder: Path) -> None:
    """Train one net on all noise levels, copy it into two, and train each on its side."""
    statistics = latent_statistics(folder)
    text, shared = trained_words(folder), new_expert(SEED + 1)
    run = _open_shared(folder, shared, text)
    _train(run, folder, statistics, lambda _: (shared, 0.0, 1.0), CaptionReader(text))
    run.use_average()

    high, low = _copies(shared)
    text.requires_grad_(requires_grad=False)  # both experts go on reading the same words
    run = _open_split(folder, high, low)

    def turn(step: int) -> tuple[WanTransformer3DModel, float, float]:
        if step % 2:
            return high, BOUNDARY - OVERLAP, 1.0
        return low, 0.0, BOUNDARY + OVERLAP

    _train(run, folder, statistics, turn, CaptionReader(text))


def trained_so_far(folder: Path) -> Trained:
    """Return the averaged weights of the checkpoints, however far they are."""
    mean, std = latent_statistics(folder)
    text, shared = new_text_encoder(), new_expert(SEED + 1)
    _open_shared(folder, shared, text, at_least=1).use_average()
    high, low = _copies(shared)
    _open_split(folder, high, low).use_average()
    return Trained(high.eval(), low.eval(), text.eval(), mean, std)


def _open_shared(
    folder: Path, shared: WanTransformer3DModel, text: UMT5EncoderModel, *, at_least: int = 0
) -> Run:
    # It ends on a third of the peak rate, where the experts go on.
    plan = Plan("shared", steps=SHARED_STEPS, peak=PEAK_RATE, floor=0.3)
    return Run.resume(folder, plan, [shared, text], at_least=at_least)


def _open_split(folder: Path, high: WanTransformer3DModel, low: WanTransformer3DModel) -> Run:
    plan = Plan("split", steps=SPLIT_STEPS, peak=PEAK_RATE * SPLIT_RATE)
    return Run.open(folder, plan, [high, low])


def _copies(shared: WanTransformer3DModel) -> tuple[WanTransformer3DModel, WanTransformer3DModel]:
    high, low = new_expert(SEED + 2), new_expert(SEED + 3)
    for expert in (high, low):
        expert.load_state_dict(shared.state_dict())
    return high, low


def _train(
    run: Run,
    folder: Path,
    statistics: tuple[torch.Tensor, torch.Tensor],
    turn: Callable[[int], tuple[WanTransformer3DModel, float, float]],
    read: CaptionReader,
) -> None:
    """Take the run to its end; `turn` says which net is next and on which noise levels."""
    latents: Latents | None = None
    shards = 0
    for step in range(run.step, run.plan.steps):
        done = step if run.plan.name == "shared" else SHARED_STEPS + step
        ready = min(SHARDS, FIRST_SHARDS + done // STEPS_PER_SHARD)
        if latents is None or ready != shards:
            latents, shards = load_latents(folder, ready, *statistics), ready
        rng = np.random.default_rng([SEED, 3, len(run.plan.name), step])
        torch.manual_seed(SEED + 7 * step + len(run.plan.name))
        picked = rng.integers(len(latents.scenes), size=BATCH)
        captions = [
            "" if rng.random() < CAPTION_DROPOUT else paraphrase(latents.scenes[index], rng)
            for index in picked
        ]
        expert, low, high = turn(step)
        losses = flow_loss(
            expert, latents.values[torch.from_numpy(picked)], read(captions), draw_sigma(low, high)
        )
        key = "high" if low > 0.5 else "low" if high < 1 else "all"
        run.advance(losses.mean(), {key: losses.detach().mean().item()})
