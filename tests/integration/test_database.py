"""The schema: made once, the same as the tables say, and never guessed at."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event, text

import audit
from audit.database import SCHEMA, Access, create_database, migrate, open_database, reading, writing
from audit.errors import AppendFailed, LedgerDamaged, LedgerError, LedgerLocked
from audit.hints import frame_hashes, mark_ids
from audit.reader import LedgerReader
from audit.tables import metadata
from tests.support.logs import begin, log_failures, open_log, release_clip


def test_the_migrations_make_the_tables_that_the_code_uses(tmp_path: Path) -> None:
    engine = create_database(tmp_path / "countermark.db")

    with reading(engine) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


@pytest.mark.parametrize(
    ("read", "index"),
    [
        (lambda log: frame_hashes(log, after=0), "record_frames"),
        (lambda log: mark_ids(log, after=0), "record_marks"),
    ],
    ids=["frame_hashes", "mark_ids"],
)
def test_what_is_read_of_every_clip_stands_in_an_index_and_no_record_is_touched(
    tmp_path: Path, read: Callable[[LedgerReader], Iterator[tuple[int, Any]]], index: str
) -> None:
    ledger = begin(open_log(tmp_path))
    release_clip(ledger, 1)
    asked: list[tuple[str, Any]] = []

    @event.listens_for(ledger.engine, "before_cursor_execute")
    def _note(_c: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:  # noqa: ANN401
        asked.append((statement, parameters))

    list(read(ledger))
    statement, parameters = next(each for each in asked if each[0].startswith("SELECT record."))
    with reading(ledger.engine) as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()

    (step,) = plan  # nothing is sorted
    assert f"SEARCH record USING COVERING INDEX {index} (log=? AND idx>?)" in step[-1]


def test_the_newest_migration_is_the_one_this_program_knows() -> None:
    folder = Path(audit.__file__).parent / "migrations"

    assert ScriptDirectory(str(folder)).get_current_head() == SCHEMA


def test_a_newer_schema_is_refused_in_one_sentence(tmp_path: Path) -> None:
    engine = create_database(tmp_path / "countermark.db")
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))

    with pytest.raises(LedgerError, match=r"schema 0999, this program knows 0001; use the version"):
        open_database(tmp_path / "countermark.db", access=Access.READ)
    with pytest.raises(LedgerError, match="schema 0999"):
        create_database(tmp_path / "countermark.db")


@pytest.mark.parametrize("access", list(Access))
def test_a_database_that_is_gone_is_damage_and_is_not_made_anew(
    tmp_path: Path, access: Access
) -> None:
    with pytest.raises(LedgerDamaged, match=r"countermark\.db is gone; restore it from a backup"):
        open_database(tmp_path / "countermark.db", access=access)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("access", list(Access))
@pytest.mark.parametrize("deed", ["DELETE FROM alembic_version", "DROP TABLE alembic_version"])
def test_a_database_without_its_schema_s_number_is_damage(
    tmp_path: Path, access: Access, deed: str
) -> None:
    engine = create_database(tmp_path / "countermark.db")
    with writing(engine) as connection:
        connection.execute(text(deed))

    with pytest.raises(LedgerDamaged, match="holds no tables; restore it"):
        open_database(tmp_path / "countermark.db", access=access)


@pytest.mark.parametrize("access", list(Access))
def test_an_empty_file_is_damage(tmp_path: Path, access: Access) -> None:
    (tmp_path / "countermark.db").touch()

    with pytest.raises(LedgerDamaged, match="restore it from a backup"):
        open_database(tmp_path / "countermark.db", access=access)


def test_a_name_with_marks_that_addresses_use_is_a_name(tmp_path: Path) -> None:
    path = tmp_path / "a log?mode=rwc#50%.db"
    create_database(path).dispose()

    engine = open_database(path, access=Access.READ)

    with reading(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM log")).scalar() == 0
    assert [each.name for each in tmp_path.glob("*.db")] == [path.name]


def test_reading_writes_nothing(tmp_path: Path) -> None:
    create_database(tmp_path / "countermark.db").dispose()
    engine = open_database(tmp_path / "countermark.db", access=Access.READ)

    with (
        pytest.raises(LedgerLocked, match="readonly"),
        reading(engine) as connection,
    ):
        connection.execute(text("DELETE FROM log"))


def test_a_failed_reading_does_not_speak_of_recording(tmp_path: Path) -> None:
    create_database(tmp_path / "countermark.db").dispose()
    engine = open_database(tmp_path / "countermark.db", access=Access.READ)

    with (
        pytest.raises(LedgerError, match=r"could not be read \(.*syntax error\)") as failed,
        reading(engine) as connection,
    ):
        connection.execute(text("SELECT FROM"))

    assert "recorded" not in str(failed.value)


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    engine = create_database(tmp_path / "countermark.db")

    migrate(engine)

    with reading(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM log")).scalar() == 0


def test_every_commit_waits_for_the_disk(tmp_path: Path) -> None:
    engine = create_database(tmp_path / "countermark.db")

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


def test_a_full_disk_is_told_as_one_and_what_stood_there_stays(tmp_path: Path) -> None:
    ledger = begin(open_log(tmp_path))
    log_failures(ledger, 3)
    with writing(ledger.engine) as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar()
        # SQLite gives the very error of a full disk when a database reaches this size.
        connection.execute(text(f"PRAGMA max_page_count = {pages}"))

    with pytest.raises(AppendFailed, match="no space left for the log's database; free some"):
        log_failures(ledger, 200)

    with writing(ledger.engine) as connection:
        connection.execute(text("PRAGMA max_page_count = 1000000"))
    assert ledger.size >= 3
    assert ledger.check().problems == ()
