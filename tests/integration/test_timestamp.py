"""Time-stamps: our own authority, and the check of tokens by every byte."""

import hashlib
from datetime import UTC, datetime
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import rfc3161_client
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from pyasn1.codec.der import decoder, encoder
from pyasn1_modules import rfc3161
from rfc3161_client import HashAlgorithm

from provenance.errors import KeyUnavailable
from provenance.timestamp import TimestampState, verify_token
from provenance.timestamp_authority import MAX_REQUEST_BYTES, LocalAuthority, serve
from provenance.timestamp_token import MAX_TOKEN_BYTES
from tests.support.der import exchanged, request, token_for
from tests.support.forgery import flipped
from tests.support.pki import Desk

NOW = datetime(2026, 11, 22, 9, 30, 15, 987654, tzinfo=UTC)
STAMPED = b"the signature of a claim"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    # Made in 2026 whatever the year of the test run, or NOW would lie before the certificates.
    return Desk.open(tmp_path_factory.mktemp("desk"), now=datetime(2026, 11, 22, tzinfo=UTC))


@pytest.fixture(scope="module")
def token(desk: Desk) -> bytes:
    return token_for(desk.authority, STAMPED, NOW)


def status_of(response: bytes) -> int:
    answer, _ = decoder.decode(response, asn1Spec=rfc3161.TimeStampResp())
    return int(answer["status"]["status"])


def roots(desk: Desk) -> tuple[x509.Certificate, ...]:
    return desk.trust.timestamp_roots


@pytest.mark.parametrize("algorithm", [HashAlgorithm.SHA256, HashAlgorithm.SHA512])
def test_an_independent_client_accepts_our_answers(algorithm: HashAlgorithm, desk: Desk) -> None:
    asked = rfc3161_client.TimestampRequestBuilder().data(STAMPED).hash_algorithm(algorithm).build()
    builder = rfc3161_client.VerifierBuilder.from_request(asked)

    answer = rfc3161_client.decode_timestamp_response(desk.authority.respond(asked.as_bytes(), NOW))

    verifier = builder.add_root_certificate(roots(desk)[0]).build()
    assert verifier.verify_message(answer, STAMPED)
    assert answer.tst_info.nonce == asked.nonce
    assert answer.tst_info.gen_time == NOW.replace(microsecond=0)


def test_no_two_answers_share_a_serial_number(desk: Desk) -> None:
    answers = [desk.authority.respond(request(STAMPED), NOW) for _ in range(8)]

    serials = {
        rfc3161_client.decode_timestamp_response(answer).tst_info.serial_number
        for answer in answers
    }

    assert len(serials) == len(answers)


@pytest.mark.parametrize("rubbish", [b"", b"hello", b"\x30\x00", b"\x30\x80", bytes(4096)])
def test_rubbish_is_rejected_with_a_response(rubbish: bytes, desk: Desk) -> None:
    assert status_of(desk.authority.respond(rubbish, NOW)) == 2


def test_a_digest_of_the_wrong_length_is_rejected(desk: Desk) -> None:
    asked, _ = decoder.decode(request(STAMPED), asn1Spec=rfc3161.TimeStampReq())
    asked["messageImprint"]["hashedMessage"] = b"too short"

    assert status_of(desk.authority.respond(encoder.encode(asked), NOW)) == 2


def test_sha_384_is_granted_too(desk: Desk) -> None:
    asked, _ = decoder.decode(request(STAMPED), asn1Spec=rfc3161.TimeStampReq())
    asked["messageImprint"]["hashAlgorithm"]["algorithm"] = "2.16.840.1.101.3.4.2.2"
    asked["messageImprint"]["hashedMessage"] = hashlib.sha384(STAMPED).digest()
    answer, _ = decoder.decode(
        desk.authority.respond(encoder.encode(asked), NOW), asn1Spec=rfc3161.TimeStampResp()
    )

    found = verify_token(
        bytes(encoder.encode(answer["timeStampToken"])), stamped=STAMPED, roots=roots(desk)
    )

    assert found.state is TimestampState.VALID


def test_trailing_bytes_are_rejected(desk: Desk) -> None:
    assert status_of(desk.authority.respond(request(STAMPED) + b"\x05\x00", NOW)) == 2


def test_a_key_without_its_certificate_is_refused(desk: Desk) -> None:
    with pytest.raises(KeyUnavailable, match="was not issued for"):
        LocalAuthority(desk.pki.timestamp_key, desk.pki.timestamp_root)


def test_the_loopback_address_answers_its_own_path_only(desk: Desk) -> None:
    with serve(desk.authority, clock=lambda: NOW) as url:
        right = Request(url, data=request(STAMPED), method="POST")
        with urlopen(right) as answer:
            status = status_of(answer.read())
        base = url.rpartition("/")[0]
        for wrong in (
            Request(f"{base}/tsa", data=request(STAMPED), method="POST"),
            Request(url, data=bytes(MAX_REQUEST_BYTES + 1), method="POST"),
        ):
            with pytest.raises(HTTPError) as refused:
                urlopen(wrong)
            refused.value.close()

    assert status == 0
    assert refused.value.code == 404


def test_the_authority_is_gone_after_the_signing(desk: Desk) -> None:
    with serve(desk.authority, clock=lambda: NOW) as url:
        pass

    with pytest.raises(OSError, match="refused"):
        urlopen(Request(url, data=request(STAMPED), method="POST"))


