"""POST /v1/verify: the raw bytes of a file in, the layered report out."""

import tempfile
from pathlib import Path
from typing import Annotated, Any

import anyio
import anyio.to_thread
from fastapi import APIRouter, Header, Request

from audit.access import RIGHTS, Principal, Right
from audit.api.access import CallerDep, ServedDep
from audit.errors import RequestTooLarge
from provenance.errors import UnreadableMedia
from provenance.settings import MIB

router = APIRouter(tags=["verify"])


@router.post("/verify")
async def verify(
    request: Request,
    shared: ServedDep,
    caller: CallerDep,
    content_length: Annotated[int | None, Header()] = None,
) -> dict[str, Any]:
    """Verify the file that is the request's body. It is deleted when the answer is ready.

    Without a token the answer leaves out how strong the mark is: that would tell whoever wants to
    remove it how far they have come.
    """
    most = shared.settings.audit.max_upload_mib * MIB
    if content_length is not None and content_length > most:
        raise _too_large(most)
    with tempfile.TemporaryDirectory(dir=shared.uploads, prefix="verify-") as folder:
        path = Path(folder) / "upload"
        await _receive(request, path, most)
        report = await anyio.to_thread.run_sync(shared.verifier.verify, path, limiter=shared.turns)
    values = report.to_json()
    del values["name"]  # a name of ours, not of the caller's file
    return values if _may_see_detail(caller) else _without_detail(values)


async def _receive(request: Request, path: Path, most: int) -> None:
    """Write the body to a file, counting: lengths that clients declare may be wrong."""
    received = 0
    async with await anyio.open_file(path, "wb") as file:
        async for chunk in request.stream():
            received += len(chunk)
            if received > most:
                raise _too_large(most)
            await file.write(chunk)
    if received == 0:
        raise UnreadableMedia("the request has no body; send the bytes of a file")


def _too_large(most: int) -> RequestTooLarge:
    return RequestTooLarge(f"at most {most} bytes are taken; verify larger files with the command")


def _may_see_detail(caller: Principal | None) -> bool:
    return caller is not None and Right.VERIFY_DETAIL in RIGHTS[caller.role]


def _without_detail(values: dict[str, Any]) -> dict[str, Any]:
    values["layers"]["watermark"].pop("searches", None)
    return values
