"""Who is asking, and what the application shares between requests."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from anyio import CapacityLimiter
from fastapi import Depends, Request

from audit.access import Principal, Right, Tokens
from audit.errors import TokenInvalid
from audit.reader import LedgerReader
from audit.settings import ReadSettings
from audit.verifier import ClipVerifier
from audit.wiring import now


@dataclass(frozen=True, slots=True)
class Served:
    """Opened once when the application starts."""

    settings: ReadSettings
    ledger: LedgerReader
    verifier: ClipVerifier
    uploads: Path
    turns: CapacityLimiter  # examinations at once


def served(request: Request) -> Served:
    """Return what the application shares."""
    found: Served = request.app.state.served
    return found


def caller(request: Request) -> Principal | None:
    """Return whose token came along; None where none did.

    Raises:
        TokenInvalid: one came and is not accepted: a mistake is told, not served as a stranger.
    """
    header = request.headers.get("authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise TokenInvalid("expected the header «Authorization: Bearer TOKEN»; correct it")
    return Tokens(served(request).ledger).authenticate(token.strip(), now=now())


def log_reader(request: Request) -> Principal:
    """Return the caller where the token may read records.

    Raises:
        TokenInvalid: no token came along.
        AccessDenied: the token's role may not read the log.
    """
    found = caller(request)
    if found is None:
        raise TokenInvalid("records need a token; send «Authorization: Bearer TOKEN»")
    found.require(Right.LOG_READ)
    return found


ServedDep = Annotated[Served, Depends(served)]
CallerDep = Annotated[Principal | None, Depends(caller)]
LogReaderDep = Annotated[Principal, Depends(log_reader)]