def test_a_token_of_a_listed_authority_is_valid(desk: Desk, token: bytes) -> None:
    found = verify_token(token, stamped=STAMPED, roots=roots(desk))

    assert found.state is TimestampState.VALID
    assert found.time == NOW.replace(microsecond=0)
    assert found.unsigned == ()


def test_a_token_without_a_root_is_untrusted_and_still_has_a_time(token: bytes) -> None:
    found = verify_token(token, stamped=STAMPED, roots=())

    assert found.state is TimestampState.UNTRUSTED
    assert found.time == NOW.replace(microsecond=0)


def test_a_claim_root_does_not_vouch_for_a_time_stamp(desk: Desk, token: bytes) -> None:
    found = verify_token(token, stamped=STAMPED, roots=desk.trust.claim[0].certificates)

    assert found.state is TimestampState.UNTRUSTED


def test_a_token_for_something_else_is_invalid(desk: Desk, token: bytes) -> None:
    found = verify_token(token, stamped=b"another claim", roots=roots(desk))

    assert found.state is TimestampState.INVALID
    assert "another signature" in found.problems[0]


def test_a_whole_response_is_read_as_its_token(desk: Desk) -> None:
    response = desk.authority.respond(request(STAMPED), NOW)

    found = verify_token(response, stamped=STAMPED, roots=roots(desk))

    assert found.state is TimestampState.VALID


def test_a_finding_names_the_certificate_and_the_token(desk: Desk, token: bytes) -> None:
    found = verify_token(token, stamped=STAMPED, roots=())

    certificates = x509.load_pem_x509_certificates(desk.pki.timestamp_chain.read_bytes())
    assert found.certificate_sha256 == certificates[0].fingerprint(hashes.SHA256()).hex()
    assert found.token_sha256 == hashlib.sha256(token).hexdigest()


def test_a_curve_that_nobody_knows_is_unsupported_and_breaks_no_examination(
    desk: Desk, token: bytes
) -> None:
    """The certificate is the one that the token names; OpenSSL first objects to its key."""
    certificate = x509.load_pem_x509_certificates(desk.pki.timestamp_chain.read_bytes())[0]
    known = certificate.public_bytes(serialization.Encoding.DER)
    unknown = known.replace(bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d030163"))
    named = token.replace(hashlib.sha256(known).digest(), hashlib.sha256(unknown).digest())

    found = verify_token(named.replace(known, unknown), stamped=STAMPED, roots=roots(desk))

    assert found.state is TimestampState.UNSUPPORTED
    assert "key cannot be used" in found.problems[0]


def test_another_certificate_than_the_signed_one_is_not_excused_by_its_curve(
    desk: Desk, token: bytes
) -> None:
    changed = token.replace(bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d030163"))

    found = verify_token(changed, stamped=STAMPED, roots=roots(desk))

    assert found.state is TimestampState.INVALID
    assert "names another certificate" in found.problems[0]


@pytest.mark.parametrize(
    ("known", "other"),
    [
        ("608648016503040201", "608648016503040208"),  # the digest, SHA-256: SHA3-256
        ("608648016503040201", "608648016503040263"),  # the digest: none
        ("2a8648ce3d040302", "2a8648ce3d040303"),  # ecdsa-with-SHA256: with SHA-384
        ("2a8648ce3d040302", "2a8648ce3d040363"),  # the signature: none
    ],
)
def test_renaming_an_algorithm_is_seen_to_be_wrong_and_not_called_unsupported(
    known: str, other: str, token: bytes
) -> None:
    start = token.rindex(bytes.fromhex(known))  # in the part that nobody signed
    renamed = token[:start] + bytes.fromhex(other) + token[start + len(other) // 2 :]

    found = verify_token(renamed, stamped=STAMPED, roots=())

    assert found.state is TimestampState.INVALID


def test_a_token_that_is_too_long_or_in_ber_is_unsupported(token: bytes) -> None:
    long = verify_token(token + bytes(MAX_TOKEN_BYTES), stamped=STAMPED, roots=())
    indefinite = b"\x30\x80" + token[4:] + b"\x00\x00"

    assert long.state is TimestampState.UNSUPPORTED
    assert verify_token(indefinite, stamped=STAMPED, roots=()).problems == (
        "the token is written in BER; only DER is checked",
    )


def test_a_token_without_the_certificate_cannot_be_told(desk: Desk) -> None:
    asked = rfc3161_client.TimestampRequestBuilder().data(STAMPED).cert_request(cert_request=False)
    answer, _ = decoder.decode(
        desk.authority.respond(asked.build().as_bytes(), NOW), asn1Spec=rfc3161.TimeStampResp()
    )

    found = verify_token(
        bytes(encoder.encode(answer["timeStampToken"])), stamped=STAMPED, roots=roots(desk)
    )

    assert found.state is TimestampState.UNSUPPORTED


def test_values_can_be_exchanged_in_a_token_and_none_is_the_same_token(token: bytes) -> None:
    assert exchanged(token, []) == token
    assert exchanged(token, [(0, 0)]) != token


def test_no_bit_of_a_token_can_change_unnoticed(token: bytes) -> None:
    missed = []
    for at in range(len(token)):
        found = verify_token(flipped(token, at, at % 8), stamped=STAMPED, roots=())
        if found.state in {TimestampState.VALID, TimestampState.UNTRUSTED} and not found.unsigned:
            missed.append(at)

    assert missed == []


def test_no_prefix_of_a_token_passes(token: bytes) -> None:
    states = {
        verify_token(token[:length], stamped=STAMPED, roots=()).state
        for length in range(0, len(token), 13)
    }

    assert states == {TimestampState.INVALID}
