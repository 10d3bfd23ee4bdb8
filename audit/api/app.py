"""The whole application: routes, errors, and what they share.

    app = create_app(home, ReadSettings.load(home.settings))

Errors are RFC 9457 problem+json. Anybody may verify a file and fetch the log's checkpoint, tiles
and proofs; records are for tokens with the right to read them.
"""

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from typing import Any

from anyio import CapacityLimiter
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from audit.api import log_routes, record_routes, verify_routes
from audit.api.access import Served
from audit.errors import AuditError, TokenInvalid
from audit.home import Home
from audit.settings import ReadSettings
from audit.wiring import open_reader, open_verifier
from provenance.errors import ProvenanceError

EXAMINATIONS_AT_ONCE = 2  # each is a process that fills a core and some hundred megabytes
PROBLEM = "application/problem+json"
# No page is served here, so a browser needs nothing from these answers but their bytes.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def create_app(home: Home, settings: ReadSettings) -> FastAPI:
    """Return the read side as an ASGI application over one home."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with ExitStack() as stack:
            reader = stack.enter_context(open_reader(home, settings))
            verifier = open_verifier(settings, home=home, ledger=reader)
            turns = CapacityLimiter(EXAMINATIONS_AT_ONCE)
            app.state.served = Served(settings, reader, verifier, home.private, turns)
            yield

    app = FastAPI(
        title="countermark, read side",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
    )
    for routes in (verify_routes, log_routes, record_routes):
        app.include_router(routes.router, prefix="/v1")
    app.add_exception_handler(AuditError, _failed)
    app.add_exception_handler(ProvenanceError, _failed)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _misshapen)
    app.middleware("http")(_with_headers)
    app.get("/livez", include_in_schema=False)(_alive)
    return app


def problem(status: int, code: str, detail: str) -> JSONResponse:
    """Return an error as RFC 9457 has it."""
    headers = {"WWW-Authenticate": "Bearer"} if status == TokenInvalid.http_status else {}
    return JSONResponse(
        {
            "type": f"urn:countermark:error:{code}",
            "title": code.replace("_", " "),
            "status": status,
            "detail": detail,
        },
        status_code=status,
        media_type=PROBLEM,
        headers=headers,
    )


async def _alive() -> dict[str, str]:
    return {"status": "alive"}


async def _with_headers(request: Request, call_next: Any) -> Any:  # noqa: ANN401 - Starlette's own
    response = await call_next(request)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


async def _failed(request: Request, error: Exception) -> JSONResponse:
    del request
    if not isinstance(error, AuditError | ProvenanceError):
        raise error
    return problem(error.http_status, error.code, str(error))


async def _refused(request: Request, error: Exception) -> JSONResponse:
    del request
    if not isinstance(error, HTTPException):
        raise error
    return problem(error.status_code, "http_error", str(error.detail))


async def _misshapen(request: Request, error: Exception) -> JSONResponse:
    del request
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return problem(422, "request_invalid", f"{place}: {first['msg']}")
