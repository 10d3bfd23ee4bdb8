"""Create and open the database, and give transactions whose errors are ours.

SQLite is the embedded default: write-ahead log, every commit on disk before it is acknowledged.
PostgreSQL works through the same two context managers, `reading` and `writing`. Only
`create_database` makes anything: a database that is gone is damage, not a new one.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, MultipleResultsFound, NoResultFound, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from audit.errors import AppendFailed, LedgerDamaged, LedgerError, LedgerLocked

SCHEMA: Final = "0001"
"""The newest revision in `migrations/versions`."""

BUSY_TIMEOUT_S: Final = 10.0
"""How long one process waits for another's transaction; a batch takes milliseconds."""


class Access(StrEnum):
    """What a database is opened for."""

    READ = "read"
    WRITE = "write"


_WRITE: Final = "countermark_write"
_PRAGMAS: Final = {
    Access.READ: ("query_only=ON", "trusted_schema=OFF"),
    Access.WRITE: (
        "journal_mode=WAL",
        # In write-ahead mode NORMAL can lose the last commits when power fails; an audit log must
        # not.
        "synchronous=FULL",
        "foreign_keys=ON",
        # Without this INSERT OR REPLACE slips past the triggers that refuse DELETE.
        "recursive_triggers=ON",
        # What is erased is overwritten, or an erasure would leave its bytes in free pages.
        "secure_delete=ON",
        "trusted_schema=OFF",
    ),
}
_LOCKED: Final = (
    "database is locked",
    "database table is locked",
    "readonly database",
    # SQLite says so of a read-only folder, in which it cannot make its write-ahead log.
    "unable to open database file",
)
_FULL: Final = "disk is full"
_BROKEN: Final = (
    "malformed",
    "not a database",
    "disk image",
    "no such table",
    "no such column",
    "has no column",
    "Could not decode",
)
_NO_SUCH_TABLE_OR_COLUMN: Final = {"42P01", "42703"}  # SQLSTATE, for PostgreSQL


def create_database(where: Path | str) -> Engine:
    """Create a database, or finish creating one, and open it for writing.

    Args:
        where: path of a SQLite file, or a database URL.

    Raises:
        LedgerError: it is there, with another schema.
        LedgerLocked: it cannot be written.
        LedgerDamaged: the file is no database.
    """
    engine = connect(_url(where), access=Access.WRITE)
    if _schema(engine) is None:
        migrate(engine)
    return _with_known_schema(engine)


def open_database(
    where: Path | str, *, access: Access, busy_timeout_s: float = BUSY_TIMEOUT_S
) -> Engine:
    """Open a database that is there; nothing is created or migrated.

    Args:
        where: path of a SQLite file, or a database URL.
        access: a SQLite file that is opened to be read may lie on read-only media.
        busy_timeout_s: seconds to wait for another process's transaction.

    Raises:
        LedgerError: the schema is not the one this program knows.
        LedgerLocked: the database is locked, or cannot be opened.
        LedgerDamaged: it is gone, no database, or an empty one.
    """
    url = _url(where)
    if url.get_backend_name() == "sqlite":
        url = _existing(Path(str(url.database)), access)
    return _with_known_schema(connect(url, access=access, busy_timeout_s=busy_timeout_s))


