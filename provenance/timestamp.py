"""Check the RFC 3161 time-stamp that stands in a claim's signature.

Both C2PA verifiers treat a broken time-stamp as a remark, so a changed token goes unnoticed unless
somebody looks at it on its own. `verify_token` looks at every byte: what the authority signed must
verify with its certificate, and what CMS leaves unsigned (algorithm lists, version numbers, the
name of the signer, further certificates) must say exactly what the signed part implies.

Checked with our own reading of CMS (RFC 5652, ESS certificate ids of RFC 5816), and the chain to
the given roots at the certified time with rfc3161-client.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import rfc3161_client
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from pyasn1.codec.ber import encoder as ber_encoder
from pyasn1.codec.der import decoder, encoder
from pyasn1.error import PyAsn1Error
from pyasn1.type import univ
from pyasn1_modules import rfc3161, rfc5035, rfc5652

MAX_TOKEN_BYTES = 64 * 2**10  # public authorities send 3 to 7 KiB with their certificates

_HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "2.16.840.1.101.3.4.2.1": hashes.SHA256,
    "2.16.840.1.101.3.4.2.2": hashes.SHA384,
    "2.16.840.1.101.3.4.2.3": hashes.SHA512,
}
_RSA_PSS = "1.2.840.113549.1.1.10"
# Signature algorithm: the digest it names, or None where the signer's digestAlgorithm decides.
_SIGNATURES = {
    "1.2.840.10045.4.3.2": "2.16.840.1.101.3.4.2.1",  # ecdsa-with-SHA256
    "1.2.840.10045.4.3.3": "2.16.840.1.101.3.4.2.2",
    "1.2.840.10045.4.3.4": "2.16.840.1.101.3.4.2.3",
    "1.2.840.113549.1.1.11": "2.16.840.1.101.3.4.2.1",  # sha256WithRSAEncryption
    "1.2.840.113549.1.1.12": "2.16.840.1.101.3.4.2.2",
    "1.2.840.113549.1.1.13": "2.16.840.1.101.3.4.2.3",
    "1.2.840.113549.1.1.1": None,  # rsaEncryption
    _RSA_PSS: None,
}
_SIGNED_DATA_VERSION = 3  # of CMS signed data that holds anything but plain data
_NULL = b"\x05\x00"
_GRANTED = b"\x30\x03\x02\x01\x00"  # PKIStatusInfo { status granted }


class TimestampState(StrEnum):
    """What is known of a claim's time-stamp."""

    VALID = "valid"
    """Signed by an authority that chains to a given root."""
    UNTRUSTED = "untrusted"
    """Rightly signed, by an authority that no given root vouches for."""
    INVALID = "invalid"
    """Changed, or made for something else."""
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class TimestampFinding:
    """What a token says and whether to believe it."""

    state: TimestampState
    time: datetime | None = None
    authority: str | None = None
    """Common name in the authority's certificate."""
    problems: tuple[str, ...] = ()
    """Why it is not valid, in plain words."""
    unsigned: tuple[str, ...] = ()
    """What no signature covers in the token and the signed part does not imply either."""
    unvouched_certificates: int = 0
    """Certificates sent along whose issuer is not at hand: nothing says that they are unchanged."""


class _Broken(Exception):
    """The token does not hold; the message says why."""


@dataclass(frozen=True, slots=True)
class _Signed:
    """The parts of a token that are needed more than once."""

    data: Any
    signer: Any
    content: bytes
    certificate: x509.Certificate
    certificate_der: bytes
    digest_oid: str


def verify_token(
    token: bytes, *, stamped: bytes, roots: Sequence[x509.Certificate]
) -> TimestampFinding:
    """Check one TimeStampToken.

    1. It parses, and its message imprint is that of `stamped`.
    2. The authority's certificate signed it and is the one named inside the signature.
    3. Nothing unsigned says more than what is signed.
    4. The authority chains to one of `roots` at the certified time, with the critical
       timeStamping usage.

    Args:
        token: DER ContentInfo, or the whole TimeStampResp that early C2PA files hold.
        stamped: the bytes whose digest was sent to the authority.
        roots: time-stamp roots; without any the best state is `untrusted`.
    """
    try:
        token = _without_response(token)
        signed = _open(token)
        response = _decode_response(signed)
        _check_imprint(response.tst_info.message_imprint, stamped)
        _check_signature(signed)
    except _Broken as broken:
        return TimestampFinding(TimestampState.INVALID, problems=(str(broken),))
    except PyAsn1Error:
        return TimestampFinding(TimestampState.INVALID, problems=("the token is not DER",))
    state, problems = _chain_state(response, roots)
    return TimestampFinding(
        state=state,
        time=response.tst_info.gen_time,
        authority=_common_name(signed.certificate),
        problems=problems,
        unsigned=tuple(_unsigned_surplus(token, signed)),
        unvouched_certificates=_unvouched(signed, roots),
    )


