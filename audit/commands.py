"""What the commands of `audit.cli` do, apart from it so that `--help` stays fast."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from audit import rendering
from audit.access import Role, Tokens, issue_token, revoke_token
from audit.bodies import Commitment, RecordKind
from audit.errors import HomeUnusable, LedgerDamaged, NotFound, RecordInvalid
from audit.home import Home, find_home
from audit.queries import RecordFilter, list_records
from audit.reader import LedgerReader
from audit.redaction import Vault
from audit.settings import ReadSettings
from audit.status import EXIT_CODES, Status, worst
from audit.wiring import now, open_ledger, open_reader, open_verifier
from provenance.keys import read_private

LOG_DAMAGED = 30  # exit code
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def run_verify(
    *,
    home: Path | None,
    paths: Sequence[Path],
    recursive: bool,
    style: str,
    claim_trust: Sequence[Path],
    timestamp_trust: Sequence[Path],
) -> int:
    """Verify files one by one and return the exit code of the worst."""
    found = find_home(home)
    if home is not None:
        found.required()
    settings = ReadSettings.load(found.settings)
    files = list(_files(paths, recursive=recursive))
    statuses: list[Status] = []
    reports: list[dict[str, Any]] = []
    with ExitStack() as stack:
        ledger = stack.enter_context(open_reader(found, settings)) if found.exists else None
        verifier = open_verifier(
            settings,
            home=found if found.exists else None,
            ledger=ledger,
            claim_trust=claim_trust,
            timestamp_trust=timestamp_trust,
        )
        for path in _with_progress(files):
            report = verifier.verify(path)
            statuses.append(report.status)
            if style == "text":
                typer.echo(rendering.report_text(report))
            elif style == "jsonl":
                typer.echo(json.dumps({"path": str(path), **report.to_json()}))
            else:
                reports.append(report.to_json())
    if style == "json":
        _print_json(reports[0] if len(reports) == 1 else reports)
    return EXIT_CODES[worst(statuses)]


def run_log_ls(  # one option each
    home: Path | None,
    kinds: Sequence[str],
    decision: str | None,
    clip: str | None,
    limit: int,
    after: int | None,
    *,
    as_json: bool,
) -> None:
    """Print a page of records."""
    wanted = RecordFilter(kinds=_kinds(kinds), decision=decision, clip_id=clip)
    with open_reader(*_read_home(home)) as reader:
        page = list_records(reader, wanted, after=after, limit=limit)
    if as_json:
        records = [rendering.record_json(stored) for stored in page.records]
        _print_json({"records": records, "next_after": page.next_after})
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("record", "time", "kind", "decision", "what"):
        table.add_column(heading, overflow="fold")
    for stored in page.records:
        table.add_row(*rendering.record_row(stored))
    Console().print(table)
    if page.next_after is not None:
        typer.echo(f"more: countermark log ls --after {page.next_after}", err=True)


def run_log_show(home: Path | None, index: int, *, with_prompt: bool) -> None:
    """Print one record with its proof state, and its prompt where that may be opened."""
    found, settings = _read_home(home)
    with open_reader(found, settings) as reader:
        entry = reader.get(index)
        values: dict[str, Any] = {
            "index": entry.index,
            "leaf_hash": entry.leaf_hash.hex(),
            "checkpoint_size": entry.checkpoint.size,
            "record": json.loads(entry.record.canonical),
        }
        if with_prompt:
            values["prompt"] = _unsealed(reader, found, values["record"]["body"])
    _print_json(values)


def run_log_check(home: Path | None, against: Sequence[Path], *, as_json: bool) -> int:
    """Check the whole log; return 30 when it is damaged."""
    witnesses = [_read_text(path) for path in against]
    try:
        with open_reader(*_read_home(home)) as reader:
            report = reader.check(witnesses=witnesses)
    except LedgerDamaged as error:
        typer.echo(f"damaged: {error}")
        return LOG_DAMAGED
    if as_json:
        _print_json(rendering.check_json(report))
    else:
        typer.echo(rendering.check_text(report))
    return LOG_DAMAGED if report.problems else 0


def run_log_prove(home: Path | None, index: int) -> None:
    """Print a tlog-proof."""
    with open_reader(*_read_home(home)) as reader:
        typer.echo(reader.get(index).tlog_proof, nl=False)


def run_token_new(home: Path | None, name: str, role: str, days: int, *, as_json: bool) -> None:
    """Issue a token and print it once."""
    found, settings = _read_home(home)
    expires = now() + timedelta(days=days)
    with open_ledger(found, settings) as ledger:
        text, entry = issue_token(ledger, _role(role), name=name, now=now(), expires=expires)
    if as_json:
        _print_json({"token": text, "role": role, "record_index": entry.index})
        return
    typer.echo(text)
    typer.echo(
        f"role {role}, until {expires:%Y-%m-%d}, record {entry.index}; it is not shown again",
        err=True,
    )


def run_token_ls(home: Path | None, *, as_json: bool) -> None:
    """List tokens."""
    with open_reader(*_read_home(home)) as reader:
        tokens = Tokens(reader).list_all()
    if as_json:
        _print_json([rendering.token_json(token) for token in tokens])
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("id", "name", "role", "until", "state"):
        table.add_column(heading)
    for token in tokens:
        table.add_row(*rendering.token_row(token, now()))
    Console().print(table)


def run_token_revoke(home: Path | None, token_id: str) -> None:
    """Revoke a token."""
    with open_ledger(*_read_home(home)) as ledger:
        entry = revoke_token(ledger, token_id, now=now())
    typer.echo(f"revoked {token_id}, record {entry.index}", err=True)


def run_serve(home: Path | None, host: str | None, port: int | None) -> None:
    """Serve the read side over HTTP until stopped."""
    import uvicorn  # noqa: PLC0415 - half a second that only the server needs

    from audit.api import create_app  # noqa: PLC0415 - FastAPI likewise

    found, settings = _read_home(home)
    bind = host or settings.audit.host
    if bind not in LOOPBACK:
        _refuse_open_bind(found, settings, bind)
    app = create_app(found, settings)
    uvicorn.run(app, host=bind, port=port or settings.audit.port, log_level="warning")


def _refuse_open_bind(found: Home, settings: ReadSettings, bind: str) -> None:
    with open_reader(found, settings) as reader:
        usable = [t for t in Tokens(reader).list_all() if t.revoked is None]
    if not usable:
        raise HomeUnusable(
            f"{bind} can be reached from other machines and no token exists; "
            "make one first: countermark token new NAME --role auditor"
        )


def _read_home(home: Path | None) -> tuple[Home, ReadSettings]:
    found = find_home(home).required()
    return found, ReadSettings.load(found.settings)


def _files(paths: Sequence[Path], *, recursive: bool) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
        elif recursive:
            yield from sorted(p for p in path.rglob("*") if p.is_file())
        else:
            raise NotFound(f"{path} is a folder; add -r to verify what is in it")


def _with_progress(files: Sequence[Path]) -> Iterator[Path]:
    if not files:
        raise NotFound("there is no file in the folders given; name files or other folders")
    if len(files) < 2 or not sys.stderr.isatty():
        yield from files
        return
    yield from track(files, description="verifying", console=Console(stderr=True))


def _unsealed(reader: LedgerReader, home: Home, body: dict[str, Any]) -> str:
    commitment = body.get("prompt")
    if not isinstance(commitment, dict):
        raise NotFound("this record holds no prompt; name an `attempt` record that had one")
    vault = Vault(reader, read_private(home.sealing_key))
    return vault.unseal(Commitment(**commitment))


def _kinds(names: Sequence[str]) -> frozenset[RecordKind]:
    try:
        return frozenset(RecordKind(name) for name in names)
    except ValueError as error:
        known = ", ".join(kind.value for kind in RecordKind)
        raise RecordInvalid(f"{error}; the kinds are {known}") from error


def _role(name: str) -> Role:
    try:
        return Role(name)
    except ValueError as error:
        known = ", ".join(role.value for role in Role)
        raise RecordInvalid(f"{name!r} is no role; the roles are {known}") from error


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NotFound(f"{path} cannot be read as a checkpoint ({error}); name its file") from error


def _print_json(values: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
    typer.echo(json.dumps(values, indent=2, ensure_ascii=False))
