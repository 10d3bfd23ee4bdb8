"""Checkpoints: what the log says of itself at one size, signed (C2SP tlog-checkpoint, tlog-proof).

    cp = Checkpoint(origin="silver/press", size=42, root=root)
    signed = sign_checkpoint(cp, signer)        # SignedCheckpoint
    open_checkpoint(signed.note, verifier)      # the same again, after the signature verified

A `TlogProof` puts a record's index, its inclusion proof and a checkpoint into one text file that
verifies offline with the log's public key alone.
"""

import base64
import re
from dataclasses import dataclass
from typing import Final

from audit.errors import NoteInvalid, ProofInvalid
from audit.merkle import HASH_BYTES, PATH_LIMIT, InclusionProof, hash_leaf, verify_inclusion
from audit.note import NoteSigner, Verifier, decode_base64, parse_note

PROOF_HEADER: Final = "c2sp.org/tlog-proof@v1"
"""First line of a proof file (C2SP tlog-proof)."""

_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_SIZE_LIMIT: Final = 2**63


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The root over the first `size` records of the log `origin`."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The note's text."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint and the signed note that carries it."""

    checkpoint: Checkpoint
    note: str

    @property
    def origin(self) -> str:
        """Whose log."""
        return self.checkpoint.origin

    @property
    def size(self) -> int:
        """How many records it covers."""
        return self.checkpoint.size

    @property
    def root(self) -> bytes:
        """The root hash, 32 bytes."""
        return self.checkpoint.root


@dataclass(frozen=True, slots=True)
class TlogProof:
    """A record's place in a log, provable offline."""

    proof: InclusionProof
    checkpoint: SignedCheckpoint

    @property
    def text(self) -> str:
        """The proof file, to be stored as `.tlog-proof`."""
        path = "".join(base64.b64encode(each).decode() + "\n" for each in self.proof.path)
        return f"{PROOF_HEADER}\nindex {self.proof.index}\n{path}\n{self.checkpoint.note}"


def sign_checkpoint(checkpoint: Checkpoint, signer: NoteSigner) -> SignedCheckpoint:
    """Sign a checkpoint; Ed25519 is deterministic, so the same checkpoint gives the same note."""
    return SignedCheckpoint(checkpoint, signer.sign(checkpoint.text))


def open_checkpoint(note: str, verifier: Verifier) -> SignedCheckpoint:
    """Read a checkpoint after its log's signature verified.

    Raises:
        NoteInvalid: not a note, not signed by this key, not a checkpoint, or of another log.
    """
    checkpoint = parse_checkpoint(verifier.open(note))
    if checkpoint.origin != verifier.name:
        raise NoteInvalid(
            f"the checkpoint is of log {checkpoint.origin!r}, the key is of {verifier.name!r}"
        )
    return SignedCheckpoint(checkpoint, note)


def parse_checkpoint(text: str) -> Checkpoint:
    """Read a checkpoint's text; its signature is not looked at.

    Extension lines are refused: no log of ours writes them, and monitors cannot audit them.

    Raises:
        NoteInvalid: any other number of lines, spelling of the size or length of the root.
    """
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or not lines[0]:
        raise NoteInvalid("a checkpoint is three lines: origin, size and root hash")
    root = decode_base64(lines[2])
    if len(root) != HASH_BYTES:
        raise NoteInvalid(f"the root hash has {len(root)} bytes; expected {HASH_BYTES}")
    return Checkpoint(lines[0], _parse_number(lines[1]), root)


def parse_proof(text: str) -> TlogProof:
    """Read a proof file; nothing is verified yet.

    Raises:
        ProofInvalid: not a proof file of version 1, or one with unauthenticated extra text.
        NoteInvalid: the checkpoint in it is none.
    """
    head, blank, note = text.partition("\n\n")
    lines = head.split("\n")
    if not blank or lines[0] != PROOF_HEADER:
        raise ProofInvalid(f"not a proof file; the first line is {PROOF_HEADER!r}")
    if len(lines) < 2 or not lines[1].startswith("index "):
        raise ProofInvalid("the second line of a proof file is `index` and a number")
    if len(lines) - 2 > PATH_LIMIT:
        raise ProofInvalid(f"a proof has at most {PATH_LIMIT} hashes, this one {len(lines) - 2}")
    checkpoint = parse_checkpoint(parse_note(note).text)
    proof = InclusionProof(
        index=_parse_number(lines[1].removeprefix("index ")),
        size=checkpoint.size,
        path=tuple(decode_base64(line) for line in lines[2:]),
    )
    return TlogProof(proof, SignedCheckpoint(checkpoint, note))


def verify_proof(text: str, leaf: bytes, verifier: Verifier) -> TlogProof:
    """Check that `leaf` stands in the log of `verifier`, given a proof file.

    Args:
        text: the proof file.
        leaf: the record's canonical bytes.
        verifier: the log's public key.

    Raises:
        ProofInvalid: the proof does not lead from these bytes to the checkpoint's root.
        NoteInvalid: the checkpoint is not by this key.
    """
    found = parse_proof(text)
    open_checkpoint(found.checkpoint.note, verifier)
    verify_inclusion(hash_leaf(leaf), found.proof, found.checkpoint.root)
    return found


def _parse_number(text: str) -> int:
    """Read a decimal in its one spelling: no sign, no space, no zero in front, ASCII digits."""
    if not _SIZE.fullmatch(text) or int(text) >= _SIZE_LIMIT:
        raise NoteInvalid(f"{text[:40]!r} is no number below 2^63 written plainly")
    return int(text)
