"""From what was seen and what the log knows to the state of each layer. Pure."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from audit.content import Compared, ContentFinding
from audit.findings import LogFinding
from audit.report import Layer, LayerState
from audit.status import (
    CONTRADICTIONS,
    Agreement,
    Credentials,
    Findings,
    Fingerprint,
    Log,
    Mark,
    Pictures,
)
from provenance.coverage import CoverageState
from provenance.credentials import Agreement as Verifiers
from provenance.credentials import (
    CredentialsEvidence,
    Integrity,
    Presence,
    TrustState,
    timestamp_codes,
)
from provenance.examination import Decoding, Examination, MediaFacts
from provenance.watermark import Detection, MarkState

UNCLEAR_MARK = "a mark id was read, not clearly enough to accuse or to lead anywhere"
PRESENT_MARK = "a mark of a key at hand is in the pictures, and too little is left to read its id"
_NO_VIDEO = frozenset({"image", "audio"})  # nothing is wrong with those; marks are in videos
_MARK_CONFLICTS = {
    Agreement.OTHER_CLIP: "the mark in the pictures is not the one that is claimed",
    Agreement.CLAIMED: "the mark is a released clip's, and somebody else claims the pictures",
}
_MAX_CODES = 64  # a hostile manifest can fail in thousands of places

_LOG_STATES = {
    Log.THESE_BYTES: (LayerState.ESTABLISHED, "a released record has exactly this file's digest"),
    Log.OTHER_BYTES: (
        LayerState.CONFLICT,
        "the record of this manifest has another file digest",
    ),
    Log.IN_HISTORY: (
        LayerState.CONSISTENT,
        "it was made from a released clip, whose manifest stands in its history",
    ),
    Log.BY_CONTENT: (LayerState.CONSISTENT, "the pictures lead to a released record"),
    Log.NEVER_RELEASED: (
        LayerState.CONFLICT,
        "it bears our signature or our mark, and the log has no release of it",
    ),
    Log.NOT_FOUND: (LayerState.NOT_FOUND, "the log has no record that speaks of this file"),
    Log.NOT_CHECKED: (LayerState.NOT_CHECKED, "no log is at hand"),
}


def findings(seen: Examination, log: LogFinding, content: ContentFinding) -> Findings:
    """Return the layers in brief, as the status table takes them."""
    return Findings(
        pictures=_pictures(seen),
        credentials=_credentials(seen.credentials),
        mark=_mark(seen, log),
        fingerprint=content.answer,
        log=log.log,
        agreement=log.agreement,
    )


def content_credentials(seen: Examination, log: LogFinding) -> Layer:
    """Return the state of the Content Credentials with what both verifiers said."""
    evidence = seen.credentials
    state = {
        Credentials.ABSENT: LayerState.NOT_FOUND,
        Credentials.ELSEWHERE: LayerState.NOT_CHECKED,
        Credentials.TRUSTED: LayerState.ESTABLISHED,
        Credentials.UNTRUSTED: LayerState.CONSISTENT,
        Credentials.BROKEN: LayerState.BROKEN,
        Credentials.UNREADABLE: LayerState.NOT_CHECKED,
    }[_credentials(evidence)]
    if log.agreement in CONTRADICTIONS and evidence.presence is Presence.PRESENT:
        state = LayerState.CONFLICT
    default = "both verifiers trust the signer, and the credentials fit these bytes"
    reason = "; ".join(evidence.reasons) or default
    return Layer(state, reason, _credentials_evidence(evidence))


def watermark(seen: Examination, log: LogFinding, content: ContentFinding) -> Layer:
    """Return the state of the watermark layer, one entry for each key that was tried."""
    relied_on = _relied_on(seen, log)
    values: dict[str, Any] = {
        "mark_id": relied_on[0] if relied_on else None,
        "searches": [_search(mark, seen.media) for mark in seen.marks],
    }
    state, reason = _watermark_state(seen, log, content)
    return Layer(state, reason, values)


def fingerprint(content: ContentFinding) -> Layer:
    """Return the fingerprint layer, with each record that the pictures were compared with."""
    state = {
        # With `found` it is the fingerprint alone that leads to the record.
        Fingerprint.MATCH: LayerState.CONSISTENT if content.found else LayerState.ESTABLISHED,
        Fingerprint.DIFFERENT: LayerState.CONFLICT,
        Fingerprint.INCONCLUSIVE: LayerState.NOT_CHECKED,
        Fingerprint.NOT_FOUND: LayerState.NOT_FOUND,
        Fingerprint.NOT_CHECKED: LayerState.NOT_CHECKED,
    }[content.answer]
    values = {
        "answer": content.answer.value,
        "compared": [_comparison(each) for each in content.compared],
    }
    return Layer(state, content.reason, values)


def log_layer(log: LogFinding) -> Layer:
    """Return the state of the log layer."""
    state, reason = _LOG_STATES[log.log]
    return Layer(state, reason, {"origin": log.log_name, "proof": log.proof.value})


def gaps(seen: Examination, log: LogFinding, content: ContentFinding) -> Iterator[str]:
    """Yield, in plain words, what could not be checked and what the answer does not cover."""
    if content.answer in {Fingerprint.NOT_CHECKED, Fingerprint.INCONCLUSIVE}:
        yield f"fingerprint: {content.reason}"
    if log.log is Log.NOT_CHECKED:
        yield "log: no log is at hand; run this where the issuer's log is, or ask the issuer"
    yield from _media_gaps(seen)
    if _mark(seen, log) is Mark.PRESENT:
        yield f"watermark: {_what_is_lost(seen)}"
    yield from _credentials_gaps(seen.credentials)
    yield from (f"examination: {limit}" for limit in seen.unlimited)


def _media_gaps(seen: Examination) -> Iterator[str]:
    if seen.mark_problem is not None:
        yield f"watermark: {seen.mark_problem}"
    elif seen.media is not None and not seen.marks:
        yield "watermark: no detection key is at hand, so no mark could be looked for"
    if seen.media_problem is not None:
        yield f"pictures: {seen.media_problem}"
    if seen.media is not None and seen.media.has_sound:
        yield "sound: it carries no mark of ours and was not examined"


def _credentials_gaps(evidence: CredentialsEvidence) -> Iterator[str]:
    if evidence.presence is Presence.ELSEWHERE:
        yield "credentials: they are kept at an address that the file names; nothing is fetched"
    if evidence.presence is Presence.PRESENT:
        yield "revocation: certificates were not asked about online"
        if evidence.coverage.state is CoverageState.NOT_CHECKED:
            yield f"credentials: {evidence.coverage.reason}, and the time-stamp likewise"
    # A manifest of ours commits to what C2PA's own hash leaves out; a stranger's does not.
    if evidence.integrity is Integrity.HOLDS and not evidence.coverage.promised:
        for gap in evidence.unbound[:_MAX_CODES]:
            yield f"bytes {gap.start} to {gap.end} ({gap.what}) are outside the signature"


def _pictures(seen: Examination) -> Pictures:
    kind, _, _ = (seen.credentials.media_type or "").partition("/")
    match seen.decoding:
        case Decoding.WHOLE:
            return Pictures.DECODED
        case Decoding.DAMAGED | Decoding.STOPPED:
            return Pictures.DAMAGED
        case Decoding.UNSUPPORTED:
            return Pictures.NOT_CHECKED
        case Decoding.UNREADABLE if kind in _NO_VIDEO:
            return Pictures.NOT_CHECKED
        case _:
            return Pictures.UNREADABLE


def _credentials(evidence: CredentialsEvidence) -> Credentials:
    match evidence.presence:
        case Presence.ABSENT:
            return Credentials.ABSENT
        case Presence.ELSEWHERE:
            return Credentials.ELSEWHERE
        case Presence.UNREADABLE:
            return Credentials.UNREADABLE
    if evidence.integrity is not Integrity.HOLDS:
        return Credentials.BROKEN
    trusted = evidence.trust is TrustState.TRUSTED and evidence.agreement is Verifiers.AGREE
    return Credentials.TRUSTED if trusted else Credentials.UNTRUSTED


def _mark(seen: Examination, log: LogFinding) -> Mark:
    if _relied_on(seen, log):
        return Mark.FOUND
    if any(mark.state is not MarkState.NOT_FOUND for mark in seen.marks):
        return Mark.PRESENT
    return Mark.NOT_FOUND if seen.marks else Mark.NOT_CHECKED


def _what_is_lost(seen: Examination) -> str:
    read = any(mark.state is MarkState.FOUND for mark in seen.marks)
    return UNCLEAR_MARK if read else PRESENT_MARK


def _relied_on(seen: Examination, log: LogFinding) -> list[str]:
    """Return the mark ids that may be held against somebody, in the order of the searches."""
    found = (mark.mark_id.hex for mark in seen.marks if mark.mark_id is not None)
    return [mark_id for mark_id in found if mark_id in log.relied_on]


def _watermark_state(
    seen: Examination, log: LogFinding, content: ContentFinding
) -> tuple[LayerState, str]:
    match _mark(seen, log):
        case Mark.NOT_CHECKED:
            missing = seen.media_problem if seen.media is None else seen.mark_problem
            return LayerState.NOT_CHECKED, missing or "no detection key is at hand"
        case Mark.NOT_FOUND:
            return LayerState.NOT_FOUND, "no mark of the keys at hand was found"
        case Mark.PRESENT:
            return LayerState.CONSISTENT, _what_is_lost(seen)
    return _found_mark(log, content)


def _found_mark(log: LogFinding, content: ContentFinding) -> tuple[LayerState, str]:
    if log.agreement in _MARK_CONFLICTS:
        return LayerState.CONFLICT, _MARK_CONFLICTS[log.agreement]
    if content.answer is Fingerprint.DIFFERENT:
        return LayerState.CONFLICT, "the mark is a released clip's, and the pictures are not"
    if log.agreement is Agreement.AGREE or log.lines:
        return LayerState.ESTABLISHED, "the mark was read and leads to the same clip"
    return LayerState.CONSISTENT, "a mark was read; nothing else speaks of it"


def _search(mark: Detection, media: MediaFacts | None) -> dict[str, Any]:
    """Return one search's evidence; what was received stays here."""
    values = mark.to_json()
    shown = {name: value for name, value in values.items() if name != "words"}
    if mark.evidence is not None and media is not None:
        step = float(mark.evidence.frames_per_moment / Fraction(media.frame_rate))
        shown["evidence"] = {
            "seconds": [
                {"from": round(at * step, 3), "statistic": value}
                for at, value in enumerate(mark.evidence.moments)
            ],
            "regions": mark.evidence.regions,
        }
    return shown


