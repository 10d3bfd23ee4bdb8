"""One RFC 3161 token taken apart: who signed it, does that hold, and what does CMS leave unsigned?

Three answers, and they must not be mixed up. A token holds (`open_token` returns). It contradicts
itself (`DoesNotHold`): an imprint, a signature or a certificate id is positively wrong, so somebody
changed it, whoever signed the file. Or it uses something that we do not know (`CannotTell`): an
algorithm, a size, an encoding; that accuses nobody.

What is signed is looked at before what is not. A changed bit makes most names of algorithms unknown
ones, and would hide behind `CannotTell` if the digests were asked last.

CMS is RFC 5652; the id of the authority's certificate is ESS, RFC 5816.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

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

SHA2: dict[str, hashes.HashAlgorithm] = {
    "2.16.840.1.101.3.4.2.1": hashes.SHA256(),
    "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
    "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
}
"""The digests that a time-stamp may be made with (C2PA specification 2.2, section 13.1)."""

# Known so that a wrong digest is seen to be wrong; a token that holds under them is not accepted.
_OTHER_DIGESTS = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.4": "sha224",
    "2.16.840.1.101.3.4.2.7": "sha3_224",
    "2.16.840.1.101.3.4.2.8": "sha3_256",
    "2.16.840.1.101.3.4.2.9": "sha3_384",
    "2.16.840.1.101.3.4.2.10": "sha3_512",
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
_CONTEXT_0 = 0xA0  # the tag of `certificates` within SignedData
_LONG_LENGTH = 0x80
_INDEFINITE, _END_OF_CONTENTS = b"\x30\x80", b"\x00\x00"  # how BER opens and closes a sequence


class DoesNotHold(Exception):
    """The token contradicts itself or what it stamps; the message says where."""


class CannotTell(Exception):
    """The token uses something that this version does not know; the message says what."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token whose signature holds, and the parts of it that are needed again."""

    raw: bytes
    """DER ContentInfo; without the response that early files wrap it in."""
    data: Any
    """`SignedData` of pyasn1, which has no types."""
    certificate: x509.Certificate
    """The authority's."""
    certificate_der: bytes
    certificates: tuple[bytes, ...]
    """All that were sent along, DER as it stands in the token."""

    @property
    def signer(self) -> Any:  # noqa: ANN401  # pyasn1 is untyped
        """The only `SignerInfo`."""
        return self.data["signerInfos"][0]


def open_token(encoded: bytes) -> Token:
    """Take a token apart and check its signature.

    1. Read the CMS layer. 2. Find the certificate that signed; its digest must be the one that is
    signed. 3. The signed digest must be that of the content. 4. The signature must be of its key.

    Args:
        encoded: DER ContentInfo, or the whole TimeStampResp that early C2PA files hold.

    Raises:
        DoesNotHold: it was changed, or is no time-stamp at all.
        CannotTell: it uses an algorithm, a size or an encoding that we do not know.
    """
    if len(encoded) > MAX_TOKEN_BYTES:
        raise CannotTell(f"the token has {len(encoded)} bytes, more than {MAX_TOKEN_BYTES}")
    try:
        raw = _without_response(encoded)
        data = _signed_data(raw)  # (1)
        signer = data["signerInfos"][0]
        attributes = _signed_attributes(signer)
        certificates = _certificates(raw)
        der = _signer_certificate(data, signer, certificates)
        named = _is_named(attributes, der)  # (2)
        if named is False:
            raise DoesNotHold("the signed part of the token names another certificate")
        content = bytes(data["encapContentInfo"]["eContent"])
        digest = _check_digest(data, signer, attributes, content)  # (3)
        certificate = _loaded(der)
        _check_signature(certificate, signer, digest)  # (4)
    except PyAsn1Error as error:
        raise _unparsed(encoded) from error
    if named is None:
        raise CannotTell("the token does not name its certificate in a way that we know")
    return Token(raw, data, certificate, der, certificates)


def unsigned_surplus(token: Token) -> Iterator[str]:
    """Name what CMS leaves unsigned and what is not implied by the signed part."""
    data, signer = token.data, token.signer
    whole = rfc5652.ContentInfo()
    whole["contentType"] = rfc5652.id_signedData
    whole["content"] = univ.Any(_as_ordered(data))
    if _as_ordered(whole) != token.raw:
        yield "the token is not written in the one form of DER"
    if int(data["version"]) != _SIGNED_DATA_VERSION or int(signer["version"]) != 1:
        yield "the token carries version numbers that RFC 5652 does not give it"
    used = str(signer["digestAlgorithm"]["algorithm"])
    if any(str(listed["algorithm"]) != used for listed in data["digestAlgorithms"]):
        yield "the token lists digests that its signer did not use"
    if _SIGNATURES.get(str(signer["signatureAlgorithm"]["algorithm"])) not in {None, used}:
        yield "the token's signature is over another digest than its signer used"
    digests = (*data["digestAlgorithms"], signer["digestAlgorithm"])
    if any(map(_has_parameters, (*digests, signer["signatureAlgorithm"]))):
        yield "the token gives its algorithms parameters"
    if data["crls"].hasValue() or signer["unsignedAttrs"].hasValue():
        yield "the token holds revocation lists or unsigned attributes"


