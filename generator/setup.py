"""`countermark init`: make a home with its own keys, certificates and an empty, signed log.

The certificates come from a demonstration authority that this very command makes, and say so in
their names. An interrupted `init` is finished by running it again: every step leaves alone what is
there, and the file that completes a home, the log's public key, comes last.

    1. settings    2. keys and certificates    3. the log's first records    4. the log's public key
"""

import re
from dataclasses import astuple, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from audit.bodies import Deployment
from audit.errors import HomeUnusable
from audit.home import Home
from audit.ledger import Ledger
from audit.note import NoteSigner
from audit.settings import ORIGIN_PART
from audit.wiring import create_ledger, open_ledger, own_mark_keys
from generator.declaring import declare, keys_of, sealing_key
from generator.errors import RequestInvalid
from generator.publish import flush
from generator.settings import Settings
from provenance.keys import read_log_key, write_log_key, write_secret
from provenance.pki import DemoPki, make_demo_pki
from safety.policy import Policy, shipped_policies

_ESCAPED = re.compile(r'["\\\x00-\x1f\x7f]')
MAX_ORGANISATION = 64  # characters of an organisation's name in a certificate (RFC 5280, A.1)
SETTINGS_TEXT = """\
# Configuration of this countermark home. countermark.example.toml in the repository names every
# setting; unknown keys are refused.

[audit]
deployment = {deployment}

[safety]
policy = {policy}
"""


@dataclass(frozen=True, slots=True)
class NewHome:
    """What the owner of a new home chooses."""

    organisation: str = "countermark demo"
    deployment: str = "countermark.local"
    policy: str = "default"


def set_up(home: Home, chosen: NewHome, now: datetime) -> Settings:
    """Make the home, or finish making it, and return its settings.

    Settings that stand there already hold, whatever was chosen.

    Raises:
        RequestInvalid: a name that cannot be one.
        PolicyInvalid: there is no such policy.
        HomeUnusable: it is set up already, its log was begun with keys that are gone, or its
            folder cannot be written.
    """
    if home.exists:
        _refuse_incomplete(home, _keys_in_use(home))
        raise HomeUnusable(
            f"{home.path} is set up already; use it, or name another folder with --home"
        )
    if _log_was_begun(home):
        _refuse_incomplete(home, _made_before_the_log(home))
    _refuse_names(chosen)
    Policy.load(chosen.policy)  # before anything is written that names it
    home.make_folders()
    if not home.settings.exists():  # (1)
        _write_whole(home.settings, _settings_text(chosen))
    settings = Settings.load(home.settings)
    Policy.load(settings.safety.policy)
    if not home.log_key.exists():  # (2)
        write_log_key(home.log_key)
    _make_certificates(home, chosen.organisation, now)
    for secret in (home.sealing_key, home.mark_key):
        if not secret.exists():
            write_secret(secret)
    with create_ledger(home, settings) as ledger:  # (3)
        keys = [key.body for key in keys_of(home, own_mark_keys(home, settings))]
        declare(ledger, [_beginning(settings, ledger), *keys], now)
    signer = NoteSigner(settings.audit.origin, read_log_key(home.log_key))
    _write_whole(home.log_vkey, signer.verifier.vkey + "\n")  # (4)
    return settings


def replace_sealing_key(home: Home, now: datetime) -> None:
    """Give a home that was restored without its sealing key a new one, and record that.

    Raises:
        HomeUnusable: more is missing than that.
        KeyUnavailable: there is a sealing key; one in use is never replaced.
    """
    _refuse_incomplete(home, _keys_in_use(home))
    home.make_folders()
    write_secret(home.sealing_key)
    with open_ledger(home, Settings.load(home.settings)) as ledger:
        declare(ledger, [sealing_key(home)], now)


def _keys_in_use(home: Home) -> tuple[Path, ...]:
    return (home.log_key, home.mark_key, DemoPki.at(home.keys).signing_key)


def _log_was_begun(home: Home) -> bool:
    """Tell whether an `init` got as far as step 3 here, after which no key is made any more."""
    return home.log_signed.exists() or _database_file(home).exists()


def _made_before_the_log(home: Home) -> tuple[Path, ...]:
    """Return what steps 1 and 2 left; a time-stamp authority elsewhere keeps its own key."""
    pki = DemoPki.at(home.keys)
    certificates = (pki.signing_chain, pki.root, pki.timestamp_root)
    return (home.settings, *_keys_in_use(home), home.sealing_key, *certificates)


def _database_file(home: Home) -> Path:
    """Return where the log lies; for a database server a path that is never there."""
    settings = Settings.load(home.settings) if home.settings.exists() else Settings()
    return Path(home.database(settings.audit.database).removeprefix("sqlite:///"))


def _refuse_incomplete(home: Home, needed: tuple[Path, ...]) -> None:
    """Refuse a home without its keys: to make others would start another story under its name."""
    missing = [str(path.relative_to(home.path)) for path in needed if not path.exists()]
    if missing:
        raise HomeUnusable(
            f"{home.path} holds a log and lacks {', '.join(missing)}; restore from a backup what "
            "is missing, or name another folder with --home"
        )


def _refuse_names(chosen: NewHome) -> None:
    if not re.fullmatch(ORIGIN_PART, chosen.deployment):
        raise RequestInvalid(
            f"{chosen.deployment[:80]!r} cannot name a log; use 1 to 63 small letters, digits, "
            "'.' and '-', such as press.example.org"
        )
    name = chosen.organisation
    if not name.isprintable() or not 0 < len(name) <= MAX_ORGANISATION:
        raise RequestInvalid(
            f"{name[:80]!r} cannot stand in a certificate; an organisation's name has 1 to "
            f"{MAX_ORGANISATION} printable characters"
        )


def _settings_text(chosen: NewHome) -> str:
    policy = chosen.policy
    if policy not in shipped_policies():
        policy = str(Path(policy).resolve())  # the next command may run in another folder
    return SETTINGS_TEXT.format(
        deployment=_toml_string(chosen.deployment), policy=_toml_string(policy)
    )


def _toml_string(text: str) -> str:
    """Return a TOML basic string (toml.io, version 1.0.0): what it cannot hold is escaped."""
    return '"' + _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + '"'


def _write_whole(path: Path, text: str) -> None:
    """Write a file so that its name never leads to half of it.

    Raises:
        HomeUnusable: the disk refuses, or the text is none that a file can hold.
    """
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.write_text(text, encoding="utf-8")
        flush(draft)
        draft.replace(path)
        flush(path.parent)
    except (OSError, UnicodeEncodeError) as error:
        draft.unlink(missing_ok=True)
        raise HomeUnusable(
            f"{path} cannot be written ({error}); free some space or check its folder"
        ) from error


def _make_certificates(home: Home, organisation: str, now: datetime) -> None:
    """Make the demonstration certificates; an interrupted attempt at it starts over."""
    pki = DemoPki.at(home.keys)
    if not pki.timestamp_root.exists():  # the last file that is written
        for path in astuple(pki):
            path.unlink(missing_ok=True)
        make_demo_pki(home.keys, organisation=organisation, now=now)


def _beginning(settings: Settings, ledger: Ledger) -> Deployment:
    """Return the log's first record: whose log it is."""
    return Deployment(
        origin=settings.audit.origin,
        log_key=ledger.vkey,
        software=f"countermark {version('countermark')}",
        statement="demonstration keys made by `countermark init`; not for production",
    )
