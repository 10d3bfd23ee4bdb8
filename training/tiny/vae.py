"""The video autoencoder: AutoencoderKLWan in the Wan2.2 residual form, 32x32x4 compression.

Patches of 8x8 pixels go in and out of the net and two stages halve what remains, so that a clip of
33 frames of 256x256 becomes 9x8x8 latents and decodes in under a second on one core. It is trained
on crops: single frames first, then longer and longer pieces, full frames at the end, because the
chain of causal caches has to be trained at full length too.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLWan
from diffusers.models.autoencoders.autoencoder_kl_wan import unpatchify
from torch.nn import functional

from training.tiny.runs import Plan, Run
from training.tiny.world import (
    FRAMES,
    SIDE,
    Scene,
    Window,
    add_grain,
    draw_look,
    every_scene,
    held_out,
    render,
)

PATCH = 8  # pixels a side
CHANNELS = 24  # numbers per latent cell of 32x32 pixels and 4 frames
LATENT_NOISE = 0.03  # of a channel's spread: the decoder learns to forgive the experts' errors
PEAK_RATE = 2.5e-3
SEED = 20261122


@dataclass(frozen=True, slots=True)
class Phase:
    """Steps on one kind of batch."""

    steps: int
    clips: int
    frames: int
    side: int  # pixels


PHASES = (
    Phase(steps=2200, clips=12, frames=1, side=128),
    Phase(steps=900, clips=4, frames=5, side=128),
    Phase(steps=500, clips=2, frames=9, side=128),
    Phase(steps=120, clips=1, frames=33, side=128),
    Phase(steps=130, clips=1, frames=9, side=256),
)


def new_vae() -> AutoencoderKLWan:
    """Return an untrained autoencoder whose residual branches start at zero.

    With the second convolution of each residual block at zero, the averaging shortcuts alone are
    a block-average codec already, which saves about half of the training.
    """
    torch.manual_seed(SEED)
    vae = AutoencoderKLWan(
        base_dim=24,
        decoder_base_dim=32,
        z_dim=CHANNELS,
        dim_mult=[1, 2, 2],
        num_res_blocks=1,
        temperal_downsample=[True, True],
        is_residual=True,
        in_channels=3 * PATCH**2,
        out_channels=3 * PATCH**2,
        patch_size=PATCH,
        scale_factor_spatial=4 * PATCH,
        scale_factor_temporal=4,
        latents_mean=[0.0] * CHANNELS,
        latents_std=[1.0] * CHANNELS,
    )
    for name, parameter in vae.named_parameters():
        if "resnets" in name and ".conv2." in name:
            torch.nn.init.zeros_(parameter)
    return vae


def encode(vae: AutoencoderKLWan, clips: torch.Tensor) -> torch.Tensor:
    """Return the latents' means (batch, CHANNELS, ...) of clips (batch, 3, time, height, width)."""
    return vae._encode(clips)[:, :CHANNELS]  # noqa: SLF001 - the public door samples a posterior


def decode(vae: AutoencoderKLWan, latents: torch.Tensor) -> torch.Tensor:
    """Decode without the final clamp, which has no gradient outside [-1, 1]."""
    vae.clear_cache()
    hidden = vae.post_quant_conv(latents)
    pieces = []
    for index in range(hidden.shape[2]):
        vae._conv_idx = [0]  # noqa: SLF001 - as AutoencoderKLWan._decode does, less the clamp
        piece = vae.decoder(
            hidden[:, :, index : index + 1],
            feat_cache=vae._feat_map,  # noqa: SLF001 - see above
            feat_idx=vae._conv_idx,  # noqa: SLF001 - see above
            first_chunk=index == 0,
        )
        pieces.append(piece)
    return unpatchify(torch.cat(pieces, 2), PATCH)


def training_scenes() -> list[Scene]:
    """Return the scenes whose combination is not held out."""
    kept_back = held_out()
    return [scene for scene in every_scene() if scene.combination not in kept_back]


def draw_batch(
    phase: Phase, scenes: list[Scene], rng: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Draw grainy inputs and clean targets, as `to_tensor` has them, and the objects' covers."""
    inputs, targets, covers = [], [], []
    for _ in range(phase.clips):
        scene = scenes[int(rng.integers(len(scenes)))]
        look = draw_look(scene, rng)
        # Objects fill a tenth of a frame: look for them, or the net learns backgrounds alone.
        aim = np.array(look.centre) + rng.uniform(-60, 60, 2) if rng.random() < 0.75 else None
        corner = rng.integers(0, SIDE - phase.side + 1, 2) if aim is None else aim - phase.side / 2
        left, top = (int(value) for value in np.clip(corner, 0, SIDE - phase.side))
        start = int(rng.integers(0, FRAMES - phase.frames + 1))
        window = Window(left, top, phase.side, start, phase.frames)
        pixels, cover = render(scene, look, window)
        inputs.append(add_grain(pixels, rng))
        targets.append(pixels)
        covers.append(cover)
    return (
        to_tensor(np.stack(inputs)),
        to_tensor(np.stack(targets)),
        torch.from_numpy(np.stack(covers)),
    )


def to_tensor(pixels: np.ndarray) -> torch.Tensor:
    """Turn levels (batch, time, height, width, 3) into (batch, 3, ...) in [-1, 1]."""
    tensor = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 4, 1, 2, 3).float()
    return (tensor / 127.5 - 1).contiguous()


def train_vae(folder: Path) -> None:
    """Train to the end of the phases, or go on from the last checkpoint in `folder`."""
    vae, scenes = new_vae(), training_scenes()
    run = _open(folder, vae)
    schedule = [phase for phase in PHASES for _ in range(phase.steps)]
    for step in range(run.step, run.plan.steps):
        rng = np.random.default_rng([SEED, step])
        torch.manual_seed(SEED + step)
        inputs, targets, cover = draw_batch(schedule[step], scenes, rng)
        latents = encode(vae, inputs)
        spread = latents.detach().std((0, 2, 3, 4), keepdim=True)
        output = decode(vae, latents + LATENT_NOISE * spread * torch.randn_like(latents))
        error = output - targets
        weight = 1 + 2 * cover[:, None]  # (clips, 1, time, side, side)
        loss = (weight * (error.abs() + error.square())).mean()
        mse = functional.mse_loss(output.detach().clamp(-1, 1), targets).item()
        run.advance(loss, {"psnr": 10 * np.log10(4 / mse), "l1": error.abs().mean().item()})


def trained_so_far(folder: Path) -> AutoencoderKLWan:
    """Return the last weights of the checkpoint, however far it is.

    Not their moving average: the last phases are short, and the average still remembers weights
    from before clips of full length (1 to 3 dB less on those).
    """
    vae = new_vae()
    _open(folder, vae, at_least=1)
    return vae.eval()


def _open(folder: Path, vae: AutoencoderKLWan, *, at_least: int = 0) -> Run:
    plan = Plan("vae", steps=sum(phase.steps for phase in PHASES), peak=PEAK_RATE)
    return Run.resume(folder, plan, [vae], at_least=at_least)
