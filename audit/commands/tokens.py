"""`countermark token`: issue, list and revoke the tokens of the HTTP interface."""

from datetime import timedelta
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from audit import rendering
from audit.access import Role, Tokens, issue_token, revoke_token
from audit.commands.homes import read_home
from audit.commands.printing import print_json
from audit.errors import RecordInvalid
from audit.wiring import now, open_ledger, open_reader


def run_new(home: Path | None, name: str, role: str, days: int, *, as_json: bool) -> None:
    """Issue a token and print it once."""
    found, settings = read_home(home)
    expires = now() + timedelta(days=days)
    with open_ledger(found, settings) as ledger:
        text, entry = issue_token(ledger, _role(role), name=name, now=now(), expires=expires)
    token_id = str(entry.record.body["token_id"])
    if as_json:
        print_json({"id": token_id, "token": text, "role": role, "record_index": entry.index})
        return
    typer.echo(text)
    typer.echo(
        f"id {token_id}, role {role}, until {expires:%Y-%m-%d}, record {entry.index}; "
        "it is not shown again",
        err=True,
    )


def run_ls(home: Path | None, *, as_json: bool) -> None:
    """List tokens."""
    with open_reader(*read_home(home)) as reader:
        tokens = Tokens(reader).list_all()
    if as_json:
        print_json([rendering.token_json(token) for token in tokens])
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("id", "name", "role", "until", "state"):
        table.add_column(heading)
    for token in tokens:
        table.add_row(*rendering.token_row(token, now()))
    Console().print(table)


def run_revoke(home: Path | None, token_id: str) -> None:
    """Revoke a token."""
    with open_ledger(*read_home(home)) as ledger:
        entry = revoke_token(ledger, token_id, now=now())
    typer.echo(f"revoked {token_id}, record {entry.index}", err=True)


def _role(name: str) -> Role:
    try:
        return Role(name)
    except ValueError as error:
        known = ", ".join(role.value for role in Role)
        raise RecordInvalid(f"{name!r} is no role; the roles are {known}") from error
