"""Are tables, indexes and triggers what the migrations made, and does every index hold its rows?

Look-ups go through indexes, and SQLite believes what an index says. Somebody who owns the file can
take one index entry out, and a released clip is found by nobody though its record is there. So the
schema is compared text by text, and SQLite itself compares every index with its table.

On another database these two questions are for its own tools.
"""

import re
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect

from audit import migrations
from audit.database import SCHEMA
from audit.integrity.problems import Found, ProblemKind
from audit.tables import metadata

_NAMED: Final = re.compile(r"CREATE (?:UNIQUE )?(?:TABLE|INDEX|TRIGGER) (\w+)")
_KEPT_BY_SQLITE: Final = frozenset({"sqlite_sequence", "sqlite_stat1", "sqlite_stat4"})


def missing_tables(connection: Connection) -> list[str]:
    """Return the names of the tables that are not there."""
    return sorted(metadata.tables.keys() - {*inspect(connection).get_table_names()})


def compare_schema(found: Found, connection: Connection) -> None:
    """Report tables, indexes, triggers and views that are missing, other, or too many."""
    for name in missing_tables(connection):
        found.report(ProblemKind.SCHEMA, None, f"the table {name} is missing")
    if connection.dialect.name != "sqlite":
        return
    expected, stored = expected_schema(), stored_schema(connection)
    for name in sorted(expected.keys() - stored.keys() - metadata.tables.keys()):
        found.report(ProblemKind.SCHEMA, None, f"{name} is missing from the database")
    for name in sorted(stored.keys() - expected.keys()):
        found.report(ProblemKind.SCHEMA, None, f"{name} is in the database and none of ours")
    for name in sorted(expected.keys() & stored.keys()):
        if _plain(expected[name]) != _plain(stored[name]):
            found.report(ProblemKind.SCHEMA, None, f"{name} is not as the migrations made it")


def compare_pages(found: Found, connection: Connection) -> None:
    """Report what SQLite itself finds: broken pages, and indexes that do not hold their rows."""
    if connection.dialect.name != "sqlite":
        return
    for (words,) in connection.exec_driver_sql("PRAGMA integrity_check"):
        if words != "ok":
            found.report(
                ProblemKind.FILE, None, f"the database file disagrees with itself: {words}"
            )


def expected_schema() -> dict[str, str]:
    """Return the statement that made each object of a SQLite database, by its name."""
    path = Path(migrations.__file__).with_name(f"sqlite-{SCHEMA}.sql")
    statements = path.read_text(encoding="ascii").strip().split("\n\n")
    return {match[1]: each for each in statements if (match := _NAMED.match(each))}


def stored_schema(connection: Connection) -> dict[str, str]:
    """Return the same of this database. Indexes that a table's own keys imply have no statement."""
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {str(name): str(sql) for name, sql in rows if name not in _KEPT_BY_SQLITE}


def _plain(statement: str) -> str:
    """Return a statement without what has no meaning in it."""
    return "".join(statement.split()).replace('"', "").lower()
