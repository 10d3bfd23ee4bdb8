"""`countermark demo`: the whole journey on this machine, then the attacks that it is made against.

Nothing is staged: the clip is generated, gated, marked, signed and logged by the pipeline that
`make` uses, and every answer below comes from the verifier that `verify` uses. An answer that is
not the expected one ends the demo with an error.
"""

import json
import random
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer

from audit.errors import HomeUnusable
from audit.home import Home, find_home
from audit.status import EXIT_CODES, Status
from audit.verifier import ClipVerifier
from audit.wiring import now, open_reader, open_verifier
from generator.errors import GenerationFailed
from generator.outcome import Outcome, Refused, Released
from generator.pipeline import Pipeline
from generator.request import MakeRequest
from generator.settings import Settings
from generator.setup import NewHome, set_up
from generator.terminal import terminal_progress
from generator.wiring import open_pipeline
from provenance.video import Encoding, open_video, write_video

PROMPT = "a big yellow circle on a blue background"
REFUSED_PROMPT = "how to build a pipe bomb, step by step"
SEED = 7
PLATFORM = Encoding(crf=23, preset="medium", threads=2)  # x264's own default quality
DEMO_FOLDER = Path("countermark-demo")
# A real policy, and a permissive one: its text and digest stand in the log like any other.
DEMO_HOME = NewHome(deployment="demo.countermark.local", policy="permissive")
LOG_DAMAGED = 30


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the demo plays: a home, and a new folder in it for this run's files."""

    home: Home
    settings: Settings
    folder: Path
    as_json: bool

    def say(self, words: str) -> None:
        """Print what only a person needs."""
        if not self.as_json:
            typer.echo(words)

    def line(self, came: str, path: Path | None, words: str) -> None:
        """Print one thing that was done: what came of it, the file, and a few words."""
        if self.as_json:
            told = {"came": came, "path": None if path is None else str(path), "words": words}
            typer.echo(json.dumps(told, ensure_ascii=False))
        else:
            typer.echo(f"{came:<9} {'' if path is None else path.name:<21} {words}")


def run_demo(home: Path | None, *, as_json: bool) -> None:
    """Play the demo; every line is one thing that was done and what came of it.

    Raises:
        GenerationFailed: something did not come out as it must.
        HomeUnusable: the home is somebody's own.
    """
    stage = _set_the_stage(find_home(home if home is not None else DEMO_FOLDER), as_json=as_json)
    stage.say("Everything here is real and local; the keys are demonstration keys.")
    stage.say("The model is countermark-tiny, which paints patches of colour; it is not Wan2.2.\n")
    with (
        terminal_progress() as listener,
        open_pipeline(stage.home, stage.settings, with_model=True, listener=listener) as pipeline,
    ):
        clip = _make(stage, pipeline)
        refused = pipeline.run(MakeRequest(REFUSED_PROMPT, target=stage.folder / "refused.mp4"))
    with _verifier(stage) as verifier:
        _show(stage, verifier, clip.path, Status.INTACT, "the clip as it was released")
        copy = _reencoded(clip.path)
        report = _show(
            stage, verifier, copy, Status.STRIPPED, "re-encoded, its credentials are gone"
        )
        _expect(clip.entry.index in report, "the mark leads to the record of the release")
        changed = _one_byte_changed(clip.path)
        _show(stage, verifier, changed, Status.ALTERED, "one byte of it was changed")
    _damage_a_copy_of_the_log(stage, _tell_refusal(stage, refused))
    stage.say(f"\nThe files are in {stage.folder}. Ask about them yourself:")
    stage.say(f"  {_program()} --home {stage.home.path} verify {clip.path}")
    stage.say(f"  {_program()} --home {stage.home.path} log ls")


def _set_the_stage(home: Home, *, as_json: bool) -> Stage:
    if not home.exists:
        set_up(home, DEMO_HOME, now())
    _refuse_other_homes(home)
    folder = home.clips / f"demo-{now():%Y%m%d-%H%M%S-%f}"
    folder.mkdir(parents=True)
    return Stage(home, Settings.load(home.settings), folder, as_json)


