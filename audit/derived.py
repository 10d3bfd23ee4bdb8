"""The columns that look-ups use, derived from a record's bytes and from nothing else. Pure.

A column is only an index into the log: `integrity.py` derives it again from the record and reports
any difference, since editing `decision` alone would hide a record from every query while all proofs
still hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from audit.canonical import JsonValue
from audit.records import Record


@dataclass(frozen=True, slots=True)
class Derived:
    """One record's columns; None where the record's kind has no such field."""

    id: str
    kind: str
    time_ms: int
    attempt: str | None
    decision: str | None
    clip_id: str | None
    file_sha256: str | None
    media_digest: str | None
    mark_id: str | None
    manifest_label: str | None


def derive(record: Record) -> Derived:
    """Return the columns of `record`."""
    body = record.body
    verdict = body.get("verdict") or body.get("output_verdict")
    return Derived(
        id=record.id,
        kind=record.kind.value,
        time_ms=record.time_ms,
        attempt=record.attempt,
        decision=_text(verdict, "decision"),
        clip_id=_text(body, "clip_id"),
        file_sha256=_text(body, "file_sha256"),
        media_digest=_text(body, "media_digest"),
        mark_id=_text(body.get("mark"), "id"),
        manifest_label=_text(body, "manifest_label"),
    )


def columns_of(derived: Derived) -> list[tuple[str, str | int | None]]:
    """Return the columns as (name, value)."""
    return [(field.name, getattr(derived, field.name)) for field in fields(derived)]


def _text(part: JsonValue, name: str) -> str | None:
    value = part.get(name) if isinstance(part, Mapping) else None
    return value if isinstance(value, str) else None
