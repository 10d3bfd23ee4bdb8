"""The folder in which one journey works: nobody else can read it, and it goes with the journey.

The journey holds a lock on it (flock(2)), which the kernel drops when its process ends, however it
ends. So recovery can tell a folder that was abandoned from one that is in use, also before the
attempt is recorded, and also where it cannot see the process.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from provenance.errors import StorageFailed

MODE = 0o700
UNLOCKED = "."  # begins the name of a folder that is not locked yet, and is empty
LOCKED_WITHIN_S = 60.0  # of its making; it is the next thing that a living journey does


@contextmanager
def private_folder(parent: Path, attempt_id: str) -> Iterator[Path]:
    """Give an attempt its folder, and remove it afterwards.

    Raises:
        StorageFailed: it cannot be made.
    """
    folder = parent / attempt_id
    descriptor = _make_locked(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def is_abandoned(folder: Path) -> bool:
    """Tell whether no process works in a folder any more."""
    if folder.name.startswith(UNLOCKED) and _age_s(folder) < LOCKED_WITHIN_S:
        return False
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return False  # its journey has just ended, or it is none of ours
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _age_s(folder: Path) -> float:
    try:
        return time.time() - folder.stat().st_mtime
    except OSError:
        return 0.0  # it has just got its name


def _make_locked(folder: Path) -> int:
    """Make a folder that has its name only once it is locked; return what holds the lock."""
    draft = folder.with_name(UNLOCKED + folder.name)
    try:
        draft.mkdir(mode=MODE)
        descriptor = os.open(draft, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            draft.rename(folder)
        except BaseException:
            os.close(descriptor)
            draft.rmdir()
            raise
    except OSError as error:
        raise StorageFailed(
            f"no working folder can be made in {folder.parent} ({error.strerror}); free some space "
            "or check its owner"
        ) from error
    return descriptor
