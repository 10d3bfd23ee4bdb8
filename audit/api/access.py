"""Who is asking, and what the application shares between requests."""

from dataclasses import dataclass
from typing import Annotated

from anyio import CapacityLimiter
from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer

from audit.access import RIGHTS, Principal, Right, StoredToken, Tokens
from audit.api.uploads import Intake
from audit.errors import NotFound, TokenInvalid
from audit.reader import LedgerReader
from audit.verifier import ClipVerifier
from audit.wiring import now

ASKED_FOR = frozenset({Right.VERIFY_DETAIL, Right.LOG_READ})
"""The rights that a route of this interface asks for."""

# Only to be named in the OpenAPI document: it would take a header that is none for no header.
_bearer = HTTPBearer(bearerFormat="cmk_…", scheme_name="token", auto_error=False)


@dataclass(frozen=True, slots=True)
class Served:
    """Opened once when the application starts."""

    ledger: LedgerReader | None  # None where there is no home: then verification is all there is
    verifier: ClipVerifier
    intake: Intake
    turns: CapacityLimiter  # examinations at once


def served(request: Request) -> Served:
    """Return what the application shares."""
    found: Served = request.app.state.served
    return found


ServedDep = Annotated[Served, Depends(served)]


def log(shared: ServedDep) -> LedgerReader:
    """Return the log.

    Raises:
        NotFound: there is none here.
    """
    if shared.ledger is None:
        raise NotFound("this server has no log, it verifies files alone; ask the issuer's server")
    return shared.ledger


LogDep = Annotated[LedgerReader, Depends(log)]


def caller(
    request: Request, shared: ServedDep, documented: Annotated[object, Security(_bearer)]
) -> Principal | None:
    """Return whose token came along; None where none did.

    Raises:
        TokenInvalid: one came and is not accepted: a mistake is told, not served as a stranger.
    """
    del documented
    header = request.headers.get("authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise TokenInvalid("expected the header «Authorization: Bearer TOKEN»; correct it")
    if shared.ledger is None:
        raise TokenInvalid("this server has no log and so knows no token; ask without one")
    return Tokens(shared.ledger).authenticate(token.strip(), now=now())


CallerDep = Annotated[Principal | None, Depends(caller)]


def log_reader(found: CallerDep, ledger: LogDep) -> LedgerReader:
    """Return the log where the caller's token may read its records.

    Raises:
        NotFound: there is no log here.
        TokenInvalid: no token came along.
        AccessDenied: the token's role may not read the log.
    """
    if found is None:
        raise TokenInvalid("records need a token; send «Authorization: Bearer TOKEN»")
    found.require(Right.LOG_READ)
    return ledger


ReadableLogDep = Annotated[LedgerReader, Depends(log_reader)]


def may_see_detail(found: Principal | None) -> bool:
    """Tell whether a caller is shown what would help to remove a mark."""
    return found is not None and Right.VERIFY_DETAIL in RIGHTS[found.role]


def opens_something(token: StoredToken) -> bool:
    """Tell whether a token is accepted now, and its role may do something here."""
    held = token.revoked is None and (token.expires is None or now() < token.expires)
    return held and bool(RIGHTS[token.role] & ASKED_FOR)