def _without_response(token: bytes) -> bytes:
    """Take the token out of a response: early files hold the authority's whole answer."""
    if len(token) > MAX_TOKEN_BYTES:
        raise _Broken(f"the token has {len(token)} bytes, more than {MAX_TOKEN_BYTES}")
    try:
        response, rest = decoder.decode(token, asn1Spec=rfc3161.TimeStampResp())
        if not rest and response["timeStampToken"].hasValue():
            return bytes(encoder.encode(response["timeStampToken"]))
    except PyAsn1Error:
        pass  # not a response: the usual case, a bare token
    return token


def _decode_response(signed: _Signed) -> rfc3161_client.TimeStampResponse:
    """Parse the token as the answer to a request: rfc3161-client takes nothing less.

    It is written anew first, because that library insists on sorted sets and large public
    authorities do not sort their certificates.
    """
    token = rfc5652.ContentInfo()
    token["contentType"] = rfc5652.id_signedData
    token["content"] = univ.Any(encoder.encode(signed.data))
    answer = univ.Sequence().setComponents(univ.Any(_GRANTED), univ.Any(encoder.encode(token)))
    try:
        response = rfc3161_client.decode_timestamp_response(encoder.encode(answer))
        # Both are parsed on access; a token that fails here holds no time.
        _ = response.tst_info.gen_time, response.signed_data.certificates
    except ValueError as error:
        raise _Broken(f"the token cannot be parsed ({error})") from error
    return response


def _open(token: bytes) -> _Signed:
    """Read the CMS layer and find the signer's certificate."""
    outer, rest = decoder.decode(token, asn1Spec=rfc5652.ContentInfo())
    if rest or outer["contentType"] != rfc5652.id_signedData:
        raise _Broken("the token is not CMS signed data alone")
    data, rest = decoder.decode(bytes(outer["content"]), asn1Spec=rfc5652.SignedData())
    if rest or len(data["signerInfos"]) != 1:
        raise _Broken("the token does not have exactly one signer")
    signer = data["signerInfos"][0]
    if data["encapContentInfo"]["eContentType"] != rfc3161.id_ct_TSTInfo:
        raise _Broken("the token does not hold time-stamp information")
    content = bytes(data["encapContentInfo"]["eContent"])
    der, certificate = _signer_certificate(data, signer)
    digest_oid = str(signer["digestAlgorithm"]["algorithm"])
    if digest_oid not in _HASHES:
        raise _Broken(f"the token is signed over the digest {digest_oid}; expected SHA-2")
    return _Signed(data, signer, content, certificate, der, digest_oid)


def _signer_certificate(data: Any, signer: Any) -> tuple[bytes, x509.Certificate]:  # noqa: ANN401  # pyasn1 is untyped
    named = signer["sid"]["issuerAndSerialNumber"]
    if not named.hasValue():
        raise _Broken("the token does not name its signer by issuer and serial number")
    serial = int(named["serialNumber"])
    for choice in data["certificates"]:
        if serial <= 0 or int(choice["certificate"]["tbsCertificate"]["serialNumber"]) != serial:
            continue
        der = encoder.encode(choice["certificate"])
        try:
            certificate = x509.load_der_x509_certificate(der)
            issuer = certificate.issuer.public_bytes()
        except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
            raise _Broken(f"a certificate in the token cannot be parsed ({error})") from error
        if encoder.encode(named["issuer"]) == issuer:
            return der, certificate
    raise _Broken("the token does not hold the certificate of its signer")


def _check_imprint(imprint: rfc3161_client.MessageImprint, stamped: bytes) -> None:
    algorithm = _HASHES.get(imprint.hash_algorithm.dotted_string)
    if algorithm is None or _digest(algorithm(), stamped) != imprint.message:
        raise _Broken("the token was made for another signature")


def _check_signature(signed: _Signed) -> None:
    attributes = {str(a["attrType"]): a["attrValues"] for a in signed.signer["signedAttrs"]}
    algorithm = _HASHES[signed.digest_oid]()
    _check_attribute(attributes, rfc5652.id_contentType, encoder.encode(rfc3161.id_ct_TSTInfo))
    _check_attribute(
        attributes,
        rfc5652.id_messageDigest,
        encoder.encode(univ.OctetString(_digest(algorithm, signed.content))),
    )
    if not _names_certificate(attributes, signed.certificate_der):
        raise _Broken("the signed part of the token names another certificate")
    # Signed as a SET, not with the tag of their place (RFC 5652, section 5.4).
    to_verify = univ.SetOf(componentType=rfc5652.Attribute())
    to_verify.extend(signed.signer["signedAttrs"])
    _verify(signed, encoder.encode(to_verify), algorithm)


def _check_attribute(attributes: dict[str, Any], kind: object, expected: bytes) -> None:
    values = attributes.get(str(kind), ())
    if len(values) != 1 or bytes(values[0]) != expected:
        raise _Broken("the signed attributes do not match the time-stamp information")


