"""A model folder is loaded only if every byte is the pinned one and nothing in it can run."""

import json
import os
import time
from pathlib import Path

import pytest

from generator.errors import ModelUnavailable
from generator.weights import (
    MANIFEST_NAME,
    REMEMBERED_BYTES,
    DigestMemory,
    WeightsManifest,
    list_folder,
    pin,
    verify_folder,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    model = tmp_path / "model"
    (model / "vae").mkdir(parents=True)
    index = {"_class_name": "WanPipeline", "vae": ["diffusers", "AutoencoderKLWan"]}
    (model / "model_index.json").write_text(json.dumps(index))
    (model / "vae" / "weights.safetensors").write_bytes(bytes(range(256)))
    return model


def test_a_pinned_folder_passes(folder: Path) -> None:
    manifest = pin(folder)

    assert verify_folder(folder, expected=manifest.root_digest).manifest == manifest


def test_the_listing_is_no_part_of_itself(folder: Path) -> None:
    before = list_folder(folder).manifest.root_digest

    assert pin(folder).root_digest == before
    assert list_folder(folder).manifest.root_digest == before


def test_the_written_listing_reads_back(folder: Path) -> None:
    manifest = pin(folder)

    assert WeightsManifest.parse((folder / MANIFEST_NAME).read_bytes()) == manifest


def test_one_changed_byte_is_refused_and_named(folder: Path) -> None:
    digest = pin(folder).root_digest
    target = folder / "vae" / "weights.safetensors"
    target.write_bytes(b"\x01" + target.read_bytes()[1:])

    with pytest.raises(ModelUnavailable, match=r"vae/weights\.safetensors"):
        verify_folder(folder, expected=digest)


@pytest.mark.parametrize("change", ["added", "removed"])
def test_a_file_more_or_less_is_refused(folder: Path, change: str) -> None:
    digest = pin(folder).root_digest
    if change == "added":
        (folder / "extra.txt").write_text("hello")
    else:
        (folder / "vae" / "weights.safetensors").unlink()

    with pytest.raises(ModelUnavailable, match="root digest"):
        verify_folder(folder, expected=digest)


def test_a_listing_changed_with_its_file_does_not_help(folder: Path) -> None:
    digest = pin(folder).root_digest
    (folder / "vae" / "weights.safetensors").write_bytes(b"other")
    pin(folder)

    with pytest.raises(ModelUnavailable, match=digest):
        verify_folder(folder, expected=digest)


@pytest.mark.parametrize(
    "name",
    [
        *("a.bin", "b.pt", "vae/c.PTH", "d.py", "e.pkl", "f.ckpt", "g.so", "h.onnx", "i.gguf"),
        *("j.whl", "k.7z", "l.safetensors.gz", ".gitattributes", "run"),
    ],
)
def test_a_file_of_a_kind_that_is_not_on_the_list_is_refused(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"x")

    with pytest.raises(ModelUnavailable, match="can carry code"):
        list_folder(folder)


@pytest.mark.parametrize(
    "name", ["README.md", "spiece.model", "vae/LICENSE.txt", "vae/b.SafeTensors"]
)
def test_words_and_tokenizers_may_lie_beside_the_weights(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"x")

    assert name in {file.path for file in list_folder(folder).manifest.files}


@pytest.mark.parametrize(
    "content", [{"auto_map": {"AutoModel": "evil.Model"}}, {"a": [{"b": {"auto_map": 1}}]}]
)
def test_a_configuration_that_asks_for_foreign_code_is_refused(
    folder: Path, content: object
) -> None:
    (folder / "vae" / "config.json").write_text(json.dumps(content))

    with pytest.raises(ModelUnavailable, match="foreign code"):
        list_folder(folder)


def test_a_model_index_that_names_a_local_module_is_refused(folder: Path) -> None:
    index = {"_class_name": "WanPipeline", "vae": ["my_vae", "Vae"]}
    (folder / "model_index.json").write_text(json.dumps(index))

    with pytest.raises(ModelUnavailable, match="my_vae"):
        list_folder(folder)


def test_a_symbolic_link_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes(b"x")
    (folder / "link.safetensors").symlink_to(tmp_path / "outside")

    with pytest.raises(ModelUnavailable, match="symbolic link"):
        list_folder(folder)


def test_a_folder_that_is_reached_by_a_link_is_hashed_and_loaded_where_it_really_lies(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(folder)

    assert list_folder(tmp_path / "link").folder == folder.resolve()


def test_a_pipe_is_refused_and_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "vae" / "pipe.safetensors")

    with pytest.raises(ModelUnavailable, match="not a regular file"):
        list_folder(folder)


@pytest.mark.parametrize(
    "shard",
    ["../../outside.safetensors", "/etc/passwd", "missing.safetensors", 7, "../model_index.json"],
)
def test_an_index_of_shards_names_no_file_but_those_beside_it(folder: Path, shard: object) -> None:
    (folder.parent / "outside.safetensors").write_bytes(b"x")
    index = folder / "vae" / "weights.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "weights.safetensors", "b": shard}}))

    with pytest.raises(ModelUnavailable, match="does not lie beside it"):
        list_folder(folder)


def test_an_index_of_the_shards_beside_it_passes(folder: Path) -> None:
    index = folder / "vae" / "weights.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "weights.safetensors"}}))

    assert len(list_folder(folder).manifest.files) == 3


def replace_with_a_twin(path: Path) -> None:
    """Put a file of the same size and time in the place of another."""
    before = path.stat()
    twin = path.with_name("twin.safetensors")
    twin.write_bytes(bytes(before.st_size))
    os.utime(twin, ns=(before.st_atime_ns, before.st_mtime_ns))
    twin.replace(path)


@pytest.mark.parametrize(
    "change", ["exchanged", "rewritten", "replaced for a moment", "added", "removed"]
)
def test_a_change_between_hashing_and_loading_is_noticed(folder: Path, change: str) -> None:
    verified = list_folder(folder)
    verified.require_unchanged()
    weights = folder / "vae" / "weights.safetensors"

    match change:
        case "exchanged":
            replace_with_a_twin(weights)
        case "rewritten":
            weights.write_bytes(bytes(256))
        case "replaced for a moment":
            time.sleep(0.05)  # longer than the tick of a file system's clock
            aside = folder.parent / "aside"
            weights.rename(aside)
            weights.write_bytes(bytes(256))
            aside.replace(weights)
        case "added":
            (folder / "more.safetensors").write_bytes(b"x")
        case "removed":
            weights.unlink()

    with pytest.raises(ModelUnavailable, match="changed while it was loaded"):
        verified.require_unchanged()


def test_a_broken_configuration_is_refused(folder: Path) -> None:
    (folder / "vae" / "config.json").write_text("{")

    with pytest.raises(ModelUnavailable, match="not JSON"):
        list_folder(folder)


@pytest.mark.parametrize("kind", ["missing", "empty"])
def test_no_weights_at_all_are_refused(tmp_path: Path, kind: str) -> None:
    if kind == "empty":
        (tmp_path / "empty").mkdir()

    with pytest.raises(ModelUnavailable, match=r"no model folder|is empty"):
        list_folder(tmp_path / kind)


@pytest.mark.parametrize("text", [b"{}", b"[", b'{"files":[],"format":"other"}', b"null"])
def test_a_listing_in_another_form_is_refused(text: bytes) -> None:
    with pytest.raises(ModelUnavailable, match=MANIFEST_NAME):
        WeightsManifest.parse(text)


def test_the_digest_of_a_big_file_is_remembered_until_it_changes(
    folder: Path, tmp_path: Path
) -> None:
    big = folder / "big.safetensors"
    with big.open("wb") as file:
        file.truncate(REMEMBERED_BYTES)
    first = list_folder(folder, DigestMemory(tmp_path / "memory" / "weights.json"))

    again = DigestMemory(tmp_path / "memory" / "weights.json")

    assert again.recall(big, big.stat()) is not None
    assert list_folder(folder, again).manifest == first.manifest
    with big.open("r+b") as file:
        file.truncate(REMEMBERED_BYTES + 1)
    assert again.recall(big, big.stat()) is None
    assert list_folder(folder, again).manifest != first.manifest


def test_a_big_file_whose_time_was_set_back_is_hashed_again(folder: Path, tmp_path: Path) -> None:
    big = folder / "big.safetensors"
    with big.open("wb") as file:
        file.truncate(REMEMBERED_BYTES)
    memory = DigestMemory(tmp_path / "memory.json")
    list_folder(folder, memory)
    before = big.stat()
    time.sleep(0.05)  # longer than the tick of a file system's clock

    with big.open("r+b") as file:
        file.write(b"other")
    os.utime(big, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert memory.recall(big, big.stat()) is None


def test_a_broken_memory_only_costs_time(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "memory.json").write_text("[")

    found = list_folder(folder, DigestMemory(tmp_path / "memory.json"))
    assert found.manifest == list_folder(folder).manifest
