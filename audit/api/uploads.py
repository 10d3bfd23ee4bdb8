"""Taking uploads in: how many, how much, for how long, and where they lie meanwhile.

Anybody may send a file, and the ledger may live on the same disk. So a request gets a turn before
its body is read; its bytes count against one budget for all of them; one that stops coming is let
go; and what lies in the folder is gone when its request ends.
"""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
from fastapi import Request
from starlette.requests import ClientDisconnect

from audit.api.form import Body, body_of
from audit.errors import RequestTooLarge, UploadsFull, UploadStalled
from provenance.errors import StorageFailed

STALL_S = 20.0  # without a byte: a mobile connection changes cells in less
WHOLE_S = 900.0  # 512 MiB at 5 Mbit/s


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """What is taken in, whoever sends it."""

    each_bytes: int
    together_bytes: int
    at_once: int
    stall_s: float = STALL_S
    whole_s: float = WHOLE_S


@dataclass(slots=True)
class _Upload:
    """One request's share of the budget."""

    reserved: int = 0
    received: int = 0


class Intake:
    """Receives files into one folder, within limits. Lives in one event loop."""

    def __init__(self, folder: Path, limits: UploadLimits) -> None:
        self.folder = folder
        self.limits = limits
        self._uploads: list[_Upload] = []

    @asynccontextmanager
    async def take(self, request: Request) -> AsyncIterator[Path]:
        """Give the file that the request brings; it is deleted when the block ends.

        Raises:
            UploadsFull: as many uploads or bytes as are taken at once; asked before any is read.
            RequestTooLarge: more bytes than one upload may have, declared or counted.
            UploadMalformed: the body is not one file.
            UploadStalled: it stopped coming, or came too slowly.
            StorageFailed: the disk refused.
        """
        with self._turn() as upload:
            declared = request.headers.get("content-length", "")
            self._reserve(upload, int(declared) if declared.isdecimal() else 0)
            with self._new_folder() as folder:
                path = folder / "upload"
                await self._receive(request, path, upload)
                yield path

    @contextmanager
    def _turn(self) -> Iterator[_Upload]:
        if len(self._uploads) >= self.limits.at_once:
            raise UploadsFull(
                f"this server verifies {self.limits.at_once} at once and has as many; "
                "try again in a moment"
            )
        upload = _Upload()
        self._uploads.append(upload)
        try:
            yield upload
        finally:
            # By identity: two uploads of the same size are equal.
            self._uploads = [each for each in self._uploads if each is not upload]

    def _reserve(self, upload: _Upload, size: int) -> None:
        """Count `size` bytes against the budget, for this upload."""
        limits = self.limits
        most = min(limits.each_bytes, limits.together_bytes)
        if size > most:
            raise RequestTooLarge(
                f"at most {most} bytes are taken; verify larger files with the command"
            )
        upload.reserved = max(upload.reserved, size)
        if sum(each.reserved for each in self._uploads) > limits.together_bytes:
            raise UploadsFull(
                "the files being verified fill the space that this server has for them; "
                "try again in a moment"
            )

    @contextmanager
    def _new_folder(self) -> Iterator[Path]:
        try:
            folder = Path(tempfile.mkdtemp(dir=self.folder))
        except OSError as error:
            raise _refused_by_disk(error) from error
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def _receive(self, request: Request, path: Path, upload: _Upload) -> None:
        try:
            with anyio.fail_after(self.limits.whole_s):
                await self._write(
                    request, body_of(request.headers.get("content-type")), path, upload
                )
        except TimeoutError as error:
            raise UploadStalled(
                f"the upload stood still for {self.limits.stall_s:g} s, or took longer than "
                f"{self.limits.whole_s:g} s; send it again, or use the command"
            ) from error
        except ClientDisconnect as error:
            raise UploadStalled("the upload broke off; send it again") from error
        except OSError as error:
            raise _refused_by_disk(error) from error

    async def _write(self, request: Request, body: Body, path: Path, upload: _Upload) -> None:
        chunks = request.stream()
        async with await anyio.open_file(path, "wb") as file:
            while chunk := await self._next(chunks):
                # Lengths that clients declare may be wrong, or missing.
                upload.received += len(chunk)
                self._reserve(upload, upload.received)
                await file.write(body.feed(chunk))
        body.finish()

    async def _next(self, chunks: AsyncIterator[bytes]) -> bytes:
        """Return the next bytes; none when the body has ended."""
        with anyio.fail_after(self.limits.stall_s):
            return await anext(chunks, b"")


def _refused_by_disk(error: OSError) -> StorageFailed:
    return StorageFailed(
        f"the upload could not be stored ({error.strerror}); the operator has to free some space"
    )
