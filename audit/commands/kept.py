"""A checkpoint that somebody kept outside the log, in whichever form they have it.

    a signed note       `countermark log checkpoint`, or GET /v1/log/checkpoint
    a proof             `countermark log prove`: its second half is a checkpoint
    a released clip     its manifest carries one; a file from outside is read by the confined child

A file that holds none, or one of another log, says nothing about our log: that is a mistake to be
told, and no sign of damage.
"""

from pathlib import Path
from typing import Final

from audit.checkpoint import PROOF_HEADER, open_checkpoint, parse_proof
from audit.errors import NotFound, ProofError, ProofInvalid
from audit.note import NOTE_BYTES_LIMIT, Verifier
from audit.verifier import ClipVerifier
from provenance.container import HEAD_BYTES, media_type
from provenance.errors import ProvenanceError
from provenance.examination import Question, examine_confined
from provenance.trust import TrustLists

_FORMS: Final = "expected a signed checkpoint, a proof, or a clip that this log released"


def kept_checkpoint(path: Path, log_key: Verifier, examiner: ClipVerifier) -> str:
    """Return the note of the checkpoint that a file holds, its signature verified.

    Args:
        path: a note, a proof or a clip.
        log_key: the log's public key.
        examiner: knows what reading a clip may cost.

    Raises:
        NotFound: the file holds no checkpoint of this log.
    """
    try:
        return open_checkpoint(_note(path, examiner), log_key).note
    except (ProofError, ProvenanceError, OSError, UnicodeDecodeError) as error:
        raise NotFound(
            f"{path} holds no checkpoint of {log_key.name} ({error}); {_FORMS}"
        ) from error


def _note(path: Path, examiner: ClipVerifier) -> str:
    with path.open("rb") as file:
        head = file.read(NOTE_BYTES_LIMIT + 1)
    if media_type(head[:HEAD_BYTES]) is not None:
        return _in_manifest(path, examiner)
    text = head.decode("utf-8")
    return parse_proof(text).checkpoint.note if text.startswith(PROOF_HEADER) else text


def _in_manifest(path: Path, examiner: ClipVerifier) -> str:
    """Return the checkpoint in a clip's manifest.

    Nobody need vouch for the manifest: the note in it is signed by the log's own key.
    """
    question = Question(examiner.media_limits, TrustLists())
    facts = examine_confined(path, question, examiner.process_limits).credentials.facts
    if facts is None or facts.log is None:
        raise ProofInvalid("it has no manifest with a proof in it")
    return facts.log.checkpoint
