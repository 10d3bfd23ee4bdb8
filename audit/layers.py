"""From what was seen and what the log knows to the state of each layer. Pure."""

from collections.abc import Iterator
from typing import Any

from audit.findings import LogFinding
from audit.report import Layer, LayerState
from audit.status import Agreement, Credentials, Findings, Fingerprint, Log, Mark, Pictures
from provenance.credentials import Agreement as Verifiers
from provenance.credentials import CredentialsEvidence, Integrity, Presence, TrustState
from provenance.examination import Examination
from provenance.watermark import Detection, MarkState

NO_FINGERPRINT = "this version takes no fingerprints"
_MAX_CODES = 64  # a hostile manifest can fail in thousands of places

_LOG_STATES = {
    Log.THESE_BYTES: (LayerState.ESTABLISHED, "a released record has exactly this file's digest"),
    Log.OTHER_BYTES: (
        LayerState.CONFLICT,
        "the record of this manifest has another file digest",
    ),
    Log.BY_CONTENT: (LayerState.CONSISTENT, "the watermark leads to a released record"),
    Log.NEVER_RELEASED: (
        LayerState.CONFLICT,
        "it bears our signature or our mark, and the log has no release of it",
    ),
    Log.NOT_FOUND: (LayerState.NOT_FOUND, "the log has no record that speaks of this file"),
    Log.NOT_CHECKED: (LayerState.NOT_CHECKED, "no log is at hand"),
}


def findings(seen: Examination, log: LogFinding) -> Findings:
    """Return the layers in brief, as the status table takes them."""
    return Findings(
        pictures=_pictures(seen),
        credentials=_credentials(seen.credentials),
        mark=_mark(seen),
        fingerprint=Fingerprint.NOT_CHECKED,
        log=log.log,
        agreement=log.agreement,
    )


def content_credentials(seen: Examination, log: LogFinding) -> Layer:
    """Return the state of the Content Credentials with what both verifiers said."""
    evidence = seen.credentials
    state = {
        Credentials.ABSENT: LayerState.NOT_FOUND,
        Credentials.TRUSTED: LayerState.ESTABLISHED,
        Credentials.UNTRUSTED: LayerState.CONSISTENT,
        Credentials.BROKEN: LayerState.BROKEN,
        Credentials.UNREADABLE: LayerState.NOT_CHECKED,
    }[_credentials(evidence)]
    if log.agreement is Agreement.CONFLICT and evidence.presence is Presence.PRESENT:
        state = LayerState.CONFLICT
    default = "both verifiers trust the signer, and the credentials fit these bytes"
    reason = "; ".join(evidence.reasons) or default
    return Layer(state, reason, _credentials_evidence(evidence))


def watermark(seen: Examination, log: LogFinding) -> Layer:
    """Return the state of the watermark layer, one entry for each key that was tried."""
    found = [mark for mark in seen.marks if mark.state is MarkState.FOUND]
    best = found[0] if found else None
    values: dict[str, Any] = {
        "mark_id": best.mark_id.hex if best is not None and best.mark_id is not None else None,
        "searches": [_search(mark) for mark in seen.marks],
    }
    state, reason = _watermark_state(seen, log, best)
    return Layer(state, reason, values)


def fingerprint() -> Layer:
    """Return the fingerprint layer, which this version does not look at."""
    return Layer(LayerState.NOT_CHECKED, NO_FINGERPRINT, {})


def log_layer(log: LogFinding) -> Layer:
    """Return the state of the log layer."""
    state, reason = _LOG_STATES[log.log]
    return Layer(state, reason, {"origin": log.log_name, "proof": log.proof.value})


def gaps(seen: Examination, log: LogFinding) -> Iterator[str]:
    """Yield, in plain words, what could not be checked and what the answer does not cover."""
    yield f"fingerprint: {NO_FINGERPRINT}"
    if log.log is Log.NOT_CHECKED:
        yield "log: no log is at hand; run this where the issuer's log is, or ask the issuer"
    yield from _media_gaps(seen)
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
    if evidence.presence is Presence.PRESENT:
        yield "revocation: certificates were not asked about online"
    # A manifest of ours commits to what C2PA's own hash leaves out; a stranger's does not.
    if evidence.integrity is Integrity.HOLDS and not evidence.coverage.promised:
        for gap in evidence.unbound[:_MAX_CODES]:
            yield f"bytes {gap.start} to {gap.end} ({gap.what}) are outside the signature"


def _pictures(seen: Examination) -> Pictures:
    if seen.media is None:
        return Pictures.UNREADABLE
    return Pictures.DECODED if seen.media_problem is None else Pictures.DAMAGED


def _credentials(evidence: CredentialsEvidence) -> Credentials:
    if evidence.presence is Presence.ABSENT:
        return Credentials.ABSENT
    if evidence.presence is Presence.UNREADABLE:
        return Credentials.UNREADABLE
    if evidence.integrity is not Integrity.HOLDS:
        return Credentials.BROKEN
    trusted = evidence.trust is TrustState.TRUSTED and evidence.agreement is Verifiers.AGREE
    return Credentials.TRUSTED if trusted else Credentials.UNTRUSTED


def _mark(seen: Examination) -> Mark:
    if any(mark.state is MarkState.FOUND for mark in seen.marks):
        return Mark.FOUND
    return Mark.NOT_FOUND if seen.marks else Mark.NOT_CHECKED


def _watermark_state(
    seen: Examination, log: LogFinding, best: Detection | None
) -> tuple[LayerState, str]:
    if best is not None:
        if log.agreement is Agreement.CONFLICT:
            return LayerState.CONFLICT, "the mark in the pictures is not the one that is claimed"
        known = log.agreement is Agreement.AGREE or log.lines
        return (
            (LayerState.ESTABLISHED, "the mark was read and leads to the same clip")
            if known
            else (LayerState.CONSISTENT, "a mark was read; nothing else speaks of it")
        )
    if seen.marks:
        return LayerState.NOT_FOUND, "no mark of the keys at hand was found"
    if seen.media is None:
        return LayerState.NOT_CHECKED, seen.media_problem or "there are no pictures to look at"
    return LayerState.NOT_CHECKED, seen.mark_problem or "no detection key is at hand"


def _search(mark: Detection) -> dict[str, Any]:
    """Return one search's evidence as a whole; per-second evidence is for roles."""
    values = mark.to_json()
    return {
        name: values[name]
        for name in ("algorithm", "key_id", "state", "mark_id", "log10_p", "frames", "geometry")
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
        "timestamp": {"state": stamp.state.value, "time": _text(stamp.time)},
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
