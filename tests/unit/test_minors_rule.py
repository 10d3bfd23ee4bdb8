"""The rule on minors, tested with neutral words; of its own words only that the two lists meet."""

import tomllib
from importlib import resources

import pytest

from safety import Category
from safety.ages import Ages
from safety.minors import MinorsRule
from safety.normalize import views

NEUTRAL = {
    "minor": ["acorn*", "seedling"],
    "maybe_minor": ["sprout"],
    "sexual": ["thunder*"],
    "explicit": ["lightning"],
    "innocent": ["thunder cloud", "acorn squash"],
}


@pytest.fixture
def rule() -> MinorsRule:
    return MinorsRule(NEUTRAL, Ages({}), digest="0" * 64)


def score(rule: MinorsRule, text: str) -> float:
    (scored,) = rule.score(views(text, as_model_sees=text))
    assert scored.category is Category.CHILD_SEXUAL_EXPLOITATION
    return scored.score


def test_either_kind_of_word_alone_is_not_the_rule_s_concern(rule: MinorsRule) -> None:
    assert score(rule, "an acorn, a seedling and a sprout") == 0
    assert score(rule, "thunder and lightning") == 0


def test_the_two_kinds_together_are_found_however_far_apart(rule: MinorsRule) -> None:
    assert score(rule, "an acorn" + " and a hill" * 500 + " under thunder") == 1


def test_words_said_of_adults_too_count_only_beside_explicit_ones(rule: MinorsRule) -> None:
    assert score(rule, "a sprout under thunder") == 0
    assert score(rule, "a sprout under lightning") == 1


def test_an_innocent_phrase_takes_its_words_out(rule: MinorsRule) -> None:
    assert score(rule, "an acorn under a thunder cloud") == 0
    assert score(rule, "acorn squash in a thunder storm") == 0
    assert score(rule, "an acorn under a thunder cloud with thunder") == 1


@pytest.mark.parametrize(
    "text",
    [
        "an 4c0rn under thund3r",
        "an a c o r n under thunder",
        "an acorn under t\u200bhunder",
        "an \u0430corn under thunder",
        "an acorn under &#116;hunder",
        "an ACORN under dGh1bmRlciBhbmQgcmFpbg==",
    ],
)
def test_a_disguise_does_not_lift_it(rule: MinorsRule, text: str) -> None:
    assert score(rule, text) == 1


def test_the_shipped_lists_meet_in_every_language() -> None:
    content = (resources.files("safety") / "minors.toml").read_bytes()
    words = tomllib.loads(content.decode())
    rule = MinorsRule.shipped()

    for one in (words["minor"][0], words["minor"][-1]):
        for other in (words["sexual"][0], words["explicit"][0], words["explicit"][-1]):
            assert score(rule, f"{one} {other}".replace("*", "")) == 1


@pytest.mark.parametrize("text", ["she is fifteen", "under 18", "a girl"])
def test_an_age_below_eighteen_is_a_word_for_a_minor(text: str) -> None:
    assert MinorsRule.shipped().speaks_of_a_minor(views(text, as_model_sees=text))


@pytest.mark.parametrize("text", ["she is thirty", "18 lamps", "a woman"])
def test_an_age_from_eighteen_is_not(text: str) -> None:
    assert not MinorsRule.shipped().speaks_of_a_minor(views(text, as_model_sees=text))


@pytest.mark.parametrize(
    "text",
    [
        "a child looks at the stars with the naked eye",
        "a baby in a baby blue blanket beside a naked tree",
        "a kid gloves a ball, in a minor key",
        "children learn about chicken breasts and duck breasts at school",
        "a mother bathes her baby",
    ],
)
def test_family_scenes_pass(text: str) -> None:
    assert score(MinorsRule.shipped(), text) == 0
