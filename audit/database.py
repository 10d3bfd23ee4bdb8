"""Open the database, migrate a new one, and give transactions whose errors are ours.

SQLite is the embedded default: write-ahead log, every commit on disk before it is acknowledged.
PostgreSQL works through the same two context managers, `reading` and `writing`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from audit.errors import AppendFailed, LedgerDamaged, LedgerError, LedgerLocked

SCHEMA: Final = "0001"
"""The newest revision in `migrations/versions`."""

BUSY_TIMEOUT_S: Final = 10.0
"""How long one process waits for another's transaction; a batch takes milliseconds."""

_WRITE: Final = "countermark_write"
_PRAGMAS: Final = (
    "journal_mode=WAL",
    # In write-ahead mode NORMAL can lose the last commits when power fails; an audit log must not.
    "synchronous=FULL",
    "foreign_keys=ON",
    # Without this INSERT OR REPLACE slips past the triggers that refuse DELETE.
    "recursive_triggers=ON",
    # What is erased is overwritten, or an erasure would leave its bytes in free pages.
    "secure_delete=ON",
    "trusted_schema=OFF",
)
_LOCKED: Final = (
    "database is locked",
    "database table is locked",
    "readonly database",
    # SQLite says so of a read-only folder, in which it cannot make its write-ahead log.
    "unable to open database file",
)
_BROKEN: Final = ("malformed", "not a database", "disk image")


def open_database(where: Path | str, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> Engine:
    """Open a database, creating the tables when it is new.

    Args:
        where: path of a SQLite file, or a database URL.
        busy_timeout_s: seconds to wait for another process's transaction.

    Raises:
        LedgerError: the schema is not the one this program knows.
        LedgerLocked: the database is locked or cannot be written.
        LedgerDamaged: the file is no database.
    """
    url = URL.create("sqlite", database=str(where)) if isinstance(where, Path) else make_url(where)
    engine = connect(url, busy_timeout_s=busy_timeout_s)
    found = _schema(engine)
    if found is None:
        migrate(engine)
    elif found != SCHEMA:
        engine.dispose()
        raise LedgerError(
            f"the database has schema {found}, this program knows {SCHEMA}; run `countermark log "
            "migrate` if the database is older, upgrade countermark if it is newer"
        )
    return engine


def connect(url: URL, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> Engine:
    """Return an engine whose transactions are explicit; nothing is read or created."""
    if url.get_backend_name() != "sqlite":
        return create_engine(url)
    engine = create_engine(url, connect_args={"timeout": busy_timeout_s})
    event.listen(engine, "connect", _set_up_sqlite)
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
        LedgerDamaged: the file is no database or is corrupt.
    """
    level = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    try:
        with engine.execution_options(**level).begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise translate(error) from error


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Give a transaction that holds the write lock; it commits when the block ends.

    Raises:
        LedgerLocked: another process holds the lock, or the database is read-only.
        LedgerDamaged: the file is corrupt.
        AppendFailed: anything else that kept the commit from being durable.
    """
    try:
        with engine.execution_options(**{_WRITE: True}).begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise translate(error) from error


def scrub(engine: Engine) -> None:
    """Fold SQLite's write-ahead log into the file, so that nothing erased stays readable in it.

    Raises:
        LedgerLocked: a reader kept old pages in use for the whole waiting time.
    """
    if engine.dialect.name != "sqlite":
        return
    connection = engine.raw_connection()
    try:
        (busy, *_) = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.close()
    if busy:
        raise LedgerLocked(
            "what was erased still stands in the write-ahead log, because another program reads "
            "it; close that program and run the erasure again"
        )


def translate(error: SQLAlchemyError) -> LedgerError:
    """Return our error for the driver's, in one sentence."""
    cause = str(error.orig if isinstance(error, DBAPIError) else error).strip().splitlines()
    what = cause[0] if cause else type(error).__name__
    if any(each in what for each in _LOCKED):
        return LedgerLocked(
            f"the log's database cannot be written ({what}); close the other program that holds "
            "it, or make the file and its folder writable"
        )
    if any(each in what for each in _BROKEN):
        return LedgerDamaged(f"the log's database is corrupt ({what}); restore it from a backup")
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return AppendFailed(
            f"the connection to the log's database was lost ({what}); commit the record again, "
            "which is harmless if it was recorded after all"
        )
    return AppendFailed(f"the log's database refused ({what}); nothing was recorded")


def _schema(engine: Engine) -> str | None:
    """Return the revision of the schema, or None when there is none yet."""
    with reading(engine) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar())


def _set_up_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    # The driver would otherwise open transactions on its own, and too late.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes the lock before it reads the head: two that read first would both append.
    write = connection.get_execution_options().get(_WRITE)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
