"""Finding terms in views: whole words, stems, phrases, Chinese, spaced letters."""

import pytest

from safety.normalize import View, join
from safety.terms import Hit, TermIndex, plain, read, uncovered


def found(terms: list[str], text: str) -> list[str]:
    return [hit.term for hit in TermIndex(terms).find(read(View.of(text)))]


def found_in_spaced_letters(terms: list[str], text: str) -> list[str]:
    return [hit.term for hit in TermIndex(terms).find(read(join(View.of(text))))]


def test_a_term_is_found_as_a_whole_word_only() -> None:
    assert found(["lake"], "A LAKE, two lakes, a flake and a lake-side") == ["lake", "lake"]


def test_a_stem_is_found_with_any_ending() -> None:
    assert found(["lak*"], "lake lakes laks slake") == ["lak*", "lak*", "lak*"]


def test_a_phrase_is_found_across_spaces_hyphens_and_line_ends() -> None:
    assert (
        found(["calm lak*"], "calm lake calm-lakes calm\nlake calm big lake") == ["calm lak*"] * 3
    )


def test_accents_and_case_do_not_hide_a_term() -> None:
    assert found(["été"], "ETE été Été") == ["été"] * 3
    assert plain("STRASSE") == plain("Straße")


def test_a_chinese_term_is_found_without_spaces() -> None:
    assert found(["平静的湖"], "黎明时分平静的湖面") == ["平静的湖"]


def test_spaced_letters_without_word_gaps_are_searched_inside() -> None:
    assert found_in_spaced_letters(["ocean"], "c a l m o c e a n s") == ["ocean"]


def test_short_terms_are_not_searched_inside_spaced_letters() -> None:
    assert found_in_spaced_letters(["lake"], "c a l m l a k e s") == []


def test_hits_inside_an_innocent_phrase_are_dropped_and_others_kept() -> None:
    hits = [Hit("calm", 0, 4), Hit("calm", 20, 24), Hit("lake", 30, 34)]

    kept = uncovered(hits, [Hit("calm sea", 20, 28), Hit("big lak", 26, 33)])

    assert kept == [Hit("calm", 0, 4), Hit("lake", 30, 34)]


def test_a_term_with_signs_is_refused_when_the_list_is_read() -> None:
    with pytest.raises(ValueError, match="expected words of letters and digits"):
        TermIndex(["don't"])
