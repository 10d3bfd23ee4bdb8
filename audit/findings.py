"""What the log knows of an examined file, and whether manifest and pictures speak of one clip.

Who signed is decided by the log alone (`signers.py`), the proof in the manifest by `proofs.py`. A
mark leads to a record whoever signed; but somebody who signs pictures with our mark in them, and
neither names our manifest among his sources nor is us, contradicts the mark or has dropped a step
of the history (docs/verifying.md).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from audit.proofs import ProofState, check_proof
from audit.reader import LedgerReader
from audit.report import Origin, RecordLine
from audit.signers import Maker, OwnSigners, text_holds
from audit.status import Agreement, Log
from audit.stories import Entries, clips_of, lines, released, story
from provenance.credentials import CredentialsEvidence, TrustState
from provenance.examination import Examination
from provenance.manifest_facts import ManifestFacts
from provenance.watermark import Detection, MarkState

_CREATED = "c2pa.created"


@dataclass(frozen=True, slots=True)
class LogFinding:
    """Where the log and the file meet."""

    log: Log
    agreement: Agreement
    origin: Origin
    proof: ProofState
    log_name: str | None  # the origin of the log that was asked
    relied_on: frozenset[str] = frozenset()
    """Mark ids that were read beyond doubt, or that the log knows: these may accuse."""
    lines: tuple[RecordLine, ...] = ()
    led_to: Entries = ()  # `released` records that the bytes, the manifest or a mark lead to


def look_up(seen: Examination, ledger: LedgerReader | None) -> LogFinding:
    """Ask the log for the bytes, the manifest and the marks of a file.

    Args:
        seen: what the file shows.
        ledger: our log; None where it is not at hand.

    Raises:
        LedgerDamaged: a record that was found is not what was logged.
    """
    if ledger is None:
        certain = frozenset(_ids(mark for mark in seen.marks if mark.certain))
        return LogFinding(
            log=Log.NOT_CHECKED,
            agreement=_compare(seen, certain),
            origin=Origin.OTHER if _is_trusted(seen.credentials) else Origin.UNKNOWN,
            proof=ProofState.NOT_CHECKED,
            log_name=None,
            relied_on=certain,
        )
    leads = _Leads.of(seen, ledger)
    proof = check_proof(seen.credentials.facts, leads.maker, ledger)
    return LogFinding(
        log=leads.meeting(),
        agreement=_agreement(seen, leads, proof),
        origin=leads.origin(_is_trusted(seen.credentials)),
        proof=proof,
        log_name=ledger.origin,
        relied_on=leads.relied_on,
        lines=lines(ledger, leads.bytes_ or leads.named or (*leads.marked, *leads.history)),
        led_to=(*leads.bytes_, *leads.named, *leads.marked),
    )


@dataclass(frozen=True, slots=True)
class _Leads:
    """Where each way of asking leads: released records of clips."""

    bytes_: Entries  # have exactly this file's digest
    named: Entries  # of the file's manifest
    history: Entries  # of our manifests among its earlier steps
    marked: Entries  # of the marks in its pictures
    maker: Maker
    relied_on: frozenset[str]

    @classmethod
    def of(cls, seen: Examination, ledger: LedgerReader) -> Self:
        signers = OwnSigners.of(ledger)
        bytes_ = released(ledger, ledger.find_by_file(seen.sha256))
        read = _ids(mark for mark in seen.marks if mark.independent)
        found = {mark_id: ledger.find_by_mark(mark_id) for mark_id in read}
        certain = frozenset(_ids(mark for mark in seen.marks if mark.certain))
        by_mark = [e for each in found.values() for entry in each for e in story(ledger, entry)]
        labels = signers.history_of(seen.credentials)
        return cls(
            bytes_=bytes_,
            named=released(ledger, _named(seen.credentials, ledger, signers)),
            history=released(ledger, (e for n in labels for e in ledger.find_by_manifest(n))),
            marked=released(ledger, by_mark),
            maker=Maker.OURS if bytes_ else signers.maker_of(seen.credentials),
            relied_on=certain | {mark_id for mark_id, entries in found.items() if entries},
        )

    @property
    def marks_are_explained(self) -> bool:
        """Whether every clip that a mark leads to is this one, or one of its sources."""
        return clips_of(self.marked) <= clips_of((*self.bytes_, *self.named, *self.history))

    def meeting(self) -> Log:
        """Return where log and file meet, the closest first."""
        if self.bytes_:
            return Log.THESE_BYTES
        if self.named:
            return Log.OTHER_BYTES
        if self.maker is Maker.OURS:
            return Log.NEVER_RELEASED
        if self.history and self.marks_are_explained:
            return Log.IN_HISTORY
        if self.marked:
            return Log.BY_CONTENT
        return Log.NEVER_RELEASED if self.relied_on else Log.NOT_FOUND

    def origin(self, trusted: bool) -> Origin:  # noqa: FBT001 - one fact of the evidence
        """Return whose clip it is: a mark alone does not outweigh credentials that are trusted."""
        if self.bytes_ or self.named:
            return Origin.OURS
        if trusted and self.maker is Maker.SOMEBODY_ELSE:
            return Origin.OTHER
        return Origin.OURS if self.marked else Origin.UNKNOWN


def _agreement(seen: Examination, leads: _Leads, proof: ProofState) -> Agreement:
    """Say whether manifest, pictures and log speak of one clip."""
    if proof is ProofState.BROKEN:
        return Agreement.BORROWED
    if (leads.bytes_ or leads.named) and not leads.marks_are_explained:
        return Agreement.OTHER_CLIP
    if leads.maker is Maker.SOMEBODY_ELSE and not leads.marks_are_explained:
        if _claims_creation(seen.credentials.facts):
            return Agreement.CLAIMED
    elif leads.marked and leads.history and leads.marks_are_explained:
        return Agreement.AGREE
    return _compare(seen, leads.relied_on)


def _claims_creation(facts: ManifestFacts | None) -> bool:
    """Tell whether a manifest says that its file was made from nothing.

    With an ingredient it says less: the source may have come without its credentials.
    """
    return facts is not None and _CREATED in facts.actions and not facts.ingredients


def _compare(seen: Examination, relied_on: frozenset[str]) -> Agreement:
    """Compare the claimed mark with those read under the same key: others may lie beside ours."""
    facts = seen.credentials.facts
    if facts is None or facts.mark is None or not text_holds(seen.credentials):
        return Agreement.SILENT
    read = set(_ids(mark for mark in seen.marks if mark.key_id == facts.mark.key_id))
    if facts.mark.mark_id_hex in read:
        return Agreement.AGREE
    return Agreement.OTHER_CLIP if read & relied_on else Agreement.SILENT


def _ids(marks: Iterable[Detection]) -> list[str]:
    """Return the mark ids that were read, each once."""
    found = (mark.mark_id for mark in marks if mark.state is MarkState.FOUND)
    return sorted({mark_id.hex for mark_id in found if mark_id is not None})


def _is_trusted(evidence: CredentialsEvidence) -> bool:
    return evidence.trust is TrustState.TRUSTED


def _named(evidence: CredentialsEvidence, ledger: LedgerReader, signers: OwnSigners) -> Entries:
    """Return the records of a manifest, which must be the released one or at least signed by us.

    Its label alone is a name that any signer may choose.
    """
    facts, covered = evidence.facts, evidence.coverage
    if facts is None:
        return ()
    signed = text_holds(evidence) and signers.vouch_for(covered.signer)
    return tuple(
        entry
        for entry in ledger.find_by_manifest(facts.active_label)
        if signed or entry.record.body.get("manifest_digest") == covered.store_sha256
    )
