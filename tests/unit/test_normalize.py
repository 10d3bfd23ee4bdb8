"""Views of a text: what each takes off, what it leaves alone, where its characters came from."""

# Letters that look like others are what is tested here.
# ruff: noqa: RUF001

import pytest

from safety import InputUnexaminable
from safety.normalize import MAX_CHARACTERS, View, ViewName, fold, join, views


def readings(text: str) -> dict[ViewName, str]:
    return {view.name: view.text for view in views(text, as_model_sees=text)}


@pytest.mark.parametrize(
    "text",
    [
        "an mp4 in h264, 4k, 3d, 1080p, from the 80s and 1940s, shot on an iphone15",
        "the 2nd of 10 runs at 24fps on 16mm",
        "U.S.A. and J.R.R. and a-b-c-d",
        "мама мыла раму",
        "сосна и ель у реки",
        "हिन्दी में एक वाक्य",
        "ภาษาไทย",
        "می‌خواهم",
        "a family: \U0001f469\u200d\U0001f467, a flag: \U0001f1eb\U0001f1f7",
        "señora, über, façade",
        "Προς τα πάνω",
        "AT&T in Q&A at 5 & 6",
        "characteristically unaccountable internationalization",
        "run! look! $100 and C++",
        "一只猫在草地上。",
    ],
)
def test_what_people_write_in_good_faith_has_no_other_view(text: str) -> None:
    assert readings(text) == {ViewName.RAW: text}


@pytest.mark.parametrize(
    ("disguised", "view", "plain"),
    [
        ("ａ　ｃａｌｍ　ｌａｋｅ", ViewName.FOLDED, "a calm lake"),
        ("a c\u200bal\u00adm lake", ViewName.FOLDED, "a calm lake"),
        ("a c\u0430lm l\u0430ke", ViewName.FOLDED, "a calm lake"),
        ("a \u0440\u0430\u0440\u0430 duck", ViewName.FOLDED, "a papa duck"),
        ("a c&#97;lm &amp;amp; l&amp;#x61;ke", ViewName.FOLDED, "a calm & lake"),
        ("see YSBjYWxtIGxha2UgYXQgZGF3bg== now", ViewName.FOLDED, "see a calm lake at dawn now"),
        ("a 15\u2011day walk \u2014 calm", ViewName.FOLDED, "a 15-day walk - calm"),
        ("a ca\u2010lm lake", ViewName.JOINED, "a calm lake"),
        ("c\u0336a\u0336l\u0336m\u0336", ViewName.FOLDED, "calm"),
        ("c a l m   l a k e", ViewName.JOINED, "calm   lake"),
        ("c.a.l.m l-a-k-e", ViewName.JOINED, "calm lake"),
        ("a ca*lm lake", ViewName.JOINED, "a calm lake"),
        ("天 * 空", ViewName.JOINED, "天空"),
        ("a c4lm r1v3r", ViewName.LEET_I, "a calm river"),
        ("a ca1m 1ake", ViewName.LEET_L, "a calm lake"),
    ],
)
def test_a_disguise_is_taken_off_in_its_view(disguised: str, view: ViewName, plain: str) -> None:
    assert readings(disguised)[view] == plain


def test_a_found_stretch_points_into_the_text_as_it_was_sent() -> None:
    text = "see YSBjYWxtIGxha2UgYXQgZGF3bg== and ｃａｌｍ c\u200ba\u200bl\u200bm"
    folded = fold(View.of(text))

    decoded = folded.text.index("lake")
    wide = folded.text.index("calm", decoded)
    parted = folded.text.index("calm", wide + 1)

    span = folded.span(decoded, decoded + 4)
    assert text[span.start : span.end] == "YSBjYWxtIGxha2UgYXQgZGF3bg=="
    span = folded.span(wide, wide + 4)
    assert text[span.start : span.end] == "ｃａｌｍ"
    span = folded.span(parted, parted + 4)
    assert text[span.start : span.end] == "c\u200ba\u200bl\u200bm"


def test_letters_brought_together_are_known_to_have_no_sure_boundaries() -> None:
    joined = join(View.of("so c a l m here"))

    assert joined.text == "so calm here"
    assert [c for c, glued in zip(joined.text, joined.glued, strict=True) if glued] == list("calm")


def test_the_model_s_text_is_a_view_whose_stretches_point_into_the_raw_text() -> None:
    raw, seen = "a  calm &amp; wide lake", "a calm & wide lake"

    view = next(v for v in views(raw, as_model_sees=seen) if v.name is ViewName.MODEL)

    at = seen.index("lake")
    span = view.span(at, at + 4)
    assert raw[span.start : span.end] == "lake"
    span = view.span(seen.index("&"), seen.index("&") + 1)
    assert "&amp;" in raw[span.start : span.end]


def test_a_text_too_long_to_be_read_in_full_is_refused_rather_than_cut() -> None:
    with pytest.raises(InputUnexaminable, match="20001 characters, at most 20000"):
        views("a" * (MAX_CHARACTERS + 1), as_model_sees="a")


def test_long_hostile_texts_are_read_in_little_time() -> None:
    for text in ("a " * 9999, "&amp;" * 3999, "&#38;" * 3999, "a1" * 9999, "\u0301" * 19999):
        views(text, as_model_sees=text)
    views("x" * 20000, as_model_sees="=" * 20000)
