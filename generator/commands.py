"""What `init`, `make` and `protect` do, apart from `cli.py` so that `--help` stays fast."""

import json
from pathlib import Path

import typer

from audit.home import find_home
from audit.rendering import printable
from audit.wiring import now
from generator.outcome import Held, Outcome, Refused, Released
from generator.request import MakeRequest, Request
from generator.settings import Settings
from generator.setup import NewHome, replace_sealing_key, set_up
from generator.terminal import terminal_progress
from generator.wiring import open_pipeline

REFUSED, HELD = 20, 21  # exit codes


def run_init(home: Path | None, chosen: NewHome, *, as_json: bool) -> None:
    """Make a home and say what it holds; or replace the one key that no backup brings back."""
    found = find_home(home)
    if found.exists and not found.sealing_key.exists():
        replace_sealing_key(found, now())
        made, lines = (
            {"sealing_key": str(found.sealing_key)},
            [
                f"sealing    a new key in {found.sealing_key}; the log says since when it holds",
                "prompts and held clips that were sealed before cannot be opened any more, and",
                "the log calls everybody who asks for a clip by a new pseudonym from here on",
            ],
        )
    else:
        settings = set_up(found, chosen, now())
        made = {
            "home": str(found.path),
            "log": settings.audit.origin,
            "log_key": str(found.log_vkey),
            "policy": settings.safety.policy,
        }
        lines = [
            f"home       {found.path}",
            f"log        {settings.audit.origin}, its public key in {found.log_vkey}",
            f"policy     {settings.safety.policy}",
            "certificates are for demonstration only; docs/operating.md says how to bring yours",
        ]
    typer.echo(json.dumps(made, indent=2, ensure_ascii=False) if as_json else "\n".join(lines))


def run_request(home: Path | None, request: Request, *, as_json: bool) -> int:
    """Take a request to its outcome, print it and return the exit code."""
    found = find_home(home).required()
    settings = Settings.load(found.settings)
    with_model = isinstance(request, MakeRequest)
    with (
        terminal_progress() as listener,
        open_pipeline(found, settings, with_model=with_model, listener=listener) as pipeline,
    ):
        outcome = pipeline.run(request, listener)
    if as_json:
        typer.echo(json.dumps(outcome.to_json(), indent=2, ensure_ascii=False))
    else:
        typer.echo(outcome_text(outcome))
    return exit_code(outcome)


def exit_code(outcome: Outcome) -> int:
    """Return how the process ends."""
    match outcome:
        case Released():
            return 0
        case Refused():
            return REFUSED
        case Held():
            return HELD


def outcome_text(outcome: Outcome) -> str:
    """Return an outcome for people: what it is, where it is, what to do."""
    match outcome:
        case Released():
            lines = [
                f"released   {outcome.path}",
                f"mark       {outcome.mark_id}",
                f"sha256     {outcome.sha256}",
                f"record     {outcome.entry.index}",
            ]
            return "\n".join(lines + [f"note       {printable(w)}" for w in outcome.warnings])
        case Refused():
            return f"refused    record {outcome.entry.index}\n{outcome.verdict.advice()}"
        case Held():
            return f"held       record {outcome.entry.index}\n{outcome.reason}"
