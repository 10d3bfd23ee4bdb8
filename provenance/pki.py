"""A small certificate authority of one's own: for the demo, for tests and for a first installation.

It makes what C2PA asks of a claim signer (specification 2.2, section 14.5.1) and RFC 3161 of a
time-stamp authority, and keeps the two apart under two roots: a time-stamp root must never vouch
for a claim. Every certificate says "not for production" in its name, so that no reader takes a demo
for somebody's word.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provenance.errors import KeyUnavailable
from provenance.keys import private_pem, write_private

CLAIM_SIGNING = x509.ObjectIdentifier("1.3.6.1.4.1.62558.2.1")
"""C2PA claim signing, the key usage of the C2PA certificate policy."""

DEMO_NAME = "countermark demo - not for production"

_CLOCK_SKEW = timedelta(hours=1)  # a verifier whose clock is behind must not call it not yet valid
_ROOT_LIFE = timedelta(days=30 * 365)
_INTERMEDIATE_LIFE = timedelta(days=20 * 365)
_TIMESTAMP_LIFE = timedelta(days=20 * 365)  # outlives the claims: it proves when they were made
_CLAIM_LIFE = timedelta(days=2 * 365)


@dataclass(frozen=True, slots=True)
class DemoPki:
    """Where the demo's keys and certificates lie."""

    signing_key: Path
    signing_chain: Path
    root: Path
    timestamp_key: Path
    timestamp_chain: Path
    timestamp_root: Path

    @classmethod
    def at(cls, folder: Path) -> Self:
        """Name the files in `folder`, whether they exist or not."""
        return cls(
            signing_key=folder / "signing.key",
            signing_chain=folder / "signing.pem",
            root=folder / "root.pem",
            timestamp_key=folder / "tsa.key",
            timestamp_chain=folder / "tsa.pem",
            timestamp_root=folder / "tsa-root.pem",
        )


@dataclass(frozen=True, slots=True)
class Issuer:
    """A certificate and its key, able to issue others."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def make_demo_pki(folder: Path, *, organisation: str, now: datetime) -> DemoPki:
    """Make two roots, a claim signer and a time-stamp authority; write their files into `folder`.

    The keys of the roots and of the intermediate are not written: nothing can be issued under them
    afterwards, so a leaked demo folder makes no further signers.

    Args:
        folder: an existing folder; no file in it is replaced.
        organisation: stands in every certificate as O; readers show it as the issuer.
        now: aware time from which the certificates are valid.

    Raises:
        KeyUnavailable: a file exists already, or the folder cannot be written.
    """
    root = issue_root(f"{DEMO_NAME}, root", organisation, now=now)
    intermediate = issue_intermediate(f"{DEMO_NAME}, intermediate", organisation, root, now=now)
    claim = issue_leaf(
        DEMO_NAME, organisation, intermediate, usage=CLAIM_SIGNING, now=now, life=_CLAIM_LIFE
    )
    timestamp_root = issue_root(f"{DEMO_NAME}, time-stamp root", organisation, now=now)
    timestamp = issue_leaf(
        f"{DEMO_NAME}, time-stamps",
        organisation,
        timestamp_root,
        usage=ExtendedKeyUsageOID.TIME_STAMPING,
        now=now,
        life=_TIMESTAMP_LIFE,
    )

    paths = DemoPki.at(folder)
    write_private(paths.signing_key, private_pem(claim.key))
    write_private(paths.timestamp_key, private_pem(timestamp.key))
    _write_certificates(paths.signing_chain, claim, intermediate)
    _write_certificates(paths.root, root)
    _write_certificates(paths.timestamp_chain, timestamp)
    _write_certificates(paths.timestamp_root, timestamp_root)
    return paths


def issue_root(common_name: str, organisation: str, *, now: datetime) -> Issuer:
    """Make a self-signed root."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(common_name, organisation)
    builder = _builder(subject, subject, key, now=now, life=_ROOT_LIFE)
    builder = _with_ca(builder, path_length=None)
    builder = builder.add_extension(_authority(key), critical=False)
    return Issuer(builder.sign(key, hashes.SHA256()), key)


def issue_intermediate(
    common_name: str, organisation: str, issuer: Issuer, *, now: datetime
) -> Issuer:
    """Make an authority below `issuer` that can issue leaves only."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(common_name, organisation)
    builder = _builder(subject, issuer.certificate.subject, key, now=now, life=_INTERMEDIATE_LIFE)
    builder = _with_ca(builder, path_length=0)
    builder = builder.add_extension(_authority(issuer.key), critical=False)
    return Issuer(builder.sign(issuer.key, hashes.SHA256()), key)


def issue_leaf(  # a certificate has this many properties worth choosing
    common_name: str,
    organisation: str,
    issuer: Issuer,
    *,
    usage: x509.ObjectIdentifier,
    now: datetime,
    life: timedelta,
) -> Issuer:
    """Make a certificate that signs for one purpose only.

    Args:
        common_name: CN of the subject.
        organisation: O of the subject.
        issuer: who vouches for it.
        usage: the extended key usage; RFC 3161 (section 2.3) wants it critical for time-stamps.
        now: valid from an hour before.
        life: valid for.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(
        _name(common_name, organisation), issuer.certificate.subject, key, now=now, life=life
    )
    builder = (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_claims=True), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([usage]),
            critical=usage == ExtendedKeyUsageOID.TIME_STAMPING,
        )
        .add_extension(_authority(issuer.key), critical=False)
    )
    return Issuer(builder.sign(issuer.key, hashes.SHA256()), key)


def certificates_pem(*issuers: Issuer) -> bytes:
    """Return the certificates one after the other in PEM."""
    return b"".join(
        issuer.certificate.public_bytes(serialization.Encoding.PEM) for issuer in issuers
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    *,
    now: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _with_ca(
    builder: x509.CertificateBuilder, *, path_length: int | None
) -> x509.CertificateBuilder:
    return builder.add_extension(
        x509.BasicConstraints(ca=True, path_length=path_length), critical=True
    ).add_extension(_key_usage(signs_claims=False), critical=True)


def _key_usage(*, signs_claims: bool) -> x509.KeyUsage:
    """A leaf signs claims or tokens; an authority signs certificates; nobody does both."""
    return x509.KeyUsage(
        digital_signature=signs_claims,
        key_cert_sign=not signs_claims,
        crl_sign=not signs_claims,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _name(common_name: str, organisation: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _write_certificates(path: Path, *issuers: Issuer) -> None:
    try:
        with path.open("xb") as file:
            file.write(certificates_pem(*issuers))
    except OSError as error:
        raise KeyUnavailable(
            f"cannot write the certificates {path} ({error.strerror}); "
            "certificates are never replaced, move the old ones away first"
        ) from error
