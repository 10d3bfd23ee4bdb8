"""Manifest stores built by hand: what c2pa would never write, and what early writers wrote."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from provenance import jumbf
from provenance.jumbf import UUID_SUFFIX
from tests.support import forgery
from tests.support.forgery import box

Content = Mapping[object, object]


def superbox(label: str, kind: bytes, *parts: bytes) -> bytes:
    """Make a labelled box of boxes, described as plainly as C2PA asks."""
    described = box(b"jumd", kind + UUID_SUFFIX + b"\x03" + label.encode() + b"\0")
    return box(b"jumb", described + b"".join(parts))


def cbor_box(label: str, kind: bytes, content: object) -> bytes:
    """Make a superbox with one CBOR content."""
    return superbox(label, kind, box(b"cbor", encoded(content)))


def assertion(label: str, content: object) -> bytes:
    """Make an assertion."""
    return cbor_box(label, b"cbor", content)


def manifest(
    label: str, assertions: Mapping[str, bytes], *beside: bytes, claim: Content | None = None
) -> bytes:
    """Make a manifest whose claim binds its assertions; its signature is none.

    Args:
        label: of the manifest.
        assertions: encoded, by label.
        beside: further boxes of the manifest.
        claim: more fields of the claim.
    """
    listed = [
        reference(f"self#jumbf=c2pa.assertions/{name}", content)
        for name, content in assertions.items()
    ]
    return superbox(
        label,
        b"c2ma",
        superbox("c2pa.assertions", b"c2as", *assertions.values()),
        cbor_box("c2pa.claim.v2", b"c2cl", {"assertions": listed, **(claim or {})}),
        cbor_box("c2pa.signature", b"c2cs", [encoded({}), {}, None, b"signature"]),
        *beside,
    )


def store(*manifests: bytes) -> bytes:
    """Make a store; the last manifest is the active one."""
    return superbox("c2pa", b"c2pa", *manifests)


def with_last_child(path: Path, kind: bytes, *, protected: bytes = b"") -> bytes:
    """Put a box after the active manifest that binds it and is a manifest but for its type.

    Both verifiers pass by a box of a type that they do not know. Padding of the claim signature
    makes room, so that no hash of C2PA sees a difference.

    Args:
        path: a signed file.
        kind: type of the box, 4 bytes.
        protected: protected header of its signature, where a reader would look for the signer.
    """
    label = jumbf.parse(forgery.store_of(path)).children[-1].label

    def child(honest: bytes) -> bytes:
        listed = [reference(f"self#jumbf=/c2pa/{label}", honest)]
        return superbox(
            "urn:c2pa:false",
            kind,
            cbor_box("c2pa.claim.v2", b"c2cl", {"assertions": listed, "alg": "sha256"}),
            cbor_box("c2pa.signature", b"c2cs", [protected or encoded({}), {}, None, b"x"]),
        )

    return forgery.with_box_after_the_manifest(path, child)


def reference(url: str, target: bytes) -> dict[str, object]:
    """Refer to an encoded superbox by the digest that C2PA asks for: without its header."""
    return {"url": url, "alg": "sha256", "hash": hashlib.sha256(target[8:]).digest()}


def claim_digest(of: bytes) -> bytes:
    """Return the digest of a manifest's claim content, as early writers took it."""
    start = of.index(b"c2pa.claim.v2\0") + len(b"c2pa.claim.v2\0")
    length = int.from_bytes(of[start : start + 4], "big")
    return hashlib.sha256(of[start + 8 : start + length]).digest()


def encoded(value: object) -> bytes:
    """Encode in CBOR, shortest form."""
    constants = {"None": b"\xf6", "True": b"\xf5", "False": b"\xf4"}
    if repr(value) in constants:
        return constants[repr(value)]
    match value:
        case int():
            return _head(0, value)
        case bytes() | str():
            content = value.encode() if isinstance(value, str) else value
            return _head(3 if isinstance(value, str) else 2, len(content)) + content
        case Sequence():
            return _head(4, len(value)) + b"".join(map(encoded, value))
        case Mapping():
            pairs = (encoded(key) + encoded(inner) for key, inner in value.items())
            return _head(5, len(value)) + b"".join(pairs)
        case _:
            raise TypeError(type(value))


def _head(major: int, argument: int) -> bytes:
    if argument < 24:
        return bytes([major << 5 | argument])
    for short, width in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if argument < 1 << (8 * width):
            return bytes([major << 5 | short]) + argument.to_bytes(width, "big")
    raise ValueError(argument)
