"""The prompt gate: decisions, the rules no policy lifts, and that it fails closed every way."""

# Wan's default negative prompt is Chinese, with Chinese commas.
# ruff: noqa: RUF001

from collections.abc import Callable, Sequence

import pytest

from safety import (
    Category,
    ClassifierFailed,
    ClassifierUnavailable,
    Decision,
    InputUnexaminable,
    Policy,
    PolicyInvalid,
    PromptGate,
    Scored,
    Stage,
    TextSpan,
    shipped_policies,
)
from safety.classifiers.lexicon import open_classifier
from safety.normalize import View, views
from tests.support.classifiers import ChosenPromptClassifier, hangs, raises, text_scored
from tests.support.policies import words_alone

POLICY = """
format = 1
name = "mine"
version = "1"
description = "For tests."
appeal = "Write to us."
[prompt]
classifiers = ["chosen"]
[prompt.categories]
hate = { review = 0.5, block = 0.9 }
[negative_prompt]
classifiers = []
[negative_prompt.categories]
sexual_content = { review = 0.5 }
[input]
classifiers = ["chosen"]
[input.categories]
sexual_content = { review = 0.5, block = 0.9 }
[output]
classifiers = ["chosen"]
[output.categories]
sexual_content = { review = 0.5, block = 0.9 }
"""
# From the documentation of Wan2.1 and Wan2.2: what their pipelines avoid by default.
WAN_NEGATIVE_EN = (
    "Bright tones, overexposed, static, blurred details, subtitles, style, works, paintings, "
    "images, static, overall gray, worst quality, low quality, JPEG compression residue, ugly, "
    "incomplete, extra fingers, poorly drawn hands, poorly drawn faces, deformed, disfigured, "
    "misshapen limbs, fused fingers, still picture, messy background, three legs, many people in "
    "the background, walking backwards"
)
WAN_NEGATIVE_ZH = (
    "色调艳丽，过曝，静态，细节模糊不清，字幕，风格，作品，画作，画面，静止，整体发灰，最差质量，低质量，"
    "JPEG压缩残留，丑陋的，残缺的，多余的手指，画得不好的手部，画得不好的脸部，畸形的，毁容的，形态畸形的肢体，"
    "手指融合，静止不动的画面，杂乱的背景，三条腿，背景人很多，倒着走"
)


def policy() -> Policy:
    return Policy.parse(POLICY.encode(), source="mine.toml")


def gate(classifier: ChosenPromptClassifier, deadline_s: float = 60) -> PromptGate:
    return PromptGate(policy(), [classifier], deadline_s=deadline_s)


def read(prompt: str) -> tuple[View, ...]:
    return views(prompt, as_model_sees=prompt)


def shipped_gate(name: str) -> PromptGate:
    return PromptGate(words_alone(name), [open_classifier(threads=1)])


@pytest.mark.parametrize(
    ("score", "decision"),
    [
        (0.0, Decision.ALLOW),
        (0.4999, Decision.ALLOW),
        (0.5, Decision.REVIEW),
        (0.8999, Decision.REVIEW),
        (0.9, Decision.BLOCK),
        (1.0, Decision.BLOCK),
    ],
)
def test_the_policy_turns_scores_into_decisions(score: float, decision: Decision) -> None:
    verdict = gate(text_scored(score)).check("a lake", as_model_sees="a lake")

    assert verdict.decision is decision
    assert [finding.score for finding in verdict.findings] == ([score] if score >= 0.5 else [])
    assert verdict.policy_digest == policy().digest
    assert [run.name for run in verdict.examined.classifiers] == ["minors_rule", "chosen"]


def test_the_worst_of_several_scores_of_a_category_holds() -> None:
    spans = (TextSpan(0, 1, "raw"), TextSpan(2, 6, "raw"))
    answer = [Scored(Category.HATE, 0.6, spans[0]), Scored(Category.HATE, 0.95, spans[1])]

    verdict = gate(ChosenPromptClassifier(lambda _: answer)).check("a lake", as_model_sees="a lake")

    (finding,) = verdict.findings
    assert (finding.score, finding.evidence) == (0.95, spans[1])


