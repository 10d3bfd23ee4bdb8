"""The policy format: strict, exact, and without a way to lift what must hold."""

import hashlib
from itertools import product
from pathlib import Path

import pytest

from safety import Category, Decision, Policy, PolicyInvalid, Stage, shipped_policies
from safety.policy import Rule
from tests.support.policies import words_alone

DEFAULT = words_alone("default").text


def parse(text: str) -> Policy:
    return Policy.parse(text.encode(), source="mine.toml")


def test_three_policies_are_shipped_and_load() -> None:
    assert shipped_policies() == ("default", "permissive", "strict")
    assert [Policy.load(name).name for name in shipped_policies()] == list(shipped_policies())


def test_the_digest_is_that_of_the_exact_bytes_of_the_file(tmp_path: Path) -> None:
    content = DEFAULT.replace("\n", "\r\n").encode()
    path = tmp_path / "mine.toml"
    path.write_bytes(content)

    policy = Policy.load(path)

    assert policy.digest == hashlib.sha256(content).hexdigest()
    assert policy.text.encode() == content
    assert policy.digest != Policy.load("default").digest


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("format = 1", "format = 2", "format: expected 1, found 2"),
        ('name = "default"', "", "name: is missing"),
        ('version = "2"', "version = 1", "version: expected a text, found 1"),
        ("format = 1", "format = 1\nlenient = true", "lenient: is not a key of this format"),
        ("[prompt]", "[prompt]\nmode = 1", "prompt.mode: is not a key"),
        ("hate =", "hatred =", "prompt.categories.hatred: is not a key"),
        (
            "hate = { review = 0.5",
            "hate = { review = 0.95",
            "prompt.categories.hate: review 0.95 is above block 0.9",
        ),
        ("hate = { review = 0.5", "hate = { review = 0", "hate.review: expected a number above 0"),
        ("hate = { review = 0.5", "hate = { review = true", "hate.review: expected a number"),
        ("hate = { review = 0.5", "hate = { review = nan", "hate.review: expected a number"),
        ("hate = { review = 0.5", 'hate = { review = "0.5"', "hate.review: expected a number"),
        ("hate = { review = 0.5", "hate = { reviev = 0.5", "hate.reviev: is not a key"),
        ("hate = { review = 0.5, block = 0.9 }", "hate = {}", "hate: expected review, block or"),
        ("hate = { review = 0.5, block = 0.9 }", 'hate = "off"', "hate: expected a table"),
        ('classifiers = ["lexicon"]', "classifiers = []", "classifiers: expected at least one"),
        ('["lexicon"]', '["lexicon", "lexicon"]', "classifiers: expected each name once"),
        ('["lexicon"]', '"lexicon"', "classifiers: expected a list of names"),
        (
            "child_sexual_exploitation = { review = 0.5, block = 0.9 }",
            'child_sexual_exploitation = "allow"',
            "cannot be allowed by any policy",
        ),
        (
            "child_sexual_exploitation = { review = 0.5, block = 0.9 }",
            "child_sexual_exploitation = { review = 0.5 }",
            "needs a block threshold",
        ),
        ("[output]", "[outputs]", "output.classifiers: is missing"),
        (
            "[output]",
            "[prompt.thresholds]\nlexicon = {}\n[output]",
            "prompt.thresholds.lexicon: expected review, block or both",
        ),
        (
            "[output]",
            "[prompt.thresholds]\nlexicon = { review = 0.9, block = 0.2 }\n[output]",
            "prompt.thresholds.lexicon: review 0.9 is above block 0.2",
        ),
        (
            "[output]",
            "[prompt.thresholds]\nlexicom = { block = 0.2 }\n[output]",
            "prompt.thresholds.lexicom: is not among this stage's classifiers",
        ),
        ("format = 1", "format = ", "is not a TOML file"),
    ],
)
def test_a_mistake_is_refused_with_the_path_of_its_key(old: str, new: str, complaint: str) -> None:
    assert old in DEFAULT

    with pytest.raises(PolicyInvalid) as caught:
        parse(DEFAULT.replace(old, new, 1))

    assert complaint in str(caught.value)
    assert str(caught.value).startswith("mine.toml")


