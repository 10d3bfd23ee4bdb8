"""A policy: which classifiers each stage requires, and from which score it reviews or blocks.

A policy is one TOML file. Its exact bytes are what the log records and what every verdict names by
SHA-256, so a decision can be recomputed years later. The format is written down in docs/policy.md.

    policy = Policy.load("default")
    policy.stages[Stage.PROMPT].rules[Category.HATE].judge(0.93)
"""

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Self

from safety.categories import Category
from safety.errors import PolicyInvalid
from safety.verdict import Decision, Stage

FORMAT = 1  # of the file; a file of another format is refused, never guessed at
MAX_BYTES = 1 << 20  # a policy is read by people; a megabyte is not one
PROTECTED = Category.CHILD_SEXUAL_EXPLOITATION  # no policy makes it milder
ALLOW = "allow"  # in place of thresholds: looked at, and let through


@dataclass(frozen=True, slots=True)
class Rule:
    """The thresholds of one category at one stage, each above 0 and at most 1.

    Attributes:
        review: from this score on a person decides; None for never.
        block: from this score on the gate refuses; None for never.
    """

    review: float | None
    block: float | None

    def judge(self, score: float) -> tuple[Decision, float | None]:
        """Return the decision for a score, and the threshold that it reached.

        A higher score never gets a milder decision, because `review` is not above `block`.
        """
        if self.block is not None and score >= self.block:
            return Decision.BLOCK, self.block
        if self.review is not None and score >= self.review:
            return Decision.REVIEW, self.review
        return Decision.ALLOW, None


NEVER = Rule(review=None, block=None)


