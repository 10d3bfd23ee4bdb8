"""Train countermark-tiny, or go on where a run was cut off; see README.md beside this file.

    python -m training.tiny.train vae        the autoencoder
    python -m training.tiny.train encode     cache the latents; may run beside the next
    python -m training.tiny.train words      the text encoder
    python -m training.tiny.train experts    both experts, and the text encoder with them
    python -m training.tiny.train export     write the folder that is shipped, with its listing

Each stage counts steps, writes a checkpoint every minute and starts again from it; `export` takes
the checkpoints however far they are.
"""

import argparse
import os
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # read once, when huggingface_hub is imported

import torch

from training.tiny import experts, vae, words
from training.tiny.export import export

RUNS = Path("training/runs/tiny")
SHIPPED = Path("generator/models/tiny_weights")


def main() -> None:
    """Run one stage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=("vae", "encode", "words", "experts", "export"))
    parser.add_argument("--runs", type=Path, default=RUNS, help="where checkpoints and latents lie")
    parser.add_argument("--to", type=Path, default=SHIPPED, help="folder that `export` writes anew")
    parser.add_argument("--first", type=int, default=0, help="first shard that `encode` makes")
    parser.add_argument("--every", type=int, default=1, help="`encode` makes each n-th shard")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # the figures in README.md are for one thread
    if arguments.stage == "vae":
        vae.train_vae(arguments.runs)
    elif arguments.stage == "encode":
        codec = vae.trained_so_far(arguments.runs)
        for shard in range(arguments.first, experts.SHARDS, arguments.every):
            experts.encode_shard(codec, arguments.runs, shard)
    elif arguments.stage == "words":
        words.train_words(arguments.runs)
    elif arguments.stage == "experts":
        experts.train_experts(arguments.runs)
    else:
        write(arguments.runs, arguments.to)


def write(runs: Path, to: Path) -> None:
    """Export what the checkpoints hold; print the root digest for generator/models/shipped.py."""
    codec, trained = vae.trained_so_far(runs), experts.trained_so_far(runs)
    codec.register_to_config(
        latents_mean=trained.mean.flatten().tolist(), latents_std=trained.std.flatten().tolist()
    )
    manifest = export(to, vae=codec, text=trained.text, experts=(trained.high, trained.low))
    size = sum(file.size for file in manifest.files)
    print(f"{to}: {size / 1e6:.1f} MB, root digest {manifest.root_digest}")


if __name__ == "__main__":
    main()
