"""An attacker who owns the database: everything that SQL can do to a log, one function per deed.

Some of them own more: `Forger` recomputes the tree, and signs again when it stole the log's key.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from audit.canonical import decode, encode
from audit.checkpoint import Checkpoint, sign_checkpoint
from audit.derived import columns_of, derive
from audit.errors import RecordNewer
from audit.merkle import hash_leaf, root
from audit.note import NoteSigner
from audit.records import Record
from audit.tiles import TiledTree
from tests.support.logs import SCOPE


@contextmanager
def as_owner(database: Path) -> Iterator[sqlite3.Connection]:
    """Open the database as its owner, whom no trigger stops; none is missing afterwards."""
    with closing(sqlite3.connect(database)) as connection:
        triggers = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        yield connection
        kept = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'record'")
        for _, sql in triggers if kept.fetchone()[0] else []:
            connection.execute(sql)
        connection.commit()


def remove_from_index(database: Path, index: str, column: str, value: str) -> None:
    """Take one value out of an index and leave it in the table, as an owner of the file can."""
    with as_owner(database) as connection:
        at = f"WHERE {column} = '{value}'"
        connection.execute(f"UPDATE record SET {column} = 'elsewhere' {at}")
        (row,) = connection.execute(
            "SELECT * FROM sqlite_master WHERE name = ?", (index,)
        ).fetchall()
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM sqlite_master WHERE name = ?", (index,))
    with as_owner(database) as connection:
        connection.execute(f"UPDATE record SET {column} = '{value}' WHERE {column} = 'elsewhere'")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", row)


def run(database: Path, *statements: str) -> None:
    """Execute SQL."""
    with as_owner(database) as connection:
        for statement in statements:
            connection.execute(statement)


def swap_records(database: Path, first: int, second: int) -> None:
    """Exchange the places of two records, rows and leaf hashes included."""
    run(
        database,
        f"UPDATE record SET idx = -1 - idx WHERE idx IN ({first}, {second})",
        f"UPDATE record SET idx = {second} WHERE idx = {-1 - first}",
        f"UPDATE record SET idx = {first} WHERE idx = {-1 - second}",
    )


def put_body(database: Path, index: int, body: bytes) -> None:
    """Replace the stored bytes of one record."""
    with as_owner(database) as connection:
        connection.execute("UPDATE record SET body = ? WHERE idx = ?", (body, index))


def flip_bit_in_tile(database: Path, level: int, n: int, byte: int) -> None:
    """Change one bit of a stored tile."""
    with as_owner(database) as connection:
        where = "WHERE level = ? AND n = ?"
        (found,) = connection.execute(f"SELECT hashes FROM tile {where}", (level, n)).fetchone()
        changed = bytearray(found)
        changed[byte] ^= 1
        connection.execute(f"UPDATE tile SET hashes = ? {where}", (bytes(changed), level, n))


def rewritten(record: Record, **body: object) -> bytes:
    """Return a record's bytes with fields of its body changed, canonical again."""
    fields = decode(record.canonical)
    assert isinstance(fields, dict)
    fields["body"] = {**fields["body"], **body}
    return encode(fields)


class Forger:
    """Replaces a log's records and makes rows, columns, tiles and head agree again."""

    def __init__(self, database: Path) -> None:
        self.database = database
        with as_owner(database) as connection:
            rows = connection.execute("SELECT body FROM record ORDER BY idx").fetchall()
        self.bodies = [bytes(row[0]) for row in rows]

    def write(self, bodies: Sequence[bytes]) -> TiledTree:
        """Make `bodies` the whole log; checkpoints stay as they are."""
        tree = TiledTree(0, lambda _level, _n: None)
        tree.append([hash_leaf(body) for body in bodies])
        with as_owner(self.database) as connection:
            for table in ("record", "tile"):
                connection.execute(f"DELETE FROM {table}")
            for index, body in enumerate(bodies):
                row = {"log": 1, "idx": index, "leaf": hash_leaf(body), "body": body}
                row |= _columns(body)
                names, holes = ", ".join(row), ", ".join("?" * len(row))
                connection.execute(
                    f"INSERT INTO record ({names}) VALUES ({holes})", [*row.values()]
                )
            connection.executemany(
                "INSERT INTO tile (log, level, n, hashes) VALUES (1, ?, ?, ?)",
                [(level, n, hashes) for (level, n), hashes in tree.changed.items()],
            )
            connection.execute("UPDATE log SET size = ?, root = ?", (tree.size, tree.root()))
        return tree

    def drop_checkpoints(self, *, above: int) -> None:
        """Delete the checkpoints that cover more than `above` records."""
        run(self.database, f"DELETE FROM checkpoint WHERE size > {above}")

    def sign_again(self, tree: TiledTree, signer: NoteSigner) -> None:
        """With a stolen key: sign every stored checkpoint for the forged log, and its head."""
        with as_owner(self.database) as connection:
            rows = connection.execute("SELECT size, time_ms FROM checkpoint").fetchall()
            connection.execute("DELETE FROM checkpoint")
            sizes = {size: time_ms for size, time_ms in rows if size <= tree.size}
            sizes.setdefault(tree.size, max(time_ms for _, time_ms in rows))
            for size, time_ms in sizes.items():
                checkpoint = Checkpoint(str(SCOPE), size, root(size, tree.subtree))
                note = sign_checkpoint(checkpoint, signer).note
                connection.execute(
                    "INSERT INTO checkpoint (log, size, time_ms, note) VALUES (1, ?, ?, ?)",
                    (size, time_ms, note),
                )


def _columns(body: bytes) -> dict[str, object]:
    """Return the columns of a record's row; of a newer one those of its envelope."""
    try:
        return dict(columns_of(derive(Record.parse(body))))
    except RecordNewer:
        found = decode(body)
        assert isinstance(found, dict)
        return {"id": found["id"], "kind": found["kind"], "time_ms": found["time"]}


def backdated(record: Record, ms: int) -> bytes:
    """Return the record's bytes with an earlier time and an id of its own."""
    return replace(record, time_ms=record.time_ms - ms, id=_other_id(record.id)).canonical


def _other_id(uuid: str) -> str:
    return uuid[:-1] + ("0" if uuid[-1] != "0" else "1")