def _without_response(encoded: bytes) -> bytes:
    """Take the token out of a response: early files hold the authority's whole answer."""
    try:
        response, rest = decoder.decode(encoded, asn1Spec=rfc3161.TimeStampResp())
        if not rest and response["timeStampToken"].hasValue():
            return _elements(_inside(encoded))[1]
    except PyAsn1Error:
        pass  # not a response: the usual case, a bare token
    return encoded


def _signed_data(raw: bytes) -> Any:  # noqa: ANN401  # pyasn1 is untyped
    outer, rest = decoder.decode(raw, asn1Spec=rfc5652.ContentInfo())
    if rest or outer["contentType"] != rfc5652.id_signedData:
        raise DoesNotHold("the token is not CMS signed data alone")
    data, rest = decoder.decode(bytes(outer["content"]), asn1Spec=rfc5652.SignedData())
    if rest or len(data["signerInfos"]) != 1:
        raise DoesNotHold("the token does not have exactly one signer")
    if data["encapContentInfo"]["eContentType"] != rfc3161.id_ct_TSTInfo:
        raise DoesNotHold("the token does not hold time-stamp information")
    return data


def _signed_attributes(signer: Any) -> dict[str, Any]:  # noqa: ANN401  # pyasn1 is untyped
    if not signer["signedAttrs"].hasValue():
        raise DoesNotHold("the token has no signed attributes, which RFC 3161 demands")
    return {str(a["attrType"]): a["attrValues"] for a in signer["signedAttrs"]}


def _certificates(raw: bytes) -> tuple[bytes, ...]:
    """Return the certificates byte for byte: written anew they would hide how they were written."""
    outer, inner = _elements(_inside(raw))[1], _CONTEXT_0
    parts = _elements(_inside(_elements(_inside(outer))[0]))
    return tuple(each for part in parts if part[0] == inner for each in _elements(_inside(part)))


def _elements(encoded: bytes) -> list[bytes]:
    """Cut DER elements that follow each other apart."""
    found = []
    while encoded:
        element, encoded = decoder.decode(encoded, asn1Spec=univ.Any())
        found.append(bytes(element))
    return found


def _inside(element: bytes) -> bytes:
    """Return an element without its tag and length."""
    length = element[1]
    return element[2:] if length < _LONG_LENGTH else element[2 + (length & ~_LONG_LENGTH) :]


def _signer_certificate(
    data: Any,  # noqa: ANN401  # pyasn1 is untyped
    signer: Any,  # noqa: ANN401
    certificates: tuple[bytes, ...],
) -> bytes:
    named = signer["sid"]["issuerAndSerialNumber"]
    if not named.hasValue():
        raise CannotTell("the token does not name its signer by issuer and serial number")
    if not certificates:
        raise CannotTell("the token holds no certificate to check it with")
    issuer, serial = encoder.encode(named["issuer"]), int(named["serialNumber"])
    for choice, der in zip(data["certificates"], certificates, strict=True):
        listed = choice["certificate"]["tbsCertificate"]
        if int(listed["serialNumber"]) == serial and encoder.encode(listed["issuer"]) == issuer:
            return der
    raise DoesNotHold("the token does not hold the certificate of its signer")


def _is_named(attributes: dict[str, Any], certificate_der: bytes) -> bool | None:
    """Compare the ESS certificate id; None where there is none that we can compute.

    SHA-1 in the first version of the attribute, SHA-256 by default in the second.
    """
    for kind, spec in (
        (rfc5035.id_aa_signingCertificateV2, rfc5035.SigningCertificateV2()),
        (rfc5035.id_aa_signingCertificate, rfc5035.SigningCertificate()),
    ):
        values = attributes.get(str(kind), ())
        if len(values) != 1:
            continue
        listed, _ = decoder.decode(bytes(values[0]), asn1Spec=spec)
        if not len(listed["certs"]):
            continue
        first = listed["certs"][0]
        name = "sha1"
        if kind == rfc5035.id_aa_signingCertificateV2:
            oid = str(first["hashAlgorithm"]["algorithm"])
            name = SHA2[oid].name if oid in SHA2 else _OTHER_DIGESTS.get(oid, "")
        if not name:
            continue
        return bytes(first["certHash"]) == hashlib.new(name, certificate_der).digest()
    return None


