"""The text encoder learns who is who before anything is drawn.

In "a black circle on a yellow background" two colours are named, and which one is the circle's is
said by their places alone. An encoder that learns only from what the experts make of it calls them
by their names and mixes them up (half of the clips after 3,000 steps). So it is first taught to
say, from the mean of its states, each of the five things that a caption says.
"""

from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from transformers import UMT5Config, UMT5EncoderModel

from training.tiny.runs import Plan, Run
from training.tiny.tokenizer import MAX_TOKENS, new_tokenizer, paraphrase, vocabulary
from training.tiny.vae import SEED, training_scenes
from training.tiny.world import Colour, Motion, Scene, Shape, Size

TEXT_WIDTH = 96
BATCH = 64
PLAN = Plan("words", steps=1200, peak=1.5e-3)
FACTORS = (("size", Size), ("colour", Colour), ("shape", Shape), ("motion", Motion))
ROLES = (*FACTORS, ("background", Colour))


def new_text_encoder() -> UMT5EncoderModel:
    """Return an untrained UMT5 encoder of two layers for the vocabulary."""
    torch.manual_seed(SEED)
    config = UMT5Config(
        vocab_size=len(vocabulary()),
        d_model=TEXT_WIDTH,
        d_kv=24,
        d_ff=192,
        num_layers=2,
        num_heads=4,
        dropout_rate=0.0,
        feed_forward_proj="gated-gelu",
        pad_token_id=0,
        eos_token_id=1,
        decoder_start_token_id=0,
    )
    encoder = UMT5EncoderModel(config)
    nn.init.normal_(encoder.shared.weight, std=1.0)
    return encoder


class CaptionReader:
    """Turns captions into the padded embeddings that WanPipeline feeds its experts."""

    def __init__(self, encoder: UMT5EncoderModel) -> None:
        self._encoder, self._tokenizer = encoder, new_tokenizer()

    def __call__(self, captions: list[str]) -> torch.Tensor:
        """Return (captions, MAX_TOKENS, TEXT_WIDTH); padding is zero, as in the pipeline."""
        batch = self._tokenizer(
            captions,
            padding="max_length",
            max_length=MAX_TOKENS,
            truncation=True,
            return_tensors="pt",
        )
        hidden = self._encoder(batch.input_ids, batch.attention_mask).last_hidden_state
        return hidden * batch.attention_mask.unsqueeze(-1)


class Roles(nn.Module):
    """Five linear readings of a caption's mean state, one for each thing that it says."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(SEED + 9)
        self.heads = nn.ModuleList(nn.Linear(TEXT_WIDTH, len(kind)) for _, kind in ROLES)

    def forward(self, text: torch.Tensor) -> list[torch.Tensor]:
        """Return the logits of each role, (captions, members)."""
        words = (text.abs().sum(2) > 0).sum(1, keepdim=True)  # (captions, 1)
        mean = text.sum(1) / words
        return [head(mean) for head in self.heads]


def roles_of(scenes: list[Scene]) -> list[torch.Tensor]:
    """Return the right member of each role by number, (captions,) each."""
    return [
        torch.tensor([list(kind).index(getattr(scene, name)) for scene in scenes])
        for name, kind in ROLES
    ]


def train_words(folder: Path) -> None:
    """Teach the encoder who is who, or go on from the last checkpoint in `folder`."""
    encoder, roles, scenes = new_text_encoder(), Roles(), training_scenes()
    run, read = Run.open(folder, PLAN, [encoder, roles]), CaptionReader(encoder)
    for step in range(run.step, run.plan.steps):
        rng = np.random.default_rng([SEED, 4, step])
        picked = [scenes[int(index)] for index in rng.integers(len(scenes), size=BATCH)]
        # A paraphrase may leave the size out: then nobody can say it.
        captions = [paraphrase(scene, rng) for scene in picked]
        said = roles(read(captions))
        losses = [
            functional.cross_entropy(*pair) for pair in zip(said, roles_of(picked), strict=True)
        ]
        right = (said[-1].argmax(1) == roles_of(picked)[-1]).float().mean().item()
        run.advance(torch.stack(losses).sum(), {"background": right})


def trained_words(folder: Path) -> UMT5EncoderModel:
    """Return the encoder of the checkpoint."""
    encoder = new_text_encoder()
    run = Run.resume(folder, PLAN, [encoder, Roles()], at_least=PLAN.steps)
    run.use_average()
    return encoder