def connect(url: URL, *, access: Access, busy_timeout_s: float = BUSY_TIMEOUT_S) -> Engine:
    """Return an engine whose transactions are explicit; nothing is read or created yet."""
    if url.get_backend_name() != "sqlite":
        return create_engine(url)
    engine = create_engine(url, connect_args={"timeout": busy_timeout_s})
    event.listen(engine, "connect", _set_up_sqlite(_PRAGMAS[access]))
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def migrate(engine: Engine) -> None:
    """Bring the schema to the newest revision, in one transaction."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give one consistent snapshot of the database.

    Raises:
        LedgerLocked: the database cannot be opened now.
        LedgerDamaged: the file is no database or is corrupt, or tables or rows are missing.
        LedgerError: anything else that kept it from being read.
    """
    level = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    try:
        with engine.execution_options(**level).begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise translate(error, Access.READ) from error


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Give a transaction that holds the write lock; it commits when the block ends.

    Raises:
        LedgerLocked: another process holds the lock, or the database is read-only.
        LedgerDamaged: the file is corrupt, or tables or rows are missing.
        AppendFailed: anything else that kept the commit from being durable.
    """
    try:
        with engine.execution_options(**{_WRITE: True}).begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise translate(error, Access.WRITE) from error


def require_transaction(connection: Connection) -> None:
    """Go on only while the transaction is open that `writing` began.

    SQLite answers a full disk, a failed read or write, and a lack of memory by taking back the
    whole transaction, whatever savepoint stands in it (sqlite.org/lang_transaction.html, "Response
    To Errors Within A Transaction"). Whatever is written after that is committed row by row.

    Raises:
        AppendFailed: it is not; nothing of it was recorded.
    """
    driver: Any = connection.connection.dbapi_connection
    if connection.dialect.name == "sqlite":
        is_open = driver.in_transaction
    else:
        is_open = driver.info.transaction_status.name == "INTRANS"
    if not is_open:
        raise AppendFailed(
            "the log's database took the whole transaction back; nothing of it was recorded, "
            "commit again"
        )


def scrub(engine: Engine) -> None:
    """Fold SQLite's write-ahead log into the file, so that nothing erased stays readable in it.

    Raises:
        LedgerLocked: a reader kept old pages in use for the whole waiting time.
        LedgerError: the database refused.
    """
    if engine.dialect.name != "sqlite":
        return
    try:
        with closing(engine.raw_connection()) as connection:
            cursor = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            (busy, *_) = cursor.fetchone()
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise translate(error, Access.READ) from error
    if busy:
        raise LedgerLocked(
            "what was erased still stands in the write-ahead log, because another program reads "
            "it; close that program and run the erasure again"
        )


def translate(error: SQLAlchemyError | sqlite3.Error, access: Access) -> LedgerError:
    """Return our error for the driver's, in one sentence."""
    cause = str(error.orig if isinstance(error, DBAPIError) else error).strip().splitlines()
    what = cause[0] if cause else type(error).__name__
    if any(each in what for each in _LOCKED):
        return LedgerLocked(_locked(what, access))
    if _is_damage(error, what):
        return LedgerDamaged(f"the log's database is corrupt ({what}); restore it from a backup")
    if access is Access.READ:
        return LedgerError(f"the log's database could not be read ({what}); ask again")
    if _FULL in what:
        return AppendFailed(
            "there is no space left for the log's database; free some on its disk and ask again "
            "(what was recorded before stays)"
        )
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return AppendFailed(
            f"the connection to the log's database was lost ({what}); commit the record again, "
            "which is harmless if it was recorded after all"
        )
    return AppendFailed(f"the log's database refused ({what}); nothing was recorded")


def _locked(what: str, access: Access) -> str:
    if access is Access.READ:
        return (
            f"the log's database cannot be opened ({what}); close the other program that holds it, "
            "or copy it with its -wal file to a folder that can be written"
        )
    return (
        f"the log's database cannot be written ({what}); close the other program that holds it, or "
        "make the file and its folder writable"
    )


def _is_damage(error: Exception, what: str) -> bool:
    if isinstance(error, NoResultFound | MultipleResultsFound):
        return True
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    return any(each in what for each in _BROKEN) or state in _NO_SUCH_TABLE_OR_COLUMN


def _url(where: Path | str) -> URL:
    return URL.create("sqlite", database=str(where)) if isinstance(where, Path) else make_url(where)


def _existing(path: Path, access: Access) -> URL:
    """Return the address of a SQLite file in a mode that cannot create it."""
    if not path.exists():
        raise LedgerDamaged(
            f"the log's database {path} is gone; restore it from a backup (only `countermark init` "
            "makes a new one)"
        )
    query = {"mode": "ro" if access is Access.READ else "rw", "uri": "true"}
    if access is Access.READ and _is_still(path):
        query["immutable"] = "1"
    return URL.create("sqlite", database=f"file:{quote(str(path.absolute()))}", query=query)


def _is_still(path: Path) -> bool:
    """Tell whether a file can be read where no write-ahead log can be made, as on read-only media.

    SQLite then takes no locks; so not where a log of unfolded commits lies beside the file.
    """
    log = path.with_name(path.name + "-wal")
    waiting = log.exists() and log.stat().st_size > 0
    return not waiting and not os.access(path.parent, os.W_OK)


def _with_known_schema(engine: Engine) -> Engine:
    """Return the engine, or dispose of it and say what is wrong with its tables."""
    try:
        _require_schema(_schema(engine))
    except LedgerError:
        engine.dispose()
        raise
    return engine


def _require_schema(found: str | None) -> None:
    if found is None:
        raise LedgerDamaged("the log's database holds no tables; restore it from a backup")
    if found != SCHEMA:
        raise LedgerError(
            f"the log's database has schema {found}, this program knows {SCHEMA}; use the version "
            "of countermark that wrote it"
        )


def _schema(engine: Engine) -> str | None:
    """Return the revision of the schema, or None when there is none."""
    with reading(engine) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return None if found is None else str(found)


def _set_up_sqlite(
    pragmas: tuple[str, ...],
) -> Callable[[DBAPIConnection, ConnectionPoolEntry], None]:
    def set_up(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        # The driver would otherwise open transactions on its own, and too late.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return set_up


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes the lock before it reads the head: two that read first would both append.
    write = connection.get_execution_options().get(_WRITE)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
