"""The scenes of scenes.toml as rows to learn from, and the public prompts beside them.

rows = scenes()                      # 7,084 texts with their kind; HARMLESS for the harmless ones
texts = public(folder, "benign_parti")
"""

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from safety.categories import Category

FILE = Path(__file__).with_name("scenes.toml")


@dataclass(frozen=True, slots=True)
class Row:
    """One text to learn from.

    Attributes:
        text: the text.
        kind: of harm; None for harmless.
    """

    text: str
    kind: Category | None


def scenes(path: Path = FILE) -> list[Row]:
    """Return every scene in every frame, in the order of the file.

    Raises:
        ValueError: a scene stands there twice, or a kind is no category.
    """
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    listed = list(_listed(found))
    seen: set[str] = set()
    for scene, _ in listed:
        if scene in seen:
            raise ValueError(f"{path.name} has the scene {scene!r} twice")
        seen.add(scene)
    return [
        Row(frame.format(scene=scene, Scene=scene[0].upper() + scene[1:]), kind)
        for scene, kind in listed
        for frame in found["frames"]
    ]


def public(folder: Path, name: str) -> list[str]:
    """Return the texts of a set of prompts, JSON lines with a `text` each."""
    lines = (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]


def _listed(found: dict[str, dict[str, list[str]]]) -> Iterator[tuple[str, Category | None]]:
    for kind, texts in found["harmful"].items():
        yield from ((text, Category(kind)) for text in texts)
    for texts in found["harmless"].values():
        yield from ((text, None) for text in texts)
