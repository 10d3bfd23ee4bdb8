"""`countermark verify`: every file that is named or found gives an answer."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias

import typer
from rich.console import Console
from rich.progress import track

from audit import rendering
from audit.commands.printing import print_json, print_json_line
from audit.errors import NotFound
from audit.home import find_home
from audit.report import Report
from audit.settings import ReadSettings
from audit.status import EXIT_CODES, Status, worst
from audit.verifier import ClipVerifier
from audit.wiring import open_reader, open_verifier
from provenance.errors import ProvenanceError

OPERATIONAL = 1  # exit code


class Style(StrEnum):
    """How answers are printed."""

    TEXT = "text"
    JSON = "json"
    JSON_LINES = "jsonl"


@dataclass(frozen=True, slots=True)
class Verified:
    """A file and what the evidence in it comes to."""

    path: Path
    report: Report


@dataclass(frozen=True, slots=True)
class NotExamined:
    """A file that nobody could look at: that says nothing about the file."""

    path: Path
    sentence: str


Answer: TypeAlias = Verified | NotExamined


def run_verify(
    *,
    home: Path | None,
    paths: Sequence[Path],
    recursive: bool,
    style: Style,
    claim_trust: Sequence[Path],
    timestamp_trust: Sequence[Path],
) -> int:
    """Verify files one by one, print each answer, and return the exit code of the worst."""
    files = list(_files(paths, recursive=recursive))
    statuses: list[Status | None] = []
    values: list[dict[str, Any]] = []  # for JSON in one piece alone: reports can be large
    with _opened(home, claim_trust, timestamp_trust) as verifier:
        for file in _with_progress(files):
            answer = _look_at(file, verifier)
            statuses.append(answer.report.status if isinstance(answer, Verified) else None)
            if style is Style.JSON:
                values.append(_json(answer))
            _tell(answer, style)
    if style is Style.JSON:
        # One file gives an object; a folder gives a list even where it holds one file.
        print_json(values if recursive or len(paths) > 1 else values[0])
    return _exit_code(statuses)


@contextmanager
def _opened(
    home: Path | None, claim_trust: Sequence[Path], timestamp_trust: Sequence[Path]
) -> Iterator[ClipVerifier]:
    """Open a verifier over the home, or over none where none was named and none is there."""
    found = find_home(home)
    if home is not None:
        found.required()
    settings = ReadSettings.load(found.settings)
    with ExitStack() as stack:
        yield open_verifier(
            settings,
            home=found if found.exists else None,
            ledger=stack.enter_context(open_reader(found, settings)) if found.exists else None,
            claim_trust=claim_trust,
            timestamp_trust=timestamp_trust,
        )


def _look_at(file: Path | NotExamined, verifier: ClipVerifier) -> Answer:
    if isinstance(file, NotExamined):
        return file
    try:
        return Verified(file, verifier.verify(file))
    except (ProvenanceError, OSError) as error:
        return NotExamined(file, str(error))


def _tell(answer: Answer, style: Style) -> None:
    """Print an answer as it comes; JSON in one piece waits for the last."""
    if style is Style.JSON_LINES:
        print_json_line(_json(answer))
    elif style is Style.TEXT:
        typer.echo(_text(answer))
    if isinstance(answer, NotExamined):
        typer.echo(f"countermark: {rendering.printable(answer.sentence)}", err=True)


def _text(answer: Answer) -> str:
    match answer:
        case Verified(path, report):
            return rendering.report_text(path, report)
        case NotExamined(path, sentence):
            return rendering.failure_text(path, sentence)


def _json(answer: Answer) -> dict[str, Any]:
    match answer:
        case Verified(path, report):
            return rendering.report_json(path, report)
        case NotExamined(path, sentence):
            return rendering.failure_json(path, sentence)


def _exit_code(statuses: Sequence[Status | None]) -> int:
    """Return the code of the worst status; where none is worse than intact, whether all had one."""
    known = [status for status in statuses if status is not None]
    code = EXIT_CODES[worst(known)] if known else 0
    return code or (OPERATIONAL if len(known) < len(statuses) else 0)


def _files(paths: Sequence[Path], *, recursive: bool) -> Iterator[Path | NotExamined]:
    """Give the files, in an order that is the same every time.

    Raises:
        NotFound: a folder without -r, or folders in which there is nothing.
    """
    found = False
    for path in paths:
        if not path.is_dir():
            found = True
            yield path
        elif recursive:
            for file in _within(path):
                found = True
                yield file
        else:
            raise NotFound(f"{path} is a folder; add -r to verify what is in it")
    if not found:
        raise NotFound("there is no file in the folders given; name files or other folders")


def _within(folder: Path) -> Iterator[Path | NotExamined]:
    """Give everything in a folder but folders, and each folder that cannot be looked into.

    Links to folders are not followed, and pipes and dead links are given too: what cannot be
    examined gets its answer from the verifier, and nothing is passed over in silence.
    """
    unreadable: list[NotExamined] = []

    def note(error: OSError) -> None:
        sentence = f"{error.filename} cannot be looked into ({error.strerror}); make it readable"
        unreadable.append(NotExamined(Path(error.filename), sentence))

    files: list[Path] = []
    for where, folders, names in os.walk(folder, onerror=note):
        links = [name for name in folders if (Path(where) / name).is_symlink()]
        files += [Path(where) / name for name in (*names, *links)]
    yield from sorted(files, key=os.fsencode)
    yield from sorted(unreadable, key=lambda each: os.fsencode(each.path))


def _with_progress(files: Sequence[Path | NotExamined]) -> Iterator[Path | NotExamined]:
    if len(files) < 2 or not sys.stderr.isatty():
        yield from files
        return
    yield from track(files, description="verifying", console=Console(stderr=True))
