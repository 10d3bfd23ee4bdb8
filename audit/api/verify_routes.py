"""POST /v1/verify: the bytes of a file in, the layered report out."""

from typing import Any, Final

import anyio.to_thread
from fastapi import APIRouter, Request

from audit.api.access import CallerDep, ServedDep, may_see_detail
from audit.api.problems import documented
from audit.status import Fingerprint

router = APIRouter(tags=["verify"])

_FILE: Final = {"type": "string", "format": "binary"}
_FORM: Final = {"type": "object", "required": ["file"], "properties": {"file": _FILE}}
_IN_SHORT: Final = {
    Fingerprint.INCONCLUSIVE: "neither likeness nor difference could be shown",
    Fingerprint.DIFFERENT: "the pictures are not those of the record that the mark leads to",
}
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
    return values if may_see_detail(caller) else without_detail(values)


def without_detail(values: dict[str, Any]) -> dict[str, Any]:
    """Return a report's values without what says how far a mark or a likeness is from being lost.

    Where in the pictures the mark shows, and for how long, stands in the reasons as well.
    """
    values["layers"]["watermark"].pop("searches", None)
    fingerprint = values["layers"]["fingerprint"]
    fingerprint.pop("compared", None)
    if fingerprint["answer"] in _IN_SHORT:
        fingerprint["reason"] = _IN_SHORT[fingerprint["answer"]]
        values["gaps"] = [gap for gap in values["gaps"] if not gap.startswith("fingerprint: ")]
    return values
