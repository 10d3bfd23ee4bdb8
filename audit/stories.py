"""Which clips of the log do look-ups lead to, and what does the log say of each?

A clip's story is every record of its attempt. A look-up counts only where it ends in a `released`
record that was not withdrawn: what was refused or held was never let out.
"""

from collections.abc import Iterable, Mapping

from audit.reader import Entry, LedgerReader
from audit.report import RecordLine
from audit.vocabulary import RecordKind

Entries = tuple[Entry, ...]


def released(ledger: LedgerReader, entries: Iterable[Entry]) -> Entries:
    """Return the `released` records among entries whose clip was not withdrawn afterwards."""
    return tuple(
        entry
        for entry in entries
        if entry.record.kind is RecordKind.RELEASED
        and not any(e.record.kind is RecordKind.WITHDRAWN for e in story(ledger, entry))
    )


def story(ledger: LedgerReader, entry: Entry) -> Entries:
    """Return every record of the clip that a record speaks of."""
    attempt = entry.record.attempt
    return (entry,) if attempt is None else ledger.find_by_attempt(attempt)


def clips_of(entries: Iterable[Entry]) -> frozenset[str]:
    """Return which clips records speak of, each by its attempt or by the record itself."""
    return frozenset(entry.record.attempt or entry.record.id for entry in entries)


def lines(ledger: LedgerReader, entries: Iterable[Entry]) -> tuple[RecordLine, ...]:
    """Return the stories of all these clips, each record once, in the log's order."""
    told = {each.index: each for entry in entries for each in story(ledger, entry)}
    return tuple(_line(told[index]) for index in sorted(told))


def _line(entry: Entry) -> RecordLine:
    body = entry.record.body
    cleared = entry.record.kind is RecordKind.CLEARED
    return RecordLine(
        index=entry.index,
        kind=entry.record.kind.value,
        time=entry.time.isoformat(timespec="milliseconds"),
        clip_id=_text(body, "clip_id"),
        attempt=entry.record.attempt,
        model=_text(body.get("model"), "name") if cleared else None,
        decision=_text(body.get("output_verdict"), "decision") if cleared else None,
        policy=_text(body, "policy") if cleared else None,
    )


def _text(part: object, name: str) -> str | None:
    value = part.get(name) if isinstance(part, Mapping) else None
    return value if isinstance(value, str) else None
