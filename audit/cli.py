"""The read side on the command line: verify, log, token, serve. No command here needs torch.

stdout is data, stderr is messages. Exit codes are in docs/verifying.md.
"""

from pathlib import Path
from typing import Annotated

import typer

MAX_INDEX = 2**53 - 1  # what JSON carries exactly, and more than a log will hold
HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="Folder of configuration, keys, database and clips."),
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON.")]
TrustOption = Annotated[
    list[Path] | None,
    typer.Option("--trust", help="PEM file of roots that may vouch for credentials."),
]
TsaTrustOption = Annotated[
    list[Path] | None,
    typer.Option("--tsa-trust", help="PEM file of roots of time-stamp authorities."),
]
IndexArgument = Annotated[int, typer.Argument(min=0, max=MAX_INDEX, help="Index of the record.")]

log_app = typer.Typer(help="Ask the log, check it, prove what it says.", no_args_is_help=True)
token_app = typer.Typer(help="Access tokens of the HTTP interface.", no_args_is_help=True)


def verify(
    ctx: typer.Context,
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders with -r.")],
    recursive: Annotated[
        bool, typer.Option("-r", "--recursive", help="Look into folders.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON: an object for one file, else a list.")
    ] = False,
    as_jsonl: Annotated[
        bool, typer.Option("--jsonl", help="Print one JSON line a file, as each is done.")
    ] = False,
    trust: TrustOption = None,
    tsa_trust: TsaTrustOption = None,
) -> None:
    """Say what the evidence in a file comes to: credentials, watermark, log.

    Works without a home, offline and without a GPU. Exit: 0 intact, 10 unknown, 11 untrusted,
    12 altered, 13 contradicted, 14 unreadable, 15 stripped; of several files the worst. 1 where
    nothing is worse and a file could not be examined.
    """
    from audit.commands.verify import Style, run_verify

    if as_json and as_jsonl:
        raise typer.BadParameter("choose one of --json and --jsonl")
    raise typer.Exit(
        run_verify(
            home=ctx.obj,
            paths=paths,
            recursive=recursive,
            style=Style.JSON_LINES if as_jsonl else Style.JSON if as_json else Style.TEXT,
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
    after: Annotated[
        int | None, typer.Option(min=0, max=MAX_INDEX, help="Go on after this record.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """List records, the newest first."""
    from audit.commands.log import run_ls

    run_ls(ctx.obj, kind or [], decision, clip, limit, after, as_json=as_json)


@log_app.command("show")
def log_show(
    ctx: typer.Context,
    index: IndexArgument,
    prompt: Annotated[
        bool, typer.Option("--prompt", help="Open the sealed prompt (needs the sealing key).")
    ] = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="Print the exact bytes that are in the log, and no more.")
    ] = False,
) -> None:
    """Print one record as JSON, with the bytes its leaf hashes and the proof of it."""
    from audit.commands.log import run_show, run_show_raw

    if raw and prompt:
        raise typer.BadParameter("--raw prints the record alone; ask for --prompt apart")
    if raw:
        run_show_raw(ctx.obj, index)
    else:
        run_show(ctx.obj, index, with_prompt=prompt)


@log_app.command("check")
def log_check(
    ctx: typer.Context,
    against: Annotated[
        list[Path] | None,
        typer.Option(
            help="A checkpoint that you kept, a proof, or a released clip: the log must contain it."
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Recompute the whole log from its records and compare. Exit 30 when it is damaged."""
    from audit.commands.log import run_check

    raise typer.Exit(run_check(ctx.obj, against or [], as_json=as_json))


@log_app.command("prove")
def log_prove(ctx: typer.Context, index: IndexArgument) -> None:
    """Print a proof that a record stands in the log (C2SP tlog-proof), to be checked anywhere."""
    from audit.commands.log import run_prove

    run_prove(ctx.obj, index)


@log_app.command("checkpoint")
def log_checkpoint(
    ctx: typer.Context,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File to write; never replaced.")
    ] = None,
) -> None:
    """Print the newest signed checkpoint, to be kept elsewhere (see `log check --against`)."""
    from audit.commands.log import run_checkpoint

    run_checkpoint(ctx.obj, output)


@token_app.command("new")
def token_new(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Whose token it is.")],
    role: Annotated[str, typer.Option(help="creator, reviewer, auditor or admin.")] = "auditor",
    days: Annotated[int, typer.Option(min=1, max=3650, help="Days until it expires.")] = 90,
    as_json: JsonFlag = False,
) -> None:
    """Issue a token. It is printed once and stored only as a hash."""
    from audit.commands.tokens import run_new

    run_new(ctx.obj, name, role, days, as_json=as_json)


@token_app.command("ls")
def token_ls(ctx: typer.Context, as_json: JsonFlag = False) -> None:
    """List tokens: who, role, until when. The tokens themselves are not known here."""
    from audit.commands.tokens import run_ls

    run_ls(ctx.obj, as_json=as_json)


@token_app.command("revoke")
def token_revoke(
    ctx: typer.Context,
    token_id: Annotated[str, typer.Argument(help="Id of the token, as `token ls` shows it.")],
) -> None:
    """Revoke a token; it stops working at once and the log says so."""
    from audit.commands.tokens import run_revoke

    run_revoke(ctx.obj, token_id)


def serve(
    ctx: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to bind; loopback by default.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535)] = None,
    read_only: Annotated[
        bool,
        typer.Option(
            "--read-only",
            help="Write nothing to the home: uploads lie in the system's temporary folder.",
        ),
    ] = False,
    trust: TrustOption = None,
    tsa_trust: TsaTrustOption = None,
) -> None:
    """Serve verification and the log over HTTP; without a home, verification alone.

    Nothing that this version serves writes to the log, with --read-only or without.
    """
    from audit.commands.serve import run_serve

    run_serve(
        ctx.obj,
        host=host,
        port=port,
        read_only=read_only,
        claim_trust=trust or [],
        timestamp_trust=tsa_trust or [],
    )
