"""Digests of sources: what a kept clip or row was made by, whatever the commit."""

import ast
import hashlib
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]

CLIPS = (
    "benchmarks/robustness/clips.py",
    "benchmarks/robustness/drawn.py",
    "benchmarks/robustness/tiny.py",
    "generator/models/shipped.py",  # names the digest of the weights
    "tests/support/textured.py",
)


def digest(told: str, patterns: Iterable[str], root: Path = ROOT) -> str:
    """Return 16 hexadecimal digits that change with `told` and with what the sources say.

    How they are laid out and commented on does not count.
    """
    found = hashlib.sha256(told.encode())
    for path in sorted(path for pattern in patterns for path in root.glob(pattern)):
        tree = ast.dump(ast.parse(path.read_text(encoding="utf-8")))
        found.update(f"{path.relative_to(root)} {tree}".encode())
    return found.hexdigest()[:16]
