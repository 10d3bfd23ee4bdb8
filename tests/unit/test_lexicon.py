"""The word list's arithmetic, on a neutral list; and that the shipped list is well formed."""

import pytest

from safety import Category, ClassifierUnavailable
from safety.classifiers.lexicon import Lexicon, open_classifier
from safety.normalize import views

NEUTRAL = """
[groups]
water = ["lake*", "river*"]

[[rules]]
category = "graphic_violence"
weight = 0.9
terms = ["storm"]

[[rules]]
category = "graphic_violence"
weight = 0.5
terms = ["wind", "rain"]

[[rules]]
category = "hate"
weight = 0.8
all = [["boat*"], ["@water"]]
within = 20

[innocent]
graphic_violence = ["wind chime*"]
"""


@pytest.fixture
def lexicon() -> Lexicon:
    return Lexicon(NEUTRAL.encode())


def scores(lexicon: Lexicon, text: str) -> dict[Category, float]:
    return {s.category: s.score for s in lexicon.score(views(text, as_model_sees=text))}


def test_every_category_is_answered_also_where_nothing_is_found(lexicon: Lexicon) -> None:
    assert scores(lexicon, "a calm day") == {Category.GRAPHIC_VIOLENCE: 0.0, Category.HATE: 0.0}


def test_different_words_add_up_and_a_repeated_word_counts_once(lexicon: Lexicon) -> None:
    assert scores(lexicon, "wind wind wind")[Category.GRAPHIC_VIOLENCE] == 0.5
    assert scores(lexicon, "wind and rain")[Category.GRAPHIC_VIOLENCE] == 0.75
    assert scores(lexicon, "wind in a storm")[Category.GRAPHIC_VIOLENCE] == 0.95


def test_an_innocent_phrase_takes_its_words_out(lexicon: Lexicon) -> None:
    assert scores(lexicon, "wind chimes")[Category.GRAPHIC_VIOLENCE] == 0
    assert scores(lexicon, "wind chimes in the wind")[Category.GRAPHIC_VIOLENCE] == 0.5


def test_a_combination_needs_all_its_parts_near_each_other(lexicon: Lexicon) -> None:
    assert scores(lexicon, "a boat on the lake")[Category.HATE] == 0.8
    assert scores(lexicon, "by the river two boats")[Category.HATE] == 0.8
    assert scores(lexicon, "a boat, and many miles further on a lake")[Category.HATE] == 0
    assert scores(lexicon, "a boat")[Category.HATE] == 0


def test_the_span_of_a_finding_is_the_strongest_hit_in_the_raw_text(lexicon: Lexicon) -> None:
    text = "wind, then a s t o r m"

    (top,) = [
        s
        for s in lexicon.score(views(text, as_model_sees=text))
        if s.category is Category.GRAPHIC_VIOLENCE
    ]

    assert top.span is not None
    assert text[top.span.start : top.span.end].endswith("s t o r m")
    assert top.span.view == "joined"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[rules",
        NEUTRAL.replace("weight = 0.9", "weight = 1").encode(),
        NEUTRAL.replace("@water", "@fire").encode(),
        NEUTRAL.replace('"hate"', '"hatred"').encode(),
        NEUTRAL.replace('"storm"', '"st*rm!"').encode(),
    ],
)
def test_a_damaged_list_is_no_classifier(content: bytes) -> None:
    with pytest.raises(ClassifierUnavailable, match="the word list is damaged"):
        Lexicon(content)


def test_the_shipped_list_covers_the_block_tier_and_names_its_digest() -> None:
    shipped = open_classifier(threads=1)

    assert shipped.categories == {
        Category.VIOLENT_CRIMES,
        Category.NONVIOLENT_CRIMES,
        Category.SEX_CRIMES,
        Category.INDISCRIMINATE_WEAPONS,
        Category.HATE,
        Category.SELF_HARM,
        Category.SEXUAL_CONTENT,
        Category.GRAPHIC_VIOLENCE,
        Category.NON_CONSENSUAL_INTIMATE,
    }
    assert len(shipped.digest) == 64


@pytest.mark.parametrize(
    "text",
    [
        "a glue gun and a shooting star over a bath bomb",
        "poached eggs with a bloody mary, seen with the naked eye",
        "a butcher shop, closed, with crushed ice in the window",
        "a nurse draws blood pressure charts under a blood moon",
        "a brutalist tower in violent wind, an explosion of colours",
        "an essay on anti-racism and racial equality",
        "killer whales, a punch bowl, and a mole in a naked tree",
        "Essex, Scunthorpe, Penistone, a cocktail and a shitake mushroom",
        "her hair tied up, dragging a sledge up the hill",
        "a chef cutting onions with a knife for the family",
        "a doctor, a skeleton in a classroom, an x-ray",
        "平静的湖面上有一只猫",
    ],
)
def test_the_shipped_list_lets_scary_words_pass_where_they_are_harmless(text: str) -> None:
    found = open_classifier(threads=1).score(views(text, as_model_sees=text))

    assert max(scored.score for scored in found) < 0.5
