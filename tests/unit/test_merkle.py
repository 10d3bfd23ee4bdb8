"""The tree against published RFC 6962 hashes, and the edges of the verifiers."""

from collections.abc import Callable

import pytest

from audit.errors import ProofInvalid
from audit.merkle import (
    EMPTY_ROOT,
    ConsistencyProof,
    InclusionProof,
    fold,
    hash_leaf,
    prove_consistency,
    prove_inclusion,
    root,
    verify_consistency,
    verify_inclusion,
)

# The eight leaves that Certificate Transparency's own tests use, and their roots.
LEAVES = [
    bytes.fromhex(each)
    for each in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def over(leaves: list[bytes]) -> Callable[[int, int], bytes]:
    """Return the subtree function of a list of leaves."""
    hashes = [hash_leaf(leaf) for leaf in leaves]
    return lambda first, height: fold(hashes[first : first + 2**height])


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_certificate_transparency(size: int) -> None:
    assert root(size, over(LEAVES)).hex() == ROOTS[size - 1]


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert root(0, over([])) == EMPTY_ROOT
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_the_inclusion_proof_is_that_of_rfc_6962() -> None:
    proof = prove_inclusion(5, 8, over(LEAVES))

    assert [each.hex() for each in proof.path] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


def test_nothing_is_included_in_an_empty_tree() -> None:
    with pytest.raises(ProofInvalid, match="no leaf 0"):
        verify_inclusion(hash_leaf(b""), InclusionProof(0, 0, ()), EMPTY_ROOT)
    with pytest.raises(ProofInvalid, match="no leaf 0"):
        prove_inclusion(0, 0, over([]))


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 5), (5, 3), (-1, 3)])
def test_no_consistency_proof_starts_from_nothing_or_goes_back(old: int, new: int) -> None:
    with pytest.raises(ProofInvalid, match="no consistency proof"):
        prove_consistency(old, new, over(LEAVES))
    with pytest.raises(ProofInvalid, match="no consistency proof"):
        verify_consistency(EMPTY_ROOT, EMPTY_ROOT, ConsistencyProof(old, new, ()))


def test_two_roots_for_one_size_are_two_stories() -> None:
    with pytest.raises(ProofInvalid, match="two stories"):
        verify_consistency(bytes(32), bytes([1]) * 32, ConsistencyProof(5, 5, ()))


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_hashes_of_another_length_are_refused(length: int) -> None:
    proof = prove_inclusion(5, 8, over(LEAVES))
    wrong = InclusionProof(5, 8, (bytes(length), *proof.path[1:]))

    with pytest.raises(ProofInvalid, match="hashes of 32 bytes"):
        verify_inclusion(hash_leaf(LEAVES[5]), wrong, root(8, over(LEAVES)))


def test_a_proof_longer_than_any_tree_is_refused() -> None:
    with pytest.raises(ProofInvalid, match="at most 63"):
        verify_inclusion(bytes(32), InclusionProof(0, 2**62, (bytes(32),) * 64), bytes(32))


def test_a_leaf_of_one_byte_more_is_not_included() -> None:
    proof = prove_inclusion(5, 8, over(LEAVES))

    verify_inclusion(hash_leaf(LEAVES[5]), proof, root(8, over(LEAVES)))
    with pytest.raises(ProofInvalid, match="does not lead to the root"):
        verify_inclusion(hash_leaf(LEAVES[5] + b"x"), proof, root(8, over(LEAVES)))


def test_a_node_cannot_be_passed_off_as_a_leaf() -> None:
    inner = prove_inclusion(0, 4, over(LEAVES))
    shorter = InclusionProof(0, 2, inner.path[1:])
    node = fold([hash_leaf(LEAVES[0]), hash_leaf(LEAVES[1])])

    verify_inclusion(node, shorter, root(4, over(LEAVES)))  # by its hash it fits
    with pytest.raises(ProofInvalid):  # but no leaf has that hash: leaves are hashed after a zero
        verify_inclusion(
            hash_leaf(hash_leaf(LEAVES[0]) + hash_leaf(LEAVES[1])), shorter, root(4, over(LEAVES))
        )
