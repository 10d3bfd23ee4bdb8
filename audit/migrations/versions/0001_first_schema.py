"""The first schema.

Written out, not taken from `audit.tables`: what a revision did must not change when the tables do.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and the triggers that refuse to edit records."""
    _create_log()
    _create_records()
    _index_records()
    _create_journey()
    _create_secrets()
    _refuse_edits()


def _log_column() -> sa.Column[int]:
    return sa.Column("log", sa.Integer, sa.ForeignKey("log.id"), nullable=False, primary_key=True)


def _create_log() -> None:
    op.create_table(
        "log",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("origin", sa.String(160), nullable=False, unique=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "tile",
        _log_column(),
        sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("n", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "checkpoint",
        _log_column(),
        sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("time_ms", sa.BigInteger, nullable=False),
        sa.Column("note", sa.String, nullable=False),
    )


def _create_records() -> None:
    op.create_table(
        "record",
        _log_column(),
        sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("time_ms", sa.BigInteger, nullable=False),
        sa.Column("attempt", sa.String(36)),
        sa.Column("decision", sa.String(16)),
        sa.Column("clip_id", sa.String(64)),
        sa.Column("file_sha256", sa.String(64)),
        sa.Column("media_digest", sa.String(64)),
        sa.Column("mark_id", sa.String(32)),
        sa.Column("manifest_label", sa.String(255)),
        sa.Column("frame_hashes", sa.LargeBinary),
        sa.UniqueConstraint("log", "id", name="record_id"),
    )


def _index_records() -> None:
    for name, columns in (
        ("record_kind", ["log", "kind", "idx"]),
        ("record_time", ["log", "time_ms"]),
        ("record_decision", ["log", "decision", "idx"]),
        ("record_attempt", ["log", "attempt", "idx"]),
        ("record_clip", ["log", "clip_id", "idx"]),
        ("record_file", ["log", "file_sha256", "idx"]),
        ("record_media", ["log", "media_digest", "idx"]),
        ("record_mark", ["log", "mark_id", "idx"]),
        ("record_manifest", ["log", "manifest_label", "idx"]),
    ):
        op.create_index(name, "record", columns)
    for name, column in (("record_frames", "frame_hashes"), ("record_marks", "mark_id")):
        there = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            name,
            "record",
            ["log", "idx", column],
            sqlite_where=there,
            postgresql_where=there,
        )


def _create_journey() -> None:
    op.create_table(
        "attempt",
        _log_column(),
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("clip_id", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("opened", sa.BigInteger, nullable=False),
        sa.Column("cleared", sa.BigInteger),
        sa.Column("released", sa.BigInteger),
        sa.Column("closed", sa.BigInteger),
        sa.Column("folder", sa.String),
        sa.Column("staged_path", sa.String),
        sa.Column("public_path", sa.String),
        sa.Column("place", sa.String(255), nullable=False),
        sa.Column("boot", sa.String(64), nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("process_start", sa.BigInteger, nullable=False),
        sa.Column("heartbeat_ms", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("log", "clip_id", name="attempt_clip"),
    )
    op.create_index("attempt_state", "attempt", ["log", "state"])


def _create_secrets() -> None:
    op.create_table(
        "subject_key",
        _log_column(),
        sa.Column("subject", sa.String(128), primary_key=True),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "sealed",
        _log_column(),
        sa.Column("commitment", sa.String(64), primary_key=True),
        sa.Column("subject", sa.String(128), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary, nullable=False),
    )
    op.create_index("sealed_subject", "sealed", ["log", "subject"])
    op.create_table(
        "token",
        _log_column(),
        sa.Column("hash", sa.LargeBinary, primary_key=True),
        sa.Column("token_id", sa.String(16), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_ms", sa.BigInteger),
        sa.Column("revoked_ms", sa.BigInteger),
        sa.UniqueConstraint("log", "token_id", name="token_id"),
    )


def _refuse_edits() -> None:
    """Hygiene, not evidence: whoever owns the database can drop a trigger."""
    if op.get_bind().dialect.name == "sqlite":
        for deed in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER record_no_{deed.lower()} BEFORE {deed} ON record "
                "BEGIN SELECT RAISE(ABORT, 'records are never changed'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION refuse_edit() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'records are never changed'; END $$"
    )
    op.execute(
        "CREATE TRIGGER record_no_edit BEFORE UPDATE OR DELETE OR TRUNCATE ON record "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_edit()"
    )


def downgrade() -> None:
    """Refuse: there is nothing before the first schema, and dropping a log is not a migration."""
    raise NotImplementedError("the first schema cannot be undone; delete the database instead")
