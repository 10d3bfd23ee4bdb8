"""A model folder is loaded only if every byte is the pinned one and nothing in it can run."""

import json
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

    assert verify_folder(folder, expected=manifest.root_digest) == manifest


def test_the_listing_is_no_part_of_itself(folder: Path) -> None:
    before = list_folder(folder).root_digest

    assert pin(folder).root_digest == before
    assert list_folder(folder).root_digest == before


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


@pytest.mark.parametrize("name", ["a.bin", "b.pt", "vae/c.PTH", "d.py", "e.pkl", "f.ckpt", "g.so"])
def test_files_that_can_carry_code_are_refused(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"x")

    with pytest.raises(ModelUnavailable, match="can carry code"):
        list_folder(folder)


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
    assert list_folder(folder, again) == first
    with big.open("r+b") as file:
        file.truncate(REMEMBERED_BYTES + 1)
    assert again.recall(big, big.stat()) is None
    assert list_folder(folder, again) != first


def test_a_broken_memory_only_costs_time(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "memory.json").write_text("[")

    assert list_folder(folder, DigestMemory(tmp_path / "memory.json")) == list_folder(folder)
