"""The rule that no policy can lift: words for a minor and sexual words do not go together.

It is a rule of words, not of scores, and it does not ask what the writer meant: the two kinds of
words in one prompt are enough, however far apart and in whatever disguise `safety.normalize`
undoes. `girl` and `boy`, which are also said of adults, count only beside explicit words.

The words are in `minors.toml`; its SHA-256 is the rule's digest.
"""

import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources

from safety.categories import Category
from safety.classifiers import Scored
from safety.normalize import View
from safety.terms import Hit, ReadView, TermIndex, read, uncovered

ADULT_AGE = 18
# An age in digits: "15 years old", "15-year-old", "15yo", "15 y/o", "aged 15", "15岁", "15 años".
_AGE = re.compile(
    r"(?<!\d)(\d{1,2})[\s-]*(?:(?:years?|yrs?)[\s-]*old|y\s?/?\s?o\b|岁|años|jahre\s+alt|ans\b)"
    r"|\bage[d]?\s+(\d{1,2})(?!\d)",
    re.IGNORECASE,
)
_YEARS = (
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
)


class MinorsRule:
    """Finds a word for a minor and a sexual word in the same reading of a text.

    Args:
        words: lists of terms: `minor`, `maybe_minor`, `sexual` (explicit and not), `explicit`, and
            `innocent`, phrases that take their words out.
        digest: SHA-256 of the file that they came from, hex.
    """

    name = "minors_rule"
    categories = frozenset({Category.CHILD_SEXUAL_EXPLOITATION})

    def __init__(self, words: Mapping[str, Iterable[str]], *, digest: str) -> None:
        explicit = tuple(words["explicit"])
        self.digest = digest
        self._minor = TermIndex(words["minor"])
        self._maybe_minor = TermIndex(words["maybe_minor"])
        self._sexual = TermIndex((*words["sexual"], *explicit))
        self._explicit = TermIndex(explicit)
        self._innocent = TermIndex(words["innocent"])

    @classmethod
    def shipped(cls) -> "MinorsRule":
        """Return the rule with the words of the package."""
        content = (resources.files("safety") / "minors.toml").read_bytes()
        words: dict[str, list[str]] = tomllib.loads(content.decode())
        words["minor"] = [*words["minor"], *(f"{age} year* old*" for age in _YEARS)]
        return cls(words, digest=hashlib.sha256(content).hexdigest())

    def score(self, views: Sequence[View]) -> Sequence[Scored]:
        """Return 1 with the place of the sexual word, or 0."""
        for view in views:
            text = read(view)
            sexual = self._find(self._sexual, text)
            if not sexual:
                continue
            explicit = self._find(self._explicit, text)
            if self._find(self._minor, text) or _names_a_minor_age(view.text):
                return [self._found(view, sexual[0])]
            if explicit and self._find(self._maybe_minor, text):
                return [self._found(view, explicit[0])]
        return [Scored(Category.CHILD_SEXUAL_EXPLOITATION, 0.0)]

    def speaks_of_a_minor(self, views: Sequence[View]) -> bool:
        """Tell whether any view holds a word for a minor, `girl` and `boy` included."""
        indexes = (self._minor, self._maybe_minor)
        return any(
            _names_a_minor_age(view.text) or any(self._find(one, read(view)) for one in indexes)
            for view in views
        )

    def speaks_of_sex(self, views: Sequence[View]) -> bool:
        """Tell whether any view holds a sexual word."""
        return any(self._find(self._sexual, read(view)) for view in views)

    def _find(self, index: TermIndex, text: ReadView) -> list[Hit]:
        return uncovered(index.find(text), self._innocent.find(text))

    def _found(self, view: View, hit: Hit) -> Scored:
        return Scored(Category.CHILD_SEXUAL_EXPLOITATION, 1.0, view.span(hit.start, hit.end))


def _names_a_minor_age(text: str) -> bool:
    ages = (found.group(1) or found.group(2) for found in _AGE.finditer(text))
    return any(int(age) < ADULT_AGE for age in ages)
