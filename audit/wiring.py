"""Where the read side's choices are made: a home and its settings become a log and a verifier."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from audit.database import Access, create_database, open_database
from audit.errors import HomeUnusable, NoteInvalid
from audit.home import Home
from audit.last_signed import LastSigned
from audit.ledger import Ledger, create_log
from audit.note import NoteSigner, Verifier
from audit.reader import LedgerReader
from audit.records import Scope
from audit.settings import ReadSettings
from audit.verifier import ClipVerifier
from provenance.examination import MarkKey
from provenance.keys import read_log_key, read_private
from provenance.trust import TrustList, TrustLists

OWN_TRUST = "this home"  # how reports name the home's own certificate lists


@dataclass(frozen=True, slots=True)
class OwnMarkKey:
    """A home's secret for marks with one method, and the file that it lies in."""

    path: Path
    key: MarkKey


def now() -> datetime:
    """Return the time, aware, UTC."""
    return datetime.now(UTC)


@contextmanager
def open_reader(home: Home, settings: ReadSettings) -> Iterator[LedgerReader]:
    """Open the home's log with its public key alone.

    Raises:
        HomeUnusable: there is no home, its public key is missing, or the settings name another log.
        LedgerLocked: the database cannot be opened.
        LedgerDamaged: the log is gone.
    """
    scope, verifier = scope_of(settings), _verifier(home)
    _require_same_log(home, scope, verifier)
    engine = open_database(home.database(settings.audit.database), access=Access.READ)
    try:
        yield LedgerReader(
            engine, scope=scope, verifier=verifier, last_signed=_last_signed(home, verifier)
        )
    finally:
        engine.dispose()


@contextmanager
def create_ledger(home: Home, settings: ReadSettings) -> Iterator[Ledger]:
    """Make the home's log, or finish making it, and open it; for `countermark init` alone.

    Raises:
        KeyExposed: others can read the log's key.
        LedgerLocked: the database cannot be written.
    """
    engine = create_database(home.database(settings.audit.database))
    try:
        create_log(engine, scope_of(settings))
    finally:
        engine.dispose()
    with _signing_ledger(home, settings) as ledger:
        yield ledger


@contextmanager
def open_ledger(home: Home, settings: ReadSettings) -> Iterator[Ledger]:
    """Open the home's log with the key that signs it, to append to it.

    Raises:
        HomeUnusable: its public key is missing, or the settings name another log.
        KeyExposed: others can read the log's key.
        LedgerLocked: the database cannot be written.
        LedgerDamaged: the log is gone.
    """
    _require_same_log(home, scope_of(settings), _verifier(home))
    with _signing_ledger(home, settings) as ledger:
        yield ledger


def open_verifier(
    settings: ReadSettings,
    *,
    home: Home | None,
    ledger: LedgerReader | None,
    claim_trust: Sequence[Path] = (),
    timestamp_trust: Sequence[Path] = (),
) -> ClipVerifier:
    """Return a verifier that believes the home's own certificates and those given.

    Without a home, or in a copy of one without its secrets, it still reads everybody's credentials;
    what it cannot look for it names.
    """
    given = TrustLists.load(claim=tuple(claim_trust), timestamp=tuple(timestamp_trust))
    own = TrustLists() if home is None else own_trust(home)
    limits = settings.provenance
    return ClipVerifier(
        trust=TrustLists(
            claim=(*own.claim, *given.claim), timestamp=(*own.timestamp, *given.timestamp)
        ),
        mark_keys=()
        if home is None or not home.mark_keys
        else tuple(own.key for own in own_mark_keys(home, settings)),
        ledger=ledger,
        media_limits=limits.limits,
        process_limits=limits.process_limits,
    )


def own_trust(home: Home) -> TrustLists:
    """Return the home's own roots, those that are there, as trust lists."""
    roots = (home.root_certificate, home.timestamp_root)
    claim, timestamp = (
        (TrustList(name=OWN_TRUST, pem=TrustList.load(path).pem),) if path.exists() else ()
        for path in roots
    )
    return TrustLists(claim=claim, timestamp=timestamp)


def own_mark_keys(home: Home, settings: ReadSettings) -> tuple[OwnMarkKey, ...]:
    """Return the home's mark keys: the first one marks, all are looked for.

    The newest comes first, and each with every configured method in turn.

    Raises:
        KeyUnavailable: there is none.
        KeyExposed: others can read one of them.
    """
    methods = settings.provenance.watermarkers
    return tuple(
        OwnMarkKey(path, MarkKey(method, read_private(path)))
        for path in home.mark_keys or (home.mark_key,)
        for method in methods
    )


def scope_of(settings: ReadSettings) -> Scope:
    """Return whose log the settings speak of."""
    return Scope(settings.audit.deployment, settings.audit.tenant)


@contextmanager
def _signing_ledger(home: Home, settings: ReadSettings) -> Iterator[Ledger]:
    scope = scope_of(settings)
    signer = NoteSigner(str(scope), read_log_key(home.log_key))
    last_signed = _last_signed(home, signer.verifier)
    engine = open_database(home.database(settings.audit.database), access=Access.WRITE)
    try:
        yield Ledger(engine, scope=scope, signer=signer, clock=now, last_signed=last_signed)
    finally:
        engine.dispose()


def _last_signed(home: Home, verifier: Verifier) -> LastSigned:
    return LastSigned(home.log_signed, verifier)


def _require_same_log(home: Home, scope: Scope, verifier: Verifier) -> None:
    """Refuse settings of another log: with this key it would be a second one under one key."""
    if str(scope) != verifier.name:
        raise HomeUnusable(
            f"the settings name the log {scope}, the key of {home.path} signs {verifier.name}; put "
            "audit.deployment and audit.tenant back, or make a new home for a new log"
        )


def _verifier(home: Home) -> Verifier:
    try:
        return Verifier.from_vkey(home.log_vkey.read_text(encoding="ascii").strip())
    except (NoteInvalid, UnicodeDecodeError) as error:
        raise HomeUnusable(
            f"{home.log_vkey} holds no public key of a log ({error}); restore it from a backup or "
            "from the log's first record"
        ) from error
    except OSError as error:
        raise HomeUnusable(
            f"{home.log_vkey} cannot be read ({error.strerror}); it is the log's public key, "
            "restore it from a backup or from the log's first record"
        ) from error
