"""What the log knows of an examined file, and whether manifest and pictures speak of one clip."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from audit.bodies import RecordKind
from audit.checkpoint import open_checkpoint
from audit.errors import NotFound, ProofError
from audit.merkle import InclusionProof, verify_inclusion
from audit.reader import Entry, LedgerReader
from audit.report import Origin, RecordLine
from audit.status import Agreement, Log
from provenance.claims import LogProof
from provenance.credentials import CredentialsEvidence, TrustState
from provenance.examination import Examination
from provenance.watermark import Detection, MarkState

# With one of these among its failures a manifest's own text is not what its signer wrote. A failed
# hard binding (bmffHash) is not among them: then the text holds and the file is another one.
_TEXT_FAILURES = ("claimSignature.", "assertion.hashedURI.", "assertion.missing", "claim.")
_TEXT_HOLDS = "claimSignature.validated"


class ProofState(StrEnum):
    """What became of the proof that a manifest carries."""

    PROVED = "proved"
    BROKEN = "broken"
    ABSENT = "absent"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True, slots=True)
class LogFinding:
    """Where the log and the file meet."""

    log: Log
    agreement: Agreement
    origin: Origin
    proof: ProofState
    log_name: str | None  # the origin of the log that was asked
    lines: tuple[RecordLine, ...] = ()


def look_up(seen: Examination, ledger: LedgerReader | None, own_trust: str | None) -> LogFinding:
    """Ask the log for the bytes, the manifest and the marks of a file.

    Args:
        seen: what the file shows.
        ledger: our log; None where it is not at hand.
        own_trust: the name of the trust list that holds our own root.

    Raises:
        LedgerDamaged: a record that was found is not what was logged.
    """
    claimed = _claimed_mark(seen.credentials)
    agreement = _compare(claimed, seen.marks)
    if ledger is None:
        origin = Origin.OTHER if _is_trusted(seen.credentials) else Origin.UNKNOWN
        return LogFinding(Log.NOT_CHECKED, agreement, origin, ProofState.NOT_CHECKED, None)
    bytes_ = _released(ledger, ledger.find_by_file(seen.sha256))
    named = _released(ledger, _by_manifest(ledger, seen.credentials))
    marked = _released(ledger, _by_marks(ledger, seen.marks))
    proof = _check_proof(seen.credentials, ledger)
    if proof is ProofState.BROKEN or _differ(bytes_ or named, marked):
        agreement = Agreement.CONFLICT
    met = _meeting(bytes_, named, marked, seen, _is_signed_by_us(seen, ledger, own_trust))
    found = bytes_ or named or marked
    return LogFinding(
        log=met,
        agreement=agreement,
        origin=_origin(found, seen.credentials, own_trust),
        proof=proof,
        log_name=ledger.origin,
        lines=tuple(_line(entry) for entry in _stories(ledger, found)),
    )


def text_holds(evidence: CredentialsEvidence) -> bool:
    """Tell whether the manifest's text is what its signer wrote, whatever became of the file."""
    codes = [code.code for code in evidence.first.failure]
    validated = any(code.code == _TEXT_HOLDS for code in evidence.first.success)
    return validated and not any(code.startswith(_TEXT_FAILURES) for code in codes)


def _claimed_mark(evidence: CredentialsEvidence) -> tuple[str, str] | None:
    """Return (key id, mark id) that the manifest claims, if its text can be believed."""
    facts = evidence.facts
    if facts is None or facts.mark is None or not text_holds(evidence):
        return None
    return facts.mark.key_id, facts.mark.mark_id_hex


def _compare(claimed: tuple[str, str] | None, marks: Iterable[Detection]) -> Agreement:
    """Compare claim and pictures under the same key: marks of other keys may lie beside ours."""
    if claimed is None:
        return Agreement.SILENT
    key_id, mark_id = claimed
    same_key = [m for m in marks if m.mark_id is not None and m.key_id == key_id]
    if not same_key:
        return Agreement.SILENT
    agree = any(m.mark_id is not None and m.mark_id.hex == mark_id for m in same_key)
    return Agreement.AGREE if agree else Agreement.CONFLICT


