"""The COSE signature of a claim: what it signs, and what stands beside the signature unsigned.

C2PA signs with COSE_Sign1 (RFC 9052) and a detached payload. Its unprotected header holds the
time-stamp and padding: neither is signed, and no verifier looks at the padding at all. That the
signature itself is right is the business of the two verifiers; here it is taken apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from provenance import cbor
from provenance.jumbf import MalformedStore
from provenance.pki import CLAIM_SIGNING
from provenance.timestamp import TimestampFinding, TimestampState, verify_token

_COSE_SIGN1 = 18
_X5CHAIN = 33  # RFC 9360; early files spell it out
_CHAIN_KEYS = (_X5CHAIN, "x5chain")
_PADDING_KEYS = ("pad", "pad2")

DOCUMENT_SIGNING = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")
CLAIM_USAGES = (CLAIM_SIGNING, DOCUMENT_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION)
"""Extended key usages that may sign a claim: C2PA specification 2.2, section 14.5.1."""

FOREIGN_USAGES = (
    ExtendedKeyUsageOID.TIME_STAMPING,
    ExtendedKeyUsageOID.OCSP_SIGNING,
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
)
"""Usages that a claim signer must not have beside: the same section."""


@dataclass(frozen=True, slots=True)
class SignerCertificate:
    """Who signed the claim, by the certificate in the signature."""

    sha256: str
    """Of the certificate (DER), hex: what names a key in the log."""
    common_name: str | None
    organisation: str | None
    serial_hex: str
    not_before: str
    not_after: str
    key_usages: tuple[str, ...]
    """Extended key usages, dotted."""

    @property
    def may_sign_claims(self) -> bool:
        """Whether its key usage is one for claims and for nothing that excludes claims."""
        allowed = {usage.dotted_string for usage in CLAIM_USAGES}
        foreign = {usage.dotted_string for usage in FOREIGN_USAGES}
        return bool(allowed.intersection(self.key_usages)) and not foreign.intersection(
            self.key_usages
        )


@dataclass(frozen=True, slots=True)
class SignatureFinding:
    """A claim signature taken apart."""

    signer: SignerCertificate | None
    timestamp: TimestampFinding
    unsigned_start: int
    """Where, in the encoded signature, the unsigned header begins."""
    unsigned_end: int
    violations: tuple[str, ...]
    """What no honest signer writes."""
    deviations: tuple[str, ...]
    """What countermark does not write."""


def open_signature(
    encoded: bytes, *, claim: bytes, timestamp_roots: Sequence[x509.Certificate]
) -> SignatureFinding:
    """Take apart a COSE_Sign1 with a detached claim.

    Args:
        encoded: the content of the signature box.
        claim: the content of the claim box; early time-stamps are over it.
        timestamp_roots: see `verify_token`.

    Raises:
        MalformedStore: it is no COSE_Sign1.
    """
    decoded, protected, unprotected, payload, signature = _parts(encoded)
    violations: list[str] = []
    deviations: list[str] = []
    if not decoded.shortest or not isinstance(decoded.value, cbor.Tagged):
        deviations.append("the claim signature is not written in the one shortest form of CBOR")
    if payload is not None:
        deviations.append("the claim signature carries a payload that nobody reads")
    for key in _PADDING_KEYS:
        padding = unprotected.get(key, b"")
        if not isinstance(padding, bytes) or any(padding):
            violations.append("the padding of the claim signature holds something")
    known = {*_PADDING_KEYS, "sigTst", "sigTst2"}
    if not known.issuperset(unprotected) or set(unprotected) >= {"sigTst", "sigTst2"}:
        deviations.append("the unsigned header of the claim signature holds more than it must")
    chains = _chains(protected, unprotected)
    if len(chains) > 1:
        violations.append("the claim signature holds more than one certificate chain")
    timestamp, changed, remarks = _timestamp(
        unprotected, protected=protected, signature=signature, claim=claim, roots=timestamp_roots
    )
    start = encoded.index(protected) + len(protected)
    return SignatureFinding(
        signer=_signer(chains),
        timestamp=timestamp,
        unsigned_start=start,
        unsigned_end=len(encoded) - len(_bstr(signature)),
        violations=(*violations, *changed),
        deviations=(*deviations, *remarks),
    )


def signer_of(encoded: bytes) -> SignerCertificate | None:
    """Return whose certificate stands in a COSE_Sign1; None when it holds none that can be read."""
    try:
        _, protected, unprotected, _, _ = _parts(encoded)
    except MalformedStore:
        return None
    return _signer(_chains(protected, unprotected))


def _parts(
    encoded: bytes,
) -> tuple[cbor.Decoded, bytes, dict[object, object], object, bytes]:
    try:
        decoded = cbor.decode(encoded)
    except cbor.MalformedCbor as error:
        raise MalformedStore(f"the claim signature is no CBOR: {error}") from error
    item = decoded.value
    if isinstance(item, cbor.Tagged) and item.tag == _COSE_SIGN1:
        item = item.value
    match item:
        case [bytes() as protected, dict() as unprotected, payload, bytes() as signature]:
            return decoded, protected, unprotected, payload, signature
        case _:
            raise MalformedStore("the claim signature is no COSE_Sign1")


def _timestamp(
    unprotected: dict[object, object],
    *,
    protected: bytes,
    signature: bytes,
    claim: bytes,
    roots: Sequence[x509.Certificate],
) -> tuple[TimestampFinding, list[str], list[str]]:
    """Check the time-stamp; say what nobody honest leaves in it, and what we would not.

    Version 1 (`sigTst`) stamps the claim, version 2 the signature, each as the payload of a COSE
    counter-signature structure; C2PA specification 2.2, section 10.3.2.5.
    """
    name, payload = ("sigTst2", _bstr(signature)) if "sigTst2" in unprotected else ("sigTst", claim)
    if name not in unprotected:
        return TimestampFinding(TimestampState.ABSENT), [], ["the claim carries no time-stamp"]
    token = _only_token(unprotected[name])
    if token is None:
        found = TimestampFinding(
            TimestampState.UNSUPPORTED, problems=("it is not one token and nothing beside it",)
        )
    else:
        to_stamp = b"\x84\x70CounterSignature" + _bstr(protected) + _bstr(b"") + _bstr(payload)
        found = verify_token(token, stamped=to_stamp, roots=roots)
    because = ", ".join(found.problems)
    if found.state is TimestampState.INVALID:
        return found, [f"the time-stamp does not hold: {because}"], []
    if found.state is TimestampState.UNSUPPORTED:
        return found, [], [f"the time-stamp could not be checked: {because}"]
    return found, [], list(found.unsigned)


def _only_token(header: object) -> bytes | None:
    """Return the token; a container that holds anything else besides counts as none."""
    match header:
        case {"tstTokens": [{"val": bytes() as token, **beside}], **more} if (
            not beside and not more
        ):
            return token
        case _:
            return None


def _chains(protected: bytes, unprotected: dict[object, object]) -> list[object]:
    """Return the certificate chains, from where they are signed first."""
    try:
        signed = cbor.decode(protected).value
    except cbor.MalformedCbor:
        signed = None
    headers = (signed if isinstance(signed, dict) else {}, unprotected)
    return [header[key] for header in headers for key in _CHAIN_KEYS if key in header]


def _signer(chains: list[object]) -> SignerCertificate | None:
    """Read the first certificate of the first chain."""
    first = chains[0] if chains else None
    if isinstance(first, list):
        first = first[0] if first else None
    if not isinstance(first, bytes):
        return None
    try:
        return _describe(x509.load_der_x509_certificate(first))
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension):
        return None


def _describe(certificate: x509.Certificate) -> SignerCertificate:
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        dotted = tuple(usage.dotted_string for usage in usages)
    except x509.ExtensionNotFound:
        dotted = ()
    return SignerCertificate(
        sha256=certificate.fingerprint(hashes.SHA256()).hex(),
        common_name=_attribute(certificate, x509.NameOID.COMMON_NAME),
        organisation=_attribute(certificate, x509.NameOID.ORGANIZATION_NAME),
        serial_hex=f"{certificate.serial_number:x}",
        not_before=certificate.not_valid_before_utc.isoformat(),
        not_after=certificate.not_valid_after_utc.isoformat(),
        key_usages=dotted,
    )


def _attribute(certificate: x509.Certificate, kind: x509.ObjectIdentifier) -> str | None:
    found = certificate.subject.get_attributes_for_oid(kind)
    return str(found[0].value) if found else None


def _bstr(content: bytes) -> bytes:
    """Encode a CBOR byte string with its shortest length."""
    for limit, head in ((24, None), (2**8, 0x58), (2**16, 0x59), (2**32, 0x5A)):
        if len(content) >= limit:
            continue
        if head is None:
            return bytes([0x40 + len(content)]) + content
        return bytes([head]) + len(content).to_bytes(1 << (head - 0x58), "big") + content
    raise MalformedStore(f"{len(content)} bytes in one CBOR string; a claim is never that long")
