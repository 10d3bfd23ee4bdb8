"""How this interface says no: RFC 9457 problem+json, and the headers that every answer carries.

One table turns errors into answers: each class of ours knows its status and its code. Whatever else
is raised is a fault of ours: the caller learns that, the operator's log has the traceback.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from audit.errors import AuditError, TokenInvalid, UploadsFull
from provenance.errors import ProvenanceError

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 15  # an examination of a short clip, and then some
# No page is served here, so a browser needs nothing from these answers but their bytes.
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "urn:countermark:error: and a stable code"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "what was expected, what came, what to do"},
    },
}


def problem(
    status: int, code: str, detail: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return an error as RFC 9457 has it."""
    return JSONResponse(
        {
            "type": f"urn:countermark:error:{code}",
            "title": code.replace("_", " "),
            "status": status,
            "detail": detail,
        },
        status_code=status,
        media_type=MEDIA_TYPE,
        # Set here too: the outermost handler answers outside `SecurityHeaders`.
        headers={**SECURITY_HEADERS, **(headers or {})},
    )


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return these problems as OpenAPI describes a route's answers."""
    content = {MEDIA_TYPE: {"schema": _SCHEMA}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in statuses
    }


def answer_with_problems(app: FastAPI) -> None:
    """Have every error of an application leave as a problem, and every answer with our headers."""
    app.add_exception_handler(AuditError, _failed)
    app.add_exception_handler(ProvenanceError, _failed)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _misshapen)
    app.add_exception_handler(Exception, _broken)
    app.add_middleware(SecurityHeaders)


class SecurityHeaders:
    """ASGI middleware: adds to an answer's headers those it does not set itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


async def _failed(request: Request, error: Exception) -> JSONResponse:
    del request
    if not isinstance(error, AuditError | ProvenanceError):
        raise error
    headers = {}
    if isinstance(error, TokenInvalid):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, UploadsFull):
        headers["Retry-After"] = str(RETRY_AFTER_S)
    return problem(error.http_status, error.code, str(error), headers)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    """Answer what the framework refused; its headers go along: `Allow` belongs to a 405."""
    if not isinstance(error, HTTPException):
        raise error
    detail = str(error.detail)
    if error.status_code == HTTPStatus.NOT_FOUND:
        detail = (
            f"there is nothing at {request.url.path[:80]}; /v1/openapi.json lists what there is"
        )
    return problem(error.status_code, "http_error", detail, error.headers)


async def _misshapen(request: Request, error: Exception) -> JSONResponse:
    del request
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "request_invalid", f"{place}: {first['msg']}")


async def _broken(request: Request, error: Exception) -> JSONResponse:
    """Answer what nobody foresaw. The server raises the error again, for the operator's log."""
    del request, error
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal_error",
        "the server failed on this request, which is no fault of yours; its operator's log says "
        "where, so tell them the time",
    )
