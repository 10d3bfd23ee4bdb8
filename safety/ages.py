"""Finds ages below eighteen in a text, in digits or in words, however they are punctuated.

`15-year-old`, `15 y.o.`, `age: 15`, `fifteen years of age`, `she is fifteen.`, `a woman, 15,`,
`15 ans`, `fünfzehnjährig`, and in Chinese. A number counts only with a unit or a person beside it,
two words away at most: `15 years later`, `15 people`, `a 15 second clip` are no ages. Numbers are
read as a whole: `twenty-five years old` holds no five, `soixante-quinze ans` no fifteen.

The words are in `ages.toml`, by language; its head says what each list is for. What is spelled with
digits for letters, or spaced out, is read in the views that undo it (`safety.normalize`).
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from safety.terms import plain

ADULT_AGE = 18
MOST_BETWEEN = 2  # words between a number and its unit, or between "age" and its number
YOUNGEST_LINKED = 2  # "she is one of them", "one with the water"
YOUNGEST_APPOSED = 5  # "a man, 2, …" numbers the parts of a script
_LARGE = 1000  # stands for every number that is nobody's age below eighteen
# Some prompts come cut into pieces, digit by digit: "2 0 - year - old".
_WORD = re.compile(r"(?<!\d)\d(?: \d)+(?!\d)|\d+(?:[.,]\d+)*|[^\W\d_]+")
_STOP = re.compile(r"[,.;:!?)\]}…\n，。；：！？）、]")  # noqa: RUF001 - Chinese marks are meant
_APPOSED = re.compile(r"[,;:(\[/–-]")  # noqa: RUF001 - the dash that people type for a pause
_HAN_COUNT = r"\d{1,3}|[零一二两三四五六七八九十百]{1,5}"
_HAN_AGE = re.compile(
    rf"(?<![\d零一二两三四五六七八九十百千万几])(?:(?P<count>{_HAN_COUNT})[\W_]{{0,3}}[周多]?[岁歲]"
    rf"|(?P<teens>十几[岁歲]))|年[龄齡][\W_]{{0,3}}[是为約约]?[\W_]{{0,3}}(?P<named>{_HAN_COUNT})"
)
_HAN_DIGITS = dict(zip("零一二三四五六七八九两", (*range(10), 2), strict=True))


@dataclass(frozen=True, slots=True)
class _Word:
    """One word or one number in digits, in plain letters, with its place in the text."""

    letters: str
    start: int
    end: int


_Phrase = tuple[tuple[str, bool], ...]  # its words, and whether each may have any ending


@dataclass(frozen=True, slots=True)
class _Number:
    """A whole number: the words `first` to `last`, and what they are worth."""

    first: int
    last: int
    value: int


class Ages:
    """Finds ages below eighteen.

    Args:
        languages: lists of words by language, as `ages.toml` holds them.
    """

    def __init__(self, languages: Mapping[str, Mapping[str, object]]) -> None:
        eras = [_Terms(lists["era"]) for lists in languages.values()]
        self._languages = tuple(_Language(lists, eras) for lists in languages.values())

    def names_a_minor(self, text: str) -> bool:
        """Tell whether the text names an age below eighteen."""
        if _has_han_age(text):
            return True
        words = [_Word(plain(found.group()), *found.span()) for found in _WORD.finditer(text)]
        return any(language.names_a_minor(text, words) for language in self._languages)


class _Terms:
    """A few phrases, matched word by word; `*` stands for any ending."""

    def __init__(self, phrases: object) -> None:
        if not isinstance(phrases, list):
            raise TypeError(f"expected a list of phrases, got {phrases!r}")
        parsed = [
            tuple((plain(word.rstrip("*")), word.endswith("*")) for word in phrase.split())
            for phrase in phrases
        ]
        parsed.sort(key=len, reverse=True)  # "dix sept" is found before "dix"
        self._sizes = sorted({len(phrase) for phrase in parsed})
        self._stems = [phrase for phrase in parsed if phrase[0][1]]
        self._whole: dict[str, list[_Phrase]] = defaultdict(list)  # by their first word
        for phrase in parsed:
            if not phrase[0][1]:
                self._whole[phrase[0][0]].append(phrase)

    def at(self, words: Sequence[_Word], index: int) -> int:
        """Return how many words a phrase takes that begins at this word; 0 for none."""
        if not 0 <= index < len(words):
            return 0
        for phrase in (*self._whole.get(words[index].letters, ()), *self._stems):
            there = words[index : index + len(phrase)]
            if len(there) == len(phrase) and all(map(_matches, phrase, there)):
                return len(phrase)
        return 0

    def before(self, words: Sequence[_Word], index: int) -> bool:
        """Tell whether a phrase ends right before this word."""
        return any(self.at(words, index - size) == size for size in self._sizes)

    def within(self, words: Sequence[_Word], index: int) -> bool:
        """Tell whether a phrase covers this word."""
        longest = max(self._sizes, default=0)
        return any(self.at(words, index - back) > back for back in range(longest))


class _Language:
    """The ways of one language to name an age."""

    def __init__(self, lists: Mapping[str, object], eras: Sequence[_Terms]) -> None:
        numbers = lists["numbers"]
        if not isinstance(numbers, list):
            raise TypeError(f"expected a list of numbers, got {numbers!r}")
        self._values = {plain(number): value for value, number in enumerate(numbers, start=1)}
        self._numbers = _Terms(numbers)
        self._word_sizes = sorted({len(number) for number in self._values})
        self._large = _Terms(lists["large"])
        self._inside = _Terms(lists["inside"])
        self._between = _Terms(lists["between"])
        self._year = _Terms(lists["year"])
        self._old = _Terms(lists["old"])
        self._whole = _Terms(lists["whole"])
        self._is_age_bare = lists["bare"] is True
        self._time_before = _Terms(lists["time_before"])
        self._time_after = _Terms(lists["time_after"])
        self._age = _Terms(lists["age"])
        self._eras = eras
        self._pronoun = _Terms(lists["pronoun"])
        self._person = _Terms(lists["person"])
        self._link = _Terms(lists["link"])
        self._follow = _Terms(lists["follow"])

    def names_a_minor(self, text: str, words: Sequence[_Word]) -> bool:
        """Tell whether the words name an age below eighteen in this language."""
        if any(self._is_one_word(words, index) for index in range(len(words))):
            return True
        numbers = list(self._read_numbers(words))
        taken = {index for one in numbers for index in range(one.first, one.last + 1)}
        return any(
            self._has_unit(words, number, taken)
            or self._follows_age(words, number, taken)
            or self._stands_by_a_person(text, words, number)
            for number in numbers
            if number.value < ADULT_AGE
        )

    def _is_one_word(self, words: Sequence[_Word], index: int) -> bool:
        """Tell whether number and unit are one word: fünfzehnjährige, fifteenyearold."""
        word = words[index]
        for size in self._word_sizes:
            value = self._values.get(word.letters[:size], _LARGE)
            rest = [_Word(word.letters[size:], word.start + size, word.end)]
            if value < ADULT_AGE and self._whole.at(rest, 0):
                return True
        return False

    def _read_numbers(self, words: Sequence[_Word]) -> Iterator[_Number]:
        """Find the numbers; several words that make one number are read as one."""
        index = 0
        while index < len(words):
            first = index
            if size := self._large.at(words, index) or self._before_large(words, index):
                index += size
                while size := self._continues(words, index):
                    index += size
                yield _Number(first, index - 1, _LARGE)
            elif size := self._numbers.at(words, index):
                index += size
                said = " ".join(word.letters for word in words[first:index])
                yield _Number(first, index - 1, self._values[said])
            else:
                if words[index].letters[0].isdecimal():
                    yield _Number(index, index, _value_of(words[index].letters))
                index += 1

    def _before_large(self, words: Sequence[_Word], index: int) -> int:
        """Return the words of a number that a large one follows: quatre vingt, two hundred."""
        size = self._numbers.at(words, index)
        return size if size and self._large.at(words, index + size) else 0

    def _continues(self, words: Sequence[_Word], index: int) -> int:
        """Return how many words more belong to the number: vingt *et un*, twenty *five*."""
        skipped = self._inside.at(words, index)
        more = self._large.at(words, index + skipped) or self._numbers.at(words, index + skipped)
        return skipped + more if more else 0

    def _has_unit(self, words: Sequence[_Word], number: _Number, taken: Collection[int]) -> bool:
        """Tell whether a unit of age follows: 15 years old, 15yo, 15 or 16 years of age, 15 ans."""
        for index in range(number.last + 1, number.last + MOST_BETWEEN + 2):
            gap = range(number.last + 1, index)
            if any(i in taken and not self._between.before(words, i) for i in gap):
                return False
            shared = all(i in taken or self._between.at(words, i) for i in gap)
            if shared and self._whole.at(words, index):
                return True
            size = self._year.at(words, index)
            if size and self._old.at(words, index + size):
                return True
            if size and shared and self._is_age_bare:
                is_time = self._time_before.before(words, number.first)
                return not is_time and not self._time_after.at(words, index + size)
        return False

    def _follows_age(self, words: Sequence[_Word], number: _Number, taken: Collection[int]) -> bool:
        """Tell whether the number is called an age: age 15, aged fifteen, at the age of 15."""
        is_article = number.value == 1 and not words[number.first].letters.isdecimal()  # un, ein
        if is_article or _is_glued(words, number):
            return False
        for index in range(number.first - 1, number.first - MOST_BETWEEN - 2, -1):
            if index < 0 or index in taken:
                return False
            if self._age.at(words, index):
                return not any(era.within(words, index) for era in self._eras)
        return False

    def _stands_by_a_person(self, text: str, words: Sequence[_Word], number: _Number) -> bool:
        """Tell whether the number stands by a person and counts nothing: she is 15. a girl, 15,."""
        before = number.first - 1
        while self._link.at(words, before):
            before -= 1
        is_person = self._person.at(words, before) > 0
        if before < number.first - 1:
            is_whose = is_person or self._pronoun.at(words, before) > 0
            youngest = YOUNGEST_LINKED
        else:
            is_whose = is_person and _is_apposed(text, words[before], words[number.first])
            youngest = YOUNGEST_APPOSED
        is_age = is_whose and number.value >= youngest
        return is_age and self._counts_nothing(text, words, number)

    def _counts_nothing(self, text: str, words: Sequence[_Word], number: _Number) -> bool:
        """Tell whether the sentence stops after the number, or after it and "years"."""
        after = number.last + 1
        years = self._year.at(words, after)
        after += years
        if not years and _is_glued(words, number):
            return False
        if after >= len(words) or _STOP.search(text, words[after - 1].end, words[after].start):
            return True
        return not years and self._follow.at(words, after) > 0


def _is_apposed(text: str, word: _Word, number: _Word) -> bool:
    return _APPOSED.search(text, word.end, number.start) is not None


def _matches(wanted: tuple[str, bool], word: _Word) -> bool:
    letters, is_stem = wanted
    return word.letters.startswith(letters) if is_stem else word.letters == letters


def _is_glued(words: Sequence[_Word], number: _Number) -> bool:
    """Tell whether letters follow without a gap: 15th, 3d."""
    after = number.last + 1
    return after < len(words) and words[after].start == words[number.last].end


def _value_of(digits: str) -> int:
    """Return the whole years: 15 of 15.5; 1,015 and 15.12.2026 are nobody's age."""
    whole, _, rest = digits.replace(" ", "").replace(",", ".").partition(".")
    whole = whole.lstrip("0")
    return _LARGE if len(whole) > 3 or len(rest) > 2 else int(whole or "0")


def _has_han_age(text: str) -> bool:
    """Tell whether a Chinese age below eighteen stands in the text."""
    if text.isascii():
        return False
    for found in _HAN_AGE.finditer(text):
        if found["teens"] or _han_value(found["count"] or found["named"]) < ADULT_AGE:
            return True
    return False


def _han_value(number: str) -> int:
    """Return what a number of Chinese characters or digits is worth: 十五 is 15, 一百 large."""
    if number.isdecimal():
        return int(number)
    if "百" in number:
        return _LARGE
    tens, ten, ones = number.rpartition("十")
    if not ten:
        return int("".join(str(_HAN_DIGITS[digit]) for digit in number))
    return 10 * _han_value(tens or "一") + _han_value(ones or "零")
