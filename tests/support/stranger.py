"""Checks a record's proof as somebody would who has the published formats and nothing of ours.

Written from the specifications, with hashlib and an Ed25519 library: C2SP signed-note and
tlog-proof, RFC 9162, section 2.1.3.2. It must never import `audit`.
"""

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def leaf_of(record: bytes) -> bytes:
    """Return the leaf hash of a record's bytes (RFC 9162, section 2.1.1)."""
    return hashlib.sha256(b"\x00" + record).digest()


def check(record: bytes, proof: str, vkey: str) -> int:
    """Return the index at which the log of `vkey` proves `record`; raise where it does not.

    Raises:
        AssertionError: the proof does not lead from these bytes to the signed root.
        InvalidSignature: the checkpoint is not signed by the key.
    """
    head, note = proof.split("\n\n", 1)
    header, index_line, *path = head.split("\n")
    assert header == "c2sp.org/tlog-proof@v1"
    index = int(index_line.removeprefix("index "))
    size, root = _signed_root(note, vkey)
    found = _root_of(leaf_of(record), index, size, [base64.b64decode(line) for line in path])
    assert found == root, "the path does not lead to the signed root"
    return index


def _signed_root(note: str, vkey: str) -> tuple[int, bytes]:
    name, key_id, encoded = vkey.split("+", 2)
    text, signatures = note.split("\n\n", 1)
    prefix = f"\u2014 {name} "
    line = next(each for each in signatures.splitlines() if each.startswith(prefix))
    signature = base64.b64decode(line.removeprefix(prefix))
    assert signature[:4].hex() == key_id
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(encoded)[1:])
    key.verify(signature[4:], f"{text}\n".encode())
    origin, size, root = text.split("\n")
    assert origin == name
    return int(size), base64.b64decode(root)


def _root_of(found: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """Climb from a leaf to the root (RFC 9162, section 2.1.3.2)."""
    at, last = index, size - 1
    assert 0 <= at <= last
    for sibling in path:
        assert last > 0, "the path is too long"
        if at % 2 or at == last:
            found = hashlib.sha256(b"\x01" + sibling + found).digest()
            while not at % 2 and at:
                at, last = at >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\x01" + found + sibling).digest()
        at, last = at >> 1, last >> 1
    assert last == 0, "the path is too short"
    return found
