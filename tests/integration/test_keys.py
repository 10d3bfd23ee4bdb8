"""Secrets on disk."""

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from provenance.errors import KeyExposed, KeyUnavailable
from provenance.keys import (
    MAX_SECRET_BYTES,
    FileSigner,
    private_pem,
    read_log_key,
    read_private,
    write_log_key,
    write_private,
)
from provenance.pki import CLAIM_SIGNING, DEMO_NAME, make_demo_pki

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def test_a_written_secret_reads_back_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "mark.key"

    write_private(path, b"thirty-two bytes, or nearly that")

    assert read_private(path) == b"thirty-two bytes, or nearly that"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_secret_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "log.key"
    write_private(path, b"the first")

    with pytest.raises(KeyUnavailable, match="never replaced"):
        write_private(path, b"the second")

    assert read_private(path) == b"the first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyUnavailable, match="check that the folder exists"):
        write_private(tmp_path / "nowhere" / "key", b"secret")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610, 0o601, 0o644, 0o777])
def test_a_secret_that_others_can_reach_is_refused(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "signing.key"
    write_private(path, b"secret")
    path.chmod(mode)

    with pytest.raises(KeyExposed, match="chmod 600"):
        read_private(path)


def test_a_secret_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "signing.key"
    write_private(path, b"secret")
    monkeypatch.setattr("os.geteuid", lambda: path.stat().st_uid + 1)

    with pytest.raises(KeyExposed, match="belongs to user"):
        read_private(path)


def test_a_missing_secret_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(KeyUnavailable, match="countermark init"):
        read_private(tmp_path / "signing.key")


def test_a_folder_or_a_pipe_is_no_secret(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)

    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(KeyUnavailable, match="not a regular file"):
            read_private(path)


def test_a_file_too_long_for_a_secret_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "video.mp4"
    write_private(path, bytes(MAX_SECRET_BYTES + 1))

    with pytest.raises(KeyUnavailable, match="at most"):
        read_private(path)


def test_the_log_key_reads_back(tmp_path: Path) -> None:
    made = write_log_key(tmp_path / "log.key")

    read = read_log_key(tmp_path / "log.key")

    assert read.public_key() == made.public_key()


def test_a_key_of_another_kind_does_not_sign_the_log(tmp_path: Path) -> None:
    write_private(tmp_path / "log.key", private_pem(ec.generate_private_key(ec.SECP256R1())))

    with pytest.raises(KeyUnavailable, match="Ed25519"):
        read_log_key(tmp_path / "log.key")


def test_text_that_is_no_key_is_refused(tmp_path: Path) -> None:
    write_private(tmp_path / "log.key", b"not a key at all")

    with pytest.raises(KeyUnavailable, match="no private key in PEM"):
        read_log_key(tmp_path / "log.key")


def test_a_file_signer_makes_raw_signatures_of_64_bytes(tmp_path: Path) -> None:
    pki = make_demo_pki(tmp_path, organisation="Example", now=NOW)
    signer = FileSigner(pki.signing_key, pki.signing_chain)

    signature = signer.sign(b"a claim")

    public = x509.load_pem_x509_certificates(signer.certificate_chain_pem)[0].public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    halves = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    public.verify(encode_dss_signature(*halves), b"a claim", ec.ECDSA(hashes.SHA256()))
    assert len(signature) == 64


def test_a_file_signer_refuses_a_certificate_of_another_key(tmp_path: Path) -> None:
    pki = make_demo_pki(tmp_path, organisation="Example", now=NOW)

    with pytest.raises(KeyUnavailable, match="was not issued for the key"):
        FileSigner(pki.signing_key, pki.root)


@pytest.mark.parametrize(
    "key",
    [
        ed25519.Ed25519PrivateKey.generate(),
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(65537, 2048),
    ],
    ids=["ed25519", "p384", "rsa"],
)
def test_a_file_signer_refuses_other_kinds_of_key(
    key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    tmp_path: Path,
) -> None:
    pki = make_demo_pki(tmp_path, organisation="Example", now=NOW)
    write_private(tmp_path / "other.key", private_pem(key))

    with pytest.raises(KeyUnavailable, match="P-256"):
        FileSigner(tmp_path / "other.key", pki.signing_chain)


def test_a_file_signer_does_not_show_its_key(tmp_path: Path) -> None:
    pki = make_demo_pki(tmp_path, organisation="Example", now=NOW)

    assert "PRIVATE" not in repr(vars(FileSigner(pki.signing_key, pki.signing_chain)))


def test_the_demo_keeps_no_key_that_could_issue_more_certificates(tmp_path: Path) -> None:
    make_demo_pki(tmp_path, organisation="Example", now=NOW)

    kept = [path for path in tmp_path.iterdir() if b"PRIVATE" in path.read_bytes()]

    assert sorted(path.name for path in kept) == ["signing.key", "tsa.key"]


def test_demo_certificates_say_what_they_are_and_serve_one_purpose(tmp_path: Path) -> None:
    pki = make_demo_pki(tmp_path, organisation="Example", now=NOW)
    claim = x509.load_pem_x509_certificates(pki.signing_chain.read_bytes())[0]
    stamp = x509.load_pem_x509_certificates(pki.timestamp_chain.read_bytes())[0]

    usages = [
        certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
        for certificate in (claim, stamp)
    ]

    assert DEMO_NAME in claim.subject.rfc4514_string()
    assert list(usages[0].value) == [CLAIM_SIGNING]
    assert list(usages[1].value) == [x509.ExtendedKeyUsageOID.TIME_STAMPING]
    assert usages[1].critical
    assert pki.root.read_bytes() != pki.timestamp_root.read_bytes()


def test_demo_keys_are_never_replaced(tmp_path: Path) -> None:
    make_demo_pki(tmp_path, organisation="Example", now=NOW)

    with pytest.raises(KeyUnavailable, match="never replaced"):
        make_demo_pki(tmp_path, organisation="Example", now=NOW)
