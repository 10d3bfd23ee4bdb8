"""Where uploads lie: one folder for each server process, gone with it.

Each process holds a lock on its folder, which the system lets go of whatever it dies of. What no
living process holds is left over, and the next server to start removes it.
"""

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from audit.errors import HomeUnusable

PREFIX = "verify-"


@contextmanager
def upload_folder(base: Path) -> Iterator[Path]:
    """Give this process a folder of its own for uploads, without those of processes that died.

    Args:
        base: where; made when it is missing.

    Raises:
        HomeUnusable: it cannot be made, or others may look into it.
    """
    with _locked(_own(base)):
        _remove_leftovers(base)
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
        lock = _lock(folder, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def system_uploads() -> Path:
    """Return the place for uploads where they are to lie outside a home."""
    return Path(tempfile.gettempdir()) / f"countermark-{os.getuid()}"


def _own(base: Path) -> Path:
    """Return `base` once it is a folder that nobody else can enter: its name may be guessed."""
    try:
        base.mkdir(mode=0o700, exist_ok=True)
        found = base.lstat()
    except OSError as error:
        raise HomeUnusable(
            f"{base}, where uploads would lie, cannot be made ({error.strerror}); make its parent "
            "writable, or serve with --read-only, which keeps uploads in TMPDIR"
        ) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise HomeUnusable(
            f"{base}, where uploads would lie, is no folder that only you can enter; remove it"
        )
    return base


def _remove_leftovers(base: Path) -> None:
    for folder in base.glob(f"{PREFIX}*"):
        with suppress(OSError), _locked(folder, fcntl.LOCK_EX | fcntl.LOCK_NB):
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(folder: Path, kind: int = fcntl.LOCK_EX) -> Iterator[None]:
    lock = _lock(folder, kind)
    try:
        yield
    finally:
        os.close(lock)


def _lock(folder: Path, kind: int) -> int:
    """Return a descriptor that holds a lock on a folder until it is closed."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(opened, kind)
    except BaseException:
        os.close(opened)
        raise
    return opened
