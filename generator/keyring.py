"""The keys of a home as its log tells of them, and a new key for the mark.

A mark key that was replaced is kept: only with it are the marks that it made found again. So the
newest marks and all are looked for. What marks is always a key whose file is on the disk for good
and whose record stands in the log: the file comes first, and whoever opens a home to mark declares
what lies there before it marks (`wiring.open_pipeline`). A rotation that dies in between is thereby
finished by the next start, and of two at the same moment each has its own file or is refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from audit.bodies import Key
from audit.home import Home
from audit.queries import Order, RecordFilter, list_records
from audit.reader import LedgerReader
from audit.shape import from_json
from audit.vocabulary import KeyPurpose, RecordKind
from audit.wiring import now, open_ledger, open_reader, own_mark_keys
from generator.declaring import KeyFile, declare, keys_of
from generator.settings import Settings
from provenance.keys import write_secret


class KeyUse(StrEnum):
    """What a key is good for in this home."""

    IN_USE = "in_use"  # it signs, stamps, seals or marks what comes now
    LOOKED_FOR = "looked_for"  # it marks nothing any more; its marks are looked for
    ABSENT = "absent"  # the log names it, and it is not here: replaced, taken away, or lost


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key that the log names or that lies in the home, and nothing of its secret."""

    purpose: KeyPurpose
    key_id: str
    algorithm: str
    use: KeyUse
    file: str | None  # below the home; None where it is not here
    since: datetime | None  # of its record; None where the log does not name it yet
    record_index: int | None


def known_keys(home: Home, settings: Settings) -> tuple[KnownKey, ...]:
    """Return every key of a home, those in use first, then the newest first.

    Raises:
        HomeUnusable: there is no home.
        KeyExposed: others can read a mark key or the sealing key.
        LedgerDamaged: a record is not what was logged.
    """
    here = {(key.body.purpose, key.body.key_id): key for key in _keys_here(home, settings)}
    with open_reader(home, settings) as reader:
        found = [_log_key(home, reader), *_declared(home, reader, here)]
    declared = {(key.purpose, key.key_id) for key in found}
    found += [_known(home, each) for pair, each in here.items() if pair not in declared]
    return tuple(sorted(found, key=_place))


def rotate_mark_key(home: Home, settings: Settings) -> KnownKey:
    """Make a new key, which marks from here on, and record it; those before it stay.

    Raises:
        HomeUnusable: there is no home.
        KeyUnavailable: the log's key is not here, or another process made a mark key just now.
        KeyExposed: others can read a mark key.
        LedgerLocked: the database cannot be written; the new key, if it was made by then, is
            recorded by whoever marks next.
    """
    home.required()
    with open_ledger(home, settings) as ledger:
        tuple(_keys_here(home, settings))  # refuses exposed ones before anything is made
        marks = [body for _, _, body in _key_records(ledger) if body.purpose is KeyPurpose.MARK]
        path = home.mark_key_after(len({body.key_id for body in marks}))
        write_secret(path)
        declare(ledger, [key.body for key in _keys_here(home, settings)], now())
    name = _below(home, path)
    return next(key for key in known_keys(home, settings) if key.file == name)


def _place(key: KnownKey) -> tuple[int, bool, int]:
    """Order keys by their use, then the newest first; what the log does not name is newest."""
    index = key.record_index
    return list(KeyUse).index(key.use), index is not None, -(index or 0)


def _keys_here(home: Home, settings: Settings) -> Iterator[KeyFile]:
    return keys_of(home, own_mark_keys(home, settings) if home.mark_keys else ())


def _declared(
    home: Home, reader: LedgerReader, here: dict[tuple[KeyPurpose, str], KeyFile]
) -> Iterator[KnownKey]:
    """Yield the keys that the log names, each by its first record."""
    first: dict[tuple[KeyPurpose, str], tuple[int, datetime, Key]] = {}
    for each in _key_records(reader):
        body = each[2]
        first.setdefault((body.purpose, body.key_id), each)
    for pair, (index, since, body) in first.items():
        if pair in here:
            yield _known(home, here[pair], since=since, record_index=index)
        else:
            yield KnownKey(*pair, body.algorithm, KeyUse.ABSENT, None, since, index)


def _known(
    home: Home,
    key: KeyFile,
    *,
    since: datetime | None = None,
    record_index: int | None = None,
) -> KnownKey:
    old = key.body.purpose is KeyPurpose.MARK and key.path != home.mark_key
    return KnownKey(
        purpose=key.body.purpose,
        key_id=key.body.key_id,
        algorithm=key.body.algorithm,
        use=KeyUse.LOOKED_FOR if old else KeyUse.IN_USE,
        file=_below(home, key.path),
        since=since,
        record_index=record_index,
    )


def _log_key(home: Home, reader: LedgerReader) -> KnownKey:
    """Return the log's own key, which its first record names."""
    first = reader.get(0).record
    here = home.log_key.exists()
    return KnownKey(
        purpose=KeyPurpose.LOG,
        key_id=reader.verifier.key_id.hex(),
        algorithm="ed25519",
        use=KeyUse.IN_USE if here else KeyUse.ABSENT,
        file=_below(home, home.log_key) if here else None,
        since=first.time,
        record_index=0,
    )


def _below(home: Home, path: Path) -> str:
    return str(path.relative_to(home.path))


def _key_records(reader: LedgerReader) -> Iterator[tuple[int, datetime, Key]]:
    """Yield (index, time, body) of every record of a key, the oldest first."""
    wanted = RecordFilter(kinds=frozenset({RecordKind.KEY}))
    after: int | None = None
    while True:
        page = list_records(reader, wanted, order=Order.OLDEST_FIRST, after=after)
        for stored in page.records:
            yield stored.index, stored.record.time, from_json(Key, stored.record.body)
        if page.next_after is None:
            return
        after = page.next_after
