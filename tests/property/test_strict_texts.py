"""Thousands of damaged notes, checkpoints, proofs and records: not one is accepted."""

import contextlib
import json
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from audit.canonical import JsonValue, decode, encode
from audit.checkpoint import TlogProof, open_checkpoint, verify_proof
from audit.errors import ProofError, RecordInvalid
from audit.merkle import prove_inclusion
from audit.records import Record
from tests.support.logs import SCOPE, START, cleared_body
from tests.unit.test_checkpoint import LEAVES, SIGNED, SIGNER, TREE

PROOF = TlogProof(prove_inclusion(3, 7, TREE.subtree), SIGNED).text
RECORD = Record.of(cleared_body("clip-1", 7), scope=SCOPE, now=START).canonical


def mutate(raw: bytes, rng: random.Random) -> bytes:
    """Return other bytes: a bit, a byte, a cut, a repeat or a swap of two places."""
    at, other = sorted(rng.sample(range(len(raw)), 2))
    changed = bytearray(raw)
    how = rng.randrange(6)
    if how == 0:
        changed[at] ^= 1 << rng.randrange(8)
    elif how == 1:
        changed[at] = rng.randrange(256)
    elif how == 2:
        del changed[at:other]
    elif how == 3:
        changed[at:at] = raw[at:other]
    elif how == 4:
        changed[at], changed[other] = changed[other], changed[at]
    else:
        changed.insert(at, rng.choice(b"\n\r\t +=-0A\x00\xe2"))
    return bytes(changed)


def test_no_mutated_checkpoint_says_anything_else() -> None:
    rng = random.Random(1)
    accepted = 0
    for _ in range(4000):
        mutant = mutate(SIGNED.note.encode(), rng)
        with contextlib.suppress(ProofError, UnicodeDecodeError):
            accepted += open_checkpoint(mutant.decode(), SIGNER.verifier) != SIGNED

    assert accepted == 0


def test_no_mutated_proof_is_accepted() -> None:
    rng = random.Random(2)
    accepted = 0
    for _ in range(4000):
        mutant = mutate(PROOF.encode(), rng)
        if mutant == PROOF.encode():
            continue
        with contextlib.suppress(ProofError, UnicodeDecodeError):
            found = verify_proof(mutant.decode(), LEAVES[3], SIGNER.verifier)
            accepted += found.text != PROOF

    assert accepted == 0


def test_no_mutated_record_keeps_its_bytes_from_showing_it() -> None:
    """A mutant is refused, or it is a canonical record whose bytes are the mutant's own."""
    rng = random.Random(3)
    for _ in range(2000):
        mutant = mutate(RECORD, rng)
        with contextlib.suppress(RecordInvalid):
            Record.parse(mutant)
            assert encode(json.loads(mutant)) == mutant


texts = st.text(st.characters(codec="utf-8"), max_size=20)
keys = st.text(st.characters(max_codepoint=127), max_size=8)
values: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(value=values)
def test_canonical_bytes_are_those_of_rfc_8785(value: JsonValue) -> None:
    import rfc8785  # the oracle: an independent implementation

    assert encode(value) == rfc8785.dumps(value)
    assert decode(encode(value)) == value


@settings(max_examples=300, deadline=None)
@given(raw=st.binary(max_size=60) | texts.map(str.encode))
def test_any_bytes_are_canonical_or_refused(raw: bytes) -> None:
    with contextlib.suppress(RecordInvalid):
        assert encode(decode(raw)) == raw
