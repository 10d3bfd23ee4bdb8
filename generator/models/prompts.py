"""The text that a Wan pipeline really reads.

WanPipeline repairs the text (ftfy), unescapes HTML twice, squeezes white space and cuts at a number
of tokens, all without a word. The safety gate has to see what the model sees, so the same cleaning
is done here, repeated until nothing changes: a text that went through `PromptReader.read` comes out
of the pipeline's own cleaning as it went in.
"""

import html
import re
from pathlib import Path

import ftfy
from tokenizers import Encoding, Tokenizer

from generator.errors import ModelUnavailable, RequestInvalid
from generator.models import PromptReading

MAX_ROUNDS = 16  # each round undoes two layers of HTML escapes; nobody writes 32


def clean(text: str) -> str:
    """Return the text as WanPipeline cleans it, cleaned again until it stays the same.

    Raises:
        RequestInvalid: it does not settle, which only text made for that purpose does.
    """
    for _ in range(MAX_ROUNDS):
        cleaned = _clean_once(text)
        if cleaned == text:
            return text
        text = cleaned
    raise RequestInvalid(
        f"the prompt still changes after {MAX_ROUNDS} rounds of unescaping; write it as plain text"
    )


class PromptReader:
    """Reads prompts with a pipeline's own tokenizer, without torch."""

    def __init__(self, tokenizer: Tokenizer, *, max_tokens: int) -> None:
        self._tokenizer, self._max_tokens = tokenizer, max_tokens
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._unknown = tokenizer.token_to_id("<unk>")

    @classmethod
    def open(cls, folder: Path, *, max_tokens: int) -> "PromptReader":
        """Open the tokenizer of a verified pipeline folder.

        Raises:
            ModelUnavailable: there is none, or it cannot be read.
        """
        path = folder / "tokenizer" / "tokenizer.json"
        if not path.is_file():
            raise ModelUnavailable(
                f"the model folder has no tokenizer/tokenizer.json; download all of {folder.name}"
            )
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # tokenizers raises bare Exception
            raise ModelUnavailable(
                f"tokenizer/tokenizer.json cannot be read ({error}); download it again"
            ) from error
        return cls(tokenizer, max_tokens=max_tokens)

    def read(self, text: str) -> PromptReading:
        """Return the prompt as the model will see it.

        Raises:
            RequestInvalid: the text does not settle under cleaning.
        """
        kept, truncated = clean(text), False
        encoding = self._tokenizer.encode(kept)
        while len(encoding.ids) > self._max_tokens:
            kept, truncated = clean(self._head(kept, encoding)), True
            encoding = self._tokenizer.encode(kept)
        return PromptReading(
            kept, len(encoding.ids), truncated, self._unknown_words(kept, encoding)
        )

    def _head(self, text: str, encoding: Encoding) -> str:
        """Return what the first tokens cover, always less than the whole text."""
        special = sum(encoding.special_tokens_mask)
        last = self._max_tokens - special - 1
        end = encoding.offsets[last][1] if last >= 0 else 0
        return text[: min(end, len(text) - 1)]

    def _unknown_words(self, text: str, encoding: Encoding) -> tuple[str, ...]:
        spans = zip(encoding.ids, encoding.offsets, strict=True)
        unknown = [text[start:end] for number, (start, end) in spans if number == self._unknown]
        words = [word for word in unknown if any(letter.isalnum() for letter in word)]
        return tuple(dict.fromkeys(words))


def _clean_once(text: str) -> str:
    """Do what diffusers' `prompt_clean` does (pipelines/wan/pipeline_wan.py, 0.42)."""
    text = html.unescape(html.unescape(ftfy.fix_text(text)))
    return re.sub(r"\s+", " ", text.strip()).strip()
