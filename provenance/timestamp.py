"""Check the RFC 3161 time-stamp that stands in a claim's signature.

Both C2PA verifiers treat a broken time-stamp as a remark, so a changed token goes unnoticed unless
somebody looks at it on its own. `verify_token` looks at every byte: what the authority signed must
verify with its certificate, and what CMS leaves unsigned (algorithm lists, version numbers, the
name of the signer, further certificates) must say exactly what the signed part implies.

The CMS layer is `timestamp_token.py`; the chain to the given roots at the certified time is left to
rfc3161-client.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import rfc3161_client
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from pyasn1.codec.der import encoder
from pyasn1.type import univ
from pyasn1_modules import rfc5652

from provenance.timestamp_token import (
    SHA2,
    CannotTell,
    DoesNotHold,
    Token,
    open_token,
    unsigned_surplus,
)

_GRANTED = b"\x30\x03\x02\x01\x00"  # PKIStatusInfo { status granted }


class TimestampState(StrEnum):
    """What is known of a claim's time-stamp."""

    VALID = "valid"
    """Signed by an authority that chains to a given root."""
    UNTRUSTED = "untrusted"
    """Rightly signed, by an authority that no given root vouches for."""
    INVALID = "invalid"
    """Changed, or made for something else."""
    UNSUPPORTED = "unsupported"
    """Made with an algorithm, or of a size, that this version does not check."""
    ABSENT = "absent"
    NOT_CHECKED = "not_checked"
    """The claim was not looked at: our own reader takes MP4 and MOV files only."""


@dataclass(frozen=True, slots=True)
class TimestampFinding:
    """What a token says and whether to believe it."""

    state: TimestampState
    time: datetime | None = None
    authority: str | None = None
    """Common name in the authority's certificate."""
    certificate_sha256: str | None = None
    """Of the authority's certificate, hex."""
    token_sha256: str | None = None
    """Of the token as it stands in the manifest, hex."""
    problems: tuple[str, ...] = ()
    """Why it is not valid, in plain words."""
    unsigned: tuple[str, ...] = ()
    """What no signature covers in the token and the signed part does not imply either."""
    unvouched_certificates: int = 0
    """Certificates sent along whose issuer is not at hand: nothing says that they are unchanged."""


def verify_token(
    token: bytes, *, stamped: bytes, roots: Sequence[x509.Certificate]
) -> TimestampFinding:
    """Check one TimeStampToken; whatever it holds, this never raises.

    1. The authority's certificate signed it and is the one named inside the signature.
    2. Its message imprint is that of `stamped`.
    3. Nothing unsigned says more than what is signed.
    4. The authority chains to one of `roots` at the certified time, with the critical
       timeStamping usage.

    Args:
        token: DER ContentInfo, or the whole TimeStampResp that early C2PA files hold.
        stamped: the bytes whose digest was sent to the authority.
        roots: time-stamp roots; without any the best state is `untrusted`.
    """
    try:
        opened = open_token(token)
        response = _decode_response(opened)
        _check_imprint(response.tst_info.message_imprint, stamped)
    except DoesNotHold as broken:
        return TimestampFinding(TimestampState.INVALID, problems=(str(broken),))
    except CannotTell as unknown:
        return TimestampFinding(TimestampState.UNSUPPORTED, problems=(str(unknown),))
    state, problems = _chain_state(response, roots)
    return TimestampFinding(
        state=state,
        time=response.tst_info.gen_time,
        authority=_common_name(opened.certificate),
        certificate_sha256=hashlib.sha256(opened.certificate_der).hexdigest(),
        token_sha256=hashlib.sha256(token).hexdigest(),
        problems=problems,
        unsigned=tuple(unsigned_surplus(opened)),
        unvouched_certificates=_unvouched(opened, roots),
    )


def _decode_response(token: Token) -> rfc3161_client.TimeStampResponse:
    """Parse the token as the answer to a request: rfc3161-client takes nothing less.

    It is written anew first, because that library insists on sorted sets and large public
    authorities do not sort their certificates.
    """
    content = rfc5652.ContentInfo()
    content["contentType"] = rfc5652.id_signedData
    content["content"] = univ.Any(encoder.encode(token.data))
    answer = univ.Sequence().setComponents(univ.Any(_GRANTED), univ.Any(encoder.encode(content)))
    try:
        response = rfc3161_client.decode_timestamp_response(encoder.encode(answer))
        # Both are parsed on access; a token that fails here holds no time.
        _ = response.tst_info.gen_time, response.signed_data.certificates
    except ValueError as error:
        # Its signature holds, so this is what the authority wrote.
        raise CannotTell(f"what the authority signed cannot be parsed ({error})") from error
    return response


def _check_imprint(imprint: rfc3161_client.MessageImprint, stamped: bytes) -> None:
    name = imprint.hash_algorithm.dotted_string
    if name not in SHA2:
        raise CannotTell(f"the token is over the digest {name}; expected SHA-2")
    if hashlib.new(SHA2[name].name, stamped).digest() != imprint.message:
        raise DoesNotHold("the token was made for another signature")


def _chain_state(
    response: rfc3161_client.TimeStampResponse, roots: Sequence[x509.Certificate]
) -> tuple[TimestampState, tuple[str, ...]]:
    if not roots:
        return TimestampState.UNTRUSTED, ("no time-stamp root was given",)
    verifier = rfc3161_client.VerifierBuilder(roots=list(dict.fromkeys(roots))).build()
    try:
        verifier.verify(response, response.tst_info.message_imprint.message)
    except (rfc3161_client.VerificationError, UnsupportedAlgorithm, ValueError) as error:
        return TimestampState.UNTRUSTED, (f"the authority is not trusted: {error}",)
    return TimestampState.VALID, ()


def _unvouched(token: Token, roots: Sequence[x509.Certificate]) -> int:
    """Count the certificates beside the signer's that no other certificate at hand signed."""
    ders = [der for der in token.certificates if der != token.certificate_der]
    try:
        beside = [x509.load_der_x509_certificate(der) for der in ders]
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
        return len(ders)
    return sum(not any(_issued(c, by) for by in (*beside, *roots) if by != c) for c in beside)


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _common_name(certificate: x509.Certificate) -> str | None:
    try:
        found = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    except ValueError:  # parsed on access; a name that is none names nobody
        return None
    return str(found[0].value) if found else None
