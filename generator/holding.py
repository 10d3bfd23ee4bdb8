"""A clip that waits for a person or an authority lies encrypted in the home, never in the clear.

A sealed file is whole and on the disk before its name exists, and its name exists before the log
says `held`. What a broken journey leaves here is dropped by `generator.recovery`.
"""

import hashlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from generator.publish import flush
from provenance.clip import Clip
from provenance.errors import StorageFailed

CHUNK_BYTES = 2**20
NONCE_BYTES = 12
LENGTH_BYTES = 4
MAX_SEALED_BYTES = CHUNK_BYTES + 64  # a chunk, its nonce and its tag
KEY_LABEL = b"cmk held clips 1"  # BLAKE2b takes 16 bytes
SEALED, DRAFT = ".sealed", ".part"  # what the names of whole files and of drafts end with


@dataclass(frozen=True, slots=True)
class Holding:
    """Seals files under a key derived from the home's sealing key."""

    folder: Path
    sealing_key: bytes

    def seal(self, path: Path, attempt_id: str) -> str:
        """Encrypt a file into the holding folder and return the SHA-256 of its plain bytes.

        The file is cut into chunks of 1 MiB, each AES-256-GCM with its own nonce; number and
        last-ness of a chunk are bound to it, so none can be dropped, swapped or appended. A file of
        that name stays what it is.

        Raises:
            StorageFailed: the disk refuses, or a sealed file is there already; nothing half-written
                stays.
        """
        draft = self.folder / f".{attempt_id}{DRAFT}"
        try:
            draft.unlink(missing_ok=True)  # what an interrupted sealing left
            try:
                digest = self._encrypt(path, draft, attempt_id)
                os.link(draft, self.folder / f"{attempt_id}{SEALED}")
            finally:
                draft.unlink(missing_ok=True)
            flush(self.folder)
        except OSError as error:
            raise _not_written(self.folder, error) from error
        return digest

    def seal_clip(self, clip: Clip, private: Path, attempt_id: str) -> str:
        """Encrypt a clip that lies in no file yet, without loss, and return the SHA-256 of that.

        Args:
            clip: small enough for memory, as what a model made is.
            private: the attempt's folder, in which its frames lie meanwhile as a .npy file of
                (time, height, width, 3) uint8.
            attempt_id: whose it is.

        Raises:
            StorageFailed: the disk refuses.
        """
        path = private / "frames.npy"
        try:
            np.save(path, np.stack([frame.rgb for frame in clip.frames()]))
        except OSError as error:
            raise _not_written(private, error) from error
        return self.seal(path, attempt_id)

    def discard(self, attempt_id: str) -> None:
        """Remove what was sealed for an attempt that the log does not hold after all."""
        (self.folder / f"{attempt_id}{SEALED}").unlink(missing_ok=True)

    def unseal(self, attempt_id: str, target: Path) -> str:
        """Decrypt a held file to `target` and return the SHA-256 of its bytes.

        Raises:
            StorageFailed: the sealed file is missing, cut or changed; nothing is left at `target`.
        """
        try:
            with target.open("xb") as plain:
                try:
                    return self._decrypt(attempt_id, plain)
                except BaseException:  # also on Ctrl-C: half a clip is no clip
                    target.unlink()
                    raise
        except (OSError, EOFError, InvalidTag) as error:
            raise StorageFailed(
                f"the held clip of attempt {attempt_id} does not open to {target} (it is missing, "
                "was cut or changed, the sealing key is another one, or the place is taken); "
                "nothing was written"
            ) from error

    def _encrypt(self, path: Path, draft: Path, attempt_id: str) -> str:
        cipher = AESGCM(self._key())
        digest = hashlib.sha256()
        with path.open("rb") as source, draft.open("xb") as sealed:
            for number, (chunk, is_last) in enumerate(_chunks(source)):
                digest.update(chunk)
                place = _place(attempt_id, number, is_last=is_last)
                nonce = secrets.token_bytes(NONCE_BYTES)
                encrypted = nonce + cipher.encrypt(nonce, chunk, place)
                sealed.write(len(encrypted).to_bytes(LENGTH_BYTES, "big") + encrypted)
            sealed.flush()
            os.fsync(sealed.fileno())
        return digest.hexdigest()

    def _decrypt(self, attempt_id: str, plain: BinaryIO) -> str:
        cipher = AESGCM(self._key())
        digest = hashlib.sha256()
        with (self.folder / f"{attempt_id}{SEALED}").open("rb") as sealed:
            for number, (encrypted, is_last) in enumerate(_sealed_chunks(sealed)):
                place = _place(attempt_id, number, is_last=is_last)
                chunk = cipher.decrypt(encrypted[:NONCE_BYTES], encrypted[NONCE_BYTES:], place)
                digest.update(chunk)
                plain.write(chunk)
        return digest.hexdigest()

    def _key(self) -> bytes:
        """Derive a key of its own: the sealing key itself wraps the keys of texts only."""
        return hashlib.blake2b(self.sealing_key, digest_size=32, person=KEY_LABEL).digest()


def _place(attempt_id: str, number: int, *, is_last: bool) -> bytes:
    """Return what a chunk is bound to."""
    return f"{attempt_id} {number} {'last' if is_last else 'more'}".encode()


def _not_written(folder: Path, error: OSError) -> StorageFailed:
    # numpy's own OSError, for a write that was cut short, has no strerror.
    return StorageFailed(
        f"the held clip cannot be written to {folder} ({error.strerror or error}); free some space "
        "and ask again"
    )


def _chunks(source: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Yield the chunks of a file, at least one, each with whether it is the last."""
    chunk = source.read(CHUNK_BYTES)
    while True:
        following = source.read(CHUNK_BYTES)
        yield chunk, not following
        if not following:
            return
        chunk = following


def _sealed_chunks(sealed: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Yield the encrypted chunks of a sealed file, each with whether it is the last.

    Raises:
        EOFError: the file ends inside a chunk, or holds none.
    """
    head = sealed.read(LENGTH_BYTES)
    while True:
        length = int.from_bytes(head, "big")
        chunk = sealed.read(length)
        if len(head) < LENGTH_BYTES or not 0 < length <= MAX_SEALED_BYTES or len(chunk) < length:
            raise EOFError
        head = sealed.read(LENGTH_BYTES)
        yield chunk, not head
        if not head:
            return
