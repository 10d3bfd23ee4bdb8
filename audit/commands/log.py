"""`countermark log`: list, show, check, prove, and take a checkpoint away."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from audit import rendering
from audit.bodies import Commitment
from audit.commands.homes import read_home
from audit.commands.kept import kept_checkpoint
from audit.commands.printing import print_json
from audit.errors import LedgerDamaged, NotFound, RecordInvalid
from audit.home import Home
from audit.integrity import CheckReport
from audit.queries import RecordFilter, list_records
from audit.reader import LedgerReader
from audit.redaction import Vault
from audit.vocabulary import Decision, RecordKind
from audit.wiring import open_reader, open_verifier
from provenance.keys import read_private

LOG_DAMAGED = 30  # exit code


def run_ls(  # one option each
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
    wanted = RecordFilter(kinds=_kinds(kinds), decision=_decision(decision), clip_id=clip)
    with open_reader(*read_home(home)) as reader:
        page = list_records(reader, wanted, after=after, limit=limit)
    if as_json:
        records = [rendering.record_json(stored) for stored in page.records]
        print_json({"records": records, "next_after": page.next_after})
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("record", "time", "kind", "decision", "what"):
        table.add_column(heading, overflow="fold")
    for stored in page.records:
        table.add_row(*rendering.record_row(stored))
    Console().print(table)
    if page.next_after is not None:
        typer.echo(f"more: {_following(home, wanted, limit, page.next_after)}", err=True)


def run_show(home: Path | None, index: int, *, with_prompt: bool) -> None:
    """Print one record with its bytes and its proof, and its prompt where that may be opened."""
    found, settings = read_home(home)
    with open_reader(found, settings) as reader:
        values = rendering.entry_json(reader.get(index))
        if with_prompt:
            values["prompt"] = _unsealed(reader, found, values["record"]["body"])
    print_json(values)


def run_show_raw(home: Path | None, index: int) -> None:
    """Write a record's canonical bytes to stdout and nothing else: what its leaf hashes."""
    with open_reader(*read_home(home)) as reader:
        canonical = reader.get(index).record.canonical
    sys.stdout.buffer.write(canonical)
    sys.stdout.buffer.flush()


def run_check(home: Path | None, against: Sequence[Path], *, as_json: bool) -> int:
    """Check the whole log; return 30 when it is damaged."""
    try:
        report = _checked(home, against)
    except LedgerDamaged as error:
        if as_json:
            print_json(rendering.damage_json(error))
        else:
            typer.echo(f"damaged: {rendering.printable(str(error))}")
        return LOG_DAMAGED
    if as_json:
        print_json(rendering.check_json(report))
    else:
        typer.echo(rendering.check_text(report))
    return LOG_DAMAGED if report.problems else 0


def run_prove(home: Path | None, index: int) -> None:
    """Print a tlog-proof."""
    with open_reader(*read_home(home)) as reader:
        typer.echo(reader.get(index).tlog_proof, nl=False)


def run_checkpoint(home: Path | None, output: Path | None) -> None:
    """Print the newest checkpoint, or write it to a file that is not there yet.

    Raises:
        NotFound: the file is there already, or cannot be written.
    """
    with open_reader(*read_home(home)) as reader:
        note = reader.latest_checkpoint().note
    if output is None:
        typer.echo(note, nl=False)
        return
    try:
        with output.open("x", encoding="utf-8", newline="\n") as file:
            file.write(note)
    except OSError as error:
        raise NotFound(
            f"{output} cannot be written ({error.strerror}); name a new file: one that was kept is "
            "never replaced"
        ) from error


def _checked(home: Path | None, against: Sequence[Path]) -> CheckReport:
    found, settings = read_home(home)
    examiner = open_verifier(settings, home=None, ledger=None)
    with open_reader(found, settings) as reader:
        witnesses = [kept_checkpoint(path, reader.verifier, examiner) for path in against]
        return reader.check(witnesses=witnesses)


def _following(home: Path | None, wanted: RecordFilter, limit: int, after: int) -> str:
    """Return the command that prints the next page of the same list."""
    words = ["countermark", *(["--home", str(home)] if home else []), "log", "ls"]
    for kind in sorted(wanted.kinds):
        words += ["--kind", kind]
    if wanted.decision is not None:
        words += ["--decision", wanted.decision]
    if wanted.clip_id is not None:
        words += ["--clip", wanted.clip_id]
    return shlex.join([*words, "--limit", str(limit), "--after", str(after)])


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


def _decision(name: str | None) -> Decision | None:
    try:
        return None if name is None else Decision(name)
    except ValueError as error:
        known = ", ".join(decision.value for decision in Decision)
        raise RecordInvalid(f"{name!r} is no decision; the decisions are {known}") from error
