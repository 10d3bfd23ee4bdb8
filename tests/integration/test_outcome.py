"""An outcome can only be told with the log's own entry of that very outcome."""

from pathlib import Path

import pytest

from audit.attempts import Advance, AttemptState
from audit.bodies import Held as HeldBody
from audit.ledger import Ledger
from audit.reader import Entry
from audit.vocabulary import Stage as RecordStage
from generator.outcome import Held, Refused, Released
from safety.verdict import Examined, Stage, Verdict
from tests.support.logs import START, open_attempt, open_log, refuse_clip, release_clip

VERDICT = Verdict(Stage.PROMPT, (), Examined(()), "press", "ab" * 32, "Ask the tests.")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_log(tmp_path)


def hold_clip(ledger: Ledger, number: int) -> Entry:
    attempt = open_attempt(ledger, number)
    body = HeldBody(RecordStage.OUTPUT, "a person must decide")
    return ledger.commit(
        ledger.record(body, now=START, attempt=attempt),
        changes=[Advance(attempt, AttemptState.HELD)],
    )


def released(entry: Entry, sha256: str) -> Released:
    return Released(entry, "clip-1", "0" * 16, Path("clip.mp4"), sha256, ())


def test_each_outcome_takes_the_entry_of_its_kind(ledger: Ledger) -> None:
    release, refusal, hold = release_clip(ledger, 1), refuse_clip(ledger, 2), hold_clip(ledger, 3)

    assert released(release, str(release.record.body["file_sha256"])).entry is release
    assert Refused(refusal, "clip-2", VERDICT, ()).entry is refusal
    assert Held(hold, "clip-3", "a person must decide", ()).entry is hold


def test_an_entry_of_another_kind_tells_no_outcome(ledger: Ledger) -> None:
    release, refusal, hold = release_clip(ledger, 1), refuse_clip(ledger, 2), hold_clip(ledger, 3)

    for wrong in (refusal, hold):
        with pytest.raises(ValueError, match="released is expected"):
            released(wrong, "0" * 64)
    for wrong in (release, hold):
        with pytest.raises(ValueError, match="refused is expected"):
            Refused(wrong, "clip", VERDICT, ())
    for wrong in (release, refusal):
        with pytest.raises(ValueError, match="held is expected"):
            Held(wrong, "clip", "reason", ())


def test_the_release_of_another_file_does_not_release_this_one(ledger: Ledger) -> None:
    release = release_clip(ledger, 1)

    with pytest.raises(ValueError, match="releases the file"):
        released(release, "0" * 64)
