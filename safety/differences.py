"""What changes from one policy to another, and whether each change lets less or more through.

    for change in differences(Policy.load("default"), Policy.load("strict")):
        print(change.stage, change.key, change.before, change.after, change.way)

A change is `stricter` where no score gets a milder decision than before and some score a harder
one, `milder` the other way round, and `other` where it is both or neither. A classifier more is
stricter: its findings only add to those of the others.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from safety.categories import Category
from safety.policy import ALLOW, Policy, Rule, StagePolicy
from safety.verdict import Stage

NEVER = 2.0  # a threshold that no score reaches
ABSENT = "-"  # no classifier, or a category of which a policy says nothing


class Way(StrEnum):
    """Which way a change goes."""

    STRICTER = "stricter"
    MILDER = "milder"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Difference:
    """One key of the file that has another value.

    Attributes:
        stage: where it holds; None for what stands at the top of the file.
        key: a category, `classifiers`, `thresholds` with the name of one of them, or the name of a
            text at the top.
        before: the value in the old policy, in words.
        after: the value in the new one, in words.
        way: whether less or more is let through.
    """

    stage: Stage | None
    key: str
    before: str
    after: str
    way: Way

    def to_json(self) -> dict[str, str | None]:
        """Return plain values."""
        return {
            "stage": self.stage.value if self.stage else None,
            "key": self.key,
            "before": self.before,
            "after": self.after,
            "way": self.way.value,
        }


def differences(old: Policy, new: Policy) -> tuple[Difference, ...]:
    """Return every key whose meaning differs, in the order of the file."""
    return (*_texts(old, new), *(each for stage in Stage for each in _at(stage, old, new)))


def in_words(rule: Rule | None) -> str:
    """Return a rule as a person reads it: `review 0.5, block 0.9`, `allow`, or `-` for none."""
    if rule is None:
        return ABSENT
    told = [("review", rule.review), ("block", rule.block)]
    return ", ".join(f"{name} {value}" for name, value in told if value is not None) or ALLOW


def _texts(old: Policy, new: Policy) -> Iterator[Difference]:
    for key in ("name", "version", "description", "appeal"):
        before, after = getattr(old, key), getattr(new, key)
        if before != after:
            yield Difference(None, key, before, after, Way.OTHER)


def _at(stage: Stage, old: Policy, new: Policy) -> Iterator[Difference]:
    before, after = old.stages[stage], new.stages[stage]
    yield from _classifiers(stage, before, after)
    for name in dict.fromkeys((*before.thresholds, *after.thresholds)):
        own, others = before.thresholds.get(name), after.thresholds.get(name)
        if own != others:
            way = _way(before, after, [name], [c for c in before.rules if c in after.rules])
            yield Difference(stage, f"thresholds.{name}", in_words(own), in_words(others), way)
    names = ["", *dict.fromkeys((*before.thresholds, *after.thresholds))]  # "": without its own
    for category in Category:
        one, other = before.rules.get(category), after.rules.get(category)
        if one != other:
            known = one is not None and other is not None
            way = _way(before, after, names, [category]) if known else Way.OTHER
            yield Difference(stage, category.value, in_words(one), in_words(other), way)


def _classifiers(stage: Stage, before: StagePolicy, after: StagePolicy) -> Iterator[Difference]:
    old, new = set(before.classifiers), set(after.classifiers)
    if old == new:
        return  # their order decides nothing
    way = Way.STRICTER if old < new else Way.MILDER if new < old else Way.OTHER
    one, other = (", ".join(held.classifiers) or ABSENT for held in (before, after))
    yield Difference(stage, "classifiers", one, other, way)


def _way(
    before: StagePolicy, after: StagePolicy, names: Sequence[str], categories: Sequence[Category]
) -> Way:
    """Return which way decisions go on the scores that these classifiers give these categories."""
    steps = [
        new - old
        for name in names
        for category in categories
        for old, new in zip(
            _reach(before.rule(name, category)), _reach(after.rule(name, category)), strict=True
        )
    ]
    lower, higher = any(step < 0 for step in steps), any(step > 0 for step in steps)
    if lower == higher:
        return Way.OTHER
    return Way.STRICTER if lower else Way.MILDER


def _reach(rule: Rule) -> tuple[float, float]:
    """Return from which score on a rule stops a text or a frame, and from which it refuses it."""
    block = NEVER if rule.block is None else rule.block
    return min(block, NEVER if rule.review is None else rule.review), block
