"""What decisions and signatures rest on stands in the log before it is used.

The policy's text and every key by what may be public of it: without them nobody could recompute a
decision later, or tell whose signature a clip bears. Asked at every start, so that a certificate
or a policy that somebody put in place by hand is in the log before the first clip under it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from audit.bodies import Body, Key, PolicyText
from audit.home import Home
from audit.ledger import Ledger
from audit.queries import RecordFilter, list_records
from audit.shape import to_json
from audit.vocabulary import KeyPurpose
from audit.wiring import OwnMarkKey
from provenance.examination import load_watermarker
from provenance.keys import read_private
from provenance.pki import DemoPki
from safety.policy import Policy

SEALING_KEY_LABEL = b"cmk sealing id 1"  # BLAKE2b takes 16 bytes
KEY_ID_BYTES = 8


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A key of a home: the file that it lies in, and what the log says of it."""

    path: Path
    body: Key


def declare(ledger: Ledger, bodies: Iterable[Body], now: datetime) -> None:
    """Record those bodies that do not stand in the log yet, word for word."""
    for body in bodies:
        if not _stands(ledger, body):
            ledger.commit(ledger.record(body, now=now))


def policy_text(policy: Policy) -> PolicyText:
    """Return a policy as a record holds it."""
    return PolicyText(name=policy.name, digest=policy.digest, text=policy.text)


def keys_of(home: Home, mark_keys: Iterable[OwnMarkKey]) -> Iterator[KeyFile]:
    """Yield the keys that lie in a home, but for the log's own, which the first record names.

    Args:
        home: with the keys.
        mark_keys: of that home, as `own_mark_keys` reads them. Whoever marks with one of them has
            it declared out of the same reading: another process may add one at any time.

    Raises:
        KeyExposed: others can read the sealing key.
        MarkError: a mark key's method is not installed.
    """
    pki = DemoPki.at(home.keys)
    for purpose, chain in (
        (KeyPurpose.SIGNING, pki.signing_chain),
        (KeyPurpose.TIMESTAMP, pki.timestamp_chain),
    ):
        if not chain.exists():  # a time-stamp authority elsewhere keeps its own
            continue
        certificate = x509.load_pem_x509_certificates(chain.read_bytes())[0]
        body = Key(
            purpose=purpose,
            algorithm="es256",
            key_id=certificate.fingerprint(hashes.SHA256()).hex(),
            certificate_pem=certificate.public_bytes(serialization.Encoding.PEM).decode(),
        )
        yield KeyFile(chain, body)
    for own in mark_keys:
        mark = load_watermarker(own.key.method, own.key.secret)
        body = Key(KeyPurpose.MARK, algorithm=mark.algorithm, key_id=mark.key_id)
        yield KeyFile(own.path, body)
    if home.sealing_key.exists():
        yield KeyFile(home.sealing_key, sealing_key(home))


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
