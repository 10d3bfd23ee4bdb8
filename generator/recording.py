"""What the gates said and what was seen, in the log's words."""

import base64
from collections.abc import Mapping

from audit.bodies import ClassifierBody, FindingBody, FingerprintBody, VerdictBody
from audit.vocabulary import Decision, GateStage
from provenance.fingerprint.form import ALGORITHM, Fingerprint
from safety.verdict import Finding, FrameMoment, Verdict


def fingerprint_bodies(
    fingerprint: Fingerprint, video_codes: Mapping[str, str]
) -> tuple[FingerprintBody, ...]:
    """Return a clip's fingerprint, and others' codes of it, as a record holds them."""
    ours = FingerprintBody(ALGORITHM, base64.b64encode(fingerprint.encode()).decode("ascii"))
    return (ours, *(FingerprintBody(name, code) for name, code in sorted(video_codes.items())))


def verdict_body(verdict: Verdict) -> VerdictBody:
    """Return a verdict as a record holds it: whole numbers, and no word of anybody's text."""
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
