"""API tokens: who may ask for what.

A token is `cmk_` and 32 random bytes in base64url. Only its SHA-256 is stored: with 256 bits of
randomness nothing slower is needed. Issuing and revoking are records, made together with the row.
They hold the hash too: a row that lets another token in shows in the check.

    creator    makes clips, follows and fetches them
    reviewer   decides held clips, and sees what it takes to decide
    auditor    reads and exports the log, and opens sealed prompts
    admin      all of it, and tokens, holds and erasures
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, insert, select, update

from audit import tables
from audit.bodies import Token
from audit.database import reading
from audit.errors import (
    AccessDenied,
    AppendFailed,
    LedgerDamaged,
    NotFound,
    RecordInvalid,
    TokenInvalid,
)
from audit.ledger import Entry, Ledger, LedgerReader
from audit.records import to_ms
from audit.vocabulary import TokenAction

TOKEN_PREFIX: Final = "cmk_"  # noqa: S105 - what every token starts with, so that scanners find leaks
TOKEN_BYTES: Final = 32
NAME_LIMIT: Final = 128
"""Characters of a token's name; as long as its column."""

_ID_DIGITS: Final = 16
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Right(StrEnum):
    """One thing that a caller may do."""

    CLIP_MAKE = "clip:make"
    CLIP_READ = "clip:read"
    CLIP_REVIEW = "clip:review"
    VERIFY_DETAIL = "verify:detail"
    LOG_READ = "log:read"
    LOG_EXPORT = "log:export"
    LOG_UNSEAL = "log:unseal"
    ADMIN = "admin"


class Role(StrEnum):
    """What a token was issued for."""

    CREATOR = "creator"
    REVIEWER = "reviewer"
    AUDITOR = "auditor"
    ADMIN = "admin"


