"""A local RFC 3161 time-stamp authority, for installations that have no public one.

`LocalAuthority.respond` is a pure function from a request to a response; `serve` puts it behind a
loopback address while one clip is signed, because c2pa asks a URL. A local authority proves no more
than the honesty of whoever runs it: the log records it as `local`, and its root stands on the list
of time-stamp roots only.
"""

import contextlib
import http.server
import secrets
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pyasn1.codec.der import decoder, encoder
from pyasn1.error import PyAsn1Error
from pyasn1.type import univ, useful
from pyasn1_modules import rfc3161, rfc5035, rfc5280, rfc5652

from provenance.errors import KeyUnavailable
from provenance.keys import read_private

POLICY = "1.2.3.4.1"
"""The policy of OpenSSL's example authority: it promises nothing, and neither does ours."""

MAX_REQUEST_BYTES = 4096  # a request holds one digest and a nonce: 67 bytes as c2pa-rs sends it
_CONTENT_TYPE = "application/timestamp-reply"
_DIGEST_BYTES = {
    "2.16.840.1.101.3.4.2.1": 32,  # SHA-256
    "2.16.840.1.101.3.4.2.2": 48,  # SHA-384
    "2.16.840.1.101.3.4.2.3": 64,  # SHA-512
}
_SHA256 = "2.16.840.1.101.3.4.2.1"
_ECDSA_SHA256 = "1.2.840.10045.4.3.2"

# PKIStatus and the bits of PKIFailureInfo, RFC 3161 section 2.4.2.
_GRANTED, _REJECTION = 0, 2
_BAD_ALGORITHM, _BAD_REQUEST, _BAD_FORMAT = 0, 2, 5


class LocalAuthority:
    """Answers time-stamp requests with a P-256 key of our own."""

    def __init__(self, key_path: Path, chain_path: Path) -> None:
        """Load the key and its certificate.

        Args:
            key_path: PEM, PKCS 8, mode 0600.
            chain_path: PEM; the authority's certificate first.

        Raises:
            KeyExposed: others can read the key.
            KeyUnavailable: a file is missing, or the certificate is not the key's.
        """
        try:
            key = serialization.load_pem_private_key(read_private(key_path), password=None)
            certificate = x509.load_pem_x509_certificates(chain_path.read_bytes())[0]
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise KeyUnavailable(
                f"cannot load the time-stamp key {key_path} with {chain_path} ({error}); "
                "expected PEM files as `countermark init` makes them"
            ) from error
        if (
            not isinstance(key, ec.EllipticCurvePrivateKey)
            or certificate.public_key() != key.public_key()
        ):
            raise KeyUnavailable(
                f"the first certificate in {chain_path} was not issued for the EC key in "
                f"{key_path}; make both anew with `countermark init`"
            )
        self._key = key
        self._certificate = certificate

    def respond(self, request: bytes, now: datetime) -> bytes:
        """Return a DER TimeStampResp for a DER TimeStampReq; a bad request gets a rejection.

        Args:
            request: as RFC 3161, section 2.4.1; message imprints of SHA-256, 384 and 512.
            now: aware time to certify, cut to whole seconds.
        """
        try:
            asked, rest = decoder.decode(request, asn1Spec=rfc3161.TimeStampReq())
        except PyAsn1Error:
            return _rejection(_BAD_FORMAT)
        if rest or int(asked["version"]) != 1:
            return _rejection(_BAD_REQUEST)
        algorithm = str(asked["messageImprint"]["hashAlgorithm"]["algorithm"])
        if _DIGEST_BYTES.get(algorithm) != len(asked["messageImprint"]["hashedMessage"]):
            return _rejection(_BAD_ALGORITHM)
        return _granted(self._token(asked, now))

    def _token(self, asked: rfc3161.TimeStampReq, now: datetime) -> rfc5652.ContentInfo:
        content = encoder.encode(_token_info(asked, now))
        attributes = _signed_attributes(content, self._certificate)
        # The signature is over the attributes as a SET, not with their place's tag (RFC 5652, 5.4).
        to_sign = univ.SetOf(componentType=rfc5652.Attribute())
        to_sign.extend(attributes)
        signature = self._key.sign(encoder.encode(to_sign), ec.ECDSA(hashes.SHA256()))

        signed = rfc5652.SignedData()
        signed["version"] = 3
        signed["digestAlgorithms"].append(_algorithm(_SHA256))
        signed["encapContentInfo"]["eContentType"] = rfc3161.id_ct_TSTInfo
        signed["encapContentInfo"]["eContent"] = content
        if bool(asked["certReq"]):
            signed["certificates"].append(self._certificate_choice())
        signed["signerInfos"].append(self._signer_info(attributes, signature))

        token = rfc5652.ContentInfo()
        token["contentType"] = rfc5652.id_signedData
        token["content"] = univ.Any(encoder.encode(signed))
        return token

    def _certificate_choice(self) -> rfc5652.CertificateChoices:
        choice = rfc5652.CertificateChoices()
        choice["certificate"], _ = decoder.decode(
            self._certificate.public_bytes(serialization.Encoding.DER),
            asn1Spec=rfc5280.Certificate(),
        )
        return choice

    def _signer_info(
        self, attributes: list[rfc5652.Attribute], signature: bytes
    ) -> rfc5652.SignerInfo:
        issuer, _ = decoder.decode(self._certificate.issuer.public_bytes(), rfc5280.Name())
        identifier = rfc5652.SignerIdentifier()
        identifier["issuerAndSerialNumber"]["issuer"] = issuer
        identifier["issuerAndSerialNumber"]["serialNumber"] = self._certificate.serial_number
        signer = rfc5652.SignerInfo()
        signer["version"] = 1
        signer["sid"] = identifier
        signer["digestAlgorithm"] = _algorithm(_SHA256)
        signer["signedAttrs"].extend(attributes)
        signer["signatureAlgorithm"] = _algorithm(_ECDSA_SHA256)
        signer["signature"] = signature
        return signer


