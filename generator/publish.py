"""Step 12: put a released file into its public place, once, whole, and without replacing anything.

The file is copied beside its place under a hidden name, flushed, and linked: at no moment does the
public name lead to half a file, and a file that is already there stays what it was. Doing it again
after a crash is harmless.
"""

import errno
import hashlib
import os
import shutil
from pathlib import Path

from generator.errors import PublishFailed, RequestInvalid

CHUNK_BYTES = 2**20

# link(2): what file systems without hard links answer (FAT, some network and FUSE ones).
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS})


def refuse_taken(target: Path) -> None:
    """Refuse a target that exists, whose folder does not, or whose name no file can have.

    Raises:
        RequestInvalid: naming what is wrong, before any work is done.
    """
    try:
        if not target.parent.is_dir():
            raise RequestInvalid(f"the folder {target.parent} does not exist; make it first")
        longest = os.pathconf(target.parent, "PC_NAME_MAX")
        if len(os.fsencode(target.name)) > longest:
            raise RequestInvalid(
                f"the name {target.name[:40]}… has {len(os.fsencode(target.name))} bytes, "
                f"{target.parent} takes names of up to {longest}; choose a shorter one"
            )
        if target.exists() or target.is_symlink():
            raise RequestInvalid(f"{target} exists and is never replaced; choose another name")
    except OSError as error:
        raise RequestInvalid(
            f"{str(target)[:80]} is no place for a file ({error.strerror}); choose another"
        ) from error
    if not os.access(target.parent, os.W_OK):
        raise RequestInvalid(f"the folder {target.parent} cannot be written; choose another")


def publish(staged: Path, target: Path, *, sha256: str, attempt_id: str) -> None:
    """Link a staged file to its public place.

    Raises:
        PublishFailed: another file has taken the place meanwhile, or the disk refuses; `is_public`
            tells whether the file has its name all the same.
    """
    beside = _beside(target, attempt_id)
    try:
        beside.unlink(missing_ok=True)  # what an interrupted publication left
        try:
            shutil.copyfile(staged, beside)
            flush(beside)
            _link(beside, target, sha256)
        finally:
            beside.unlink(missing_ok=True)
        flush(target.parent)
    except OSError as error:
        raise PublishFailed(
            f"{target} cannot be written ({error.strerror}); free some space or check its folder"
        ) from error


def is_public(target: Path, sha256: str) -> bool:
    """Tell whether this very file has its public name.

    Raises:
        OSError: it cannot be seen from here, which is no answer.
    """
    return target.is_file() and file_sha256(target) == sha256


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


def flush(path: Path) -> None:
    """Return once a file, or a folder's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _link(beside: Path, target: Path, sha256: str) -> None:
    try:
        os.link(beside, target)
    except FileExistsError as error:
        if not is_public(target, sha256):
            raise PublishFailed(
                f"{target} was taken by another file meanwhile; the clip was not published"
            ) from error
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        raise PublishFailed(
            f"the file system of {target.parent} has no hard links, by which a clip gets its name "
            "whole and replaces nothing; choose a folder on another one"
        ) from error


def _beside(target: Path, attempt_id: str) -> Path:
    # Short whatever the target is called: a name may be as long as the file system allows.
    return target.with_name(f".{attempt_id}.part")