def test_a_file_that_is_not_text_is_refused() -> None:
    with pytest.raises(PolicyInvalid, match="not a TOML file in UTF-8"):
        Policy.parse(b"\xff\xfe", source="mine.toml")


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(PolicyInvalid, match="the shipped ones are default, permissive, strict"):
        Policy.load("lenient")


def test_a_missing_and_an_oversized_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyInvalid, match="cannot be read: No such file"):
        Policy.load(tmp_path / "none.toml")
    path = tmp_path / "huge.toml"
    path.write_bytes(b"#" * (2 << 20))
    with pytest.raises(PolicyInvalid, match="at most 1048576"):
        Policy.load(path)


def test_a_threshold_is_reached_by_the_score_that_equals_it() -> None:
    rule = Rule(review=0.5, block=0.9)

    assert rule.judge(0.499999) == (Decision.ALLOW, None)
    assert rule.judge(0.5) == (Decision.REVIEW, 0.5)
    assert rule.judge(0.9) == (Decision.BLOCK, 0.9)


def test_strict_is_nowhere_milder_than_default_nor_default_than_permissive() -> None:
    strict, default, permissive = (
        Policy.load(name) for name in ("strict", "default", "permissive")
    )
    scores = [step / 1000 for step in range(1001)]
    for harder, milder in ((strict, default), (default, permissive)):
        for stage in Stage:
            held, other = milder.stages[stage], harder.stages[stage]
            for name, category in product(held.classifiers, held.rules):
                assert all(
                    other.rule(name, category).judge(score)[0].severity
                    >= held.rule(name, category).judge(score)[0].severity
                    for score in scores
                )


def test_every_shipped_policy_blocks_the_gravest_at_the_prompt() -> None:
    gravest = {
        Category.CHILD_SEXUAL_EXPLOITATION,
        Category.SEX_CRIMES,
        Category.NON_CONSENSUAL_INTIMATE,
        Category.INDISCRIMINATE_WEAPONS,
        Category.SELF_HARM,
        Category.HATE,
    }
    for name in shipped_policies():
        rules = Policy.load(name).stages[Stage.PROMPT].rules
        assert all(rules[category].judge(0.95)[0] is Decision.BLOCK for category in gravest)


OWN = """[prompt.thresholds]
lexicon = { review = 0.2, block = 0.3 }
[output]"""


@pytest.mark.parametrize(
    ("category", "expected"),
    [
        ("hate = { review = 0.5, block = 0.9 }", Rule(0.2, 0.3)),
        ("hate = { review = 0.5 }", Rule(0.2, None)),
        ("hate = { block = 0.9 }", Rule(None, 0.3)),
        ('hate = "allow"', Rule(None, None)),
    ],
)
def test_a_classifier_s_own_thresholds_say_from_where_and_the_category_says_what(
    category: str, expected: Rule
) -> None:
    text = DEFAULT.replace("hate = { review = 0.5, block = 0.9 }", category, 1)

    held = parse(text.replace("[output]", OWN, 1)).stages[Stage.PROMPT]

    assert held.rule("lexicon", Category.HATE) == expected
    assert held.rule("another", Category.HATE) == held.rules[Category.HATE]


def test_no_classifier_s_own_thresholds_reach_what_no_policy_makes_milder() -> None:
    own = OWN.replace("review = 0.2, block = 0.3", "block = 1.0")
    held = parse(DEFAULT.replace("[output]", own, 1)).stages[Stage.PROMPT]

    protected = Category.CHILD_SEXUAL_EXPLOITATION
    assert held.rule("lexicon", protected) == held.rules[protected] == Rule(0.5, 0.9)


@pytest.mark.parametrize(
    ("category", "own"), [("review = 0.5", "block"), ("block = 0.9", "review")]
)
def test_thresholds_that_would_leave_a_category_without_an_answer_are_refused(
    category: str, own: str
) -> None:
    text = DEFAULT.replace("hate = { review = 0.5, block = 0.9 }", f"hate = {{ {category} }}", 1)
    added = f"[prompt.thresholds]\nlexicon = {{ {own} = 0.99 }}\n[output]"

    with pytest.raises(PolicyInvalid, match=r"thresholds.lexicon: leaves hate without any answer"):
        parse(text.replace("[output]", added, 1))
