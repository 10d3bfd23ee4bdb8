"""A clip that waits for a person or an authority lies encrypted in the home, never in the clear."""

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from provenance.errors import StorageFailed

CHUNK_BYTES = 2**20
NONCE_BYTES = 12
LENGTH_BYTES = 4
MAX_SEALED_BYTES = CHUNK_BYTES + 64  # a chunk, its nonce and its tag
KEY_LABEL = b"cmk held clips 1"  # BLAKE2b takes 16 bytes


@dataclass(frozen=True, slots=True)
class Holding:
    """Seals files under a key derived from the home's sealing key."""

    folder: Path
    sealing_key: bytes

    def seal(self, path: Path, attempt_id: str) -> str:
        """Encrypt a file into the holding folder and return the SHA-256 of its plain bytes.

        The file is cut into chunks of 1 MiB, each AES-256-GCM with its own nonce; number and
        last-ness of a chunk are bound to it, so none can be dropped, swapped or appended.

        Raises:
            StorageFailed: the disk refuses; nothing half-written stays.
        """
        cipher = AESGCM(self._key())
        target = self.folder / f"{attempt_id}.sealed"
        digest = hashlib.sha256()
        try:
            with path.open("rb") as source, target.open("xb") as sealed:
                for number, (chunk, is_last) in enumerate(_chunks(source)):
                    digest.update(chunk)
                    nonce = secrets.token_bytes(NONCE_BYTES)
                    place = f"{attempt_id} {number} {'last' if is_last else 'more'}".encode()
                    encrypted = nonce + cipher.encrypt(nonce, chunk, place)
                    sealed.write(len(encrypted).to_bytes(LENGTH_BYTES, "big") + encrypted)
        except OSError as error:
            target.unlink(missing_ok=True)
            raise StorageFailed(
                f"the held clip cannot be written to {self.folder} ({error.strerror}); "
                "free some space and ask again"
            ) from error
        return digest.hexdigest()

    def unseal(self, attempt_id: str, target: Path) -> str:
        """Decrypt a held file to `target` and return the SHA-256 of its bytes.

        Raises:
            StorageFailed: the sealed file is missing, cut or changed; nothing is left at `target`.
        """
        cipher = AESGCM(self._key())
        digest = hashlib.sha256()
        try:
            with (
                (self.folder / f"{attempt_id}.sealed").open("rb") as sealed,
                target.open("xb") as plain,
            ):
                for number, (encrypted, is_last) in enumerate(_sealed_chunks(sealed)):
                    place = f"{attempt_id} {number} {'last' if is_last else 'more'}".encode()
                    chunk = cipher.decrypt(encrypted[:NONCE_BYTES], encrypted[NONCE_BYTES:], place)
                    digest.update(chunk)
                    plain.write(chunk)
        except (OSError, EOFError, InvalidTag) as error:
            target.unlink(missing_ok=True)
            raise StorageFailed(
                f"the held clip of attempt {attempt_id} does not open; it is missing, was cut or "
                "changed, or the sealing key is another one"
            ) from error
        return digest.hexdigest()

    def _key(self) -> bytes:
        """Derive a key of its own: the sealing key itself wraps the keys of texts only."""
        return hashlib.blake2b(self.sealing_key, digest_size=32, person=KEY_LABEL).digest()


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
