"""What the gates said, in the log's words: whole numbers, and no word of anybody's text."""

from audit.bodies import ClassifierBody, Decision, FindingBody, GateStage, VerdictBody
from safety.verdict import Finding, FrameMoment, Verdict


def verdict_body(verdict: Verdict) -> VerdictBody:
    """Return a verdict as a record holds it."""
    examined = verdict.examined
    return VerdictBody(
        decision=Decision(verdict.decision.value),
        stage=GateStage(verdict.stage.value),
        policy=verdict.policy_digest,
        views=examined.views,
        frames=examined.frames,
        classifiers=tuple(ClassifierBody(run.name, run.digest) for run in examined.classifiers),
        findings=tuple(_finding_body(finding) for finding in verdict.findings),
    )


def _finding_body(finding: Finding) -> FindingBody:
    where = finding.evidence
    if isinstance(where, FrameMoment):
        evidence = f"frame {where.index} at {where.time_s:.3f} s; {finding.occurrences} frames"
    else:
        evidence = f"characters {where.start} to {where.end}; {where.view}"
    return FindingBody(
        category=finding.category.value,
        score_micro=finding.score_micro,
        threshold_micro=finding.threshold_micro,
        classifier=finding.classifier,
        classifier_digest=finding.classifier_digest,
        evidence=evidence,
    )
