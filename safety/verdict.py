"""What a gate says: a decision, what it rests on, and what the asker may read of it.

A `Verdict` is a value, also when it refuses. It exists only when every required classifier
answered; a gate that cannot decide raises a `safety.errors.SafetyError` and makes none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from safety.categories import Category

MICRO = 1_000_000  # scores travel in records as whole millionths: canonical JSON holds no floats


class Decision(StrEnum):
    """The three answers of a gate, from the mildest to the hardest."""

    ALLOW = "allow"
    REVIEW = "review"
    BLOCK = "block"

    @property
    def severity(self) -> int:
        """0 for allow, 1 for review, 2 for block: decisions are a lattice, the worst one holds."""
        return tuple(Decision).index(self)


def worst(decisions: Sequence[Decision]) -> Decision:
    """Return the hardest of the decisions; `ALLOW` when there is none."""
    return max(decisions, key=lambda decision: decision.severity, default=Decision.ALLOW)


class Stage(StrEnum):
    """Where in the journey a gate stands. A policy has thresholds for each."""

    PROMPT = "prompt"
    NEGATIVE_PROMPT = "negative_prompt"
    INPUT = "input"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class TextSpan:
    """A stretch of the original text, counted in characters, `end` excluded.

    Attributes:
        start: first character.
        end: one past the last character.
        view: in which view of the text it was seen (see `safety.normalize`), for example `joined`
            where letters had been spaced out.
    """

    start: int
    end: int
    view: str


@dataclass(frozen=True, slots=True)
class FrameMoment:
    """One frame of a clip.

    Attributes:
        index: number of the frame, from 0.
        time_s: its presentation time in seconds.
    """

    index: int
    time_s: float


Evidence = TextSpan | FrameMoment


@dataclass(frozen=True, slots=True)
class Finding:
    """One score that reached a threshold of the policy.

    Attributes:
        category: the hazard.
        score: how sure the classifier is, 0 to 1; comparable only within one classifier.
        threshold: the threshold that the score reached, that of `decision`.
        decision: `REVIEW` or `BLOCK`.
        classifier: its name.
        classifier_digest: SHA-256 of its weights or word list, hex.
        evidence: where: for frames the worst one.
        occurrences: how many frames reached the threshold of a finding; 1 for a text.
    """

    category: Category
    score: float
    threshold: float
    decision: Decision
    classifier: str
    classifier_digest: str
    evidence: Evidence
    occurrences: int = 1

    @property
    def score_micro(self) -> int:
        """The score in millionths, for records."""
        return round(self.score * MICRO)

    @property
    def threshold_micro(self) -> int:
        """The threshold in millionths, for records."""
        return round(self.threshold * MICRO)

    def to_json(self) -> dict[str, object]:
        """Return plain values. For operators and reviewers: scores teach evasion."""
        return {
            "category": self.category.value,
            "hazard_id": self.category.hazard_id,
            "decision": self.decision.value,
            "score": self.score,
            "threshold": self.threshold,
            "classifier": self.classifier,
            "classifier_digest": self.classifier_digest,
            "evidence": _evidence_json(self.evidence),
            "occurrences": self.occurrences,
        }


@dataclass(frozen=True, slots=True)
class ClassifierRun:
    """One classifier that answered.

    Attributes:
        name: its name.
        digest: SHA-256 of its weights or word list, hex.
        categories: what it looked for. A category that no classifier lists was not examined, which
            is not the same as not found.
    """

    name: str
    digest: str
    categories: tuple[Category, ...]


@dataclass(frozen=True, slots=True)
class Examined:
    """How much a verdict rests on.

    Attributes:
        classifiers: those that answered.
        views: how many views of the text were read; 0 for frames.
        frames: how many frames were scored; 0 for a text.
    """

    classifiers: tuple[ClassifierRun, ...]
    views: int = 0
    frames: int = 0

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return {
            "views": self.views,
            "frames": self.frames,
            "classifiers": [
                {
                    "name": run.name,
                    "digest": run.digest,
                    "categories": [category.value for category in run.categories],
                }
                for run in self.classifiers
            ],
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of one gate at one stage.

    Attributes:
        stage: which gate.
        findings: scores at or over a threshold, the hardest decision first.
        examined: what was read to get there.
        policy_name: name of the policy.
        policy_digest: SHA-256 of the policy's text, hex.
        appeal: the policy's sentence on how to have a decision looked at again.
    """

    stage: Stage
    findings: tuple[Finding, ...]
    examined: Examined
    policy_name: str
    policy_digest: str
    appeal: str

    @property
    def decision(self) -> Decision:
        """The hardest decision among the findings; `ALLOW` when there is none."""
        return worst([finding.decision for finding in self.findings])

    @property
    def releasable(self) -> bool:
        """Whether the journey may go on without a person."""
        return self.decision is Decision.ALLOW

    def advice(self) -> str:
        """Return words for the asker: what kind of harm, what to change, how to appeal.

        It holds no score and no matched word: both teach evasion.
        """
        if self.releasable:
            return f"The {_SUBJECT[self.stage]} passed."
        kinds = dict.fromkeys(finding.category for finding in self.findings)
        reasons = [f"- {kind.description} {kind.change}" for kind in kinds]
        return "\n".join(
            [_OPENING[self.decision].format(_SUBJECT[self.stage]), *reasons, self.appeal]
        )

    def to_json(self) -> dict[str, object]:
        """Return plain values for `--json` and for reviewers. Holds scores: not for the asker."""
        return {
            "decision": self.decision.value,
            "stage": self.stage.value,
            "findings": [finding.to_json() for finding in self.findings],
            "examined": self.examined.to_json(),
            "policy": {"name": self.policy_name, "digest": self.policy_digest},
            "advice": self.advice(),
        }


_SUBJECT = {
    Stage.PROMPT: "prompt",
    Stage.NEGATIVE_PROMPT: "negative prompt",
    Stage.INPUT: "input",
    Stage.OUTPUT: "clip",
}
_OPENING = {
    Decision.REVIEW: "The {} waits for a person to look at it, because of this kind of content:",
    Decision.BLOCK: "The {} was refused, because of this kind of content:",
}


def _evidence_json(evidence: Evidence) -> dict[str, object]:
    match evidence:
        case TextSpan(start, end, view):
            return {"kind": "text", "start": start, "end": end, "view": view}
        case FrameMoment(index, time_s):
            return {"kind": "frame", "index": index, "time_s": time_s}
