"""Whatever the thresholds: a higher score never gets a milder decision."""

from hypothesis import given, settings
from hypothesis import strategies as st

from safety.policy import Rule

thresholds = st.one_of(st.none(), st.floats(min_value=1e-6, max_value=1))
unit = st.floats(min_value=0, max_value=1)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    review, block = draw(thresholds), draw(thresholds)
    if review is not None and block is not None and review > block:
        review, block = block, review
    return Rule(review=review, block=block)


@given(rules(), unit, unit)
@settings(deadline=None)
def test_raising_a_score_never_relaxes_the_decision(rule: Rule, one: float, two: float) -> None:
    low, high = sorted((one, two))

    assert rule.judge(low)[0].severity <= rule.judge(high)[0].severity


@given(rules(), unit)
@settings(deadline=None)
def test_a_decision_names_the_threshold_that_was_reached(rule: Rule, score: float) -> None:
    decision, threshold = rule.judge(score)

    assert (threshold is None) == (decision.severity == 0)
    assert threshold is None or score >= threshold
