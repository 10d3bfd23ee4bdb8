"""The clips that a script works on: where they come from, and their frames."""

import argparse
from pathlib import Path

import numpy as np
import platformdirs

from benchmarks.robustness import clips
from benchmarks.robustness.quality import Frames

CACHE = platformdirs.user_cache_path("countermark") / "benchmarks"


def options(description: str | None) -> argparse.ArgumentParser:
    """Return a command line that asks where the clips' sources and the prepared clips lie."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=Path, help="where to look for the clips' sources first")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where clips are kept")
    return parser


def frames(name: str, asked: argparse.Namespace, count: int = clips.FRAMES) -> Frames:
    """Return the first frames of a clip, prepared once and kept in the cache."""
    return list(np.load(clips.prepare(clips.named(name), asked.cache, asked.clips))[:count])
