"""Checkpoints and proof files: strict reading, and proofs that hold for one thing only."""

import base64

import pytest

from audit.checkpoint import (
    Checkpoint,
    TlogProof,
    open_checkpoint,
    parse_checkpoint,
    parse_proof,
    sign_checkpoint,
    verify_proof,
)
from audit.errors import NoteInvalid, ProofError, ProofInvalid
from audit.merkle import hash_leaf, prove_inclusion
from audit.tiles import TiledTree
from tests.support.logs import SCOPE, fixed_signer

SIGNER = fixed_signer()
LEAVES = [b"leaf %d" % number for number in range(7)]
TREE = TiledTree(0, lambda _level, _n: None)
TREE.append([hash_leaf(leaf) for leaf in LEAVES])
SIGNED = sign_checkpoint(Checkpoint(str(SCOPE), 7, TREE.root()), SIGNER)
ROOT64 = base64.b64encode(TREE.root()).decode()


def proof_of(index: int) -> str:
    return TlogProof(prove_inclusion(index, 7, TREE.subtree), SIGNED).text


def test_a_signed_checkpoint_is_read_back() -> None:
    assert open_checkpoint(SIGNED.note, SIGNER.verifier) == SIGNED


def test_the_same_checkpoint_is_signed_the_same_again() -> None:
    assert sign_checkpoint(SIGNED.checkpoint, SIGNER).note == SIGNED.note


@pytest.mark.parametrize(
    "size",
    ["+5", " 5", "5 ", "1_000", "-5", "\u0665", "05", "5.0", "0x5", "", "9223372036854775808"],
)
def test_a_size_has_one_spelling(size: str) -> None:
    with pytest.raises(NoteInvalid, match="written plainly"):
        parse_checkpoint(f"log\n{size}\n{ROOT64}\n")


@pytest.mark.parametrize(
    "text",
    [
        f"log\n5\n{ROOT64}",
        f"log\n5\n{ROOT64}\nextension\n",
        f"log\n5\n{ROOT64}\n\n",
        f"\n5\n{ROOT64}\n",
        f"log\n5\n{ROOT64[:-4]}\n",
        f"log\n5\n{ROOT64[:-1]}\n",
        f"log\n5\n{ROOT64[:8]}!{ROOT64[8:]}\n",
        f"log\n5\n {ROOT64}\n",
        "log\n5\n",
    ],
)
def test_a_checkpoint_has_three_lines(text: str) -> None:
    with pytest.raises(NoteInvalid):
        parse_checkpoint(text)


def test_an_empty_log_has_size_zero() -> None:
    assert parse_checkpoint(f"log\n0\n{ROOT64}\n").size == 0


def test_a_checkpoint_of_another_log_is_refused() -> None:
    other = SIGNER.sign(Checkpoint("silver/other", 7, TREE.root()).text)

    with pytest.raises(NoteInvalid, match="of log 'silver/other'"):
        open_checkpoint(other, SIGNER.verifier)


@pytest.mark.parametrize("index", range(7))
def test_a_proof_file_proves_its_leaf(index: int) -> None:
    found = verify_proof(proof_of(index), LEAVES[index], SIGNER.verifier)

    assert found.proof.index == index
    assert found.text == proof_of(index)


def test_a_proof_file_proves_no_other_leaf() -> None:
    with pytest.raises(ProofInvalid):
        verify_proof(proof_of(3), LEAVES[4], SIGNER.verifier)


def test_a_proof_under_another_key_is_refused() -> None:
    with pytest.raises(NoteInvalid):
        verify_proof(proof_of(3), LEAVES[3], fixed_signer(seed=2).verifier)


@pytest.mark.parametrize(
    "change",
    [
        ("c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v2"),
        ("index 3", "index 4"),
        ("index 3", "index 03"),
        ("index 3", "index +3"),
        ("index 3", "extra AAAA\nindex 3"),
        ("index 3", "Index 3"),
        ("index 3\n", ""),
        ("\n\nsilver", "\nsilver"),
        ("\n7\n", "\n8\n"),
    ],
)
def test_a_changed_proof_file_is_refused(change: tuple[str, str]) -> None:
    with pytest.raises(ProofError):
        verify_proof(proof_of(3).replace(*change, 1), LEAVES[3], SIGNER.verifier)


def test_a_proof_file_longer_than_any_tree_is_refused() -> None:
    lines = (base64.b64encode(bytes(32)).decode() + "\n") * 64

    with pytest.raises(ProofInvalid, match="at most 63"):
        parse_proof(f"c2sp.org/tlog-proof@v1\nindex 0\n{lines}\n{SIGNED.note}")
