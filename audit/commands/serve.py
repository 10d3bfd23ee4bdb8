"""`countermark serve`: the read side over HTTP, until it is stopped."""

from collections.abc import Sequence
from pathlib import Path

import typer
import uvicorn

from audit.access import Tokens
from audit.api import create_app, opens_something, system_uploads
from audit.errors import HomeUnusable
from audit.home import Home, find_home
from audit.settings import ReadSettings
from audit.wiring import open_reader

LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def run_serve(
    home: Path | None,
    *,
    host: str | None,
    port: int | None,
    read_only: bool,
    claim_trust: Sequence[Path],
    timestamp_trust: Sequence[Path],
) -> None:
    """Serve over HTTP until stopped; without a home, verification alone.

    Raises:
        HomeUnusable: a home was named and is none, or nobody holds a token for an open address.
    """
    found = find_home(home)
    if home is not None:
        found.required()
    settings = ReadSettings.load(found.settings)
    there = found if found.exists else None
    if there is None:
        typer.echo(f"no home at {found.path}: serving verification, without a log", err=True)
    bind = host or settings.audit.host
    if bind not in LOOPBACK:
        _refuse_open_bind(there, settings, bind)
    app = create_app(
        settings,
        home=there,
        uploads=system_uploads() if read_only else None,
        claim_trust=claim_trust,
        timestamp_trust=timestamp_trust,
    )
    uvicorn.run(app, host=bind, port=port or settings.audit.port, log_level="warning")


def _refuse_open_bind(home: Home | None, settings: ReadSettings, bind: str) -> None:
    """Go on only if somebody holds a token that opens something: an expired one does not."""
    if home is None:
        raise HomeUnusable(
            f"{bind} can be reached from other machines and without a home there are no tokens; "
            "serve on 127.0.0.1 behind a proxy that decides who may ask, or name a home"
        )
    with open_reader(home, settings) as reader:
        usable = [token for token in Tokens(reader).list_all() if opens_something(token)]
    if not usable:
        raise HomeUnusable(
            f"{bind} can be reached from other machines and no token exists that opens anything "
            "there; make one first: countermark token new NAME --role auditor"
        )
