"""The proof that a manifest carries: does it lead to our record of this very clip?

Anybody can copy a proof that verifies. So a proof counts only under our own signature, and only
where the `cleared` record that it leads to says of the clip what the manifest says.
"""

from collections.abc import Mapping
from enum import StrEnum

from audit.checkpoint import open_checkpoint
from audit.errors import NotFound, ProofError
from audit.merkle import InclusionProof, verify_inclusion
from audit.reader import LedgerReader
from audit.records import Record
from audit.signers import Maker
from audit.vocabulary import RecordKind
from provenance.claims import LogProof
from provenance.manifest_facts import ManifestFacts


class ProofState(StrEnum):
    """What became of the proof that a manifest carries."""

    PROVED = "proved"
    BROKEN = "broken"
    ABSENT = "absent"
    NOT_CHECKED = "not_checked"


def check_proof(facts: ManifestFacts | None, maker: Maker, ledger: LedgerReader) -> ProofState:
    """Check the proof in a manifest against our key and our own record.

    Args:
        facts: what the manifest states.
        maker: whose it is; a text that nobody vouches for is not asked.
        ledger: our log.
    """
    if facts is None or facts.log is None:
        return ProofState.ABSENT
    if maker is Maker.NOBODY:
        return ProofState.NOT_CHECKED
    if maker is Maker.SOMEBODY_ELSE:
        # A proof from another log is another reader's business; one from ours was copied.
        borrowed = facts.log.origin == ledger.origin
        return ProofState.BROKEN if borrowed else ProofState.NOT_CHECKED
    return ProofState.PROVED if _proves(facts, facts.log, ledger) else ProofState.BROKEN


def _proves(facts: ManifestFacts, claim: LogProof, ledger: LedgerReader) -> bool:
    try:
        checkpoint = open_checkpoint(claim.checkpoint, ledger.verifier)
        leaf = bytes.fromhex(claim.leaf_hash_hex)
        path = tuple(bytes.fromhex(each) for each in claim.proof)
        if checkpoint.origin != claim.origin or checkpoint.size != claim.tree_size:
            return False
        verify_inclusion(leaf, InclusionProof(claim.index, claim.tree_size, path), checkpoint.root)
        entry = ledger.get(claim.index)
    except (ProofError, NotFound, ValueError):
        return False
    return entry.leaf_hash == leaf and _is_of_this_clip(facts, entry.record)


def _is_of_this_clip(facts: ManifestFacts, record: Record) -> bool:
    """Compare what the manifest says of the clip with the `cleared` record."""
    if record.kind is not RecordKind.CLEARED:
        return False
    body, mark, model = record.body, facts.mark, facts.model
    return (
        mark is not None
        and _fields(body["mark"]) == {"id": mark.mark_id_hex, "algorithm": mark.algorithm,
                                      "key_id": mark.key_id}
        and _fields(body["model"]).get("digest") == (None if model is None else model.digest)
        and body["policy"] == facts.policy_digest
        and _fields(body["output_verdict"])["decision"] == facts.decision
        and body["generated_by"] == facts.generated_by
    )  # fmt: skip


def _fields(part: object) -> dict[str, object]:
    return dict(part) if isinstance(part, Mapping) else {}
