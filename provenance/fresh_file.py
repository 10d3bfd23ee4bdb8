"""A new file that ends up whole or not at all, whoever writes it.

c2pa writes through callbacks and tells of a full disk in words that name neither disk nor file. The
file object here keeps the error that the system gave, and `fresh_file` raises that one.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TypeVar

from provenance.errors import StorageFailed

_Answer = TypeVar("_Answer")


class FreshFile:
    """A file that is being written, and the first error of the disk below it."""

    def __init__(self, file: BinaryIO) -> None:
        """Take an open, buffered file."""
        self._file = file
        self.failure: OSError | None = None

    def read(self, size: int = -1) -> bytes:
        """Read."""
        return self._kept(lambda: self._file.read(size))

    def write(self, content: bytes) -> int:
        """Write."""
        return self._kept(lambda: self._file.write(content))

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move."""
        return self._kept(lambda: self._file.seek(offset, whence))

    def tell(self) -> int:
        """Return the place."""
        return self._kept(self._file.tell)

    def flush(self) -> None:
        """Write what is still in memory."""
        self._kept(self._file.flush)

    def _kept(self, deed: Callable[[], _Answer]) -> _Answer:
        # All five: whatever moves in a buffered file may first write what is still in memory.
        try:
            return deed()
        except OSError as error:
            self.failure = self.failure or error
            raise


@contextmanager
def fresh_file(path: Path) -> Iterator[FreshFile]:
    """Open a new file, to be read and written while the block runs; nothing stays if that fails.

    Raises:
        StorageFailed: it exists, or the disk refused while it was written.
    """
    try:
        file = path.open("x+b")
    except OSError as error:
        raise _unwritten(path, error) from error
    target = FreshFile(file)
    try:
        yield target
        target.flush()
    except BaseException as error:
        with suppress(OSError):  # closing tries once more to write what could not be written
            file.close()
        path.unlink(missing_ok=True)
        if target.failure is not None:
            raise _unwritten(path, target.failure) from error
        raise
    file.close()


def _unwritten(target: Path, error: OSError) -> StorageFailed:
    return StorageFailed(
        f"cannot write {target.name} ({error.strerror}); free some space or choose another place"
    )