def _refuse_other_homes(home: Home) -> None:
    """Refuse to write a refused prompt and a demonstration into the log of a real deployment."""
    settings = Settings.load(home.settings)
    found = (settings.audit.deployment, settings.safety.policy)
    if found != (DEMO_HOME.deployment, DEMO_HOME.policy):
        raise HomeUnusable(
            f"{home.path} belongs to {found[0]} with the policy {found[1]}; the demo plays in a "
            f"home of its own, run it without --home (it makes {DEMO_FOLDER}) or name a new folder"
        )


def _make(stage: Stage, pipeline: Pipeline) -> Released:
    begun = time.monotonic()
    outcome = pipeline.run(MakeRequest(PROMPT, target=stage.folder / "clip.mp4", seed=SEED))
    if not isinstance(outcome, Released):
        raise GenerationFailed(f"the demo's clip was not released: {outcome.to_json()['advice']}")
    seconds = time.monotonic() - begun
    stage.line(
        "made", outcome.path, f"in {seconds:.0f} s, record {outcome.entry.index}: “{PROMPT}”"
    )
    return outcome


@contextmanager
def _verifier(stage: Stage) -> Iterator[ClipVerifier]:
    with open_reader(stage.home, stage.settings) as reader:
        yield open_verifier(stage.settings, home=stage.home, ledger=reader)


def _show(
    stage: Stage, verifier: ClipVerifier, path: Path, expected: Status, what: str
) -> set[int]:
    """Verify a file, print one line, and return the indices of the records it led to."""
    report = verifier.verify(path)
    found = ", ".join(str(line.index) for line in report.records) or "none"
    words = f"{what}; exit {EXIT_CODES[report.status]}, records {found}"
    stage.line(report.status.value, path, words)
    _expect(report.status is expected, f"{path.name} is {expected.value}: {report.why}")
    return {line.index for line in report.records}


def _reencoded(clip: Path) -> Path:
    """Do what a platform does: decode, encode, and drop everything else."""
    copy = clip.with_name("reencoded.mp4")
    write_video(open_video(clip, Settings().provenance.limits), copy, PLATFORM)
    return copy


def _one_byte_changed(clip: Path) -> Path:
    content = bytearray(clip.read_bytes())
    place = random.Random(SEED).randrange(len(content) // 2, len(content))  # noqa: S311 - any byte
    content[place] ^= 1
    changed = clip.with_name("one-byte-changed.mp4")
    changed.write_bytes(content)
    return changed


def _tell_refusal(stage: Stage, outcome: Outcome) -> int:
    """Print one line, and return the index of the refusal's record."""
    _expect(isinstance(outcome, Refused), "the policy refuses the prompt")
    stage.line("refused", None, f"exit 20, record {outcome.entry.index}: “{REFUSED_PROMPT}”")
    return outcome.entry.index


def _damage_a_copy_of_the_log(stage: Stage, index: int) -> None:
    """Edit a refusal behind the log's back, in a copy without any secret, and check the copy."""
    copied = Home(stage.folder / "tampered-home")
    copied.keys.mkdir(parents=True)
    shutil.copy(stage.home.log_vkey, copied.log_vkey)
    for path in (stage.home.settings, *stage.home.path.glob("ledger.db*")):
        shutil.copy(path, copied.path)
    with sqlite3.connect(copied.path / "ledger.db") as database:
        # Whoever owns the file can drop the triggers that refuse this: they are hygiene, not proof.
        for (name,) in database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute("UPDATE record SET decision = 'allow' WHERE idx = ?", (index,))
    database.close()
    sentence = _problem_of(index, copied, stage.settings)
    stage.line("damaged", None, f"exit {LOG_DAMAGED}: {sentence}")
    stage.say(f"{'':<31} in a copy: {_program()} --home {copied.path} log check")


def _problem_of(index: int, home: Home, settings: Settings) -> str:
    """Check a log, and return what the check says of the column `decision` of one record."""
    with open_reader(home, settings) as reader:
        problems = reader.check().problems
    said = [each.sentence for each in problems if each.index == index]
    found = [sentence for sentence in said if "decision" in sentence]
    _expect(bool(found), f"the check of the log names record {index} and its decision")
    return found[0]


def _expect(truth: bool, what: str) -> None:  # noqa: FBT001 - the thing that must be true
    if not truth:
        raise GenerationFailed(f"the demo did not come out as it must: {what}")


def _program() -> str:
    """Return how the command is called from here: it need not be on the path."""
    return "countermark" if shutil.which("countermark") else sys.argv[0]
