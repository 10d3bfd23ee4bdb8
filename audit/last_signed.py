"""What this home signed last, kept beside the key that signed it: the log always begins with it.

A database that was restored from an old backup agrees with itself, and a log that goes on from
there tells a second story under the same key. So the newest checkpoint stays where the database is
not, and nothing is signed, and no check passes, over a log that does not begin with it.

The file is written after the commit, so it may lag behind the log and never leads it; it only ever
grows. Where it is missing or empty (a home whose keys alone were restored, a copy made for an
auditor, a power failure at the first record) nothing is known, and nothing refused.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from audit.checkpoint import SignedCheckpoint, open_checkpoint
from audit.errors import LedgerDamaged, LedgerError, NoteInvalid
from audit.note import Verifier

SECTOR_BYTES: Final = 512
"""The file is one write of this size to one place, which disks do whole or not at all.

A checkpoint of ours takes at most 423 bytes, newlines fill the rest. Replacing the file by another
one would do as well, and costs ext4 a flush to disk at each commit.
"""


@dataclass(frozen=True, slots=True)
class LastSigned:
    """The newest checkpoint of one key, in a file of its own.

    Attributes:
        path: the file.
        verifier: the key's public half: nobody else can write a checkpoint that is believed here.
    """

    path: Path
    verifier: Verifier

    def read(self) -> SignedCheckpoint | None:
        """Return the checkpoint, or None where none is kept.

        Raises:
            LedgerDamaged: what is kept is not one of this key.
            LedgerError: the file cannot be read.
        """
        try:
            with _locked(self.path, os.O_RDONLY, fcntl.LOCK_SH) as opened:
                kept = _content(opened)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LedgerError(
                f"{self.path} cannot be read ({error.strerror}); make it readable, it says what "
                "this log signed last"
            ) from error
        if not kept:
            return None
        try:
            return open_checkpoint(kept + "\n", self.verifier)
        except NoteInvalid as error:
            raise LedgerDamaged(
                f"{self.path} is not what this log's key signed last ({error}); restore it, or "
                "find out who changed it before you delete it"
            ) from error

    def keep(self, signed: SignedCheckpoint) -> None:
        """Keep a checkpoint, unless a later one of another process is kept already.

        Failing to is no error: the record is in the log, and what is kept still holds.
        """
        with (
            suppress(OSError),
            _locked(self.path, os.O_RDWR | os.O_CREAT, fcntl.LOCK_EX) as opened,
        ):
            if signed.size > _size(_content(opened)):
                os.pwrite(opened, signed.note.encode().ljust(SECTOR_BYTES, b"\n"), 0)


@contextmanager
def _locked(path: Path, flags: int, lock: int) -> Iterator[int]:
    """Open a file and hold it: nobody reads half a checkpoint, and of two the later one wins."""
    opened = os.open(path, flags, 0o600)
    try:
        fcntl.flock(opened, lock)
        yield opened
    finally:
        os.close(opened)


def _content(opened: int) -> str:
    return os.pread(opened, SECTOR_BYTES, 0).decode(errors="replace").rstrip("\n")


def _size(note: str) -> int:
    """Return the size that a checkpoint names, as far as it tells without its signature."""
    _, *rest = note.split("\n", 2)
    return int(rest[0]) if rest and rest[0].isdecimal() else 0
