"""POST /v1/verify: the bytes of a file in, the layered report out."""

from typing import Any, Final

import anyio.to_thread
from fastapi import APIRouter, Request

from audit.api.access import CallerDep, ServedDep, may_see_detail
from audit.api.problems import documented

router = APIRouter(tags=["verify"])

_FILE: Final = {"type": "string", "format": "binary"}
_FORM: Final = {"type": "object", "required": ["file"], "properties": {"file": _FILE}}
_DOCUMENTED: Final = {
    "requestBody": {
        "required": True,
        "description": "One file: its bytes as they are under any type, or a form's only part.",
        "content": {
            "application/octet-stream": {"schema": _FILE},
            "multipart/form-data": {"schema": _FORM},
        },
    },
    # With the token that the dependency declares, this says: with it or without.
    "security": [{}],
}


@router.post(
    "/verify",
    openapi_extra=_DOCUMENTED,
    responses=documented(401, 408, 413, 422, 503, 507),
)
async def verify(request: Request, shared: ServedDep, caller: CallerDep) -> dict[str, Any]:
    """Verify the file that is the request's body. It is deleted when the answer is ready.

    Without a token the answer leaves out how strong the mark is and how alike the pictures are:
    that would tell whoever wants to get rid of both how far they have come.
    """
    async with shared.intake.take(request) as path:
        report = await anyio.to_thread.run_sync(shared.verifier.verify, path, limiter=shared.turns)
    values = report.to_json()
    del values["name"]  # a name of ours, not of the caller's file
    return values if may_see_detail(caller) else _without_detail(values)


def _without_detail(values: dict[str, Any]) -> dict[str, Any]:
    values["layers"]["watermark"].pop("searches", None)
    values["layers"]["fingerprint"].pop("compared", None)
    return values
