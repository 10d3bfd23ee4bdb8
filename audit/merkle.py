"""The Merkle tree of RFC 6962, section 2: roots, inclusion proofs, consistency proofs. Pure.

A tree of `size` leaves is given as a function that returns the hash of an aligned complete subtree,
so the same rules run over a list in a test and over tiles in a database:

    subtree(first, height) -> hash of leaves first … first + 2**height - 1

Size 0 is settled here once: the root of the empty tree is SHA-256 of nothing, nothing is included
in it, and no consistency proof starts from it, since everything is consistent with nothing.
"""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from audit.errors import ProofInvalid

HASH_BYTES: Final = 32
"""SHA-256."""

EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
"""Root of the tree without leaves (RFC 6962, section 2.1)."""

PATH_LIMIT: Final = 63
"""No proof over fewer than 2**63 leaves is longer (C2SP tlog-witness has the same bound)."""

Subtree: TypeAlias = Callable[[int, int], bytes]


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """The path from leaf `index` to the root of the first `size` leaves, the sibling first."""

    index: int
    size: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """Shows that the tree of `size` leaves begins with the tree of `old_size` leaves."""

    old_size: int
    size: int
    path: tuple[bytes, ...]


def hash_leaf(leaf: bytes) -> bytes:
    """Return the hash of one leaf."""
    # Without the prefix a node could be passed off as a leaf (RFC 6962, section 2.1).
    return hashlib.sha256(b"\x00" + leaf).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    """Return the hash over two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """Return the root of a complete subtree, given its 2**k hashes of the level below."""
    while len(hashes) > 1:
        pairs = zip(hashes[::2], hashes[1::2], strict=True)
        hashes = [hash_node(left, right) for left, right in pairs]
    return hashes[0]


def root(size: int, subtree: Subtree) -> bytes:
    """Return the root of the first `size` leaves."""
    return _range(0, size, subtree) if size else EMPTY_ROOT


def prove_inclusion(index: int, size: int, subtree: Subtree) -> InclusionProof:
    """Return the proof that leaf `index` stands among the first `size`.

    Raises:
        ProofInvalid: there is no such leaf in a tree of that size.
    """
    if not 0 <= index < size:
        raise ProofInvalid(f"a tree of {size} leaves has no leaf {index}")
    path: list[bytes] = []
    first, end = 0, size
    while end - first > 1:
        middle = first + _split(end - first)
        if index < middle:
            path.append(_range(middle, end, subtree))
            end = middle
        else:
            path.append(_range(first, middle, subtree))
            first = middle
    return InclusionProof(index, size, tuple(reversed(path)))


def prove_consistency(old_size: int, size: int, subtree: Subtree) -> ConsistencyProof:
    """Return the proof that the first `size` leaves begin with the first `old_size`.

    Raises:
        ProofInvalid: the old tree is empty or larger than the new one.
    """
    _require_order(old_size, size)
    path: list[bytes] = []
    first, end, old_end = 0, size, old_size
    while old_end != end:
        middle = first + _split(end - first)
        if old_end <= middle:
            path.append(_range(middle, end, subtree))
            end = middle
        else:
            path.append(_range(first, middle, subtree))
            first = middle
    # The old tree is itself a node of the new one when its size is a power of two; then the
    # verifier, who holds its root, needs no hash for it (RFC 6962, section 2.1.2).
    if first:
        path.append(_range(first, old_end, subtree))
    return ConsistencyProof(old_size, size, tuple(reversed(path)))


def verify_inclusion(leaf_hash: bytes, proof: InclusionProof, root_hash: bytes) -> None:
    """Check that the leaf stands at the proof's index under `root_hash` (RFC 9162, 2.1.3.2).

    Raises:
        ProofInvalid: it does not; an index, a length or a hash is wrong.
    """
    if not 0 <= proof.index < proof.size:
        raise ProofInvalid(f"a tree of {proof.size} leaves has no leaf {proof.index}")
    _require_hashes((leaf_hash, root_hash, *proof.path), len(proof.path))
    position, last, found = proof.index, proof.size - 1, leaf_hash
    for sibling in proof.path:
        if last == 0:
            raise ProofInvalid(f"the inclusion proof has {len(proof.path)} hashes, too many")
        if position & 1 or position == last:
            found = hash_node(sibling, found)
            position, last = _climb(position, last)
        else:
            found = hash_node(found, sibling)
        position, last = position >> 1, last >> 1
    if last or not hmac.compare_digest(found, root_hash):
        raise ProofInvalid(
            f"the inclusion proof of leaf {proof.index} does not lead to the root of the "
            f"{proof.size} leaves; the leaf is another one or was changed"
        )


def verify_consistency(old_root: bytes, new_root: bytes, proof: ConsistencyProof) -> None:
    """Check that `new_root` extends `old_root` (RFC 9162, section 2.1.4.2).

    Raises:
        ProofInvalid: it does not, so one of the two trees was rewritten.
    """
    _require_order(proof.old_size, proof.size)
    _require_hashes((old_root, new_root, *proof.path), len(proof.path))
    if proof.old_size == proof.size:
        if proof.path or not hmac.compare_digest(old_root, new_root):
            raise ProofInvalid(f"two roots for the same {proof.size} leaves: one log, two stories")
        return
    old, new, used_up = _replay(proof, old_root)
    same = hmac.compare_digest(old, old_root) and hmac.compare_digest(new, new_root)
    if not used_up or not same:
        raise ProofInvalid(
            f"the log of {proof.size} leaves does not begin with the {proof.old_size} leaves seen "
            "before; it was rewritten"
        )


def _replay(proof: ConsistencyProof, old_root: bytes) -> tuple[bytes, bytes, bool]:
    """Return the old and the new root that the path leads to, and whether it ends at the top."""
    path = list(proof.path)
    if proof.old_size & (proof.old_size - 1) == 0:
        path.insert(0, old_root)
    if not path:
        raise ProofInvalid("the consistency proof is empty")
    position, last = proof.old_size - 1, proof.size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofInvalid(f"the consistency proof has {len(proof.path)} hashes, too many")
        if position & 1 or position == last:
            old, new = hash_node(sibling, old), hash_node(sibling, new)
            position, last = _climb(position, last)
        else:
            new = hash_node(new, sibling)
        position, last = position >> 1, last >> 1
    return old, new, last == 0


def _climb(position: int, last: int) -> tuple[int, int]:
    """Skip the levels on which the node has no right sibling."""
    while not position & 1 and position:
        position, last = position >> 1, last >> 1
    return position, last


def _range(first: int, end: int, subtree: Subtree) -> bytes:
    """Hash of leaves `first` … `end - 1`, where `first` is a multiple of the part before it."""
    size = end - first
    if size & (size - 1) == 0:
        return subtree(first, size.bit_length() - 1)
    middle = first + _split(size)
    return hash_node(_range(first, middle, subtree), _range(middle, end, subtree))


def _split(size: int) -> int:
    """Largest power of two smaller than `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _require_order(old_size: int, size: int) -> None:
    if not 0 < old_size <= size:
        raise ProofInvalid(
            f"no consistency proof leads from {old_size} to {size} leaves; the old tree has at "
            "least one leaf and is not larger"
        )


def _require_hashes(hashes: tuple[bytes, ...], path_length: int) -> None:
    if path_length > PATH_LIMIT or any(len(each) != HASH_BYTES for each in hashes):
        raise ProofInvalid(
            f"a proof has at most {PATH_LIMIT} hashes of {HASH_BYTES} bytes; this one has "
            f"{path_length} hashes of {sorted({len(each) for each in hashes})} bytes"
        )