def _comparison(each: Compared) -> dict[str, Any]:
    found = each.comparison
    return {
        "record": each.index,
        "clip_id": each.clip_id,
        "answer": found.answer.value,
        "reason": found.reason,
        "placed_by": found.placed_by,
        "likeness": round(found.likeness, 3),
        "evidence": round(found.evidence, 1),
        "motion": None if found.motion is None else round(found.motion, 3),
        "moments": found.moments,
        "pdq_bits": each.pdq_bits,
        "iscc": {"bits": each.video_code.bits, "reason": each.video_code.reason},
    }


def _credentials_evidence(evidence: CredentialsEvidence) -> dict[str, Any]:
    facts = evidence.facts
    stamp = evidence.coverage.timestamp
    return {
        "presence": evidence.presence.value,
        "integrity": None if evidence.integrity is None else evidence.integrity.value,
        "trust": None if evidence.trust is None else evidence.trust.value,
        "verifiers": {
            "agreement": evidence.agreement.value,
            "c2pa-rs": _reading(evidence.first),
            "encypher-c2pa": _reading(evidence.second),
        },
        "timestamp": {
            "state": stamp.state.value,
            "time": _text(stamp.time),
            "authority": stamp.authority,
            "verifiers": {
                "c2pa-rs": list(timestamp_codes(evidence.first)),
                "encypher-c2pa": list(timestamp_codes(evidence.second)),
            },
        },
        "trust_lists": list(evidence.trust_lists),
        "manifest": None
        if facts is None
        else {
            "label": facts.active_label,
            "issuer": facts.issuer,
            "signer": facts.signer,
            "generator": facts.generator,
            "signed_at": facts.signed_at,
            "digital_source_type": facts.digital_source_type,
            "actions": list(facts.actions),
            "ingredients": len(facts.ingredients),
            "mark_id": facts.mark.mark_id_hex if facts.mark is not None else None,
            "model": facts.model.name if facts.model is not None else None,
            "decision": facts.decision,
            "policy": facts.policy_name,
            "policy_digest": facts.policy_digest,
            "generated_by": facts.generated_by,
        },
    }


def _reading(reading: Any) -> dict[str, Any]:  # noqa: ANN401 - first or second, same fields
    return {
        "state": reading.state.value,
        "failures": [code.code for code in reading.failure[:_MAX_CODES]],
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)
