"""The two gates: may this prompt be generated, may these frames leave?

A gate asks every classifier that the policy names for the stage, holds each score against the
policy, and returns a `Verdict`. It fails closed: a classifier that raises, takes too long, leaves
an answer out, or answers anything but a number from 0 to 1 makes the gate raise, and never makes it
allow.

    loaded = load_prompt_classifiers(settings.prompt_classifiers)
    gate = PromptGate(policy, [one.classifier for one in loaded])
    verdict = gate.check(prompt, as_model_sees=prompt)
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from safety.answers import ask_frames, ask_prompt
from safety.categories import Category
from safety.classifiers import ClassifierT, FrameClassifier, PromptClassifier, Scored
from safety.errors import ClassifierFailed, ClassifierUnavailable, PolicyInvalid
from safety.frames import Frame, batches, in_order
from safety.minors import MinorsRule
from safety.negative import NegativeRule
from safety.normalize import View, views
from safety.policy import Policy, Rule
from safety.sampling import SamplingPlan
from safety.verdict import (
    ClassifierRun,
    Evidence,
    Examined,
    Finding,
    FrameMoment,
    Stage,
    TextSpan,
    Verdict,
)

DEADLINE_S = 30.0  # one batch of frames takes under a second on one slow core
_Asked = PromptClassifier | FrameClassifier | MinorsRule | NegativeRule

# No policy reaches the rule on minors: whatever it finds blocks.
_MINORS = Rule(review=None, block=1.0)


class PromptGate:
    """Decides on prompts and negative prompts.

    Args:
        policy: what holds.
        classifiers: those that the policy names for the two text stages, and no others.
        deadline_s: how long one classifier may take for one text.

    Raises:
        ClassifierUnavailable: the policy names a classifier that is not given.
        PolicyInvalid: a classifier is given that the policy names nowhere, or one reports a
            category on which the policy is silent.
    """

    def __init__(
        self,
        policy: Policy,
        classifiers: Sequence[PromptClassifier],
        *,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._policy = policy
        self._deadline_s = deadline_s
        self._minors = MinorsRule.shipped()
        self._negative = NegativeRule(self._minors)
        _refuse_unnamed(policy, classifiers, (Stage.PROMPT, Stage.NEGATIVE_PROMPT))
        self._for_prompt = _required(policy, Stage.PROMPT, classifiers)
        self._for_negative = _required(policy, Stage.NEGATIVE_PROMPT, classifiers)
        _require_rules(
            policy, Stage.NEGATIVE_PROMPT, self._negative.name, {Category.SEXUAL_CONTENT}
        )

    def check(
        self,
        raw: str,
        *,
        as_model_sees: str,
        stage: Stage = Stage.PROMPT,
        beside: Sequence[View] = (),
    ) -> Verdict:
        """Decide on one text.

        Args:
            raw: as it was sent; the findings point into it.
            as_model_sees: after the generator's cleaning and truncation.
            stage: `PROMPT`, or `NEGATIVE_PROMPT`, which has a rule of its own.
            beside: for a negative prompt, the views of the prompt that it goes with: the two are
                read together.

        Raises:
            ClassifierFailed: a classifier gave no usable answer.
            InputUnexaminable: the text is too long to be read in full.
        """
        readings = views(raw, as_model_sees=as_model_sees)
        match stage:
            case Stage.PROMPT:
                return self._check(stage, readings, self._minors, self._minors.score(readings))
            case Stage.NEGATIVE_PROMPT:
                scores = self._negative.score(readings, beside=beside)
                return self._check(stage, readings, self._negative, scores)
            case _:
                raise ValueError(f"expected prompt or negative_prompt, got {stage.value}")

    def _check(
        self,
        stage: Stage,
        readings: Sequence[View],
        built_in: MinorsRule | NegativeRule,
        scores: Sequence[Scored],
    ) -> Verdict:
        asked = self._for_prompt if stage is Stage.PROMPT else self._for_negative
        whole = TextSpan(0, max(readings[0].ends, default=0), readings[0].name.value)
        findings = self._judge(stage, built_in, scores, whole)
        for classifier in asked:
            answer = ask_prompt(classifier, readings, deadline_s=self._deadline_s)
            findings += self._judge(stage, classifier, answer, whole)
        examined = Examined(_runs((built_in, *asked)), views=len(readings))
        return _verdict(self._policy, stage, findings, examined)

    def _judge(
        self, stage: Stage, asked: _Asked, scores: Sequence[Scored], whole: TextSpan
    ) -> list[Finding]:
        """Hold the worst score of each category against the policy."""
        findings = []
        for category in sorted({scored.category for scored in scores}):
            top = max((s for s in scores if s.category is category), key=lambda s: s.score)
            rule = _rule(self._policy, stage, asked, category)
            findings += _finding(rule, asked, category, top.score, top.span or whole)
        return findings


class FrameGate:
    """Decides on the frames of a clip or an image, in bounded memory.

    Args:
        policy: what holds.
        classifiers: those that the policy names for the two frame stages, and no others.
        deadline_s: how long one classifier may take for one batch of frames.

    Raises:
        ClassifierUnavailable: the policy names a classifier that is not given.
        PolicyInvalid: a classifier is given that the policy names nowhere, or one reports a
            category on which the policy is silent.
    """

    def __init__(
        self,
        policy: Policy,
        classifiers: Sequence[FrameClassifier],
        *,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._policy = policy
        self._deadline_s = deadline_s
        _refuse_unnamed(policy, classifiers, (Stage.INPUT, Stage.OUTPUT))
        self._asked = {
            stage: _required(policy, stage, classifiers) for stage in (Stage.INPUT, Stage.OUTPUT)
        }

    def check(
        self,
        frames: Iterable[Frame],
        *,
        stage: Stage = Stage.OUTPUT,
        plan: SamplingPlan | None = None,
    ) -> Verdict:
        """Decide on a stream of frames at one stage, as `check_stages` does at several."""
        (verdict,) = self.check_stages(frames, stages=(stage,), plan=plan)
        return verdict

    def check_stages(
        self,
        frames: Iterable[Frame],
        *,
        stages: Sequence[Stage],
        plan: SamplingPlan | None = None,
    ) -> tuple[Verdict, ...]:
        """Decide on a stream of frames, with a verdict for each stage in their order.

        A frame is scored once by each classifier; every stage holds the score against its own
        thresholds.

        Args:
            frames: number, time in seconds, and RGB pixels (height, width, 3) of each, ascending.
            stages: `OUTPUT` for what leaves, `INPUT` for what the asker brings, or both.
            plan: the frames that must come. Without it the gate cannot know that the stream ended
                early; with it a missing frame closes the gate.

        Raises:
            ClassifierFailed: a classifier gave no usable answer, or no frame came.
            InputUnexaminable: a frame is not 8-bit RGB, is out of order, or is not the planned one.
        """
        if not stages or not set(stages) <= self._asked.keys():
            raise ValueError(f"expected input, output or both, got {[s.value for s in stages]}")
        worst: dict[Stage, dict[tuple[str, Category], Finding]] = {stage: {} for stage in stages}
        all_asked = {one.name: one for stage in stages for one in self._asked[stage]}
        count = 0
        for batch in batches(in_order(frames, plan)):
            count += len(batch)
            pixels = np.stack([rgb for _, _, rgb in batch])  # (count, height, width, 3)
            pixels.setflags(write=False)  # or one classifier could change what the next one sees
            for classifier in all_asked.values():
                answer = ask_frames(classifier, pixels, deadline_s=self._deadline_s)
                for stage in stages:
                    if classifier in self._asked[stage]:
                        self._note(worst[stage], stage, classifier, batch, answer)
        if count == 0:
            raise ClassifierFailed("no frame came to the gate, so nothing was examined")
        return tuple(
            _verdict(
                self._policy,
                stage,
                worst[stage].values(),
                Examined(_runs(self._asked[stage]), frames=count),
            )
            for stage in stages
        )

    def _note(
        self,
        worst: dict[tuple[str, Category], Finding],
        stage: Stage,
        classifier: FrameClassifier,
        batch: Sequence[Frame],
        answer: Sequence[Mapping[Category, float]],
    ) -> None:
        """Hold the scores of a batch against the thresholds of a stage."""
        for (index, time_s, _), scores in zip(batch, answer, strict=True):
            moment = FrameMoment(index, time_s)
            _keep_worst(worst, self._judge(stage, classifier, scores.items(), moment))

    def _judge(
        self,
        stage: Stage,
        asked: FrameClassifier,
        scores: Iterable[tuple[Category, float]],
        moment: FrameMoment,
    ) -> list[Finding]:
        findings = []
        for category, score in scores:
            rule = _rule(self._policy, stage, asked, category)
            findings += _finding(rule, asked, category, score, moment)
        return findings


def _rule(policy: Policy, stage: Stage, asked: _Asked, category: Category) -> Rule:
    is_ours = isinstance(asked, MinorsRule | NegativeRule)
    if is_ours and category is Category.CHILD_SEXUAL_EXPLOITATION:
        return _MINORS
    return policy.stages[stage].rule(asked.name, category)


def _finding(
    rule: Rule, asked: _Asked, category: Category, score: float, evidence: Evidence
) -> list[Finding]:
    """Return one finding, or none where the score stays below every threshold."""
    decision, threshold = rule.judge(score)
    if threshold is None:
        return []
    return [Finding(category, score, threshold, decision, asked.name, asked.digest, evidence)]


def _keep_worst(worst: dict[tuple[str, Category], Finding], found: Iterable[Finding]) -> None:
    for finding in found:
        key = (finding.classifier, finding.category)
        known = worst.get(key)
        if known is None:
            worst[key] = finding
            continue
        top = finding if finding.score > known.score else known
        worst[key] = replace(top, occurrences=known.occurrences + 1)


def _verdict(
    policy: Policy, stage: Stage, findings: Iterable[Finding], examined: Examined
) -> Verdict:
    hardest_first = sorted(findings, key=lambda f: (-f.decision.severity, -f.score, f.category))
    return Verdict(
        stage=stage,
        findings=tuple(hardest_first),
        examined=examined,
        policy_name=policy.name,
        policy_digest=policy.digest,
        appeal=policy.appeal,
    )


def _runs(asked: Iterable[_Asked]) -> tuple[ClassifierRun, ...]:
    return tuple(
        ClassifierRun(one.name, one.digest, tuple(sorted(one.categories))) for one in asked
    )


def _required(
    policy: Policy, stage: Stage, given: Sequence[ClassifierT]
) -> tuple[ClassifierT, ...]:
    """Return the classifiers that the policy names for a stage, in its order."""
    by_name = {classifier.name: classifier for classifier in given}
    names = policy.stages[stage].classifiers
    for name in names:
        if name not in by_name:
            raise ClassifierUnavailable(
                f"the policy {policy.name!r} requires the classifier {name!r} at the stage "
                f"{stage.value}, and it is not loaded; add it to the [safety] settings"
            )
    required = tuple(by_name[name] for name in names)
    for classifier in required:
        _require_rules(policy, stage, classifier.name, classifier.categories)
    return required


def _require_rules(policy: Policy, stage: Stage, name: str, categories: Iterable[Category]) -> None:
    """Refuse a policy that is silent on something that will be reported to it."""
    for category in sorted(categories):
        if category not in policy.stages[stage].rules:
            raise PolicyInvalid(
                f"{policy.name}: {stage.value}.categories.{category.value}: is missing, and "
                f'{name} reports it; give it thresholds, or say "allow"'
            )


def _refuse_unnamed(policy: Policy, given: Sequence[_Asked], stages: tuple[Stage, ...]) -> None:
    """Refuse a classifier that would be loaded and never asked, and two of one name."""
    named = {name for stage in stages for name in policy.stages[stage].classifiers}
    seen: set[str] = set()
    for classifier in given:
        if classifier.name in seen:
            raise ClassifierUnavailable(
                f"two classifiers are called {classifier.name!r}, so a policy cannot name one"
            )
        if classifier.name not in named:
            raise PolicyInvalid(
                f"{policy.name}: the classifier {classifier.name!r} is loaded, but the policy "
                "names it at no stage; add it there, or take it out of the [safety] settings"
            )
        seen.add(classifier.name)