RIGHTS: Final[Mapping[Role, frozenset[Right]]] = {
    Role.CREATOR: frozenset({Right.CLIP_MAKE, Right.CLIP_READ}),
    Role.REVIEWER: frozenset(
        {Right.CLIP_READ, Right.CLIP_REVIEW, Right.VERIFY_DETAIL, Right.LOG_UNSEAL}
    ),
    Role.AUDITOR: frozenset(
        {Right.VERIFY_DETAIL, Right.LOG_READ, Right.LOG_EXPORT, Right.LOG_UNSEAL}
    ),
    Role.ADMIN: frozenset(Right),
}
"""What each role may do."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller whose token was accepted.

    Attributes:
        token_id: which token, without being one; it is the actor in records.
        name: what the token was named when it was issued.
        role: what it may do.
    """

    token_id: str
    name: str
    role: Role

    def require(self, right: Right) -> None:
        """Go on only with this right.

        Raises:
            AccessDenied: the role does not have it.
        """
        if right not in RIGHTS[self.role]:
            raise AccessDenied(f"this needs the right {right}, which the role {self.role} lacks")


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A token as lists show it; the token itself is known to its holder alone."""

    token_id: str
    sha256: str
    name: str
    role: Role
    created: datetime
    expires: datetime | None
    revoked: datetime | None


@dataclass(frozen=True, slots=True)
class _IssueToken:
    """Change: the row of a new token."""

    token_hash: bytes
    token_id: str
    name: str
    role: Role
    created_ms: int
    expires_ms: int | None

    def apply(self, connection: Connection, log: int, index: int) -> None:  # noqa: ARG002 - Change
        connection.execute(
            insert(tables.token).values(
                log=log,
                hash=self.token_hash,
                token_id=self.token_id,
                name=self.name,
                role=self.role.value,
                created_ms=self.created_ms,
                expires_ms=self.expires_ms,
            )
        )


@dataclass(frozen=True, slots=True)
class _RevokeToken:
    """Change: a token is revoked."""

    token_id: str
    now_ms: int

    def apply(self, connection: Connection, log: int, index: int) -> None:  # noqa: ARG002 - Change
        token = tables.token
        revoked = connection.execute(
            update(token)
            .where(
                token.c.log == log, token.c.token_id == self.token_id, token.c.revoked_ms.is_(None)
            )
            .values(revoked_ms=self.now_ms)
        )
        if revoked.rowcount != 1:
            raise AppendFailed(f"token {self.token_id} is revoked already")


class Tokens:
    """The tokens of one log."""

    def __init__(self, reader: LedgerReader) -> None:
        self._reader = reader

    def authenticate(self, text: str, *, now: datetime) -> Principal:
        """Return whose token this is.

        Raises:
            TokenInvalid: no token of ours, or an expired or revoked one.
        """
        token_hash = _hash(text)
        query = select(tables.token).where(
            tables.token.c.log == self._reader.log_id, tables.token.c.hash == token_hash
        )
        with reading(self._reader.engine) as connection:
            row = connection.execute(query).one_or_none()
        # The look-up goes by a hash that nobody can steer; the comparison does not depend on it.
        known = hmac.compare_digest(token_hash, row.hash if row else bytes(len(token_hash)))
        if row is None or not known or not text.startswith(TOKEN_PREFIX):
            raise TokenInvalid("this token is unknown; ask an administrator for one")
        if row.revoked_ms is not None:
            raise TokenInvalid("this token was revoked; ask an administrator for a new one")
        if row.expires_ms is not None and to_ms(now) >= row.expires_ms:
            raise TokenInvalid("this token has expired; ask an administrator for a new one")
        return Principal(row.token_id, row.name, _role(row.role))

    def list_all(self) -> tuple[StoredToken, ...]:
        """Return every token ever issued, the oldest first."""
        token = tables.token
        query = select(token).where(token.c.log == self._reader.log_id)
        with reading(self._reader.engine) as connection:
            rows = connection.execute(query.order_by(token.c.created_ms)).all()
        return tuple(
            StoredToken(
                row.token_id,
                row.hash.hex(),
                row.name,
                _role(row.role),
                _time(row.created_ms),
                None if row.expires_ms is None else _time(row.expires_ms),
                None if row.revoked_ms is None else _time(row.revoked_ms),
            )
            for row in rows
        )


def issue_token(
    ledger: Ledger,
    role: Role,
    *,
    name: str,
    now: datetime,
    expires: datetime | None = None,
    actor: str | None = None,
) -> tuple[str, Entry]:
    """Make a token, record it, and return its text, which is never shown again.

    Args:
        ledger: where it is recorded.
        role: what it may do.
        name: who or what it is for; not in the record.
        now: aware time.
        expires: when it stops being accepted; never when absent.
        actor: pseudonym of who issued it.

    Raises:
        RecordInvalid: the name is empty or too long.
    """
    if not 0 < len(name) <= NAME_LIMIT or "\0" in name:
        raise RecordInvalid(f"the name {name[:80]!r} is none; give 1 to {NAME_LIMIT} characters")
    text = TOKEN_PREFIX + base64.urlsafe_b64encode(secrets.token_bytes(TOKEN_BYTES)).decode()
    text = text.rstrip("=")
    token_hash = _hash(text)
    token_id = token_hash.hex()[:_ID_DIGITS]
    expires_ms = None if expires is None else to_ms(expires)
    body = Token(TokenAction.ISSUED, role.value, token_id, token_hash.hex(), expires_ms)
    change = _IssueToken(token_hash, token_id, name, role, to_ms(now), expires_ms)
    entry = ledger.commit(ledger.record(body, now=now, actor=actor), changes=[change])
    return text, entry


def revoke_token(
    ledger: Ledger, token_id: str, *, now: datetime, actor: str | None = None
) -> Entry:
    """Stop accepting a token, and record it.

    Raises:
        NotFound: there is no token with this id.
        AppendFailed: it is revoked already.
    """
    found = [each for each in Tokens(ledger).list_all() if each.token_id == token_id]
    if not found:
        raise NotFound(f"there is no token {token_id}; `countermark token ls` lists them")
    body = Token(TokenAction.REVOKED, found[0].role.value, token_id, found[0].sha256)
    record = ledger.record(body, now=now, actor=actor)
    return ledger.commit(record, changes=[_RevokeToken(token_id, to_ms(now))])


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="replace")).digest()


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError as error:
        raise LedgerDamaged(
            f"a token's row names the role {text!r}, which is none; run `countermark log check`"
        ) from error


def _time(ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms)
