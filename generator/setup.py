"""`countermark init`: make a home with its own keys, certificates and an empty, signed log.

The certificates come from a demonstration authority that this very command makes, and say so in
their names. Every step leaves alone what is already there, so an interrupted `init` is finished by
running it again.
"""

import secrets
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from datetime import datetime
from importlib.metadata import version

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from audit.bodies import Deployment, Key, KeyPurpose
from audit.errors import HomeUnusable
from audit.home import Home
from audit.ledger import Ledger
from audit.note import NoteSigner
from audit.wiring import open_ledger, own_mark_keys
from generator.settings import Settings
from provenance.examination import load_watermarker
from provenance.keys import read_log_key, write_log_key, write_private
from provenance.pki import DemoPki, make_demo_pki

SECRET_BYTES = 32
SETTINGS_TEXT = """\
# Configuration of this countermark home. countermark.example.toml in the repository names every
# setting; unknown keys are refused.

[audit]
deployment = "{deployment}"

[safety]
policy = "{policy}"
"""


@dataclass(frozen=True, slots=True)
class NewHome:
    """What the owner of a new home chooses."""

    organisation: str = "countermark demo"
    deployment: str = "countermark.local"
    policy: str = "default"


def set_up(home: Home, chosen: NewHome, now: datetime) -> None:
    """Make the home, or finish making it.

    Raises:
        HomeUnusable: it is set up already, or its folder cannot be written.
    """
    if home.exists:
        raise HomeUnusable(
            f"{home.path} is set up already; use it, or name another folder with --home"
        )
    home.make_folders()
    if not home.settings.exists():
        text = SETTINGS_TEXT.format(deployment=chosen.deployment, policy=chosen.policy)
        home.settings.write_text(text, encoding="utf-8")
    settings = Settings.load(home.settings)
    if not home.log_key.exists():
        write_log_key(home.log_key)
    signer = NoteSigner(settings.audit.origin, read_log_key(home.log_key))
    home.log_vkey.write_text(signer.verifier.vkey + "\n", encoding="ascii")
    _make_certificates(home, chosen.organisation, now)
    for secret in (home.sealing_key, home.mark_key):  # the mark key last: it completes the home
        if not secret.exists():
            write_private(secret, secrets.token_bytes(SECRET_BYTES))
    with open_ledger(home, settings) as ledger:
        if ledger.size == 0:
            _record_beginning(home, settings, ledger, now)


def _make_certificates(home: Home, organisation: str, now: datetime) -> None:
    """Make the demonstration certificates; an interrupted attempt at it starts over."""
    pki = DemoPki.at(home.keys)
    if not pki.timestamp_root.exists():  # the last file that is written
        for path in astuple(pki):
            path.unlink(missing_ok=True)
        make_demo_pki(home.keys, organisation=organisation, now=now)


def _record_beginning(home: Home, settings: Settings, ledger: Ledger, now: datetime) -> None:
    """Write the log's first records: whose it is, and every key by what may be public of it."""
    beginning = Deployment(
        origin=settings.audit.origin,
        log_key=ledger.vkey,
        software=f"countermark {version('countermark')}",
        statement="demonstration keys made by `countermark init`; not for production",
    )
    ledger.commit(ledger.record(beginning, now=now))
    for key in _keys(home, settings):
        ledger.commit(ledger.record(key, now=now))


def _keys(home: Home, settings: Settings) -> Iterator[Key]:
    pki = DemoPki.at(home.keys)
    for purpose, algorithm, chain in (
        (KeyPurpose.SIGNING, "es256", pki.signing_chain),
        (KeyPurpose.TIMESTAMP, "es256", pki.timestamp_chain),
    ):
        certificate = x509.load_pem_x509_certificates(chain.read_bytes())[0]
        yield Key(
            purpose=purpose,
            algorithm=algorithm,
            key_id=certificate.fingerprint(hashes.SHA256()).hex(),
            certificate_pem=certificate.public_bytes(serialization.Encoding.PEM).decode(),
        )
    for mark_key in own_mark_keys(home, settings):
        watermarker = load_watermarker(mark_key.method, mark_key.secret)
        yield Key(
            purpose=KeyPurpose.MARK, algorithm=watermarker.algorithm, key_id=watermarker.key_id
        )