def _check_digest(
    data: Any,  # noqa: ANN401  # pyasn1 is untyped
    signer: Any,  # noqa: ANN401
    attributes: dict[str, Any],
    content: bytes,
) -> hashes.HashAlgorithm:
    """Compare the signed digest with the content, and return the digest that was used."""
    kinds = attributes.get(str(rfc5652.id_contentType), ())
    if len(kinds) != 1 or bytes(kinds[0]) != encoder.encode(rfc3161.id_ct_TSTInfo):
        raise DoesNotHold("the signed attributes do not match the time-stamp information")
    oid = str(signer["digestAlgorithm"]["algorithm"])
    listed = {str(each["algorithm"]) for each in data["digestAlgorithms"]}
    if listed and oid not in listed:
        raise DoesNotHold(f"its signer used the digest {oid}, which the token does not list")
    name = SHA2[oid].name if oid in SHA2 else _OTHER_DIGESTS.get(oid)
    if name is None:
        raise CannotTell(f"the token is signed over the digest {oid}; expected SHA-2")
    expected = encoder.encode(univ.OctetString(hashlib.new(name, content).digest()))
    digests = attributes.get(str(rfc5652.id_messageDigest), ())
    if len(digests) != 1 or bytes(digests[0]) != expected:
        raise DoesNotHold("the signed attributes do not match the time-stamp information")
    if oid not in SHA2:
        raise CannotTell(f"the token is signed over {name}; expected SHA-2")
    return SHA2[oid]


def _loaded(der: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(der)
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise CannotTell(f"the authority's certificate cannot be parsed ({error})") from error


def _check_signature(
    certificate: x509.Certificate,
    signer: Any,  # noqa: ANN401  # pyasn1 is untyped
    digest: hashes.HashAlgorithm,
) -> None:
    # Signed as a SET, not with the tag of their place (RFC 5652, section 5.4).
    attributes = univ.SetOf(componentType=rfc5652.Attribute())
    attributes.extend(signer["signedAttrs"])
    message, signature = encoder.encode(attributes), bytes(signer["signature"])
    kind = str(signer["signatureAlgorithm"]["algorithm"])
    by_name = SHA2.get(_SIGNATURES.get(kind) or "", digest)
    try:
        _verify(certificate, signature, message, by_name, pss=kind == _RSA_PSS)
    except InvalidSignature as error:
        if kind not in _SIGNATURES:
            raise CannotTell(f"the token is signed with {kind}") from error
        raise DoesNotHold("the authority's signature does not match the token") from error
    if kind not in _SIGNATURES:
        # The signature holds under the usual scheme of its key: only its name is not what it was.
        raise DoesNotHold(f"the token calls its signature {kind}, which it is not")


def _verify(
    certificate: x509.Certificate,
    signature: bytes,
    message: bytes,
    digest: hashes.HashAlgorithm,
    *,
    pss: bool,
) -> None:
    try:
        key = certificate.public_key()
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(digest))
        elif isinstance(key, rsa.RSAPublicKey):
            scheme = (
                padding.PSS(padding.MGF1(digest), padding.PSS.AUTO) if pss else padding.PKCS1v15()
            )
            key.verify(signature, message, scheme, digest)
        else:
            raise CannotTell(f"the authority has a {type(key).__name__}; expected EC or RSA")
    except (UnsupportedAlgorithm, ValueError, TypeError) as error:
        # A curve or a kind of key that OpenSSL does not know surfaces here and nowhere earlier.
        raise CannotTell(f"the authority's key cannot be used ({error})") from error


def _unparsed(encoded: bytes) -> Exception:
    """Say what it means that the token is not DER: CMS may be written in BER, rubbish may not."""
    if encoded.startswith(_INDEFINITE) and encoded.endswith(_END_OF_CONTENTS):
        return CannotTell("the token is written in BER; only DER is checked")
    return DoesNotHold("the token is not DER")


def _has_parameters(algorithm: Any) -> bool:  # noqa: ANN401  # pyasn1 is untyped
    parameters = algorithm["parameters"]
    return bool(parameters.hasValue()) and bytes(parameters) != _NULL


def _as_ordered(value: Any) -> bytes:  # noqa: ANN401  # pyasn1 is untyped
    """Encode in DER, but leave sets in the order in which they were read."""
    by_tag = {**encoder.TAG_MAP, univ.SetOf.tagSet: ber_encoder.TAG_MAP[univ.SetOf.tagSet]}
    by_type = {**encoder.TYPE_MAP, univ.SetOf.typeId: ber_encoder.TYPE_MAP[univ.SetOf.typeId]}
    single = encoder.SingleItemEncoder(tagMap=by_tag, typeMap=by_type)
    return bytes(single(value))
