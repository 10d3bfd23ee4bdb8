"""Follow the digests from a claim through its manifest store: which boxes does the signature bind?

A claim is signed; the claim holds digests of assertions; assertions of an edited clip hold digests
of its ingredients' manifests, whose claims go on from there. Whatever hangs on this chain is bound.
`follow` walks it with our own reader and our own digests, and `manifest_store` names what is left.

A reference to an ingredient's manifest without a digest says nothing about it. One *with* a digest
that does not match says that a step of the history was changed, whoever signed it: those are kept
apart. Claims before 1.1 of C2PA hold the digest of the ingredient's claim instead of its manifest
(seen in public files of 2022); that binds less, and is honest.
"""

import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from provenance import cbor
from provenance.jumbf import MalformedStore, Superbox

CLAIM_LABELS = ("c2pa.claim.v2", "c2pa.claim")
MAX_REFERENCES = 20_000

_HASHES = ("sha256", "sha384", "sha512")
_ABSOLUTE, _RELATIVE = "self#jumbf=/c2pa/", "self#jumbf="


_DECODERS: dict[str, Callable[[bytes], object]] = {
    "cbor": lambda encoded: cbor.decode(encoded).value,
    "json": json.loads,  # early assertions refer to the credentials of a person from JSON
}


@dataclass(frozen=True, slots=True)
class _Reference:
    """A `hashed-uri-map` of C2PA, or what is left of one."""

    url: str
    digest: bytes | None
    algorithm: str | None
    """None where the claim's own counts."""


@dataclass(slots=True)
class Bindings:
    """What the walk through one store found."""

    store: bytes
    root: Superbox
    reached: set[str]
    """Labels of manifests that something bound refers to."""
    contradicted: set[str] = field(default_factory=set)
    """Labels of manifests that a digest names and does not match."""
    redacted: set[str] = field(default_factory=set)
    """Labels of manifests that a later claim took assertions out of, as C2PA allows."""
    _bound: set[int] = field(default_factory=set)
    """Where each superbox begins that a right digest covers."""
    _digests: dict[tuple[int, int, str], bytes] = field(default_factory=dict)

    def bind(self, box: Superbox) -> None:
        """Take a box and everything in it as bound."""
        self._bound.update(inner.start for inner in box.walk())

    def binds(self, box: Superbox) -> bool:
        """Whether a right digest covers the box."""
        return box.start in self._bound

    def was_changed(self, manifest: Superbox) -> bool:
        """Whether a step of the history is not what was signed: no right digest, and a wrong one.

        A redaction changes a manifest too, and the claim that made it says so.
        """
        label = manifest.label
        return label in self.contradicted and label not in self.redacted

    def contents(self, box: Superbox) -> Iterator[object]:
        """Give the decoded CBOR and JSON contents of a box and of all boxes in it."""
        for inner in box.walk():
            for content in inner.contents:
                decode = _DECODERS.get(content.kind)
                # What cannot be decoded is bound all the same; it only refers to nothing.
                with suppress(cbor.MalformedCbor, ValueError, RecursionError):
                    if decode is not None:
                        yield decode(self.store[content.body : content.end])

    def digest(self, start: int, end: int, algorithm: str) -> bytes:
        """Return the digest of a part of the store."""
        # Kept, or a thousand wrong references to one large box would cost a thousand hashes.
        key = (start, end, algorithm)
        if key not in self._digests:
            content = memoryview(self.store)[start:end]
            self._digests[key] = hashlib.new(algorithm, content).digest()
        return self._digests[key]


def follow(store: bytes, root: Superbox, active: Superbox, claim: dict[object, object]) -> Bindings:
    """Bind whatever a chain of right digests reaches from the claim of the active manifest.

    Raises:
        MalformedStore: there are more than `MAX_REFERENCES`.
    """
    found = Bindings(store, root, reached={active.label})
    algorithm = claim.get("alg")
    default = algorithm if isinstance(algorithm, str) else "sha256"
    waiting: deque[tuple[object, Superbox]] = deque([(claim, active)])
    followed = 0
    while waiting:
        value, manifest = waiting.popleft()
        found.redacted.update(_redactions(value))
        for reference in _references(value):
            followed += 1
            if followed > MAX_REFERENCES:
                raise MalformedStore(f"more than {MAX_REFERENCES} references")
            target, owner = _resolve(root, manifest, reference.url)
            if target is None or owner is None:
                continue
            found.reached.add(owner.label)
            box = _covered(found, reference, target, owner, default)
            if box is not None and not found.binds(box):
                found.bind(box)
                waiting.extend((inner, owner) for inner in found.contents(box))
    return found


def claim_of(manifest: Superbox) -> Superbox | None:
    """Return the only claim of a manifest."""
    claims = [box for box in manifest.children if box.label in CLAIM_LABELS]
    return claims[0] if len(claims) == 1 else None


def _references(value: object) -> Iterator[_Reference]:
    """Give every reference within a decoded CBOR item."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, cbor.Tagged):
            stack.append(item.value)
        elif isinstance(item, list):
            stack.extend(item)
        elif isinstance(item, dict):
            url, digest, algorithm = (item.get(name) for name in ("url", "hash", "alg"))
            if isinstance(url, str):
                yield _Reference(
                    url,
                    _octets(digest),
                    algorithm if isinstance(algorithm, str) else None,
                )
            stack.extend(item.values())


def _octets(digest: object) -> bytes | None:
    """Return a digest as CBOR writes it, or as JSON does: a list of numbers."""
    if isinstance(digest, list):
        with suppress(ValueError, TypeError):  # not all of them are numbers, or bytes
            return bytes(digest)
    return digest if isinstance(digest, bytes) else None


def _redactions(value: object) -> Iterator[str]:
    """Give the labels of the manifests that a claim says it took something out of."""
    listed = value.get("redacted_assertions") if isinstance(value, dict) else None
    for url in listed if isinstance(listed, list) else ():
        if isinstance(url, str) and url.startswith(_ABSOLUTE):
            yield url.removeprefix(_ABSOLUTE).partition("/")[0]


def _resolve(
    root: Superbox, manifest: Superbox, url: str
) -> tuple[Superbox | None, Superbox | None]:
    """Return the box that a JUMBF URL names, and the manifest that it lies in."""
    if url.startswith(_ABSOLUTE):
        label, _, path = url.removeprefix(_ABSOLUTE).partition("/")
        owner = root.child(label)
    elif url.startswith(_RELATIVE):
        owner, path = manifest, url.removeprefix(_RELATIVE)
    else:
        return None, None
    target = owner
    for step in filter(None, path.split("/")):
        target = target.child(step) if target is not None else None
    return target, owner


def _covered(
    found: Bindings, reference: _Reference, target: Superbox, owner: Superbox, default: str
) -> Superbox | None:
    """Return the box that a reference's digest covers; keep in mind where it covers none."""
    digest, algorithm = reference.digest, reference.algorithm or default
    if digest is None or algorithm not in _HASHES:
        return None
    if found.digest(target.body, target.end, algorithm) == digest:
        return target
    claim = claim_of(owner)
    if target not in (owner, claim):
        return None
    # A reference to a manifest may name its claim, and an early one holds the claim's digest.
    if found.digest(owner.body, owner.end, algorithm) == digest:
        return owner
    content = claim.content_of("cbor") if claim is not None else None
    if content is not None and found.digest(content.body, content.end, algorithm) == digest:
        return claim
    found.contradicted.add(owner.label)
    return None
