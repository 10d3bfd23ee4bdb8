"""The published vectors: what strangers check their implementation with, checked against ours."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from audit.bodies import BODIES
from audit.checkpoint import open_checkpoint, verify_proof
from audit.errors import NoteInvalid, RecordInvalid, RecordNewer
from audit.merkle import (
    EMPTY_ROOT,
    ConsistencyProof,
    InclusionProof,
    hash_leaf,
    verify_consistency,
    verify_inclusion,
)
from audit.note import Verifier
from audit.records import Record
from audit.tiles import TiledTree
from audit.vocabulary import RecordKind
from tests.support.logs import fixed_signer

FOLDER = Path(__file__).parent.parent / "vectors"


def load(name: str) -> Any:  # noqa: ANN401 - JSON has no type
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


RECORD, MERKLE, NOTE = load("record"), load("merkle"), load("note")
ROOTS = {each["size"]: bytes.fromhex(each["root"]) for each in MERKLE["roots"]}


@pytest.mark.parametrize("case", RECORD["valid"], ids=lambda case: case["name"])
def test_a_valid_record_hashes_to_its_leaf(case: dict[str, str]) -> None:
    record = Record.parse(case["canonical"].encode())

    assert record.canonical.decode() == case["canonical"]
    assert hash_leaf(record.canonical).hex() == case["leaf_hash"]


@pytest.mark.parametrize("case", RECORD["invalid"], ids=lambda case: case["name"])
def test_an_invalid_record_is_refused(case: dict[str, str]) -> None:
    with pytest.raises(RecordInvalid) as refused:
        Record.parse(case["text"].encode())

    assert not isinstance(refused.value, RecordNewer)


@pytest.mark.parametrize("case", RECORD["newer"], ids=lambda case: case["name"])
def test_a_record_of_a_later_version_is_newer_and_not_damaged(case: dict[str, str]) -> None:
    with pytest.raises(RecordNewer, match="use the version of countermark that wrote it"):
        Record.parse(case["text"].encode())


def test_roots_are_rebuilt_from_the_leaves() -> None:
    tree = TiledTree(0, lambda _level, _n: None)
    for size in range(1, 301):
        tree.append([hash_leaf(b"leaf %d" % (size - 1))])
        if size in ROOTS:
            assert tree.root() == ROOTS[size]
    assert EMPTY_ROOT.hex() == MERKLE["empty_root"]
    assert tree.changed[0, 1].hex().startswith(MERKLE["first_three_hashes_of_tile_1"])


@pytest.mark.parametrize("case", MERKLE["inclusion"], ids=lambda c: f"{c['index']} in {c['size']}")
def test_inclusion_proofs_verify(case: dict[str, Any]) -> None:
    path = tuple(map(bytes.fromhex, case["path"]))

    verify_inclusion(
        bytes.fromhex(case["leaf_hash"]),
        InclusionProof(case["index"], case["size"], path),
        ROOTS[case["size"]],
    )


@pytest.mark.parametrize(
    "case", MERKLE["consistency"], ids=lambda c: f"{c['old_size']} to {c['size']}"
)
def test_consistency_proofs_verify(case: dict[str, Any]) -> None:
    path = tuple(map(bytes.fromhex, case["path"]))

    verify_consistency(
        ROOTS[case["old_size"]],
        ROOTS[case["size"]],
        ConsistencyProof(case["old_size"], case["size"], path),
    )


def test_the_checkpoint_and_the_proof_file_verify() -> None:
    verifier = Verifier.from_vkey(NOTE["vkey"])

    assert verifier == fixed_signer().verifier
    assert open_checkpoint(NOTE["checkpoint"], verifier).root == ROOTS[300]
    assert verify_proof(NOTE["proof"], NOTE["leaf"].encode(), verifier).proof.index == 17


@pytest.mark.parametrize("case", NOTE["invalid"], ids=lambda case: case["name"])
def test_a_note_in_another_spelling_is_refused(case: dict[str, str]) -> None:
    with pytest.raises(NoteInvalid):
        open_checkpoint(case["note"], Verifier.from_vkey(NOTE["vkey"]))


@pytest.mark.parametrize("kind", list(BODIES), ids=str)
def test_the_specification_names_every_field_of_every_kind(kind: RecordKind) -> None:
    page = Path(__file__).parents[2] / "docs" / "spec" / "record.md"
    bodies = page.read_text(encoding="utf-8").partition("## Bodies")[2].splitlines()
    (row,) = (line for line in bodies if line.startswith(f"| `{kind}` |"))

    for field in fields(BODIES[kind]):
        assert f"`{field.name}`" in row
