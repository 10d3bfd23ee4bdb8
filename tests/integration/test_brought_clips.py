"""A clip that is brought is judged as what comes in and as what leaves; the harder answer holds."""

from pathlib import Path

import pytest

from audit.home import Home
from audit.status import Status
from audit.vocabulary import RecordKind
from generator.errors import RequestInvalid
from generator.gates import Gates
from generator.outcome import Held, Outcome, Refused, Released
from generator.request import ProtectRequest
from safety.gate import FrameGate, PromptGate
from safety.policy import Policy
from tests.support.classifiers import frames_scored_by_brightness
from tests.support.drawing import drawn_frames, drawn_video
from tests.support.footage import Film, film
from tests.support.press import new_home, open_press, opened_log, opened_verifier, press_gates

RULE = "sexual_content = { review = 0.70, block = 0.85 }"  # of both stages of the press
EARLY = "sexual_content = { review = 0.01 }"
NEVER = 'sexual_content = "allow"'


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return new_home(tmp_path_factory.mktemp("press") / "home")


def gates(*, on_input: str, on_output: str) -> Gates:
    """Return the press's gates with other rules for frames that are brought and that leave."""
    press = press_gates()
    before, first, rest = press.policy.text.partition(RULE)
    assert first
    text = before + on_input + rest.replace(RULE, on_output)
    policy = Policy.parse(text.encode(), source="press")
    words = list(press.prompt_gate._for_prompt)
    return Gates(
        policy, PromptGate(policy, words), FrameGate(policy, [frames_scored_by_brightness()])
    )


def protect(home: Home, folder: Path, gates: Gates) -> Outcome:
    source = drawn_video(folder / "in.mp4")
    with open_press(home, gates=gates) as pipeline:
        return pipeline.run(ProtectRequest(source, folder / "out.mp4"))


def body(home: Home, outcome: Outcome, kind: RecordKind) -> dict[str, object]:
    with opened_log(home) as ledger:
        entries = ledger.find_by_attempt(str(outcome.entry.record.attempt))
    return next(dict(entry.record.body) for entry in entries if entry.record.kind is kind)


def test_the_rules_for_what_is_brought_hold_a_clip_that_might_leave(
    home: Home, tmp_path: Path
) -> None:
    outcome = protect(home, tmp_path, gates(on_input=EARLY, on_output=NEVER))

    assert isinstance(outcome, Held)
    assert outcome.reason.startswith("The input waits for a person")
    assert [verdict.stage.value for verdict in outcome.verdicts] == ["input", "output"]
    verdict = body(home, outcome, RecordKind.HELD)["verdict"]
    assert isinstance(verdict, dict)
    assert verdict["stage"] == "input"


def test_the_harder_answer_of_the_two_stages_holds(home: Home, tmp_path: Path) -> None:
    block = "sexual_content = { block = 0.01 }"

    outcome = protect(home, tmp_path, gates(on_input=EARLY, on_output=block))

    assert isinstance(outcome, Refused)
    assert outcome.verdict.stage.value == "output"


def test_a_released_clip_has_both_verdicts_in_its_record(home: Home, tmp_path: Path) -> None:
    outcome = protect(home, tmp_path, gates(on_input=NEVER, on_output=NEVER))

    assert isinstance(outcome, Released)
    cleared = body(home, outcome, RecordKind.CLEARED)
    for name, stage in (("input_verdict", "input"), ("output_verdict", "output")):
        verdict = cleared[name]
        assert isinstance(verdict, dict)
        assert (verdict["stage"], verdict["frames"]) == (stage, 24)


@pytest.mark.parametrize("statement", ["", "a\nb", "\x1b[31mred", "\ud800", "x" * 201])
def test_a_statement_that_is_no_printable_line_is_never_signed(
    home: Home, tmp_path: Path, statement: str
) -> None:
    source = drawn_video(tmp_path / "in.mp4", 4)
    request = ProtectRequest(source, tmp_path / "out.mp4", generated_by=statement)

    with open_press(home) as pipeline:
        before = pipeline.journal.ledger.size
        with pytest.raises(RequestInvalid, match="one line of 1 to 200"):
            pipeline.run(request)
        assert pipeline.journal.ledger.size == before


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("in.mpg", Film(container="mpeg", codec="mpeg2video")),
        ("in.ts", Film(container="mpegts")),
        ("in.h264", Film(container="h264")),
        ("in.mkv", Film(container="matroska")),
        ("in.avi", Film(container="avi", codec="mpeg4")),
        ("in.mov", Film(container="mov")),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_a_clip_of_every_container_that_is_taken_is_released_and_intact(
    home: Home, tmp_path: Path, name: str, how: Film
) -> None:
    source = film(tmp_path / name, drawn_frames(24), how)

    with open_press(home) as pipeline:
        outcome = pipeline.run(ProtectRequest(source, tmp_path / "out.mp4"))

    assert isinstance(outcome, Released)
    with opened_verifier(home) as verifier:
        assert verifier.verify(outcome.path).status is Status.INTACT
