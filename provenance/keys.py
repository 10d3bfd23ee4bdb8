"""Secrets on disk: who may read a key file, and the keys that sign claims and the log.

One rule holds for every secret of ours (claim signature, log, watermark, sealing): the file belongs
to the user that runs countermark and nobody else can read it, or it is refused. A key that its
group can read is a key that somebody else may have, and a signature by it proves nothing.
"""

import errno
import os
import secrets
import stat
from pathlib import Path
from typing import ClassVar, Protocol

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from provenance.errors import KeyExposed, KeyUnavailable

MAX_SECRET_BYTES = 64 * 2**10
"""More than the longest PEM key with its chain; a bigger file is not a secret of ours."""

SECRET_BYTES = 32
"""Of a key that is nothing but random: the watermark's, and the one that seals."""

PRIVATE_MODE = 0o600
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_ES256_INTEGER_BYTES = 32


class Signer(Protocol):
    """Something that signs claims: a key file here, a hardware module or a cloud key elsewhere."""

    @property
    def algorithm(self) -> str:
        """The COSE algorithm, as C2PA spells it: `es256`."""

    @property
    def certificate_chain_pem(self) -> bytes:
        """The signer's certificate first, then its intermediates, without the root."""

    def sign(self, payload: bytes) -> bytes:
        """Return the raw signature, r and s as fixed-length big-endian integers (IEEE P1363).

        Raises:
            KeyUnavailable: the key cannot be used now.
        """


class FileSigner:
    """Signs with an ES256 (P-256) key in a file that only its owner can read."""

    algorithm: ClassVar[str] = "es256"

    def __init__(self, key_path: Path, chain_path: Path) -> None:
        """Load the key and its certificates.

        Args:
            key_path: PEM, PKCS 8, not encrypted, mode 0600.
            chain_path: PEM, the signer's certificate first.

        Raises:
            KeyExposed: others can read the key file.
            KeyUnavailable: a file is missing, is no P-256 key, or the first certificate is not the
                key's.
        """
        key = _load_pem_key(key_path)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(
            key.curve, ec.SECP256R1
        ):
            raise KeyUnavailable(
                f"{key_path} holds a {type(key).__name__}, a claim is signed with an EC key on "
                "P-256; put one there as docs/operating.md says"
            )
        chain = _read_certificates(chain_path)
        if chain[0].public_key() != key.public_key():
            raise KeyUnavailable(
                f"the first certificate in {chain_path} was not issued for the key in {key_path}; "
                "put the signer's own certificate first, then its intermediates"
            )
        self._key = key
        self.certificate_chain_pem = b"".join(
            certificate.public_bytes(serialization.Encoding.PEM) for certificate in chain
        )

    def sign(self, payload: bytes) -> bytes:
        """Return r and s of the ECDSA signature over SHA-256(payload), 32 bytes each."""
        r, s = decode_dss_signature(self._key.sign(payload, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(_ES256_INTEGER_BYTES, "big") + s.to_bytes(_ES256_INTEGER_BYTES, "big")


def read_private(path: Path) -> bytes:
    """Return the content of a secret file that only its owner can read.

    The check is made on the opened file, so the file cannot be exchanged between check and reading.

    Raises:
        KeyUnavailable: the file is missing, is not a regular file, or is too large.
        KeyExposed: it belongs to another user, or its group or others may read or write it.
    """
    try:
        # Without O_NONBLOCK a named pipe put in the key's place would hang the start.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise KeyUnavailable(
            f"cannot open the key file {path} ({error.strerror}); "
            "make it with `countermark init`, or correct the path in the configuration"
        ) from error
    try:
        status = os.fstat(descriptor)
        _refuse_exposed(path, status)
        if status.st_size > MAX_SECRET_BYTES:
            raise KeyUnavailable(
                f"{path} is {status.st_size} bytes long, a key file has at most "
                f"{MAX_SECRET_BYTES}; check the path in the configuration"
            )
        return os.read(descriptor, MAX_SECRET_BYTES)
    finally:
        os.close(descriptor)


def write_private(path: Path, content: bytes) -> None:
    """Create a secret file, mode 0600, whole or not at all; never replace one.

    Raises:
        KeyUnavailable: a file of that name exists, or the folder cannot be written.
    """
    # Written beside and linked into place: a crash in between leaves no half a key under its name.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(
            draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_MODE
        )
        try:
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(descriptor, PRIVATE_MODE)  # a umask only takes bits away; be exact
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            os.link(draft, path)
        finally:
            draft.unlink()
        _sync_folder(path.parent)
    except OSError as error:
        advice = (
            "a key is never replaced; use the one that is there, or move it away first"
            if error.errno == errno.EEXIST
            else "check that the folder exists and can be written"
        )
        raise KeyUnavailable(
            f"cannot write the key file {path} ({error.strerror}); {advice}"
        ) from error


def write_secret(path: Path) -> None:
    """Make a secret of `SECRET_BYTES` random bytes and store it as `write_private` does.

    Raises:
        KeyUnavailable: the file exists or cannot be written.
    """
    write_private(path, secrets.token_bytes(SECRET_BYTES))


def write_log_key(path: Path) -> ed25519.Ed25519PrivateKey:
    """Make a key for the log's checkpoints, store it in PKCS 8 PEM (mode 0600) and return it.

    Raises:
        KeyUnavailable: the file exists or cannot be written.
    """
    key = ed25519.Ed25519PrivateKey.generate()
    write_private(path, private_pem(key))
    return key


def read_log_key(path: Path) -> ed25519.Ed25519PrivateKey:
    """Return the log's Ed25519 key.

    Raises:
        KeyExposed: others can read the file.
        KeyUnavailable: it is missing or holds something else.
    """
    key = _load_pem_key(path)
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise KeyUnavailable(
            f"{path} holds a {type(key).__name__}, the log is signed with an Ed25519 key; "
            "check the path in the configuration"
        )
    return key


def private_pem(key: PrivateKeyTypes) -> bytes:
    """Return the key as PKCS 8 PEM without encryption, for `write_private`."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _refuse_exposed(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise KeyUnavailable(f"{path} is not a regular file; a key is read from a file only")
    if status.st_uid != os.geteuid():
        raise KeyExposed(
            f"{path} belongs to user {status.st_uid}, countermark runs as {os.geteuid()}; "
            "give the file to the user that runs countermark"
        )
    if status.st_mode & _OTHERS:
        raise KeyExposed(
            f"{path} has mode {stat.S_IMODE(status.st_mode):04o}, so others may have read it; "
            f"run `chmod 600 {path}`, and replace the key if others use this machine"
        )


def _load_pem_key(path: Path) -> PrivateKeyTypes:
    try:
        return serialization.load_pem_private_key(read_private(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyUnavailable(
            f"{path} holds no private key in PEM that can be used without a password; "
            "keys are PKCS 8 PEM, protected by their file mode"
        ) from error


def _read_certificates(path: Path) -> list[x509.Certificate]:
    try:
        chain = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise KeyUnavailable(
            f"cannot read certificates from {path} ({error}); expected PEM, the signer's own first"
        ) from error
    return chain


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
