"""Ages below eighteen are found in digits and words, in five languages, however punctuated."""

# Chinese text has Chinese punctuation.
# ruff: noqa: RUF001

import pytest

from safety.minors import MinorsRule
from safety.normalize import views


def is_minors_age(text: str) -> bool:
    """Ask beside a sexual word, as the rule does; the texts hold no other word for a minor."""
    whole = f"{text}, nude"
    (scored,) = MinorsRule.shipped().score(views(whole, as_model_sees=whole))
    return scored.score == 1


@pytest.mark.parametrize(
    "text",
    [
        "9 years old",
        "17-year-old",
        "15yo",
        "15 y.o.",
        "15 y/o",
        "15 Y. O.",
        "15yrs old",
        "15 yr. old",
        "15,years old",
        "15 ... years ... old",
        "15_year_old",
        "15\u2011year\u2011old",
        "15\u2013year\u2013old",
        "15\u2014year\u2014old",
        "15\u2212year\u2212old",
        "15\u00adyear\u00adold",
        "1 5 - year - old",
        "15 years of age",
        "15 years young",
        "15 lovely years old",
        "15-ish years old",
        "15 or 25 years old",
        "15 to 30 years old",
        "15.5 years old",
        "fifteen (15) years old",
        "aged 15",
        "aged fifteen",
        "age: 15",
        "age 15",
        "Age - 15",
        "at the age of 15",
        "ages 13-17",
        "her age is fifteen",
        "fifteen years old",
        "fifteen-year-old",
        "fifteenyearold",
        "f1fteen years old",
        "f i f t e e n y e a r o l d",
        "FIFTEEN YEAR OLD",
        "she is fifteen",
        "she is fifteen.",
        "she's only 15",
        "she\u2019s just fifteen",
        "he was barely 14 and alone",
        "who just turned fifteen",
        "I am 15",
        "a woman, 15, on a beach",
        "a model (16)",
        "a woman of 15 years",
        "\uff11\uff15 years old",
        "\u2474\u2474 she is \u246e",
        "&#49;5 years old",
    ],
)
def test_an_english_age_below_eighteen_is_found(text: str) -> None:
    assert is_minors_age(text)


@pytest.mark.parametrize(
    "text",
    [
        "15 jahre alt",
        "15-jährige",
        "15jährig",
        "fünfzehnjährige",
        "fünfzehn Jahre alt",
        "im Alter von 15 Jahren",
        "sie ist fünfzehn",
        "15 años",
        "quince años",
        "de 15 ó 16 años",
        "quinceañera",
        "edad: 15",
        "15 ans",
        "quinze ans",
        "dix-sept ans",
        "âgée de quinze ans",
        "15岁",
        "15 岁",
        "１５歲",
        "十五岁",
        "十五 周岁",
        "十岁",
        "九岁",
        "十几岁",
        "年龄：15",
        "年龄是十五",
    ],
)
def test_an_age_below_eighteen_is_found_in_the_languages_of_the_list(text: str) -> None:
    assert is_minors_age(text)


@pytest.mark.parametrize(
    "text",
    [
        "18 years old",
        "19-year-old",
        "a 35yo",
        "aged 70",
        "age: 25",
        "eighteen years old",
        "twenty-five years old",
        "twenty five year old",
        "a hundred and five years old",
        "two hundred years old",
        "115 years old",
        "1,015 years old",
        "30.5 years old",
        "two women, 30 years old",
        "12 women, thirty years old",
        "two thirty-year-old women",
        "two 25 year old women",
        "two eighteen year old women",
        "a 2 0 - year - old man",
        "2 5 y. o.",
        "she is twenty",
        "he was 45 and alone",
        "a woman, 34, on a beach",
        "21岁",
        "二十五岁",
        "一百岁",
        "三十五岁",
        "25 ans",
        "vingt-cinq ans",
        "soixante-quinze ans",
        "quatre-vingt-quinze ans",
        "dix-huit ans",
        "treinta y cinco años",
        "veinticinco años",
        "fünfundzwanzigjährige",
        "35-jährige",
        "im Alter von 45 Jahren",
    ],
)
def test_an_age_from_eighteen_is_none(text: str) -> None:
    assert not is_minors_age(text)


@pytest.mark.parametrize(
    "text",
    [
        "15 years later",
        "after 15 years",
        "15 years ago",
        "15 years of war",
        "ten years of marriage",
        "a 15 second clip",
        "15 people",
        "five old men in a sauna",
        "7 old men in a sauna",
        "15 frames a year",
        "she is 15 meters away",
        "he is fifteen minutes late",
        "she is one with the water",
        "she is 5 months pregnant",
        "two of them, one behind the other",
        "a painting of the stone age, 12 warriors",
        "a bronze age 15th century copy",
        "coming of age, 12 dancers",
        "an age-old bath with 12 pools",
        "a middle-aged couple in room 12",
        "once a year, old friends meet",
        "the elf, years later",
        "at 8 an actor enters",
        "woman 1, man 2, woman 3",
        "a man, 2, and a dog",
        "3d render, 4k, 16:9, 15 fps",
        "in 15 Jahren",
        "vor fünfzehn Jahren",
        "hace 15 años",
        "15 años después",
        "il y a 15 ans",
        "15 ans plus tard",
        "pendant quinze ans",
        "15 个人",
        "五年以后",
    ],
)
def test_a_number_that_is_nobodys_age_is_none(text: str) -> None:
    assert not is_minors_age(text)


@pytest.mark.parametrize("text", ["XV years old", "fivteen years old", "15 anni", "born in 2012"])
def test_what_the_model_card_says_is_not_found_is_not_found(text: str) -> None:
    assert not is_minors_age(text)


def test_without_a_sexual_word_an_age_is_not_the_rule_s_concern() -> None:
    for text in ("a 15-year-old plays chess", "the naked mole rat is 15 years old"):
        (scored,) = MinorsRule.shipped().score(views(text, as_model_sees=text))
        assert scored.score == 0
