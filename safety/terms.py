"""Finds words and phrases in the views of a text. Used by the word list and the built-in rules.

A term is one or more words. `*` at the end of a word stands for any ending: `slit* throat*`. Words
are compared without case and accents, and only as whole words, so that a term inside a longer word
is not found. Chinese has no spaces: a term that holds a Chinese character is found anywhere. Inside
a stretch that was brought together from spaced letters, word boundaries are unknown, and a term of
five letters or more is found anywhere too.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from safety.disguises import is_han, script
from safety.normalize import View

_TOKEN = re.compile(r"[^\W_]+")
_MIN_GLUED = 5  # letters; with four, every fortieth harmless prompt in spaced letters was stopped


@dataclass(frozen=True, slots=True)
class Hit:
    """One occurrence of a term in a view.

    Attributes:
        term: as it stands in the list.
        start: first character in the view's text.
        end: one past the last.
    """

    term: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a view, in plain letters, with its place in the view's text."""

    word: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ReadView:
    """A view cut into words once, so that several lists can search it.

    Attributes:
        view: the view.
        tokens: its words in order.
    """

    view: View
    tokens: tuple[Token, ...]

    @property
    def glued_stretches(self) -> list[tuple[int, int]]:
        """Where spaced letters were brought together: start and end in the view's text."""
        flags = self.view.glued
        edges = [i for i in range(len(flags) + 1) if _at(flags, i) != _at(flags, i - 1)]
        return list(zip(edges[::2], edges[1::2], strict=True))


def read(view: View) -> ReadView:
    """Cut a view into words."""
    return ReadView(
        view,
        tuple(Token(plain(found.group()), *found.span()) for found in _TOKEN.finditer(view.text)),
    )


def plain(word: str) -> str:
    """Return a word without case, and without accents on Latin letters."""
    if word.isascii():
        return word.lower()
    letters = []
    for letter in unicodedata.normalize("NFC", word).casefold():
        base = unicodedata.normalize("NFD", letter)[0]
        letters.append(base if script(base) == "LATIN" else letter)
    return "".join(letters)


class TermIndex:
    """A list of terms, arranged for search: the cost grows with the text, not with the list."""

    def __init__(self, terms: Iterable[str]) -> None:
        self._whole: dict[str, list[_Phrase]] = defaultdict(list)
        self._stems: dict[str, list[_Phrase]] = defaultdict(list)
        self._anywhere: list[str] = []
        self._glued: list[tuple[str, str]] = []
        for term in dict.fromkeys(terms):
            self._add(term)
        self._stem_sizes = sorted({len(stem) for stem in self._stems})

    def find(self, text: ReadView) -> list[Hit]:
        """Return the occurrences in a view, ordered by place."""
        hits = [
            hit for index in range(len(text.tokens)) for hit in self._hits_at(text.tokens, index)
        ]
        hits += self._find_anywhere(text.view.text)
        for start, end in text.glued_stretches:
            hits += self._find_glued(text.view.text, start, end)
        return sorted(set(hits), key=lambda hit: (hit.start, hit.end, hit.term))

    def _add(self, term: str) -> None:
        if any(is_han(character) for character in term):
            self._anywhere.append(term)
            return
        words = tuple(_Word(plain(word.rstrip("*")), word.endswith("*")) for word in term.split())
        if not words or not all(_TOKEN.fullmatch(word.letters) for word in words):
            raise ValueError(
                f"expected words of letters and digits, each maybe with *, got {term!r}"
            )
        first = words[0]
        (self._stems if first.is_stem else self._whole)[first.letters].append(_Phrase(term, words))
        letters = "".join(word.letters for word in words)
        if len(letters) >= _MIN_GLUED:
            self._glued.append((letters, term))

    def _hits_at(self, tokens: tuple[Token, ...], index: int) -> list[Hit]:
        word = tokens[index].word
        phrases = list(self._whole.get(word, ()))
        for size in self._stem_sizes:
            phrases += self._stems.get(word[:size], ()) if size <= len(word) else ()
        hits = []
        for phrase in phrases:
            last = index + len(phrase.words)
            rest = tokens[index:last]
            if len(rest) == len(phrase.words) and all(
                wanted.matches(token.word) for wanted, token in zip(phrase.words, rest, strict=True)
            ):
                hits.append(Hit(phrase.term, rest[0].start, rest[-1].end))
        return hits

    def _find_anywhere(self, text: str) -> list[Hit]:
        if not self._anywhere or text.isascii():
            return []
        return [
            Hit(term, at, at + len(term))
            for term in self._anywhere
            for at in _occurrences(term, text)
        ]

    def _find_glued(self, text: str, start: int, end: int) -> list[Hit]:
        # Case is folded letter by letter: `plain` could change the length and with it the places.
        letters = "".join(
            low if len(low := plain(letter)) == 1 else letter for letter in text[start:end]
        )
        return [
            Hit(term, start + at, start + at + len(wanted))
            for wanted, term in self._glued
            for at in _occurrences(wanted, letters)
        ]


def uncovered(hits: Iterable[Hit], innocent: Iterable[Hit]) -> list[Hit]:
    """Drop the hits that lie inside an innocent phrase: `naked` inside `naked eye`."""
    covers = sorted(innocent, key=lambda cover: cover.start)
    kept = []
    reach = next_cover = 0  # how far any cover that has begun goes
    for hit in sorted(hits, key=lambda hit: hit.start):
        while next_cover < len(covers) and covers[next_cover].start <= hit.start:
            reach = max(reach, covers[next_cover].end)
            next_cover += 1
        if hit.end > reach:
            kept.append(hit)
    return kept


@dataclass(frozen=True, slots=True)
class _Word:
    letters: str
    is_stem: bool

    def matches(self, word: str) -> bool:
        return word.startswith(self.letters) if self.is_stem else word == self.letters


@dataclass(frozen=True, slots=True)
class _Phrase:
    term: str
    words: tuple[_Word, ...]


def _at(flags: tuple[bool, ...], index: int) -> bool:
    return 0 <= index < len(flags) and flags[index]


def _occurrences(wanted: str, text: str) -> Iterator[int]:
    at = text.find(wanted)
    while at >= 0:
        yield at
        at = text.find(wanted, at + 1)
