"""What may lie in a model folder: weights, configurations and words, and nothing that can run.

The suffixes are an allow-list, because what a library would load as code grows with each release:
diffusers still loads pickles by default, and a model index that names a local module has run
foreign code (CVE-2026-44513). An index of shards may name no file but those that are hashed with
it.
"""

import json
from collections.abc import Collection
from pathlib import PurePosixPath

from generator.errors import ModelUnavailable

ALLOWED_SUFFIXES = frozenset({".safetensors", ".json", ".model", ".txt", ".md"})
# Libraries whose classes a model index may name; anything else is a module to import.
ALLOWED_LIBRARIES = frozenset({"diffusers", "transformers"})
REFUSED_KEYS = frozenset({"auto_map", "custom_pipeline", "custom_pipelines", "trust_remote_code"})
MAX_JSON_BYTES = 64 * 2**20  # UMT5's tokenizer.json has 17 MB
SHARD_INDEX = ".safetensors.index.json"


def refuse_name(name: str) -> None:
    """Raise on a file that has no business among weights.

    Args:
        name: path inside the folder, with `/`.

    Raises:
        ModelUnavailable: its suffix is not on the list.
    """
    suffix = PurePosixPath(name).suffix.lower()
    if suffix not in ALLOWED_SUFFIXES:
        raise ModelUnavailable(
            f"{name} is refused: a model folder holds {', '.join(sorted(ALLOWED_SUFFIXES))} files "
            "only, because others can carry code; take it out of the folder"
        )


def refuse_json(name: str, text: bytes, names: Collection[str]) -> None:
    """Raise on a configuration that leads out of the folder or to foreign code.

    Args:
        name: path of the JSON file inside the folder, with `/`.
        text: its content.
        names: every file of the folder.

    Raises:
        ModelUnavailable: it asks for code, names a file that is not there, or is no JSON.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelUnavailable(f"{name} is not JSON ({error}); download it again") from error
    if found := REFUSED_KEYS & _keys(content):
        raise ModelUnavailable(
            f"{name} asks for foreign code ({', '.join(sorted(found))}); use the plain weights"
        )
    if name == "model_index.json":
        _refuse_foreign_classes(content)
    if name.endswith(SHARD_INDEX):
        _refuse_foreign_shards(name, content, names)


def _refuse_foreign_classes(index: object) -> None:
    """Raise unless each component of a model index is a class of diffusers or transformers."""
    if not isinstance(index, dict):
        raise ModelUnavailable("model_index.json is not an object; download it again")
    for part, value in index.items():
        named = isinstance(value, list) and len(value) == 2
        if named and value[0] is not None and value[0] not in ALLOWED_LIBRARIES:
            raise ModelUnavailable(
                f"model_index.json takes {part} from {value[0]!r}, expected one of "
                f"{', '.join(sorted(ALLOWED_LIBRARIES))}; use the plain weights"
            )


def _refuse_foreign_shards(name: str, index: object, names: Collection[str]) -> None:
    """Raise unless each shard that an index names lies beside it and is hashed like the rest."""
    shards = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(shards, dict):
        raise ModelUnavailable(f"{name} has no `weight_map`; download it again")
    folder = PurePosixPath(name).parent
    for shard in shards.values():
        inside = isinstance(shard, str) and "/" not in shard and str(folder / shard) in names
        if not inside:
            raise ModelUnavailable(
                f"{name} names the file {str(shard)[:80]!r}, which does not lie beside it; "
                "download the folder again"
            )


def _keys(content: object) -> set[str]:
    """Return every key at any depth."""
    found: set[str] = set()
    open_ = [content]
    while open_:
        value = open_.pop()
        if isinstance(value, dict):
            found |= value.keys()
            open_ += value.values()
        elif isinstance(value, list):
            open_ += value
    return found
