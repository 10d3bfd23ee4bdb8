"""The whole application: routes, errors, and what they share.

    app = create_app(ReadSettings.load(home.settings), home=home)

Errors are RFC 9457 problem+json. Anybody may verify a file and fetch the log's checkpoint, tiles
and proofs; records are for tokens with the right to read them. Without a home there is no log, and
verification is all that is served.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from anyio import CapacityLimiter
from fastapi import FastAPI

from audit.api import log_routes, record_routes, verify_routes
from audit.api.access import Served
from audit.api.problems import answer_with_problems
from audit.api.upload_folder import system_uploads, upload_folder
from audit.api.uploads import Intake, UploadLimits
from audit.home import Home
from audit.names import refuse_claimed_names
from audit.settings import AuditSettings, ReadSettings
from audit.verifier import ClipVerifier
from audit.wiring import open_reader, open_verifier
from provenance.settings import MIB

EXAMINATIONS_AT_ONCE = 2  # each is a process that fills a core and some hundred megabytes


def create_app(
    settings: ReadSettings,
    *,
    home: Home | None = None,
    uploads: Path | None = None,
    claim_trust: Sequence[Path] = (),
    timestamp_trust: Sequence[Path] = (),
) -> FastAPI:
    """Return the read side as an ASGI application.

    Args:
        settings: limits, and where the log is.
        home: log, keys and certificates; without one verification is all that is served.
        uploads: where uploads lie meanwhile; in the home unless told otherwise, without a home in
            the system's temporary folder.
        claim_trust: PEM files of roots that may vouch for credentials, beside the home's own.
        timestamp_trust: PEM files of roots of time-stamp authorities.

    Raises:
        NameClaimed: another distribution overwrites our packages.
        AuditError: the home, its log or its keys cannot be used.
        ProvenanceError: a trust list or a key cannot be used.
    """
    refuse_claimed_names()
    opened = partial(
        _opened, settings, home, uploads, claim_trust=claim_trust, timestamp_trust=timestamp_trust
    )
    with opened():
        pass  # what is wrong is told here, not in the traceback of a server that cannot start

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with opened() as served:
            app.state.served = served
            yield

    app = FastAPI(
        title="countermark, read side",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
    )
    for routes in (verify_routes, log_routes, record_routes):
        app.include_router(routes.router, prefix="/v1")
    answer_with_problems(app)
    app.get("/livez", include_in_schema=False)(_alive)
    return app


@contextmanager
def _opened(
    settings: ReadSettings,
    home: Home | None,
    uploads: Path | None,
    *,
    claim_trust: Sequence[Path],
    timestamp_trust: Sequence[Path],
) -> Iterator[Served]:
    with ExitStack() as stack:
        ledger = stack.enter_context(open_reader(home, settings)) if home is not None else None
        verifier = open_verifier(
            settings,
            home=home,
            ledger=ledger,
            claim_trust=claim_trust,
            timestamp_trust=timestamp_trust,
        )
        base = uploads or (system_uploads() if home is None else home.uploads)
        folder = stack.enter_context(upload_folder(base))
        yield Served(
            ledger=ledger,
            verifier=_for_strangers(verifier, settings.audit),
            intake=Intake(folder, _upload_limits(settings.audit)),
            turns=CapacityLimiter(EXAMINATIONS_AT_ONCE),
        )


def _for_strangers(verifier: ClipVerifier, settings: AuditSettings) -> ClipVerifier:
    """Return the verifier with less time for each file, since others wait, and less trust in it."""
    limits = verifier.process_limits
    stricter = replace(
        limits,
        seconds=min(limits.seconds, settings.upload_examination_seconds),
        confinement=settings.upload_confinement,
    )
    return replace(verifier, process_limits=stricter)


def _upload_limits(settings: AuditSettings) -> UploadLimits:
    return UploadLimits(
        each_bytes=settings.max_upload_mib * MIB,
        together_bytes=settings.max_uploads_mib * MIB,
        at_once=settings.max_uploads,
    )


async def _alive() -> dict[str, str]:
    return {"status": "alive"}
