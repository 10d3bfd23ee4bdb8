"""`countermark screen`: what the gates decide, without making or recording anything."""

import json
import secrets
from pathlib import Path
from typing import Any

import typer

from audit.home import find_home
from generator.commands import HELD, REFUSED
from generator.errors import RequestInvalid
from generator.gates import Gates, PromptTexts
from generator.jsonlines import read_lines, text_in
from generator.request import check_prompt
from generator.settings import Settings
from generator.terminal import terminal_progress
from provenance.video import open_video
from safety.errors import InputUnexaminable
from safety.verdict import Decision, Stage, Verdict, worst

EXITS = {Decision.ALLOW: 0, Decision.BLOCK: REFUSED, Decision.REVIEW: HELD}


def screen_text(home: Path | None, text: str, negative: str, *, as_json: bool) -> int:
    """Screen one prompt; return the exit code of the decision."""
    check_prompt(text)
    if negative:
        check_prompt(negative)
    gates, _ = _open(home)
    verdicts = gates.judge_texts(PromptTexts(text, text, negative, negative))
    return _show(verdicts, as_json=as_json)


def screen_lines(home: Path | None, path: Path) -> int:
    """Screen JSON lines from a file or stdin; print one line for each, in the same order.

    A line that cannot be screened gets an object with an `error`, and the rest goes on.

    Returns:
        The exit code of the worst decision; 1 where a line could not be screened and no decision
        is worse.
    """
    gates, _ = _open(home)
    decisions, unreadable = [], False
    for number, line in read_lines(path):
        try:
            text = text_in(line)["text"]
            check_prompt(text)
            verdicts = gates.judge_texts(PromptTexts(text, text))
        except (RequestInvalid, InputUnexaminable) as error:
            unreadable = True
            _echo({"line": number, "error": str(error)})
            continue
        decisions += [verdict.decision for verdict in verdicts]
        _echo({"line": number, **_values(verdicts)})
    return EXITS[worst(decisions)] or int(unreadable)


def screen_video(home: Path | None, path: Path, *, as_json: bool) -> int:
    """Screen a clip's frames as `protect` would; return the exit code of the decision."""
    gates, settings = _open(home)
    clip = open_video(path, settings.provenance.limits)
    with terminal_progress() as listener:
        verdicts = gates.judge_clip(
            clip,
            stages=(Stage.INPUT, Stage.OUTPUT),
            seed=secrets.token_bytes(32),
            tell=listener,
        )
    return _show(verdicts, as_json=as_json)


def _open(home: Path | None) -> tuple[Gates, Settings]:
    """Open the gates; without a home the shipped defaults hold."""
    settings = Settings.load(find_home(home).settings)
    return Gates.open(settings.safety), settings


def _show(verdicts: tuple[Verdict, ...], *, as_json: bool) -> int:
    values = _values(verdicts)
    if as_json:
        typer.echo(json.dumps(values, indent=2, ensure_ascii=False))
    else:
        policy = values["policy"]
        typer.echo(f"{values['decision']}  (policy {policy['name']}, {policy['digest'][:16]}…)")
        typer.echo("\n".join(verdict.advice() for verdict in verdicts))
    return EXITS[Decision(values["decision"])]


def _values(verdicts: tuple[Verdict, ...]) -> dict[str, Any]:
    first = verdicts[0]
    return {
        "decision": worst([verdict.decision for verdict in verdicts]).value,
        "findings": [finding.to_json() for v in verdicts for finding in v.findings],
        "policy": {"name": first.policy_name, "digest": first.policy_digest},
        "examined": [verdict.examined.to_json() for verdict in verdicts],
    }


def _echo(values: dict[str, Any]) -> None:
    typer.echo(json.dumps(values, ensure_ascii=False))
