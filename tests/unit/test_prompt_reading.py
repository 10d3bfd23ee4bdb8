"""What `read_prompt` says is what the pipeline reads, to the letter."""

from pathlib import Path

import pytest

from generator.errors import ModelUnavailable, RequestInvalid

pytest.importorskip("tokenizers", reason="needs the `generate` extra")

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from generator.models.prompts import PromptReader, clean

pytestmark = pytest.mark.generate


@pytest.fixture
def reader() -> PromptReader:
    words = ["<pad>", "</s>", "<unk>", "a", "red", "blue", "circle", "on", "<"]
    numbers = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(numbers, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    return PromptReader(tokenizer, max_tokens=5)


def test_a_plain_prompt_stays_as_it_is(reader: PromptReader) -> None:
    reading = reader.read("a red circle")

    assert (reading.text, reading.tokens, reading.truncated) == ("a red circle", 4, False)
    assert reading.unknown_words == ()


def test_html_and_white_space_are_undone_as_the_pipeline_does(reader: PromptReader) -> None:
    assert reader.read(" a\n red &amp;lt; ").text == "a red <"


@pytest.mark.parametrize("layers", [1, 2, 3, 5, 9])
def test_nested_escapes_cannot_hide_words_from_the_gate(reader: PromptReader, layers: int) -> None:
    text = "&lt;"
    for _ in range(layers):
        text = text.replace("&", "&amp;")

    assert reader.read(text).text == "<"


def test_text_that_never_settles_is_refused() -> None:
    with pytest.raises(RequestInvalid, match="plain text"):
        clean("<&" + "amp;" * 200 + "lt;")  # with a `<` in it, ftfy leaves escapes alone


def test_a_long_prompt_is_cut_where_the_model_stops_reading(reader: PromptReader) -> None:
    reading = reader.read("a red circle on blue a red circle")

    assert (reading.text, reading.tokens, reading.truncated) == ("a red circle on", 5, True)


@pytest.mark.parametrize(
    "text", ["", "a red", "x &amp; y", "a red circle on blue blue blue", "é " * 9]
)
def test_reading_twice_changes_nothing(reader: PromptReader, text: str) -> None:
    once = reader.read(text)

    again = reader.read(once.text)

    assert (again.text, again.tokens, again.truncated) == (once.text, once.tokens, False)


def test_unknown_words_are_named_once_and_as_typed(reader: PromptReader) -> None:
    assert reader.read("a Cat red Cat dog").unknown_words == ("Cat",)


def test_punctuation_is_no_unknown_word(reader: PromptReader) -> None:
    assert reader.read("a & dog ,").unknown_words == ("dog",)


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"tokenizer\.json"):
        PromptReader.open(tmp_path, max_tokens=8)


def test_a_broken_tokenizer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tokenizer").mkdir()
    (tmp_path / "tokenizer" / "tokenizer.json").write_text("{}")

    with pytest.raises(ModelUnavailable, match="cannot be read"):
        PromptReader.open(tmp_path, max_tokens=8)