@contextlib.contextmanager
def serve(authority: LocalAuthority, *, clock: Callable[[], datetime]) -> Iterator[str]:
    """Answer on a loopback port while the block runs; give the URL to ask.

    The path is random, so that another user of the machine cannot have things stamped meanwhile.
    """
    path = f"/{secrets.token_urlsafe(16)}"

    class Answer(http.server.BaseHTTPRequestHandler):
        """One POST, one token."""

        timeout = 5  # seconds; a caller that stalls must not keep the signing from ending

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if self.path != path or not length.isdecimal() or int(length) > MAX_REQUEST_BYTES:
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            reply = authority.respond(self.rfile.read(int(length)), clock())
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", _CONTENT_TYPE)
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name
            """Stay silent: standard error belongs to the command."""

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{path}"
        finally:
            server.shutdown()
            thread.join()


def _token_info(asked: rfc3161.TimeStampReq, now: datetime) -> rfc3161.TSTInfo:
    stamped = rfc3161.TSTInfo()
    stamped["version"] = 1
    stamped["policy"] = POLICY
    stamped["messageImprint"] = asked["messageImprint"]
    stamped["serialNumber"] = x509.random_serial_number()
    stamped["genTime"] = useful.GeneralizedTime(now.astimezone(UTC).strftime("%Y%m%d%H%M%SZ"))
    stamped["accuracy"]["seconds"] = 1
    if asked["nonce"].hasValue():
        stamped["nonce"] = asked["nonce"]
    return stamped


def _signed_attributes(content: bytes, certificate: x509.Certificate) -> list[rfc5652.Attribute]:
    """Bind the content, its kind and the very certificate of the authority (RFC 5816)."""
    identifier = rfc5035.ESSCertIDv2()  # SHA-256 is its default, left out in DER
    identifier["certHash"] = certificate.fingerprint(hashes.SHA256())
    signing = rfc5035.SigningCertificateV2()
    signing["certs"].append(identifier)
    return [
        _attribute(rfc5652.id_contentType, rfc3161.id_ct_TSTInfo),
        _attribute(rfc5652.id_messageDigest, univ.OctetString(_sha256(content))),
        _attribute(rfc5035.id_aa_signingCertificateV2, signing),
    ]


def _attribute(kind: univ.ObjectIdentifier, content: object) -> rfc5652.Attribute:
    attribute = rfc5652.Attribute()
    attribute["attrType"] = kind
    attribute["attrValues"].append(univ.Any(encoder.encode(content)))
    return attribute


def _algorithm(identifier: str) -> rfc5280.AlgorithmIdentifier:
    algorithm = rfc5280.AlgorithmIdentifier()
    algorithm["algorithm"] = identifier
    return algorithm


def _sha256(content: bytes) -> bytes:
    digest = hashes.Hash(hashes.SHA256())
    digest.update(content)
    return digest.finalize()


def _granted(token: rfc5652.ContentInfo) -> bytes:
    response = rfc3161.TimeStampResp()
    response["status"]["status"] = _GRANTED
    response["timeStampToken"] = token
    return bytes(encoder.encode(response))


def _rejection(failure: int) -> bytes:
    response = rfc3161.TimeStampResp()
    response["status"]["status"] = _REJECTION
    bits = ["0"] * (failure + 1)
    bits[failure] = "1"
    response["status"]["failInfo"] = univ.BitString("".join(bits))
    return bytes(encoder.encode(response))
