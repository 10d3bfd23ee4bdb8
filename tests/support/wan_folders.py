"""A random Wan pipeline in the shape of a real one, written as an operator would have it."""

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKLWan,
    UniPCMultistepScheduler,
    WanPipeline,
    WanTransformer3DModel,
)
from transformers import AutoTokenizer, UMT5Config, UMT5EncoderModel

LATENT_CHANNELS = 48  # as Wan2.2-TI2V-5B
TEXT_WIDTH = 32


def write_one_expert(folder: Path, tokenizer: Path) -> None:
    """Write a random pipeline in the shape of Wan2.2-TI2V-5B: one expert, a 16x16x4 VAE.

    Args:
        folder: where to write it.
        tokenizer: the folder of a tokenizer to take along.
    """
    torch.manual_seed(0)
    vae = AutoencoderKLWan(
        base_dim=8,
        decoder_base_dim=8,
        z_dim=LATENT_CHANNELS,
        dim_mult=[1, 2, 2, 2],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
        is_residual=True,
        in_channels=12,
        out_channels=12,
        patch_size=2,
        scale_factor_spatial=16,
        scale_factor_temporal=4,
        latents_mean=[0.0] * LATENT_CHANNELS,
        latents_std=[1.0] * LATENT_CHANNELS,
    )
    expert = WanTransformer3DModel(
        patch_size=(1, 2, 2),
        num_attention_heads=2,
        attention_head_dim=16,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        text_dim=TEXT_WIDTH,
        freq_dim=32,
        ffn_dim=64,
        num_layers=1,
        cross_attn_norm=True,
        qk_norm="rms_norm_across_heads",
        rope_max_seq_len=64,
    )
    reader = AutoTokenizer.from_pretrained(str(tokenizer), local_files_only=True)
    text = UMT5Config(
        vocab_size=len(reader), d_model=TEXT_WIDTH, d_kv=8, d_ff=32, num_layers=1, num_heads=2
    )
    scheduler = UniPCMultistepScheduler(
        num_train_timesteps=1000, prediction_type="flow_prediction", use_flow_sigmas=True
    )
    pipeline = WanPipeline(
        tokenizer=reader,
        text_encoder=UMT5EncoderModel(text),
        vae=vae,
        scheduler=scheduler,
        transformer=expert,
        transformer_2=None,
        expand_timesteps=True,
    )
    pipeline.save_pretrained(folder, safe_serialization=True)
