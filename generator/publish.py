"""Step 12: put a released file into its public place, once, whole, and without replacing anything.

The file is copied beside its place under a hidden name, flushed, and linked: at no moment does the
public name lead to half a file, and a file that is already there stays what it was. Doing it again
after a crash is harmless.
"""

import hashlib
import os
import shutil
from pathlib import Path

from generator.errors import PublishFailed, RequestInvalid

CHUNK_BYTES = 2**20


def refuse_taken(target: Path) -> None:
    """Refuse a target that exists or whose folder does not, before any work is done.

    Raises:
        RequestInvalid: naming what is wrong.
    """
    if target.exists() or target.is_symlink():
        raise RequestInvalid(f"{target} exists and is never replaced; choose another name")
    if not target.parent.is_dir():
        raise RequestInvalid(f"the folder {target.parent} does not exist; make it first")
    if not os.access(target.parent, os.W_OK):
        raise RequestInvalid(f"the folder {target.parent} cannot be written; choose another")


def publish(staged: Path, target: Path, *, sha256: str, attempt_id: str) -> None:
    """Link a staged file to its public place.

    Raises:
        PublishFailed: another file has taken the place meanwhile, or the disk refuses.
    """
    beside = _beside(target, attempt_id)
    try:
        beside.unlink(missing_ok=True)  # what an interrupted publication left
        shutil.copyfile(staged, beside)
        _flush(beside)
        try:
            os.link(beside, target)
        except FileExistsError as error:
            if file_sha256(target) != sha256:
                raise PublishFailed(
                    f"{target} was taken by another file meanwhile; the clip was not published"
                ) from error
        finally:
            beside.unlink(missing_ok=True)
        _flush(target.parent)
    except OSError as error:
        raise PublishFailed(
            f"{target} cannot be written ({error.strerror}); free some space or check its folder"
        ) from error


def discard_unpublished(target: Path, attempt_id: str) -> None:
    """Remove the hidden copy that an interrupted publication may have left."""
    _beside(target, attempt_id).unlink(missing_ok=True)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _beside(target: Path, attempt_id: str) -> Path:
    return target.with_name(f".{target.name}.{attempt_id}.part")


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
