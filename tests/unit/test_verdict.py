"""The values that a gate returns, and the words that the asker reads."""

import json

import pytest

from safety import (
    Category,
    ClassifierRun,
    Decision,
    Examined,
    Finding,
    FrameMoment,
    Stage,
    TextSpan,
    Verdict,
)
from safety.verdict import worst


def finding(decision: Decision, score: float, category: Category = Category.HATE) -> Finding:
    span = TextSpan(3, 9, "folded")
    return Finding(category, score, 0.5, decision, "lexicon", "ab" * 32, span)


def verdict(*findings: Finding) -> Verdict:
    run = ClassifierRun("lexicon", "ab" * 32, (Category.HATE,))
    examined = Examined((run,), views=3)
    return Verdict(Stage.PROMPT, findings, examined, "default", "cd" * 32, "Write to us.")


def test_the_hardest_decision_holds() -> None:
    assert worst([]) is Decision.ALLOW
    assert worst([Decision.REVIEW, Decision.BLOCK, Decision.ALLOW]) is Decision.BLOCK
    assert verdict().releasable
    assert verdict(finding(Decision.REVIEW, 0.6)).decision is Decision.REVIEW
    assert not verdict(finding(Decision.REVIEW, 0.6)).releasable


def test_a_score_travels_in_records_as_whole_millionths() -> None:
    assert finding(Decision.BLOCK, 0.1234567).score_micro == 123457
    assert finding(Decision.BLOCK, 1.0).threshold_micro == 500000


def test_the_advice_says_what_to_change_and_how_to_appeal_without_scores_or_matches() -> None:
    advice = verdict(
        finding(Decision.BLOCK, 0.934), finding(Decision.REVIEW, 0.61, Category.SELF_HARM)
    ).advice()

    assert advice.startswith("The prompt was refused")
    assert Category.HATE.change in advice
    assert Category.SELF_HARM.change in advice
    assert advice.endswith("Write to us.")
    assert "0.9" not in advice
    assert "lexicon" not in advice


def test_the_plain_values_survive_json() -> None:
    moment = FrameMoment(7, 0.4375)
    frame = Finding(Category.SEXUAL_CONTENT, 0.9, 0.8, Decision.BLOCK, "n", "ef" * 32, moment, 4)

    plain = verdict(finding(Decision.REVIEW, 0.6), frame).to_json()

    assert json.loads(json.dumps(plain)) == plain
    assert plain["decision"] == "block"
    assert plain["policy"] == {"name": "default", "digest": "cd" * 32}


@pytest.mark.parametrize("category", list(Category))
def test_every_category_has_plain_words_and_a_stable_id(category: Category) -> None:
    assert category.description.endswith(".")
    assert category.change.endswith(".")
    assert category.hazard_id is None or category.hazard_id.startswith("S")
    assert category.value.replace("_", "").isalpha()