def _meeting(
    bytes_: tuple[Entry, ...],
    named: tuple[Entry, ...],
    marked: tuple[Entry, ...],
    seen: Examination,
    signed_by_us: bool,  # noqa: FBT001 - one of five findings, not an option
) -> Log:
    if bytes_:
        return Log.THESE_BYTES
    if named:
        return Log.OTHER_BYTES
    if signed_by_us:
        return Log.NEVER_RELEASED
    if marked:
        return Log.BY_CONTENT
    if any(mark.state is MarkState.FOUND for mark in seen.marks):
        return Log.NEVER_RELEASED
    return Log.NOT_FOUND


def _is_trusted(evidence: CredentialsEvidence) -> bool:
    return evidence.trust is TrustState.TRUSTED


def _is_signed_by_us(seen: Examination, ledger: LedgerReader, own_trust: str | None) -> bool:
    """Tell whether our own root vouches for a text that names our log."""
    evidence = seen.credentials
    facts = evidence.facts
    return (
        facts is not None
        and facts.log is not None
        and facts.log.origin == ledger.origin
        and own_trust is not None
        and evidence.first.claim_list == own_trust
        and text_holds(evidence)
    )


def _by_manifest(ledger: LedgerReader, evidence: CredentialsEvidence) -> tuple[Entry, ...]:
    facts = evidence.facts
    return () if facts is None else ledger.find_by_manifest(facts.active_label)


def _by_marks(ledger: LedgerReader, marks: Iterable[Detection]) -> tuple[Entry, ...]:
    """Return the records of every clip whose mark was read."""
    ids = {mark.mark_id.hex for mark in marks if mark.mark_id is not None}
    cleared = [entry for mark_id in sorted(ids) for entry in ledger.find_by_mark(mark_id)]
    return tuple(entry for each in cleared for entry in _story(ledger, each))


def _released(ledger: LedgerReader, entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Return the `released` records among entries whose clip was not withdrawn afterwards."""
    return tuple(
        entry
        for entry in entries
        if entry.record.kind is RecordKind.RELEASED
        and not any(e.record.kind is RecordKind.WITHDRAWN for e in _story(ledger, entry))
    )


def _story(ledger: LedgerReader, entry: Entry) -> tuple[Entry, ...]:
    attempt = entry.record.attempt
    return (entry,) if attempt is None else ledger.find_by_attempt(attempt)


def _stories(ledger: LedgerReader, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """Return all records of the clips, each once, in the log's order."""
    all_of_them = {e.index: e for entry in entries for e in _story(ledger, entry)}
    return tuple(all_of_them[index] for index in sorted(all_of_them))


def _differ(one: tuple[Entry, ...], other: tuple[Entry, ...]) -> bool:
    """Tell whether two look-ups lead to different clips; a silent one differs from nothing."""
    clips = [{entry.record.attempt for entry in entries} for entries in (one, other)]
    return bool(one and other) and not clips[0] & clips[1]


def _check_proof(evidence: CredentialsEvidence, ledger: LedgerReader) -> ProofState:
    """Check the proof that the manifest carries against our key and our own record."""
    claim = evidence.facts.log if evidence.facts is not None else None
    if claim is None or not text_holds(evidence):
        return ProofState.ABSENT
    if claim.origin != ledger.origin:
        return ProofState.NOT_CHECKED
    return ProofState.PROVED if _proves(claim, ledger) else ProofState.BROKEN


def _proves(claim: LogProof, ledger: LedgerReader) -> bool:
    try:
        checkpoint = open_checkpoint(claim.checkpoint, ledger.verifier)
        leaf = bytes.fromhex(claim.leaf_hash_hex)
        path = tuple(bytes.fromhex(each) for each in claim.proof)
        if checkpoint.origin != claim.origin or checkpoint.size != claim.tree_size:
            return False
        verify_inclusion(leaf, InclusionProof(claim.index, claim.tree_size, path), checkpoint.root)
        return ledger.get(claim.index).leaf_hash == leaf
    except (ProofError, NotFound, ValueError):
        return False


def _origin(
    found: tuple[Entry, ...], evidence: CredentialsEvidence, own_trust: str | None
) -> Origin:
    if found:
        return Origin.OURS
    if _is_trusted(evidence) and evidence.first.claim_list != own_trust:
        return Origin.OTHER
    return Origin.UNKNOWN


def _line(entry: Entry) -> RecordLine:
    clip_id = entry.record.body.get("clip_id")
    return RecordLine(
        index=entry.index,
        kind=entry.record.kind.value,
        time=entry.time.isoformat(timespec="milliseconds"),
        clip_id=clip_id if isinstance(clip_id, str) else None,
        attempt=entry.record.attempt,
    )
