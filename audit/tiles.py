"""The tree's hashes kept in tiles of 256 (C2SP tlog-tiles), read and extended at the right edge.

Tile `n` of level `l` holds the roots of up to 256 complete subtrees of 2**(8*l) leaves each. A full
tile never changes again; only the last tile of each level grows. Where tiles are kept is a function
of the caller's: a dictionary here in tests, rows in the ledger.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from audit.errors import LedgerDamaged
from audit.merkle import HASH_BYTES, fold, root

TILE_WIDTH: Final = 256
"""Hashes in a full tile (C2SP tlog-tiles)."""

TILE_HEIGHT: Final = 8
"""Tree levels in a tile: 2**8 = 256."""

TileAt: TypeAlias = tuple[int, int]
"""(level, n)"""

ReadTile: TypeAlias = Callable[[int, int], bytes | None]
"""(level, n) -> the tile's hashes one after another, or None when there is no such tile."""


class TiledTree:
    """The tree of the first `size` leaves. Holds what it has read or changed, never writes."""

    def __init__(
        self, size: int, read: ReadTile, edge: Mapping[TileAt, bytes] | None = None
    ) -> None:
        self.size = size
        self.changed: dict[TileAt, bytes] = {}
        self._read = read
        self._known: dict[TileAt, bytes] = dict(edge or {})
        self._folded: dict[tuple[int, int], bytes] = {}

    def append(self, leaf_hashes: Sequence[bytes]) -> None:
        """Add leaves at the right edge; `changed` then holds every tile to be written."""
        at, self.size = self.size, self.size + len(leaf_hashes)
        level, hashes = 0, leaf_hashes
        while hashes:
            # A full tile gives one hash to the level above it.
            full: list[bytes] = []
            taken = 0
            while taken < len(hashes):
                n, offset = divmod(at + taken, TILE_WIDTH)
                fresh = hashes[taken : taken + TILE_WIDTH - offset]
                before = self._tile(level, n, offset)[: offset * HASH_BYTES] if offset else b""
                self.changed[level, n] = before + b"".join(fresh)
                taken += len(fresh)
                if offset + len(fresh) == TILE_WIDTH:
                    full.append(fold(_split(self.changed[level, n])))
            level, at, hashes = level + 1, at // TILE_WIDTH, full

    def root(self) -> bytes:
        """Return the root of all leaves."""
        return root(self.size, self.subtree)

    def edge(self) -> dict[TileAt, bytes]:
        """Return the last, partly filled tile of each level: all that the next append needs."""
        known = self._known | self.changed
        found: dict[TileAt, bytes] = {}
        level, width = 0, self.size
        while width:
            n, offset = divmod(width, TILE_WIDTH)
            if offset and (level, n) in known:
                found[level, n] = known[level, n]
            level, width = level + 1, n
        return found

    def subtree(self, first: int, height: int) -> bytes:
        """Return the hash of the complete subtree over leaves `first` … `first + 2**height - 1`.

        Raises:
            LedgerDamaged: a tile is missing or too short.
        """
        known = self._folded.get((first, height))
        if known is None:
            level, rest = divmod(height, TILE_HEIGHT)
            n, offset = divmod(first >> (TILE_HEIGHT * level), TILE_WIDTH)
            width = 1 << rest
            hashes = self._tile(level, n, offset + width)
            known = fold(_split(hashes[offset * HASH_BYTES : (offset + width) * HASH_BYTES]))
            self._folded[first, height] = known
        return known

    def _tile(self, level: int, n: int, width: int) -> bytes:
        """Return a tile that holds at least `width` hashes."""
        found = self.changed.get((level, n)) or self._known.get((level, n))
        if found is None:
            found = self._read(level, n) or b""
            self._known[level, n] = found
        if len(found) < width * HASH_BYTES or len(found) > TILE_WIDTH * HASH_BYTES:
            raise LedgerDamaged(
                f"tile {n} of level {level} holds {len(found)} bytes where {width} hashes of "
                f"{HASH_BYTES} are expected; run `countermark log check`"
            )
        return found


def _split(hashes: bytes) -> list[bytes]:
    return [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
