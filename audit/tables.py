"""The tables of the database: the only schema, mirrored by `migrations/versions`.

    log          one row per origin: how many records, and the root over them
    record       the canonical bytes, their leaf hash, and columns derived from them for look-ups
    tile         256 hashes to a row
    checkpoint   signed notes
    attempt      where each clip is on its journey, and whose lease it is
    subject_key  one wrapped key per person            sealed   texts under those keys
    token        hashes of API tokens

What stands in a derived column stands in the record too; `audit/integrity/` holds them together.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    text,
)

metadata: Final = MetaData()

log: Final = Table(
    "log",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("origin", String(160), nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
)


def _of_every_clip(name: str, column: str) -> Index:
    """Return an index that holds a column itself, of the records that have it."""
    there = text(f"{column} IS NOT NULL")
    return Index(name, "log", "idx", column, sqlite_where=there, postgresql_where=there)


record: Final = Table(
    "record",
    metadata,
    Column("log", ForeignKey("log.id"), primary_key=True),
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("id", String(36), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("attempt", String(36)),
    Column("decision", String(16)),
    Column("clip_id", String(64)),
    Column("file_sha256", String(64)),
    Column("media_digest", String(64)),
    Column("mark_id", String(32)),
    Column("manifest_label", String(255)),
    Column("frame_hashes", LargeBinary),
    UniqueConstraint("log", "id", name="record_id"),
    # Look-ups are in the order of `idx`: with it in the index nothing is scanned or sorted.
    Index("record_kind", "log", "kind", "idx"),
    Index("record_time", "log", "time_ms"),
    Index("record_decision", "log", "decision", "idx"),
    Index("record_attempt", "log", "attempt", "idx"),
    Index("record_clip", "log", "clip_id", "idx"),
    Index("record_file", "log", "file_sha256", "idx"),
    Index("record_media", "log", "media_digest", "idx"),
    Index("record_mark", "log", "mark_id", "idx"),
    Index("record_manifest", "log", "manifest_label", "idx"),
    # All that looking for likeness or for issued marks reads: no record is touched.
    _of_every_clip("record_frames", "frame_hashes"),
    _of_every_clip("record_marks", "mark_id"),
)

tile: Final = Table(
    "tile",
    metadata,
    Column("log", ForeignKey("log.id"), primary_key=True),
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
)

checkpoint: Final = Table(
    "checkpoint",
    metadata,
    Column("log", ForeignKey("log.id"), primary_key=True),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("note", String, nullable=False),
)

attempt: Final = Table(
    "attempt",
    metadata,
    Column("log", ForeignKey("log.id"), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("clip_id", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("opened", BigInteger, nullable=False),
    Column("cleared", BigInteger),
    Column("released", BigInteger),
    Column("closed", BigInteger),
    Column("folder", String),
    Column("staged_path", String),
    Column("public_path", String),
    Column("place", String(255), nullable=False),
    Column("boot", String(64), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("process_start", BigInteger, nullable=False),
    Column("heartbeat_ms", BigInteger, nullable=False),
    UniqueConstraint("log", "clip_id", name="attempt_clip"),
    Index("attempt_state", "log", "state"),
)

subject_key: Final = Table(
    "subject_key",
    metadata,
    Column("log", ForeignKey("log.id"), primary_key=True),
    Column("subject", String(128), primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
)

sealed: Final = Table(
    "sealed",
    metadata,
    Column("log", ForeignKey("log.id"), primary_key=True),
    Column("commitment", String(64), primary_key=True),
    Column("subject", String(128), nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Index("sealed_subject", "log", "subject"),
)

token: Final = Table(
    "token",
    metadata,
    Column("log", ForeignKey("log.id"), primary_key=True),
    Column("hash", LargeBinary, primary_key=True),
    Column("token_id", String(16), nullable=False),
    Column("name", String(128), nullable=False),
    Column("role", String(16), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger),
    Column("revoked_ms", BigInteger),
    UniqueConstraint("log", "token_id", name="token_id"),
)
