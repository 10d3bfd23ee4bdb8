"""Whom to believe: lists of root certificates, one kind for claims and one for time-stamps.

The kinds never mix. A time-stamp root that also vouched for claims would let every customer of a
time-stamp service sign for a newsroom; c2pa-rs 0.91.3 accepts such a claim, so `credentials` asks
which list vouched for it.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from provenance.errors import CredentialsError

MAX_LIST_BYTES = 8 * 2**20  # the official lists of 2026 are below 100 KiB


@dataclass(frozen=True, slots=True)
class TrustList:
    """Root certificates that somebody chose to believe, and where they come from."""

    name: str
    """As reports show it, for example a file name or an issuer."""
    pem: bytes = field(repr=False)
    date: str | None = None
    """Of the list's edition, as its publisher writes it; None where it says none."""

    @property
    def sha256(self) -> str:
        """Digest of the list's very bytes, hex, to name the edition used."""
        return hashlib.sha256(self.pem).hexdigest()

    @property
    def certificates(self) -> tuple[x509.Certificate, ...]:
        """The roots.

        Raises:
            CredentialsError: the bytes are no certificates.
        """
        try:
            return tuple(x509.load_pem_x509_certificates(self.pem))
        except ValueError as error:
            raise CredentialsError(
                f"the trust list {self.name} holds no certificates in PEM ({error}); "
                "give a file with BEGIN CERTIFICATE blocks"
            ) from error

    @property
    def clean_pem(self) -> str:
        """The certificates alone, re-encoded: comments in a list confuse parsers differently."""
        return b"".join(
            certificate.public_bytes(serialization.Encoding.PEM)
            for certificate in self.certificates
        ).decode("ascii")

    @classmethod
    def load(cls, path: Path, *, date: str | None = None) -> Self:
        """Read a list from a PEM file.

        Raises:
            CredentialsError: the file cannot be read, is too large or holds no certificates.
        """
        try:
            with path.open("rb") as file:
                pem = file.read(MAX_LIST_BYTES + 1)
        except OSError as error:
            raise CredentialsError(
                f"cannot read the trust list {path} ({error.strerror}); check the path"
            ) from error
        if len(pem) > MAX_LIST_BYTES:
            raise CredentialsError(
                f"the trust list {path} is larger than {MAX_LIST_BYTES} bytes; "
                "give a PEM file of root certificates"
            )
        loaded = cls(name=path.name, pem=pem, date=date)
        if not loaded.certificates:
            raise CredentialsError(f"the trust list {path} is empty; give at least one root")
        return loaded


@dataclass(frozen=True, slots=True)
class TrustLists:
    """Every list a reader believes, the two kinds apart; none at all is a valid choice."""

    claim: tuple[TrustList, ...] = ()
    timestamp: tuple[TrustList, ...] = ()

    @classmethod
    def load(cls, *, claim: tuple[Path, ...] = (), timestamp: tuple[Path, ...] = ()) -> Self:
        """Read lists from PEM files.

        Raises:
            CredentialsError: one of them cannot be used.
        """
        return cls(
            claim=tuple(TrustList.load(path) for path in claim),
            timestamp=tuple(TrustList.load(path) for path in timestamp),
        )

    @property
    def timestamp_roots(self) -> tuple[x509.Certificate, ...]:
        """All roots of time-stamp authorities."""
        return tuple(root for trusted in self.timestamp for root in trusted.certificates)