@dataclass(frozen=True, slots=True)
class StagePolicy:
    """What holds at one stage.

    Attributes:
        classifiers: names of those that must answer; a missing one closes the gate.
        rules: thresholds by category. The gate refuses to open when one of its classifiers reports
            a category that stands here not at all.
        thresholds: by classifier, those that its scores are held against in place of the
            category's; scores of different classifiers do not mean the same.
    """

    classifiers: tuple[str, ...]
    rules: Mapping[Category, Rule]
    thresholds: Mapping[str, Rule]

    def rule(self, classifier: str, category: Category) -> Rule:
        """Return what holds for the scores that one classifier gives one category.

        The category says which answers there are, the classifier's own thresholds say from which
        score on: `"allow"` stays allowed, and what is only reviewed is not blocked.
        """
        rule, own = self.rules[category], self.thresholds.get(classifier)
        if own is None or category is PROTECTED:
            return rule
        return Rule(
            review=None if rule.review is None else own.review,
            block=None if rule.block is None else own.block,
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the rules.

    Attributes:
        name: what people call it.
        version: of this text, chosen by its author.
        description: one sentence on whom it is for.
        appeal: one sentence for the asker on how to have a decision looked at again.
        stages: what holds at each of the four stages.
        text: the file, exactly.
    """

    name: str
    version: str
    description: str
    appeal: str
    stages: Mapping[Stage, StagePolicy]
    text: str

    @property
    def digest(self) -> str:
        """SHA-256 of the file's bytes, hex. It names the policy in verdicts and records."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @classmethod
    def load(cls, source: str | Path) -> Self:
        """Read a shipped policy by its name, or any policy by its path.

        A `str` that holds no `/` and does not end in `.toml` is the name of a shipped one.

        Raises:
            PolicyInvalid: there is no such policy, or it breaks a rule of the format.
        """
        if isinstance(source, str) and "/" not in source and not source.endswith(".toml"):
            content = _read_shipped(source)
        else:
            content = _read_file(Path(source))
        return cls.parse(content, source=str(source))

    @classmethod
    def parse(cls, content: bytes, *, source: str) -> Self:
        """Read a policy from the bytes of its file.

        Args:
            content: the file.
            source: what error messages call it.

        Raises:
            PolicyInvalid: with the path of the key, what was expected and what stands there.
        """
        try:
            text = content.decode()
            table = _Table(tomllib.loads(text), path="", source=source)
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise PolicyInvalid(f"{source} is not a TOML file in UTF-8: {error}") from error
        if (found := table.take("format")) != FORMAT:
            raise table.invalid("format", f"expected {FORMAT}, found {found!r}")
        policy = cls(
            name=table.take_text("name"),
            version=table.take_text("version"),
            description=table.take_text("description"),
            appeal=table.take_text("appeal"),
            stages=MappingProxyType(
                {stage: _read_stage(table.take_table(stage.value), stage) for stage in Stage}
            ),
            text=text,
        )
        table.refuse_the_rest()
        return policy


def shipped_policies() -> tuple[str, ...]:
    """Return the names of the policies that come with the package."""
    folder = resources.files("safety") / "policies"
    names = (entry.name for entry in folder.iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def _read_shipped(name: str) -> bytes:
    if name not in shipped_policies():
        raise PolicyInvalid(
            f"no shipped policy is called {name!r}; the shipped ones are "
            f"{', '.join(shipped_policies())}, and a policy of your own is given by its path"
        )
    return (resources.files("safety") / "policies" / f"{name}.toml").read_bytes()


def _read_file(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise PolicyInvalid(f"{path} has {size} bytes, a policy has at most {MAX_BYTES}")
        return path.read_bytes()
    except OSError as error:
        raise PolicyInvalid(f"the policy {path} cannot be read: {error.strerror}") from error


def _read_stage(table: "_Table", stage: Stage) -> StagePolicy:
    classifiers = table.take_names("classifiers")
    # At the other stages no classifier would mean no gate. A negative prompt has a rule of its own,
    # which is code and always runs.
    if not classifiers and stage is not Stage.NEGATIVE_PROMPT:
        raise table.invalid("classifiers", "expected at least one, found none; no gate can be off")
    listed = table.take_table("categories")
    rules = {Category(name): _read_rule(listed, name) for name in listed.names_of(Category)}
    listed.refuse_the_rest()
    thresholds = _read_thresholds(table, classifiers)
    held = StagePolicy(classifiers, MappingProxyType(rules), MappingProxyType(thresholds))
    for name, category in product(thresholds, rules):
        if rules[category] != NEVER and held.rule(name, category) == NEVER:
            raise table.invalid(
                f"thresholds.{name}",
                f"leaves {category.value} without any answer: it needs the threshold, review or "
                "block, that the category has",
            )
    table.refuse_the_rest()
    return held


def _read_thresholds(table: "_Table", classifiers: Sequence[str]) -> dict[str, Rule]:
    """Read the optional thresholds of single classifiers."""
    if not table.has("thresholds"):
        return {}
    listed = table.take_table("thresholds")
    found = {name: _read_pair(listed, name) for name in classifiers if listed.has(name)}
    listed.refuse_the_rest("is not among this stage's classifiers")
    return found


def _read_rule(listed: "_Table", name: str) -> Rule:
    protected = name == PROTECTED.value
    if listed.holds(name, ALLOW):
        if protected:
            raise listed.invalid(name, "this category cannot be allowed by any policy")
        listed.take(name)
        return Rule(review=None, block=None)
    rule = _read_pair(listed, name, f'; to let it pass say "{ALLOW}"')
    if protected and rule.block is None:
        raise listed.invalid(name, "this category needs a block threshold in every policy")
    return rule


def _read_pair(listed: "_Table", name: str, otherwise: str = "") -> Rule:
    table = listed.take_table(name)
    rule = Rule(review=table.take_threshold("review"), block=table.take_threshold("block"))
    table.refuse_the_rest()
    if rule.review is None and rule.block is None:
        raise listed.invalid(name, f"expected review, block or both{otherwise}")
    if rule.review is not None and rule.block is not None and rule.review > rule.block:
        raise listed.invalid(name, f"review {rule.review} is above block {rule.block}")
    return rule


class _Table:
    """A TOML table that knows its path, and that complains about every key nobody asked for."""

    def __init__(self, content: Mapping[str, object], *, path: str, source: str) -> None:
        self._left = dict(content)
        self._path = path
        self._source = source

    def invalid(self, key: str, what: str) -> PolicyInvalid:
        return PolicyInvalid(f"{self._source}: {self._at(key)}: {what}")

    def take(self, key: str) -> object:
        if key not in self._left:
            raise self.invalid(key, "is missing")
        return self._left.pop(key)

    def take_text(self, key: str) -> str:
        value = self.take(key)
        if not isinstance(value, str) or not value.strip():
            raise self.invalid(key, f"expected a text, found {value!r}")
        return value

    def take_table(self, key: str) -> "_Table":
        value = self.take(key)
        if not isinstance(value, dict):
            raise self.invalid(key, f"expected a table, found {value!r}")
        return _Table(value, path=self._at(key), source=self._source)

    def take_names(self, key: str) -> tuple[str, ...]:
        value = self.take(key)
        if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
            raise self.invalid(key, f"expected a list of names, found {value!r}")
        if len(set(value)) != len(value):
            raise self.invalid(key, f"expected each name once, found {value!r}")
        return tuple(value)

    def take_threshold(self, key: str) -> float | None:
        value = self._left.pop(key, None)
        if value is None:
            return None
        # bool is an int in Python, and `block = true` is not a threshold.
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
            raise self.invalid(key, f"expected a number above 0 and at most 1, found {value!r}")
        return float(value)

    def has(self, key: str) -> bool:
        return key in self._left

    def holds(self, key: str, value: object) -> bool:
        return self._left.get(key) == value

    def names_of(self, kind: type[Category]) -> tuple[str, ...]:
        return tuple(member.value for member in kind if member.value in self._left)

    def refuse_the_rest(self, why: str = "is not a key of this format; see docs/policy.md") -> None:
        for key in self._left:
            raise self.invalid(key, why)

    def _at(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key
