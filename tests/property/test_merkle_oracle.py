"""Every proof against the textbook definition, and every damaged proof refused."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import LedgerDamaged, ProofInvalid
from audit.merkle import (
    ConsistencyProof,
    InclusionProof,
    prove_consistency,
    prove_inclusion,
    root,
    verify_consistency,
    verify_inclusion,
)
from audit.tiles import TILE_WIDTH, TiledTree

HASHES = [hashlib.sha256(b"\x00%d" % number).digest() for number in range(600)]


def textbook_root(hashes: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return hashlib.sha256(b"\x01" + textbook_root(hashes[:k]) + textbook_root(hashes[k:])).digest()


def tiled(size: int, *batches: int) -> TiledTree:
    """Return a tree that was extended batch by batch, each time from its edge alone."""
    stored: dict[tuple[int, int], bytes] = {}

    def read(level: int, n: int) -> bytes | None:
        return stored.get((level, n))

    tree = TiledTree(0, read)
    cuts = [cut for cut in batches if cut < size]
    for end in (*cuts, size):
        tree.append(HASHES[tree.size : end])
        stored |= tree.changed
        tree = TiledTree(tree.size, read, tree.edge())
    return tree


def test_all_proofs_of_small_trees() -> None:
    roots = [textbook_root(HASHES[:size]) for size in range(41)]
    for size in range(1, 41):
        subtree = tiled(size).subtree
        assert root(size, subtree) == roots[size]
        for index in range(size):
            verify_inclusion(HASHES[index], prove_inclusion(index, size, subtree), roots[size])
        for old in range(1, size + 1):
            verify_consistency(roots[old], roots[size], prove_consistency(old, size, subtree))


@settings(max_examples=60, deadline=None)
@given(
    size=st.integers(1, 600),
    cuts=st.lists(st.integers(1, 599), max_size=6).map(sorted),
    drawn=st.data(),
)
def test_trees_over_tile_borders(size: int, cuts: list[int], drawn: st.DataObject) -> None:
    tree = tiled(size, *cuts)
    index = drawn.draw(st.integers(0, size - 1))
    old = drawn.draw(st.integers(1, size))
    expected = textbook_root(HASHES[:size])

    assert tree.root() == expected
    verify_inclusion(HASHES[index], prove_inclusion(index, size, tree.subtree), expected)
    verify_consistency(
        textbook_root(HASHES[:old]), expected, prove_consistency(old, size, tree.subtree)
    )


def damaged(path: tuple[bytes, ...], drawn: st.DataObject) -> tuple[bytes, ...]:
    """Return another path: a bit flipped, a hash dropped, doubled, added or two swapped."""
    hashes = list(path)
    how = drawn.draw(st.sampled_from(["flip", "drop", "double", "add", "swap"]))
    at = drawn.draw(st.integers(0, max(0, len(hashes) - 1)))
    if how == "flip" and hashes:
        bit = drawn.draw(st.integers(0, 255))
        flipped = int.from_bytes(hashes[at]) ^ 1 << bit
        hashes[at] = flipped.to_bytes(32)
    elif how == "drop" and hashes:
        del hashes[at]
    elif how == "double" and hashes:
        hashes.insert(at, hashes[at])
    elif how == "swap" and len(hashes) > 1:
        hashes[at - 1], hashes[at] = hashes[at], hashes[at - 1]
    else:
        hashes.insert(at, drawn.draw(st.binary(min_size=32, max_size=32)))
    return tuple(hashes)


@settings(max_examples=300, deadline=None)
@given(size=st.integers(1, 70), drawn=st.data())
def test_a_damaged_inclusion_proof_is_refused(size: int, drawn: st.DataObject) -> None:
    tree = tiled(size)
    index = drawn.draw(st.integers(0, size - 1))
    good = prove_inclusion(index, size, tree.subtree)
    moved = drawn.draw(st.integers(-1, 2 * size))
    wrong = drawn.draw(
        st.sampled_from(
            [
                InclusionProof(index, size, damaged(good.path, drawn)),
                InclusionProof(moved if moved != index else size, size, good.path),
            ]
        )
    )

    with pytest.raises(ProofInvalid):
        verify_inclusion(HASHES[index], wrong, tree.root())


@settings(max_examples=300, deadline=None)
@given(size=st.integers(1, 70), drawn=st.data())
def test_a_damaged_consistency_proof_is_refused(size: int, drawn: st.DataObject) -> None:
    tree = tiled(size)
    old = drawn.draw(st.integers(1, size))
    good = prove_consistency(old, size, tree.subtree)
    wrong = ConsistencyProof(old, size, damaged(good.path, drawn))

    with pytest.raises(ProofInvalid):
        verify_consistency(root(old, tree.subtree), tree.root(), wrong)


def test_a_tile_that_is_too_short_is_damage() -> None:
    tree = TiledTree(300, lambda _level, _n: HASHES[0] * 3)

    with pytest.raises(LedgerDamaged, match="log check"):
        tree.root()


def test_full_tiles_never_change() -> None:
    tree = tiled(TILE_WIDTH)
    tree.append(HASHES[TILE_WIDTH : TILE_WIDTH + 3])

    assert set(tree.changed) == {(0, 1)}
