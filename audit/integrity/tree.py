"""Are tiles, head and signed checkpoints those of the tree that the records give? Pure."""

from collections.abc import Iterable
from typing import Any

from audit.checkpoint import open_checkpoint
from audit.errors import ProofError
from audit.integrity.problems import Found, ProblemKind
from audit.integrity.walk import blob
from audit.merkle import HASH_BYTES, root
from audit.note import Verifier
from audit.tiles import TILE_WIDTH, TiledTree


def compare_tiles(found: Found, tree: TiledTree, rows: Iterable[Any]) -> None:
    """Compare each stored tile with the tree's."""
    expected = dict(tree.changed)
    for row in rows:
        hashes, stored = expected.pop((row.level, row.n), None), blob(row.hashes)
        name = f"tile {row.n} of level {row.level}"
        if hashes is None:
            found.report(ProblemKind.TILE, None, f"{name} is one too many")
        elif hashes != stored:
            first = row.n * TILE_WIDTH + _first_difference(hashes, stored)
            at = first * TILE_WIDTH**row.level
            sentence = f"{name} is not what the records give, from record {at} on"
            found.report(ProblemKind.TILE, at, sentence)
    for level, n in sorted(expected):
        first = n * TILE_WIDTH ** (level + 1)
        found.report(ProblemKind.TILE, first, f"tile {n} of level {level} is missing")


def compare_head(found: Found, tree: TiledTree, size: int, root_hash: bytes) -> None:
    """Compare the head with the tree."""
    if size != tree.size:
        sentence = f"the head says {size} records, {tree.size} are there"
        found.report(ProblemKind.HEAD, size, sentence)
    elif root_hash != tree.root():
        sentence = f"the root of {tree.size} records is not the head's"
        found.report(ProblemKind.HEAD, None, sentence)


def compare_checkpoints(
    found: Found, tree: TiledTree, verifier: Verifier, rows: Iterable[Any], size: int
) -> None:
    """Compare every stored checkpoint with the tree, and the newest with the head's `size`."""
    newest = 0
    for row in rows:
        newest = row.size
        covers = compare_note(
            found, tree, verifier, str(row.note), ProblemKind.CHECKPOINT, "stored"
        )
        if covers not in {None, row.size}:
            sentence = f"the checkpoint filed under {row.size} records is of {covers}"
            found.report(ProblemKind.CHECKPOINT, None, sentence)
    if newest != size:
        sentence = f"the newest checkpoint covers {newest} of {size} records"
        found.report(ProblemKind.CHECKPOINT, None, sentence)


def compare_note(
    found: Found, tree: TiledTree, verifier: Verifier, note: str, kind: ProblemKind, where: str
) -> int | None:
    """Compare a signed checkpoint with the tree; return its size when it is readable."""
    try:
        signed = open_checkpoint(note, verifier)
    except ProofError as error:
        found.report(kind, None, f"a checkpoint {where} is not the log's: {error}")
        return None
    if signed.size > tree.size:
        found.report(
            kind,
            tree.size,
            f"a checkpoint {where} covers {signed.size} records, only {tree.size} are there: the "
            "log was cut off, or an old backup was restored",
        )
    elif signed.root != root(signed.size, tree.subtree):
        found.report(
            kind,
            None,
            f"a checkpoint {where} has another root for the first {signed.size} records: one of "
            "them was changed after it was signed",
        )
    return signed.size


def _first_difference(expected: bytes, stored: bytes) -> int:
    """Return the position of the first hash that differs."""
    shorter = min(len(expected), len(stored)) // HASH_BYTES
    for at in range(shorter):
        cut = slice(at * HASH_BYTES, (at + 1) * HASH_BYTES)
        if expected[cut] != stored[cut]:
            return at
    return shorter
