"""The rule that no policy can lift: words for a minor and sexual words do not go together.

It is a rule of words, not of scores, and it does not ask what the writer meant: the two kinds of
words in one prompt are enough, however far apart and in whatever disguise `safety.normalize`
undoes. `girl` and `boy`, which are also said of adults, count only beside explicit words. An age
below eighteen counts as a word for a minor (`safety.ages`).

The words are in `minors.toml` and `ages.toml`; the SHA-256 over both is the rule's digest.
"""

import hashlib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources

from safety.ages import Ages
from safety.categories import Category
from safety.classifiers import Scored
from safety.normalize import View
from safety.terms import Hit, ReadView, TermIndex, read, uncovered


class MinorsRule:
    """Finds a word for a minor and a sexual word in the same reading of a text.

    Args:
        words: lists of terms: `minor`, `maybe_minor`, `sexual` (explicit and not), `explicit`, and
            `innocent`, phrases that take their words out.
        ages: finds ages below eighteen.
        digest: SHA-256 of the files that all these words came from, hex.
    """

    name = "minors_rule"
    categories = frozenset({Category.CHILD_SEXUAL_EXPLOITATION})

    def __init__(self, words: Mapping[str, Iterable[str]], ages: Ages, *, digest: str) -> None:
        explicit = tuple(words["explicit"])
        self.digest = digest
        self._ages = ages
        self._minor = TermIndex(words["minor"])
        self._maybe_minor = TermIndex(words["maybe_minor"])
        self._sexual = TermIndex((*words["sexual"], *explicit))
        self._explicit = TermIndex(explicit)
        self._innocent = TermIndex(words["innocent"])

    @classmethod
    def shipped(cls) -> "MinorsRule":
        """Return the rule with the words of the package."""
        folder = resources.files("safety")
        words, ages = (folder / "minors.toml").read_bytes(), (folder / "ages.toml").read_bytes()
        return cls(
            tomllib.loads(words.decode()),
            Ages(tomllib.loads(ages.decode())),
            digest=hashlib.sha256(words + ages).hexdigest(),
        )

    def score(self, views: Sequence[View]) -> Sequence[Scored]:
        """Return 1 with the place of the sexual word, or 0."""
        for view in views:
            text = read(view)
            sexual = self._find(self._sexual, text)
            if not sexual:
                continue
            explicit = self._find(self._explicit, text)
            if self._find(self._minor, text) or self._ages.names_a_minor(view.text):
                return [self._found(view, sexual[0])]
            if explicit and self._find(self._maybe_minor, text):
                return [self._found(view, explicit[0])]
        return [Scored(Category.CHILD_SEXUAL_EXPLOITATION, 0.0)]

    def speaks_of_a_minor(self, views: Sequence[View]) -> bool:
        """Tell whether any view holds a word for a minor, `girl` and `boy` included."""
        indexes = (self._minor, self._maybe_minor)
        return any(
            self._ages.names_a_minor(view.text)
            or any(self._find(one, read(view)) for one in indexes)
            for view in views
        )

    def speaks_of_sex(self, views: Sequence[View]) -> bool:
        """Tell whether any view holds a sexual word."""
        return any(self._find(self._sexual, read(view)) for view in views)

    def _find(self, index: TermIndex, text: ReadView) -> list[Hit]:
        return uncovered(index.find(text), self._innocent.find(text))

    def _found(self, view: View, hit: Hit) -> Scored:
        return Scored(Category.CHILD_SEXUAL_EXPLOITATION, 1.0, view.span(hit.start, hit.end))