Answer = Callable[[Sequence[View]], Sequence[Scored]]


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (raises(ValueError("broken")), "it raised ValueError: broken"),
        (raises(MemoryError()), "it raised MemoryError"),
        (raises(SystemExit(0)), "it raised SystemExit"),
        (lambda _: None, "expected a sequence of scores, got NoneType"),
        (lambda _: 0.1, "expected a sequence of scores, got float"),
        (lambda _: [("hate", 0.1)], "expected a sequence of scores"),
        (lambda _: [], "missing"),
        (lambda _: [Scored(Category.SELF_HARM, 0.0)], "not declared"),
        (
            lambda _: [Scored(Category.HATE, 0.0), Scored(Category.SELF_HARM, 0.0)],
            "not declared",
        ),
        (lambda _: [Scored(Category.HATE, float("nan"))], "got nan"),
        (lambda _: [Scored(Category.HATE, float("inf"))], "got inf"),
        (lambda _: [Scored(Category.HATE, -0.1)], "got -0.1"),
        (lambda _: [Scored(Category.HATE, 1.01)], "got 1.01"),
        (lambda _: [Scored(Category.HATE, score=False)], "got False"),
        (lambda _: [Scored(Category.HATE, None)], "got None"),
        (lambda _: [Scored(Category.HATE, "0.1")], "got '0.1'"),
        (lambda _: [Scored(Category.HATE, 0.1, TextSpan(2, 99, "raw"))], "expected a span"),
    ],
)
def test_an_unusable_answer_closes_the_gate(answer: Answer, complaint: str) -> None:
    closed = gate(ChosenPromptClassifier(answer))

    with pytest.raises(ClassifierFailed) as caught:
        closed.check("a lake", as_model_sees="a lake")

    assert complaint in str(caught.value)
    assert "'chosen'" in str(caught.value)


def test_an_answer_that_comes_too_late_closes_the_gate() -> None:
    closed = gate(ChosenPromptClassifier(hangs(5)), deadline_s=0.05)

    with pytest.raises(ClassifierFailed, match=r"no answer within 0\.05 s"):
        closed.check("a lake", as_model_sees="a lake")


def test_a_classifier_that_the_policy_requires_and_nobody_loaded_keeps_the_gate_shut() -> None:
    with pytest.raises(
        ClassifierUnavailable, match="requires the classifier 'chosen' at the stage"
    ):
        PromptGate(policy(), [])


def test_a_classifier_that_would_never_be_asked_is_refused() -> None:
    idle = ChosenPromptClassifier(lambda _: [], name="idle")

    with pytest.raises(
        PolicyInvalid, match="'idle' is loaded, but the policy names it at no stage"
    ):
        PromptGate(policy(), [text_scored(0), idle])


def test_two_classifiers_of_one_name_are_refused() -> None:
    with pytest.raises(ClassifierUnavailable, match="two classifiers are called 'chosen'"):
        PromptGate(policy(), [text_scored(0), text_scored(1)])


def test_a_policy_silent_on_a_reported_category_keeps_the_gate_shut() -> None:
    silent = ChosenPromptClassifier(lambda _: [], categories=frozenset({Category.SELF_HARM}))

    with pytest.raises(
        PolicyInvalid, match=r"prompt\.categories\.self_harm: is missing, and chosen"
    ):
        PromptGate(policy(), [silent])


@pytest.mark.parametrize("name", shipped_policies())
def test_no_policy_lifts_the_rule_on_minors(name: str) -> None:
    verdict = shipped_gate(name).check("child nude", as_model_sees="child nude")

    (top, *_) = verdict.findings
    assert verdict.decision is Decision.BLOCK
    assert top.category is Category.CHILD_SEXUAL_EXPLOITATION
    assert top.classifier == "minors_rule"


def test_a_policy_of_the_operator_s_own_does_not_lift_it_either() -> None:
    verdict = gate(text_scored(0)).check("child nude", as_model_sees="child nude")

    assert verdict.decision is Decision.BLOCK


