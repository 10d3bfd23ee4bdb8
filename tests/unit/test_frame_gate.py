"""The frame gate: every frame judged, bounded memory, and closed whenever something is odd."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from safety import (
    Category,
    ClassifierFailed,
    ClassifierUnavailable,
    Decision,
    FrameGate,
    FrameMoment,
    InputUnexaminable,
    Policy,
    SamplingPlan,
    Stage,
)
from safety.frames import BATCH_FRAMES, Frame
from tests.support.classifiers import (
    ChosenFrameClassifier,
    frames_scored_by_brightness,
    hangs,
    raises,
)

POLICY = """
format = 1
name = "mine"
version = "1"
description = "For tests."
appeal = "Write to us."
[prompt]
classifiers = ["unused"]
[prompt.categories]
[negative_prompt]
classifiers = []
[negative_prompt.categories]
[input]
classifiers = ["chosen"]
[input.categories]
sexual_content = { review = 0.2, block = 0.5 }
[output]
classifiers = ["chosen"]
[output.categories]
sexual_content = { review = 0.5, block = 0.9 }
"""
SEXUAL = Category.SEXUAL_CONTENT


def policy() -> Policy:
    return Policy.parse(POLICY.encode(), source="mine.toml")


def gate(classifier: ChosenFrameClassifier, deadline_s: float = 60) -> FrameGate:
    return FrameGate(policy(), [classifier], deadline_s=deadline_s)


def grey(*levels: int) -> Iterator[Frame]:
    """Yield small frames of one grey level each, 16 a second."""
    for index, level in enumerate(levels):
        yield index, index / 16, np.full((8, 12, 3), level, np.uint8)


def test_one_bad_frame_among_many_decides() -> None:
    levels = [0] * 40
    levels[23] = 250

    verdict = gate(frames_scored_by_brightness()).check(grey(*levels))

    (finding,) = verdict.findings
    assert verdict.decision is Decision.BLOCK
    assert finding.evidence == FrameMoment(23, 23 / 16)
    assert verdict.examined.frames == 40


def test_the_worst_frame_is_the_evidence_and_the_others_are_counted() -> None:
    verdict = gate(frames_scored_by_brightness()).check(grey(0, 140, 255, 200, 0))

    (finding,) = verdict.findings
    assert finding.evidence == FrameMoment(2, 2 / 16)
    assert finding.occurrences == 3
    assert finding.score == 1


def test_dark_frames_pass() -> None:
    verdict = gate(frames_scored_by_brightness()).check(grey(*[10] * 9))

    assert verdict.releasable
    assert verdict.findings == ()


def test_the_stage_chooses_the_thresholds() -> None:
    bright = [130]

    assert gate(frames_scored_by_brightness()).check(grey(*bright)).decision is Decision.REVIEW
    assert (
        gate(frames_scored_by_brightness()).check(grey(*bright), stage=Stage.INPUT).decision
        is Decision.BLOCK
    )


def test_what_is_brought_and_leaves_is_scored_once_and_held_against_both_stages() -> None:
    asked: list[int] = []

    def scored(frames: NDArray[np.uint8]) -> list[dict[Category, float]]:
        asked.append(len(frames))
        return [{SEXUAL: float(frame.mean()) / 255} for frame in frames]

    one_pass = gate(ChosenFrameClassifier(scored))
    verdicts = one_pass.check_stages(grey(0, 130, 60), stages=(Stage.INPUT, Stage.OUTPUT))

    assert sum(asked) == 3
    assert [v.stage for v in verdicts] == [Stage.INPUT, Stage.OUTPUT]
    assert [v.decision for v in verdicts] == [Decision.BLOCK, Decision.REVIEW]
    assert [v.findings[0].occurrences for v in verdicts] == [2, 1]


def test_a_classifier_of_one_stage_has_no_say_at_the_other() -> None:
    text = POLICY.replace('[input]\nclassifiers = ["chosen"]', '[input]\nclassifiers = ["other"]')
    dark = ChosenFrameClassifier(lambda frames: [{SEXUAL: 0.0} for _ in frames], name="other")
    split = FrameGate(
        Policy.parse(text.encode(), source="mine.toml"), [dark, frames_scored_by_brightness()]
    )

    on_input, on_output = split.check_stages(grey(255), stages=(Stage.INPUT, Stage.OUTPUT))

    assert on_input.decision is Decision.ALLOW
    assert on_output.decision is Decision.BLOCK
    assert [run.name for run in on_input.examined.classifiers] == ["other"]


@pytest.mark.parametrize("stages", [(), (Stage.PROMPT,), (Stage.OUTPUT, Stage.PROMPT)])
def test_frames_are_judged_at_a_stage_of_frames(stages: tuple[Stage, ...]) -> None:
    with pytest.raises(ValueError, match="expected input, output or both"):
        gate(frames_scored_by_brightness()).check_stages(grey(0), stages=stages)


def test_frames_of_several_sizes_pass_through_one_check() -> None:
    frames = [(i, float(i), np.zeros((8 + i // 3, 8, 3), np.uint8)) for i in range(9)]

    assert gate(frames_scored_by_brightness()).check(frames).examined.frames == 9


def test_the_gate_never_holds_more_than_one_batch() -> None:
    drawn: list[int] = []
    scored: list[int] = []

    def frames() -> Iterator[Frame]:
        for frame in grey(*[0] * 50):
            drawn.append(frame[0])
            assert len(drawn) - sum(scored) <= BATCH_FRAMES + 1
            yield frame

    def answer(batch: NDArray[np.uint8]) -> list[dict[Category, float]]:
        scored.append(len(batch))
        return [{SEXUAL: 0.0} for _ in batch]

    gate(ChosenFrameClassifier(answer)).check(frames())

    assert sum(scored) == 50


def test_a_classifier_cannot_change_what_the_next_one_sees() -> None:
    def answer(batch: NDArray[np.uint8]) -> list[dict[Category, float]]:
        batch[:] = 0
        return [{SEXUAL: 0.0} for _ in batch]

    with pytest.raises(ClassifierFailed, match="it raised ValueError: assignment destination"):
        gate(ChosenFrameClassifier(answer)).check(grey(255))


Answer = Callable[[NDArray[np.uint8]], Sequence[Mapping[Category, float]]]


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (raises(RuntimeError("no memory")), "it raised RuntimeError: no memory"),
        (raises(KeyboardInterrupt()), "it raised KeyboardInterrupt"),
        (lambda _: None, "expected a sequence of mappings, got NoneType"),
        (lambda _: np.zeros(3), "expected a sequence of mappings, got ndarray"),
        (lambda _: [0.0, 0.0, 0.0], "expected a sequence of mappings"),
        (lambda _: [], "expected 3 answers, one a frame, got 0"),
        (lambda _: [{SEXUAL: 0.0}] * 2, "expected 3 answers, one a frame, got 2"),
        (lambda _: [{SEXUAL: 0.0}] * 4, "expected 3 answers, one a frame, got 4"),
        (lambda _: [{SEXUAL: 0.0}, {}, {SEXUAL: 0.0}], "missing"),
        (lambda _: [{SEXUAL: 0.0, Category.HATE: 0.0}] * 3, "not declared"),
        (lambda _: [{SEXUAL: float("nan")}] * 3, "got nan"),
        (lambda _: [{SEXUAL: np.float32(-0.01)}] * 3, "expected a score from 0 to 1"),
        (lambda _: [{SEXUAL: 1.5}] * 3, "got 1.5"),
        (lambda _: [{SEXUAL: True}] * 3, "got True"),
        (lambda _: [{SEXUAL: None}] * 3, "got None"),
    ],
)
def test_an_unusable_answer_closes_the_gate(answer: Answer, complaint: str) -> None:
    closed = gate(ChosenFrameClassifier(answer))

    with pytest.raises(ClassifierFailed) as caught:
        closed.check(grey(0, 0, 0))

    assert complaint in str(caught.value)


def test_an_answer_that_comes_too_late_closes_the_gate() -> None:
    closed = gate(ChosenFrameClassifier(hangs(5)), deadline_s=0.05)

    with pytest.raises(ClassifierFailed, match=r"no answer within 0\.05 s"):
        closed.check(grey(0, 0, 0))


def test_a_failure_in_a_later_batch_closes_the_gate_too() -> None:
    turns = itertools.count()

    def answer(batch: NDArray[np.uint8]) -> list[dict[Category, float]]:
        if next(turns) == 3:
            raise OSError("gone")
        return [{SEXUAL: 0.0} for _ in batch]

    with pytest.raises(ClassifierFailed, match="gone"):
        gate(ChosenFrameClassifier(answer)).check(grey(*[0] * 40))


def test_no_frame_at_all_closes_the_gate() -> None:
    with pytest.raises(ClassifierFailed, match="no frame came"):
        gate(frames_scored_by_brightness()).check([])


@pytest.mark.parametrize(
    "rgb",
    [
        np.zeros((8, 8, 3), np.float32),
        np.zeros((8, 8, 4), np.uint8),
        np.zeros((8, 8), np.uint8),
        np.zeros((0, 8, 3), np.uint8),
    ],
)
def test_pixels_of_another_kind_are_refused(rgb: NDArray[np.uint8]) -> None:
    with pytest.raises(InputUnexaminable, match="expected 8-bit RGB"):
        gate(frames_scored_by_brightness()).check([(0, 0.0, rgb)])


@pytest.mark.parametrize(
    "order", [[(1, 0.0), (0, 1.0)], [(0, 0.0), (0, 1.0)], [(0, 1.0), (1, 0.5)], [(0, float("nan"))]]
)
def test_frames_out_of_order_are_refused(order: list[tuple[int, float]]) -> None:
    pixels = np.zeros((8, 8, 3), np.uint8)

    with pytest.raises(InputUnexaminable, match="does not come after"):
        gate(frames_scored_by_brightness()).check((index, time, pixels) for index, time in order)


def test_a_stream_that_ends_before_its_plan_does_closes_the_gate() -> None:
    plan = SamplingPlan.for_count(10, fps=16, seed=bytes(32))
    checked = gate(frames_scored_by_brightness())

    assert checked.check(grey(*[0] * 10), plan=plan).releasable
    with pytest.raises(InputUnexaminable, match="9 of 10 planned frames came"):
        checked.check(grey(*[0] * 9), plan=plan)


def test_a_frame_that_is_not_the_planned_one_closes_the_gate() -> None:
    plan = SamplingPlan.for_count(10, fps=16, seed=bytes(32))
    frames = [frame for frame in grey(*[0] * 12) if frame[0] != 4]

    with pytest.raises(InputUnexaminable, match="frame 5 came to the gate where the plan"):
        gate(frames_scored_by_brightness()).check(frames, plan=plan)


def test_a_missing_classifier_keeps_the_gate_shut() -> None:
    with pytest.raises(ClassifierUnavailable, match="'chosen' at the stage input"):
        FrameGate(policy(), [])


def test_a_stage_of_text_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="expected input, output or both"):
        gate(frames_scored_by_brightness()).check(grey(0), stage=Stage.PROMPT)
