"""The columns that look-ups use, derived from a record's bytes and from nothing else. Pure.

A column is only an index into the log: `audit/integrity/` derives it again from the record and
reports any difference, since editing `decision` alone would hide a record from every query while
all proofs still hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, Final, TypeAlias

from audit.bodies import frames_in
from audit.canonical import JsonValue
from audit.errors import LedgerDamaged, RecordInvalid, RecordNewer
from audit.merkle import hash_leaf
from audit.records import Record
from provenance.fingerprint.form import ALGORITHM, Fingerprint


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
    frame_hashes: bytes | None  # PDQ, 32 bytes each, of moments that are not alike


COLUMNS: Final = tuple(field.name for field in fields(Derived))
"""Their names."""

Value: TypeAlias = str | int | bytes | None

_VALUES: Final = attrgetter(*COLUMNS)


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
        frame_hashes=_frame_hashes(body),
    )


def columns_of(derived: Derived) -> list[tuple[str, Value]]:
    """Return the columns as (name, value)."""
    return [*zip(COLUMNS, values_of(derived), strict=True)]


def values_of(derived: Derived) -> tuple[Value, ...]:
    """Return the columns' values in the order of `COLUMNS`."""
    values: tuple[Value, ...] = _VALUES(derived)
    return values


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record as a list shows it: read, its leaf hash compared, not proven yet."""

    index: int
    leaf_hash: bytes
    record: Record


def read_row(columns: Mapping[Any, Any], origin: str) -> StoredRecord:
    """Return the record of a row of `tables.record`, after comparing hash and columns.

    Raises:
        LedgerDamaged: the bytes are no record, or the row says something else than they do.
        RecordNewer: a later version of countermark wrote it.
    """
    index, body = columns["idx"], columns["body"]
    if not isinstance(index, int) or index < 0 or not isinstance(body, bytes):
        raise LedgerDamaged(f"record {index!r} of {origin} is not stored as bytes")
    try:
        record = Record.parse(body)
    except RecordNewer as error:
        raise RecordNewer(f"record {index} of {origin}: {error}") from error
    except RecordInvalid as error:
        raise LedgerDamaged(f"record {index} of {origin} is no record: {error}") from error
    leaf_hash = hash_leaf(body)
    differing = [] if leaf_hash == columns["leaf"] else ["leaf"]
    differing += [name for name, value in columns_of(derive(record)) if columns[name] != value]
    if differing:
        raise LedgerDamaged(
            f"record {index} of {origin} was changed: {', '.join(differing)} is not what its bytes "
            "say; run `countermark log check`"
        )
    return StoredRecord(index, leaf_hash, record)


def _text(part: JsonValue, name: str) -> str | None:
    value = part.get(name) if isinstance(part, dict | Mapping) else None
    return value if isinstance(value, str) else None


def fingerprint_in(body: Mapping[str, JsonValue]) -> Fingerprint | None:
    """Return our fingerprint in the body of a `cleared` record; None where there is none."""
    value = value_in(body, ALGORITHM)
    return None if value is None else frames_in(value)


def value_in(body: Mapping[str, JsonValue], algorithm: str) -> str | None:
    """Return the value of a kind of fingerprint in the body of a `cleared` record, if any."""
    stored = body.get("fingerprints")
    for each in stored if isinstance(stored, list | tuple) else ():
        if _text(each, "algorithm") == algorithm:
            return _text(each, "value")
    return None


def _frame_hashes(body: Mapping[str, JsonValue]) -> bytes | None:
    """Return the hashes by which a cleared clip is found, one after another."""
    taken = fingerprint_in(body)
    return None if taken is None else b"".join(taken.key_hashes()) or None
