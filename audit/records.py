"""Records: what the log is made of, as canonical bytes that never change again.

A record is one JSON object in the canonical form of `canonical.py`, stored verbatim:

    {"actor":…,"attempt":…,"body":{…},"deployment":…,"id":…,"kind":…,"tenant":…,"time":…,"v":1}

Its place in the log is not in it: the index is given when it is appended. `docs/spec/record.md` is
the full description. A record is made from a typed body:

    record = Record.of(Failed(stage=Stage.SIGN, error="key_unavailable"), scope=scope, now=now)
"""

import re
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

from audit.bodies import BODIES, Body, Deployment
from audit.canonical import JsonValue, decode, encode
from audit.errors import RecordInvalid, RecordNewer
from audit.shape import from_json, to_json
from audit.vocabulary import RecordKind

SCHEMA_VERSION: Final = 1
"""The only envelope version there is; a reader refuses any other."""

RECORD_BYTES_LIMIT: Final = 32 * 2**10
"""Half of what one entry of a C2SP tlog-tiles bundle can hold (65,535 bytes)."""

NAME_LIMIT: Final = 64
"""Characters of a deployment's or tenant's name; both stand in every checkpoint."""

_FIELDS: Final = frozenset(
    {"v", "kind", "id", "time", "deployment", "tenant", "attempt", "actor", "body"}
)
TIME_LIMIT_MS: Final = 253_402_300_800_000
"""The year 10,000: later times have no spelling in ISO 8601, and most programs none at all."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SCOPE_NAME: Final = re.compile(f"[A-Za-z0-9._-]{{1,{NAME_LIMIT}}}")
_KIND_NAME: Final = re.compile("[a-z][a-z_]{0,15}")
_KINDS: Final = frozenset(RecordKind)
_UUID7: Final = re.compile(
    "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"  # RFC 9562, 5.7
)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose log it is. Its text, `<deployment>/<tenant>`, is the log's origin."""

    deployment: str
    tenant: str

    def __post_init__(self) -> None:
        for name in (self.deployment, self.tenant):
            if not _SCOPE_NAME.fullmatch(name):
                raise RecordInvalid(
                    f"{name!r} cannot name a deployment or tenant; use 1 to {NAME_LIMIT} letters, "
                    "digits, '-', '.' and '_'"
                )

    def __str__(self) -> str:
        return f"{self.deployment}/{self.tenant}"


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that happened, with its canonical bytes.

    Attributes:
        kind: what happened.
        id: UUID version 7; appending the same record twice is harmless because of it.
        time_ms: milliseconds since 1970, UTC.
        scope: the deployment and tenant whose log it goes into.
        attempt: the attempt that it belongs to, a UUID version 7, if any.
        actor: pseudonym of who caused it, if anybody did.
        body: the kind's own fields, as JSON.
        canonical: the bytes that the log stores and hashes.
    """

    kind: RecordKind
    id: str
    time_ms: int
    scope: Scope
    attempt: str | None
    actor: str | None
    body: Mapping[str, JsonValue] = field(hash=False)
    canonical: bytes = field(init=False, repr=False)
    parsed: InitVar[bytes | None] = None

    def __post_init__(self, parsed: bytes | None) -> None:
        body = from_json(BODIES[self.kind], self.body)
        if isinstance(body, Deployment) and body.origin != str(self.scope):
            raise RecordInvalid(f"origin is {body.origin!r}; expected {str(self.scope)!r}")
        _require_uuid7(self.id, "id")
        if self.attempt is not None:
            _require_uuid7(self.attempt, "attempt")
        if not 0 <= self.time_ms < TIME_LIMIT_MS:
            raise RecordInvalid(
                f"time is {self.time_ms}; expected milliseconds since 1970, before the year 10,000"
            )
        # Bytes that `parse` has just found to be the canonical ones need not be made again.
        canonical = parsed or encode(self._fields())
        _require_size(canonical)
        object.__setattr__(self, "body", MappingProxyType(dict(self.body)))
        object.__setattr__(self, "canonical", canonical)

    def _fields(self) -> dict[str, JsonValue]:
        return {
            "v": SCHEMA_VERSION,
            "kind": self.kind.value,
            "id": self.id,
            "time": self.time_ms,
            "deployment": self.scope.deployment,
            "tenant": self.scope.tenant,
            "attempt": self.attempt,
            "actor": self.actor,
            "body": self.body,
        }

    @property
    def time(self) -> datetime:
        """When it happened, aware, UTC."""
        return _EPOCH + timedelta(milliseconds=self.time_ms)

    @classmethod
    def of(
        cls,
        body: Body,
        *,
        scope: Scope,
        now: datetime,
        attempt: str | None = None,
        actor: str | None = None,
        record_id: str | None = None,
    ) -> "Record":
        """Make the record that says `body` happened at `now`.

        Args:
            body: one of the classes of `bodies.py`; its class gives the kind.
            scope: whose log it is for.
            now: aware time.
            attempt: id of the attempt that it belongs to.
            actor: pseudonym of who caused it.
            record_id: a UUID version 7 given earlier (a retry); a new one when absent.

        Raises:
            RecordInvalid: the body cannot be written canonically or is over 32 KiB.
        """
        return cls(
            kind=body.kind,
            id=record_id or uuid7(now),
            time_ms=to_ms(now),
            scope=scope,
            attempt=attempt,
            actor=actor,
            body=to_json(body),
        )

    @classmethod
    def parse(cls, canonical: bytes) -> "Record":
        """Read a record back from its bytes.

        Raises:
            RecordNewer: canonical, and of a version or kind that this program does not know.
            RecordInvalid: too long, not canonical, a key twice, an unknown field.
        """
        _require_size(canonical)
        found = decode(canonical)
        if not isinstance(found, Mapping):
            raise RecordInvalid("a record is a JSON object")
        _require_version(found.get("v"))
        if found.keys() != _FIELDS:
            raise RecordInvalid(f"a record has exactly {sorted(_FIELDS)}, not {sorted(found)}")
        _require_kind(found["kind"])
        return cls._from_fields(found, canonical)

    @classmethod
    def _from_fields(cls, found: Mapping[str, JsonValue], canonical: bytes) -> "Record":
        body = found["body"]
        if not isinstance(body, Mapping):
            raise RecordInvalid("body is no object")
        return cls(
            kind=RecordKind(str(found["kind"])),
            id=_text(found, "id"),
            time_ms=_integer(found, "time"),
            scope=Scope(_text(found, "deployment"), _text(found, "tenant")),
            attempt=None if found["attempt"] is None else _text(found, "attempt"),
            actor=None if found["actor"] is None else _text(found, "actor"),
            body=body,
            parsed=canonical,
        )


def to_ms(moment: datetime) -> int:
    """Return an aware time as milliseconds since 1970, UTC, rounded down.

    Raises:
        RecordInvalid: the time has no zone, so nobody could say when it was.
    """
    if moment.tzinfo is None:
        raise RecordInvalid(f"{moment.isoformat()} has no time zone; pass an aware time")
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def uuid7(now: datetime) -> str:
    """Return a new UUID version 7 (RFC 9562, section 5.7): 48 bits of time, 74 of randomness."""
    value = (to_ms(now) & (2**48 - 1)) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    return str(uuid.UUID(int=value))


def _require_version(found: JsonValue) -> None:
    if not isinstance(found, int) or isinstance(found, bool) or found < SCHEMA_VERSION:
        raise RecordInvalid(f"record version is {found!r}; expected {SCHEMA_VERSION}")
    if found > SCHEMA_VERSION:
        raise RecordNewer(
            f"record version is {found}, this program reads {SCHEMA_VERSION}; use the version of "
            "countermark that wrote it"
        )


def _require_kind(found: JsonValue) -> None:
    if not isinstance(found, str) or not _KIND_NAME.fullmatch(found):
        raise RecordInvalid(f"{found!r} is no kind of record")
    if found not in _KINDS:
        raise RecordNewer(
            f"{found!r} is no kind of record that this program knows; use the version of "
            "countermark that wrote it"
        )


def _require_uuid7(text: str, name: str) -> None:
    if not _UUID7.fullmatch(text):
        raise RecordInvalid(f"{name} {text[:80]!r} is no UUID version 7 in lower case with hyphens")


def _require_size(canonical: bytes) -> None:
    if len(canonical) > RECORD_BYTES_LIMIT:
        raise RecordInvalid(
            f"the record takes {len(canonical)} bytes, a log holds at most {RECORD_BYTES_LIMIT}; "
            "store the long part elsewhere and record its digest"
        )


def _text(found: Mapping[str, JsonValue], name: str) -> str:
    value = found[name]
    if not isinstance(value, str):
        raise RecordInvalid(f"{name} is {type(value).__name__}; expected text")
    return value


def _integer(found: Mapping[str, JsonValue], name: str) -> int:
    value = found[name]
    if not isinstance(value, int) or isinstance(value, bool):
        raise RecordInvalid(f"{name} is {type(value).__name__}; expected an integer")
    return value