@pytest.mark.parametrize("name", shipped_policies())
@pytest.mark.parametrize("text", [WAN_NEGATIVE_EN, WAN_NEGATIVE_ZH, ""])
def test_wan_s_own_negative_prompts_are_allowed(name: str, text: str) -> None:
    verdict = shipped_gate(name).check(
        text, as_model_sees=text, stage=Stage.NEGATIVE_PROMPT, beside=read("a girl on a bicycle")
    )

    assert verdict.decision is Decision.ALLOW
    assert verdict.stage is Stage.NEGATIVE_PROMPT


def test_avoiding_what_would_be_refused_as_a_wish_is_allowed() -> None:
    text = "nudity, porn, blood, gore, corpses, weapons, child"

    verdict = shipped_gate("strict").check(
        text, as_model_sees=text, stage=Stage.NEGATIVE_PROMPT, beside=read("a family at a table")
    )

    assert verdict.decision is Decision.ALLOW


def test_avoiding_clothes_waits_for_a_person() -> None:
    verdict = shipped_gate("default").check(
        "clothes, hats",
        as_model_sees="clothes, hats",
        stage=Stage.NEGATIVE_PROMPT,
        beside=read("a man"),
    )

    assert verdict.decision is Decision.REVIEW


@pytest.mark.parametrize("name", shipped_policies())
@pytest.mark.parametrize(
    ("negative", "prompt"),
    [
        ("clothes", "a child"),
        ("no dress, swimwear, fully covered", "a child on a beach"),
        ("bathing suit", "a girl of eleven"),
        ("adults", "sexy scene"),
    ],
)
def test_the_rule_on_minors_is_not_split_over_the_two_prompts(
    name: str, negative: str, prompt: str
) -> None:
    verdict = shipped_gate(name).check(
        negative, as_model_sees=negative, stage=Stage.NEGATIVE_PROMPT, beside=read(prompt)
    )

    assert verdict.decision is Decision.BLOCK


def test_a_single_garment_beside_a_grown_person_is_a_matter_of_taste() -> None:
    verdict = shipped_gate("default").check(
        "dress, shirt", as_model_sees="dress, shirt", stage=Stage.NEGATIVE_PROMPT,
        beside=read("a woman on a beach"),
    )  # fmt: skip

    assert verdict.decision is Decision.ALLOW


def test_the_half_that_only_the_model_sees_of_the_prompt_counts_too() -> None:
    verdict = shipped_gate("default").check(
        "clothes",
        as_model_sees="clothes",
        stage=Stage.NEGATIVE_PROMPT,
        beside=views("a lake", as_model_sees="a child"),
    )

    assert verdict.decision is Decision.BLOCK


def test_what_only_the_model_sees_is_read_too() -> None:
    verdict = shipped_gate("default").check(
        "a lake", as_model_sees="a beheaded corpse in a pool of blood"
    )

    assert verdict.decision is Decision.BLOCK


def test_what_the_model_does_not_see_is_read_too() -> None:
    verdict = shipped_gate("default").check(
        "a beheaded corpse in a pool of blood", as_model_sees="a"
    )

    assert verdict.decision is Decision.BLOCK


def test_a_harmful_wish_far_behind_harmless_text_is_found() -> None:
    text = "A calm lake at dawn with birds. " * 200 + "A beheaded corpse in a pool of blood."

    verdict = shipped_gate("default").check(text, as_model_sees=text[:500])

    assert verdict.decision is Decision.BLOCK
    evidence = verdict.findings[0].evidence
    assert isinstance(evidence, TextSpan)
    assert evidence.start > 6000


def test_an_overlong_prompt_is_refused_and_not_cut() -> None:
    with pytest.raises(InputUnexaminable):
        shipped_gate("default").check("a" * 20001, as_model_sees="a")


def test_a_stage_of_frames_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="expected prompt or negative_prompt, got output"):
        gate(text_scored(0)).check("a", as_model_sees="a", stage=Stage.OUTPUT)
