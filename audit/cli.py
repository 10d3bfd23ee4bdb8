"""The read side on the command line: verify, log, token, serve. No command here needs torch.

stdout is data, stderr is messages. Exit codes are in docs/verifying.md.
"""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="Folder of configuration, keys, database and clips."),
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON.")]

log_app = typer.Typer(help="Ask the log, check it, prove what it says.", no_args_is_help=True)
token_app = typer.Typer(help="Access tokens of the HTTP interface.", no_args_is_help=True)


def verify(
    ctx: typer.Context,
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders with -r.")],
    recursive: Annotated[
        bool, typer.Option("-r", "--recursive", help="Look into folders.")
    ] = False,
    as_json: JsonFlag = False,
    as_jsonl: Annotated[bool, typer.Option("--jsonl", help="Print one JSON line a file.")] = False,
    trust: Annotated[
        list[Path] | None, typer.Option(help="PEM file of roots that may vouch for credentials.")
    ] = None,
    tsa_trust: Annotated[
        list[Path] | None, typer.Option(help="PEM file of roots of time-stamp authorities.")
    ] = None,
) -> None:
    """Say what the evidence in a file comes to: credentials, watermark, log.

    Works without a home, offline and without a GPU. Exit: 0 intact, 10 unknown, 11 untrusted,
    12 altered, 13 contradicted, 14 unreadable, 15 stripped; of several files the worst.
    """
    from audit.commands import run_verify

    raise typer.Exit(
        run_verify(
            home=ctx.obj,
            paths=paths,
            recursive=recursive,
            style="jsonl" if as_jsonl else "json" if as_json else "text",
            claim_trust=trust or [],
            timestamp_trust=tsa_trust or [],
        )
    )


@log_app.command("ls")
def log_ls(
    ctx: typer.Context,
    kind: Annotated[list[str] | None, typer.Option(help="Only this kind of record.")] = None,
    decision: Annotated[str | None, typer.Option(help="allow, review or block.")] = None,
    clip: Annotated[str | None, typer.Option(help="Only records of this clip.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="Records on the page.")] = 50,
    after: Annotated[int | None, typer.Option(help="Go on after this record.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """List records, the newest first."""
    from audit.commands import run_log_ls

    run_log_ls(ctx.obj, kind or [], decision, clip, limit, after, as_json=as_json)


@log_app.command("show")
def log_show(
    ctx: typer.Context,
    index: Annotated[int, typer.Argument(min=0, help="Index of the record.")],
    prompt: Annotated[
        bool, typer.Option("--prompt", help="Open the sealed prompt (needs the sealing key).")
    ] = False,
) -> None:
    """Print one record as it is stored, with its proof state."""
    from audit.commands import run_log_show

    run_log_show(ctx.obj, index, with_prompt=prompt)


@log_app.command("check")
def log_check(
    ctx: typer.Context,
    against: Annotated[
        list[Path] | None, typer.Option(help="A checkpoint that you kept: the log must contain it.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Recompute the whole log from its records and compare. Exit 30 when it is damaged."""
    from audit.commands import run_log_check

    raise typer.Exit(run_log_check(ctx.obj, against or [], as_json=as_json))


@log_app.command("prove")
def log_prove(
    ctx: typer.Context,
    index: Annotated[int, typer.Argument(min=0, help="Index of the record.")],
) -> None:
    """Print a proof that a record stands in the log (C2SP tlog-proof), to be checked anywhere."""
    from audit.commands import run_log_prove

    run_log_prove(ctx.obj, index)


@token_app.command("new")
def token_new(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Whose token it is.")],
    role: Annotated[str, typer.Option(help="creator, reviewer, auditor or admin.")] = "auditor",
    days: Annotated[int, typer.Option(min=1, max=3650, help="Days until it expires.")] = 90,
    as_json: JsonFlag = False,
) -> None:
    """Issue a token. It is printed once and stored only as a hash."""
    from audit.commands import run_token_new

    run_token_new(ctx.obj, name, role, days, as_json=as_json)


@token_app.command("ls")
def token_ls(ctx: typer.Context, as_json: JsonFlag = False) -> None:
    """List tokens: who, role, until when. The tokens themselves are not known here."""
    from audit.commands import run_token_ls

    run_token_ls(ctx.obj, as_json=as_json)


@token_app.command("revoke")
def token_revoke(
    ctx: typer.Context,
    token_id: Annotated[str, typer.Argument(help="Id of the token, as `token ls` shows it.")],
) -> None:
    """Revoke a token; it stops working at once and the log says so."""
    from audit.commands import run_token_revoke

    run_token_revoke(ctx.obj, token_id)


def serve(
    ctx: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to bind; loopback by default.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535)] = None,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Verification and log alone.")
    ] = False,
) -> None:
    """Serve verification and the log over HTTP."""
    from audit.commands import run_serve

    del read_only  # there is no write side over HTTP in this version
    run_serve(ctx.obj, host, port)


def echo_json(values: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
    """Print JSON to stdout."""
    typer.echo(json.dumps(values, indent=2, ensure_ascii=False))
