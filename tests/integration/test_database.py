"""The schema: made once, the same as the tables say, and never guessed at."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

import audit
from audit.database import SCHEMA, migrate, open_database, reading, writing
from audit.errors import LedgerError
from audit.tables import metadata


def test_the_migrations_make_the_tables_that_the_code_uses(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "countermark.db")

    with reading(engine) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_newest_migration_is_the_one_this_program_knows() -> None:
    folder = Path(audit.__file__).parent / "migrations"

    assert ScriptDirectory(str(folder)).get_current_head() == SCHEMA


def test_a_newer_schema_is_refused_in_one_sentence(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "countermark.db")
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))

    with pytest.raises(LedgerError, match=r"schema 0999, this program knows 0001.*upgrade"):
        open_database(tmp_path / "countermark.db")


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "countermark.db")

    migrate(engine)

    with reading(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM log")).scalar() == 0


def test_every_commit_waits_for_the_disk(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "countermark.db")

    with reading(engine) as connection:
        settings = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers")
        }

    assert settings == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "recursive_triggers": 1,
    }
