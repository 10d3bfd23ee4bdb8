"""A word list: phrases and combinations of words, each with a weight, per category.

It is the classifier that always runs: no weights, no network, a millisecond. It knows only words,
so it misses what is said without them; the measured rates stand in docs/model-card-gates.md.

The list is `lexicon.toml`. A rule holds a category, a weight, and either `terms` (any one of them)
or `all` (one of each list, within `within` characters of each other). Different hits of one
category add up as independent evidence: a strong one blocks alone, weak ones only together.
"""

import hashlib
import itertools
import math
import tomllib
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from safety.categories import Category
from safety.classifiers import Scored
from safety.errors import ClassifierUnavailable
from safety.normalize import View
from safety.terms import Hit, TermIndex, read, uncovered

DEFAULT_WITHIN = 60  # characters, about ten words: what one clause of a prompt spans
PLACES = 6  # scores are rounded to millionths, as records hold them


def open_classifier(*, threads: int) -> "Lexicon":
    """Return the word list of the package. It needs one thread, whatever is allowed.

    Raises:
        ClassifierUnavailable: the file is missing or damaged.
    """
    del threads
    try:
        content = (resources.files("safety.classifiers") / "lexicon.toml").read_bytes()
    except OSError as error:
        raise ClassifierUnavailable(
            f"the word list cannot be read: {error.strerror}; reinstall countermark"
        ) from error
    return Lexicon(content)


@dataclass(frozen=True, slots=True)
class _Rule:
    """`parts` are sets of terms; each must occur, within `within` characters of the others."""

    category: Category
    weight: float
    parts: tuple[frozenset[str], ...]
    within: int


class Lexicon:
    """The word list.

    Args:
        content: the bytes of a file like `lexicon.toml`; its SHA-256 is the digest.

    Raises:
        ClassifierUnavailable: the content is not a word list.
    """

    name = "lexicon"

    def __init__(self, content: bytes) -> None:
        self.digest = hashlib.sha256(content).hexdigest()
        try:
            table = tomllib.loads(content.decode())
            self._rules = [_read_rule(rule, table["groups"]) for rule in table["rules"]]
            self._innocent = {
                Category(name): frozenset(phrases) for name, phrases in table["innocent"].items()
            }
            # One index for all lists: each view is searched once, however many rules there are.
            terms = itertools.chain(
                *(part for rule in self._rules for part in rule.parts), *self._innocent.values()
            )
            self._index = TermIndex(sorted(set(terms)))
        except (ValueError, TypeError, KeyError) as error:
            raise ClassifierUnavailable(
                f"the word list is damaged ({error}); reinstall countermark"
            ) from error
        self.categories = frozenset(rule.category for rule in self._rules)

    def score(self, views: Sequence[View]) -> Sequence[Scored]:
        """Return the worst score over the views for each category, with the strongest hit."""
        best = {category: Scored(category, 0.0) for category in self.categories}
        for view in views:
            for scored in self._score_view(view):
                if scored.score > best[scored.category].score:
                    best[scored.category] = scored
        return list(best.values())

    def _score_view(self, view: View) -> Iterable[Scored]:
        hits = self._index.find(read(view))
        if not hits:
            return
        for category in self.categories:
            innocent = self._innocent.get(category, frozenset())
            suspect = uncovered(hits, [hit for hit in hits if hit.term in innocent])
            evidence = self._evidence(category, suspect)
            if evidence:
                doubt = math.prod(1 - weight for weight, _, _ in evidence)
                _, start, end = max(evidence, key=lambda one: one[0])
                yield Scored(category, round(1 - doubt, PLACES), view.span(start, end))

    def _evidence(self, category: Category, hits: Sequence[Hit]) -> list[tuple[float, int, int]]:
        """Return weight and place of what the rules see; a repeated word counts once."""
        evidence = []
        for rule in self._rules:
            if rule.category is not category:
                continue
            if len(rule.parts) == 1:
                first = {hit.term: hit for hit in reversed(hits) if hit.term in rule.parts[0]}
                evidence += [(rule.weight, hit.start, hit.end) for hit in first.values()]
            elif (stretch := _together(rule, hits)) is not None:
                evidence.append((rule.weight, *stretch))
        return evidence


def _together(rule: _Rule, hits: Sequence[Hit]) -> tuple[int, int] | None:
    """Return the first stretch that holds one term of each part, none of them overlapping."""
    first, *others = ([hit for hit in hits if hit.term in part] for part in rule.parts)
    starts = [[hit.start for hit in part] for part in others]
    for anchor in first:
        low, high = anchor.end - rule.within, anchor.start + rule.within
        near = [
            part[bisect_left(at, low) : bisect_left(at, high)]
            for part, at in zip(others, starts, strict=True)
        ]
        for chosen in itertools.product([anchor], *near):
            ordered = sorted(chosen, key=lambda hit: hit.start)
            start, end = ordered[0].start, max(hit.end for hit in ordered)
            apart = all(one.end <= two.start for one, two in itertools.pairwise(ordered))
            if apart and end - start <= rule.within:
                return start, end
    return None


def _read_rule(rule: Mapping[str, object], groups: Mapping[str, Sequence[str]]) -> _Rule:
    parts = rule["all"] if "all" in rule else [rule["terms"]]
    weight, within = rule["weight"], rule.get("within", DEFAULT_WITHIN)
    if not (isinstance(parts, list) and isinstance(weight, float) and isinstance(within, int)):
        raise TypeError(f"expected terms, a weight like 0.5 and whole characters, got {rule}")
    return _Rule(
        category=Category(str(rule["category"])),
        weight=weight,
        parts=tuple(frozenset(_spelled_out(part, groups)) for part in parts),
        within=within,
    )


def _spelled_out(terms: Iterable[str], groups: Mapping[str, Sequence[str]]) -> list[str]:
    """Put the words of a group where `@group` stands."""
    words: list[str] = []
    for term in terms:
        words += groups[term[1:]] if term.startswith("@") else [term]
    return words
