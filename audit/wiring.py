"""Where the read side's choices are made: a home and its settings become a log and a verifier."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from audit.database import open_database
from audit.errors import HomeUnusable
from audit.home import Home
from audit.ledger import Ledger
from audit.note import NoteSigner, Verifier
from audit.reader import LedgerReader
from audit.records import Scope
from audit.settings import ReadSettings
from audit.verifier import ClipVerifier
from provenance.examination import MarkKey
from provenance.keys import read_log_key, read_private
from provenance.sandbox import ProcessLimits
from provenance.settings import MIB
from provenance.trust import TrustList, TrustLists

OWN_TRUST = "this home"  # how reports name the home's own certificate lists


def now() -> datetime:
    """Return the time, aware, UTC."""
    return datetime.now(UTC)


@contextmanager
def open_reader(home: Home, settings: ReadSettings) -> Iterator[LedgerReader]:
    """Open the home's log with its public key alone.

    Raises:
        HomeUnusable: there is no home, or its public key is missing.
        LedgerLocked: the database cannot be opened.
    """
    vkey = _vkey(home)
    engine = open_database(home.database(settings.audit.database))
    try:
        yield LedgerReader(engine, scope=scope_of(settings), verifier=vkey)
    finally:
        engine.dispose()


@contextmanager
def open_ledger(home: Home, settings: ReadSettings) -> Iterator[Ledger]:
    """Open the home's log with the key that signs it, to append to it.

    Raises:
        KeyExposed: others can read the log's key.
        LedgerLocked: the database cannot be written.
    """
    scope = scope_of(settings)
    signer = NoteSigner(str(scope), read_log_key(home.log_key))
    engine = open_database(home.database(settings.audit.database))
    try:
        yield Ledger(engine, scope=scope, signer=signer, clock=now)
    finally:
        engine.dispose()


def open_verifier(
    settings: ReadSettings,
    *,
    home: Home | None,
    ledger: LedgerReader | None,
    claim_trust: Sequence[Path] = (),
    timestamp_trust: Sequence[Path] = (),
) -> ClipVerifier:
    """Return a verifier that believes the home's own certificates and those given.

    Without a home it still reads everybody's credentials; what it cannot look for it names.
    """
    given = TrustLists.load(claim=tuple(claim_trust), timestamp=tuple(timestamp_trust))
    trust = given
    mark_keys: tuple[MarkKey, ...] = ()
    if home is not None:
        trust = TrustLists(
            claim=(_own(home.root_certificate), *given.claim),
            timestamp=(_own(home.timestamp_root), *given.timestamp),
        )
        mark_keys = own_mark_keys(home, settings)
    limits = settings.provenance
    return ClipVerifier(
        trust=trust,
        mark_keys=mark_keys,
        ledger=ledger,
        own_trust=OWN_TRUST if home is not None else None,
        media_limits=limits.limits,
        process_limits=ProcessLimits(
            seconds=limits.examination_seconds, memory_bytes=limits.examination_memory_mib * MIB
        ),
    )


def own_mark_keys(home: Home, settings: ReadSettings) -> tuple[MarkKey, ...]:
    """Return the home's secret for every configured watermarking method."""
    secret = read_private(home.mark_key)
    return tuple(MarkKey(method, secret) for method in settings.provenance.watermarkers)


def scope_of(settings: ReadSettings) -> Scope:
    """Return whose log the settings speak of."""
    return Scope(settings.audit.deployment, settings.audit.tenant)


def _vkey(home: Home) -> Verifier:
    try:
        return Verifier.from_vkey(home.log_vkey.read_text(encoding="ascii").strip())
    except OSError as error:
        raise HomeUnusable(
            f"{home.log_vkey} cannot be read ({error.strerror}); it is the log's public key, "
            "restore it from a backup or from the log's first record"
        ) from error


def _own(path: Path) -> TrustList:
    loaded = TrustList.load(path)
    return TrustList(name=OWN_TRUST, pem=loaded.pem)