def _names_certificate(attributes: dict[str, Any], certificate_der: bytes) -> bool:
    """Compare the ESS certificate id, SHA-1 in the first version and SHA-256 by default later."""
    for kind, spec, default in (
        (rfc5035.id_aa_signingCertificateV2, rfc5035.SigningCertificateV2(), "sha256"),
        (rfc5035.id_aa_signingCertificate, rfc5035.SigningCertificate(), "sha1"),
    ):
        values = attributes.get(str(kind), ())
        if len(values) != 1:
            continue
        listed, _ = decoder.decode(bytes(values[0]), asn1Spec=spec)
        first = listed["certs"][0]
        name = default
        if default == "sha256":
            named = _HASHES.get(str(first["hashAlgorithm"]["algorithm"]))
            name = named().name if named is not None else default
        return bytes(first["certHash"]) == hashlib.new(name, certificate_der).digest()
    return False


def _verify(signed: _Signed, message: bytes, algorithm: hashes.HashAlgorithm) -> None:
    kind = str(signed.signer["signatureAlgorithm"]["algorithm"])
    if _SIGNATURES.get(kind, "") not in {None, signed.digest_oid}:
        raise _Broken(f"the token is signed with {kind}, which does not fit its digest")
    signature = bytes(signed.signer["signature"])
    key = signed.certificate.public_key()
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(algorithm))
        elif isinstance(key, rsa.RSAPublicKey):
            scheme = (
                padding.PSS(padding.MGF1(algorithm), padding.PSS.AUTO)
                if kind == _RSA_PSS
                else padding.PKCS1v15()
            )
            key.verify(signature, message, scheme, algorithm)
        else:
            raise _Broken(f"the authority has a {type(key).__name__}; expected EC or RSA")
    except InvalidSignature as error:
        raise _Broken("the authority's signature does not match the token") from error


def _unsigned_surplus(token: bytes, signed: _Signed) -> Iterator[str]:
    """Name what CMS leaves unsigned and what is not implied by the signed part."""
    data, signer = signed.data, signed.signer
    whole = rfc5652.ContentInfo()
    whole["contentType"] = rfc5652.id_signedData
    whole["content"] = univ.Any(_as_ordered(data))
    if _as_ordered(whole) != token:
        yield "the token is not written in the one form of DER"
    if int(data["version"]) != _SIGNED_DATA_VERSION or int(signer["version"]) != 1:
        yield "the token carries version numbers that RFC 5652 does not give it"
    used = str(signer["digestAlgorithm"]["algorithm"])
    if any(str(listed["algorithm"]) != used for listed in data["digestAlgorithms"]):
        yield "the token lists digests that its signer did not use"
    for listed in (*data["digestAlgorithms"], signer["digestAlgorithm"]):
        if listed["parameters"].hasValue() and bytes(listed["parameters"]) != _NULL:
            yield "the token gives a digest parameters"
    signature_parameters = signer["signatureAlgorithm"]["parameters"]
    if signature_parameters.hasValue() and bytes(signature_parameters) != _NULL:
        yield "the token gives its signature parameters"
    if data["crls"].hasValue() or signer["unsignedAttrs"].hasValue():
        yield "the token holds revocation lists or unsigned attributes"


def _unvouched(signed: _Signed, roots: Sequence[x509.Certificate]) -> int:
    """Count the certificates beside the signer's that no other certificate at hand signed."""
    ders = [encoder.encode(choice["certificate"]) for choice in signed.data["certificates"]]
    try:
        beside = [x509.load_der_x509_certificate(d) for d in ders if d != signed.certificate_der]
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
        return len(ders) - 1
    return sum(not any(_issued(c, by) for by in (*beside, *roots) if by != c) for c in beside)


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _as_ordered(value: Any) -> bytes:  # noqa: ANN401  # pyasn1 is untyped
    """Encode in DER, but leave sets in the order in which they were read."""
    by_tag = {**encoder.TAG_MAP, univ.SetOf.tagSet: ber_encoder.TAG_MAP[univ.SetOf.tagSet]}
    by_type = {**encoder.TYPE_MAP, univ.SetOf.typeId: ber_encoder.TYPE_MAP[univ.SetOf.typeId]}
    single = encoder.SingleItemEncoder(tagMap=by_tag, typeMap=by_type)
    return bytes(single(value))


def _chain_state(
    response: rfc3161_client.TimeStampResponse, roots: Sequence[x509.Certificate]
) -> tuple[TimestampState, tuple[str, ...]]:
    if not roots:
        return TimestampState.UNTRUSTED, ("no time-stamp root was given",)
    verifier = rfc3161_client.VerifierBuilder(roots=list(dict.fromkeys(roots))).build()
    try:
        verifier.verify(response, response.tst_info.message_imprint.message)
    except rfc3161_client.VerificationError as error:
        return TimestampState.UNTRUSTED, (f"the authority is not trusted: {error}",)
    return TimestampState.VALID, ()


def _common_name(certificate: x509.Certificate) -> str | None:
    found = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(found[0].value) if found else None


def _digest(algorithm: hashes.HashAlgorithm, content: bytes) -> bytes:
    return hashlib.new(algorithm.name, content).digest()
