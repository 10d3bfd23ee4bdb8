"""What changes between two policies: every change is told, and which way it goes is never wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safety import Policy, shipped_policies
from safety.differences import Way, differences, in_words
from safety.policy import Rule
from tests.support.policies import words_alone

DEFAULT = words_alone("default").text
HATE = "hate = { review = 0.5, block = 0.9 }"

THRESHOLDS = st.one_of(st.none(), st.sampled_from([0.2, 0.4, 0.5, 0.6, 0.9, 1.0]))


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    review, block = draw(THRESHOLDS), draw(THRESHOLDS)
    if review is not None and block is not None and review > block:
        review, block = block, review
    return Rule(review, block)


def with_hate(line: str) -> Policy:
    assert HATE in DEFAULT
    return Policy.parse(DEFAULT.replace(HATE, line, 1).encode(), source="mine.toml")


def line_of(rule: Rule) -> str:
    held = {"review": rule.review, "block": rule.block}
    told = ", ".join(f"{name} = {value}" for name, value in held.items() if value is not None)
    return f"hate = {{ {told} }}" if told else 'hate = "allow"'


@pytest.mark.parametrize("name", shipped_policies())
def test_a_policy_differs_in_nothing_from_itself(name: str) -> None:
    assert differences(Policy.load(name), Policy.load(name)) == ()


@given(old=rules(), new=rules())
def test_the_way_of_a_change_is_what_it_does_to_every_score(old: Rule, new: Rule) -> None:
    found = differences(with_hate(line_of(old)), with_hate(line_of(new)))

    steps = {
        new.judge(score)[0].severity - old.judge(score)[0].severity
        for score in (0.1, 0.2, 0.3, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7, 0.9, 0.95, 1.0)
    }
    harder, milder = any(step > 0 for step in steps), any(step < 0 for step in steps)
    if old == new:
        assert found == ()
        return
    (change,) = found
    assert (change.key, change.before, change.after) == ("hate", in_words(old), in_words(new))
    if harder != milder:
        assert change.way is (Way.STRICTER if harder else Way.MILDER)
    else:
        assert change.way is Way.OTHER


@given(old=rules(), new=rules())
def test_what_is_stricter_one_way_is_milder_the_other(old: Rule, new: Rule) -> None:
    there = [c.way for c in differences(with_hate(line_of(old)), with_hate(line_of(new)))]
    back = [c.way for c in differences(with_hate(line_of(new)), with_hate(line_of(old)))]

    turned = {Way.STRICTER: Way.MILDER, Way.MILDER: Way.STRICTER, Way.OTHER: Way.OTHER}
    assert back == [turned[way] for way in there]


@pytest.mark.parametrize(
    ("before", "after", "way"),
    [
        ('["lexicon"]', '["lexicon", "mine"]', Way.STRICTER),
        ('["lexicon", "mine"]', '["mine"]', Way.MILDER),
        ('["lexicon"]', '["mine"]', Way.OTHER),
    ],
)
def test_a_classifier_more_is_stricter(before: str, after: str, way: Way) -> None:
    old, new = (
        Policy.parse(DEFAULT.replace('["lexicon"]', names).encode(), source="mine.toml")
        for names in (before, after)
    )

    (change,) = differences(old, new)

    assert (change.stage, change.key, change.way) == ("prompt", "classifiers", way)


def test_the_order_of_classifiers_changes_nothing() -> None:
    old, new = (
        Policy.parse(DEFAULT.replace('["lexicon"]', names).encode(), source="mine.toml")
        for names in ('["a", "b"]', '["b", "a"]')
    )

    assert differences(old, new) == ()


def test_a_category_that_one_of_them_does_not_know_is_neither_stricter_nor_milder() -> None:
    (change,) = differences(words_alone("default"), with_hate(""))

    assert (change.before, change.after, change.way) == ("review 0.5, block 0.9", "-", Way.OTHER)


def test_texts_at_the_top_are_told_too() -> None:
    found = differences(Policy.load("default"), Policy.load("strict"))

    assert {change.key for change in found if change.stage is None} == {"name", "description"}
    assert {change.way for change in found if change.stage is not None} == {Way.STRICTER}


def test_a_classifier_s_own_thresholds_are_told_with_their_way() -> None:
    found = differences(Policy.load("default"), Policy.load("permissive"))

    (change,) = [change for change in found if change.key == "thresholds.minilm"]
    assert (change.stage, change.way) == ("prompt", Way.MILDER)
    assert (change.before, change.after) == ("review 0.97, block 0.99", "block 0.995")


def with_own(hate: str, own: str) -> Policy:
    text = DEFAULT.replace(HATE, hate, 1)
    return Policy.parse(
        text.replace("[output]", f"[prompt.thresholds]\nlexicon = {own}\n[output]", 1).encode(),
        source="mine.toml",
    )


def test_a_category_that_loses_its_review_is_not_stricter_for_a_classifier_of_its_own() -> None:
    own = "{ review = 0.97, block = 0.99 }"

    (change,) = differences(with_own(HATE, own), with_own("hate = { block = 0.5 }", own))

    assert change.way is Way.OTHER


def test_thresholds_that_are_added_are_told_by_what_they_do() -> None:
    (milder,) = differences(
        words_alone("default"), with_own(HATE, "{ review = 0.95, block = 1.0 }")
    )
    (stricter,) = differences(
        words_alone("default"), with_own(HATE, "{ review = 0.1, block = 0.2 }")
    )

    assert (milder.key, milder.way) == ("thresholds.lexicon", Way.MILDER)
    assert stricter.way is Way.STRICTER
