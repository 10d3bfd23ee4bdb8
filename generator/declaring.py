"""What decisions and signatures rest on stands in the log before it is used.

The policy's text and every key by what may be public of it: without them nobody could recompute a
decision later, or tell whose signature a clip bears. Asked at every start, so that a certificate
or a policy that somebody put in place by hand is in the log before the first clip under it.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import blake2b

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from audit.bodies import Body, Key, KeyPurpose, PolicyText
from audit.home import Home
from audit.ledger import Ledger
from audit.queries import RecordFilter, list_records
from audit.shape import to_json
from audit.wiring import own_mark_keys
from generator.settings import Settings
from provenance.examination import load_watermarker
from provenance.keys import read_private
from provenance.pki import DemoPki
from safety.policy import Policy

SEALING_KEY_LABEL = b"cmk sealing id 1"  # BLAKE2b takes 16 bytes
KEY_ID_BYTES = 8


def declare(ledger: Ledger, bodies: Iterable[Body], now: datetime) -> None:
    """Record those bodies that do not stand in the log yet, word for word."""
    for body in bodies:
        if not _stands(ledger, body):
            ledger.commit(ledger.record(body, now=now))


def policy_text(policy: Policy) -> PolicyText:
    """Return a policy as a record holds it."""
    return PolicyText(name=policy.name, digest=policy.digest, text=policy.text)


def keys_of(home: Home, settings: Settings) -> Iterator[Key]:
    """Yield every key of a home but the log's own, which the first record names.

    Raises:
        KeyUnavailable: one is missing.
    """
    pki = DemoPki.at(home.keys)
    for purpose, chain in (
        (KeyPurpose.SIGNING, pki.signing_chain),
        (KeyPurpose.TIMESTAMP, pki.timestamp_chain),
    ):
        certificate = x509.load_pem_x509_certificates(chain.read_bytes())[0]
        yield Key(
            purpose=purpose,
            algorithm="es256",
            key_id=certificate.fingerprint(hashes.SHA256()).hex(),
            certificate_pem=certificate.public_bytes(serialization.Encoding.PEM).decode(),
        )
    for mark_key in own_mark_keys(home, settings):
        watermarker = load_watermarker(mark_key.method, mark_key.secret)
        yield Key(
            purpose=KeyPurpose.MARK, algorithm=watermarker.algorithm, key_id=watermarker.key_id
        )
    yield sealing_key(home)


def sealing_key(home: Home) -> Key:
    """Return the sealing key as a record names it: by an id that says nothing of it."""
    key = read_private(home.sealing_key)
    digest = blake2b(key, digest_size=KEY_ID_BYTES, person=SEALING_KEY_LABEL)
    return Key(purpose=KeyPurpose.SEALING, algorithm="aes-256-gcm", key_id=digest.hexdigest())


def _stands(ledger: Ledger, body: Body) -> bool:
    wanted, said = RecordFilter(kinds=frozenset({body.kind})), to_json(body)
    after = None
    while True:
        page = list_records(ledger, wanted, after=after)
        if any(stored.record.body == said for stored in page.records):
            return True
        if page.next_after is None:
            return False
        after = page.next_after
