"""Which bytes of a manifest store does its active claim bind?

A claim is signed; the claim holds digests of assertions; assertions of an edited clip hold digests
of its ingredients' manifests. Whatever hangs on this chain is bound. The rest of the store is
structure, which can say only one thing, or it is something that nobody signed: a hiding place.
`inspect` follows the chain with its own reader and its own digests, and lists what is left over.

Two kinds of findings. A *violation* is what no honest signer writes. A *deviation* is what
countermark does not write; a manifest with our record in it promises to be without any
(docs/spec/manifest.md), a stranger's promises nothing.
"""

import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cryptography import x509

from provenance import cbor
from provenance.claim_signature import SignatureFinding, SignerCertificate, open_signature
from provenance.jumbf import MalformedStore, Superbox, parse
from provenance.manifest import RECORD_LABEL
from provenance.timestamp import TimestampFinding

_STORE, _MANIFEST, _ASSERTIONS = b"c2pa", b"c2ma", b"c2as"
_CLAIM, _SIGNATURE = b"c2cl", b"c2cs"
_MANIFEST_TYPES = (_MANIFEST, b"c2um", b"c2cm")  # standard, update, compressed
_CLAIM_LABELS = ("c2pa.claim.v2", "c2pa.claim")
_SIGNATURE_LABEL = "c2pa.signature"
_ASSERTIONS_LABEL = "c2pa.assertions"
_HASHES = ("sha256", "sha384", "sha512")
_ABSOLUTE, _RELATIVE = "self#jumbf=/c2pa/", "self#jumbf="
MAX_REFERENCES = 20_000
MAX_FINDINGS = 100  # of each kind; a report with more says no more


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes [start, end) and what they are."""

    start: int
    end: int
    what: str


@dataclass(frozen=True, slots=True)
class StoreFinding:
    """What the chain from the active claim binds, and what it does not."""

    active_label: str
    has_record: bool
    """The claim refers to an assertion of ours: the manifest promises the canonical form."""
    unbound_sha256: str | None
    """What our record says of the boxes outside the hard binding."""
    hard_binding: tuple[tuple[str, dict[object, object]], ...]
    """Labels and contents of the bound `c2pa.hash.*` assertions."""
    signer: SignerCertificate | None
    timestamp: TimestampFinding
    unbound: tuple[ByteRange, ...]
    """Offsets into the store."""
    violations: tuple[str, ...]
    deviations: tuple[str, ...]


@dataclass(slots=True)
class _Survey:
    """What is known while a store is followed."""

    store: bytes
    root: Superbox
    bound: set[int] = field(default_factory=set)
    """Where each superbox begins that a right digest covers."""
    digests: dict[tuple[int, str], bytes] = field(default_factory=dict)
    reached: set[str] = field(default_factory=set)
    """Manifests that something bound refers to."""
    unbound: list[ByteRange] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    deviations: list[str] = field(default_factory=list)

    def bind(self, box: Superbox) -> None:
        self.bound.update(inner.start for inner in box.walk())

    def binds(self, box: Superbox) -> bool:
        return box.start in self.bound

    def digest(self, box: Superbox, algorithm: str) -> bytes:
        # Kept, or a thousand wrong references to one large box would cost a thousand hashes.
        key = (box.start, algorithm)
        if key not in self.digests:
            content = memoryview(self.store)[box.body : box.end]
            self.digests[key] = hashlib.new(algorithm, content).digest()
        return self.digests[key]

    def left_over(self, start: int, end: int, what: str) -> None:
        self.unbound.append(ByteRange(start, end, what))

    def content(self, box: Superbox, what: str) -> bytes:
        found = box.content_of("cbor")
        if found is None:
            raise MalformedStore(f"the {what} holds no single CBOR content")
        return self.store[found.body : found.end]


def inspect(store: bytes, *, timestamp_roots: Sequence[x509.Certificate]) -> StoreFinding:
    """Follow the chain of digests from the active claim through the store.

    1. Parse the boxes; the active manifest is the last one.
    2. Take claim and signature apart.
    3. Follow every digest from the claim; what matches is bound.
    4. List what is not bound: padding, structure, assertions and manifests nobody refers to.

    Raises:
        MalformedStore: it cannot be parsed so far that the question has an answer.
    """
    root = parse(store)
    if not root.children:
        raise MalformedStore("the store holds no manifest")
    active = root.children[-1]
    survey = _Survey(store, root, reached={active.label})
    claim_box = _only_claim(active)
    claim = survey.content(claim_box, "claim")
    signature_box = active.child(_SIGNATURE_LABEL)
    if signature_box is None:
        raise MalformedStore("the active manifest has no single signature")
    signature = open_signature(
        survey.content(signature_box, "signature"), claim=claim, timestamp_roots=timestamp_roots
    )
    decoded = _claim(claim)
    _follow(survey, decoded, active)
    _survey_signature(survey, signature, signature_box)
    _survey_store(survey, active, claim_box, signature_box)
    record = _record(survey, active)
    return StoreFinding(
        active_label=active.label,
        has_record=record is not None,
        unbound_sha256=_commitment(record),
        hard_binding=tuple(_hard_bindings(survey, active)),
        signer=signature.signer,
        timestamp=signature.timestamp,
        unbound=tuple(survey.unbound[:MAX_FINDINGS]),
        violations=tuple(dict.fromkeys(survey.violations))[:MAX_FINDINGS],
        deviations=tuple(dict.fromkeys(survey.deviations))[:MAX_FINDINGS],
    )


def _only_claim(active: Superbox) -> Superbox:
    claims = [box for box in active.children if box.label in _CLAIM_LABELS]
    if len(claims) != 1:
        raise MalformedStore(f"the active manifest has {len(claims)} claims; expected one")
    return claims[0]


def _claim(encoded: bytes) -> dict[object, object]:
    try:
        claim = cbor.decode(encoded).value
    except cbor.MalformedCbor as error:
        raise MalformedStore(f"the claim is no CBOR: {error}") from error
    if not isinstance(claim, dict):
        raise MalformedStore("the claim is no map")
    return claim


# Following the digests


def _follow(survey: _Survey, claim: dict[object, object], active: Superbox) -> None:
    """Bind whatever a chain of right digests reaches from the claim."""
    algorithm = claim.get("alg")
    default = algorithm if isinstance(algorithm, str) else "sha256"
    waiting: deque[tuple[object, Superbox]] = deque([(claim, active)])
    followed = 0
    while waiting:
        value, manifest = waiting.popleft()
        for url, digest, named in _references(value):
            followed += 1
            if followed > MAX_REFERENCES:
                raise MalformedStore(f"more than {MAX_REFERENCES} references")
            target, owner = _resolve(survey.root, manifest, url)
            if target is None or owner is None:
                continue
            survey.reached.add(owner.label)
            if survey.binds(target) or not _matches(survey, target, digest, named or default):
                continue
            survey.bind(target)
            waiting.extend((inner, owner) for inner in _contents(survey, target))


def _references(value: object) -> Iterator[tuple[str, bytes, str | None]]:
    """Give every hashed reference within a decoded CBOR item (`hashed-uri-map` of C2PA)."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, cbor.Tagged):
            stack.append(item.value)
        elif isinstance(item, list):
            stack.extend(item)
        elif isinstance(item, dict):
            match item:
                case {"url": str() as url, "hash": bytes() as digest}:
                    algorithm = item.get("alg")
                    yield url, digest, algorithm if isinstance(algorithm, str) else None
                case _:
                    pass
            stack.extend(item.values())


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


def _matches(survey: _Survey, target: Superbox, digest: bytes, algorithm: str) -> bool:
    return algorithm in _HASHES and survey.digest(target, algorithm) == digest


def _contents(survey: _Survey, box: Superbox) -> Iterator[object]:
    """Give the decoded CBOR contents of a bound box and of all boxes in it."""
    for inner in box.walk():
        for content in inner.contents:
            if content.kind != "cbor":
                continue
            try:
                yield cbor.decode(survey.store[content.body : content.end]).value
            except cbor.MalformedCbor:
                continue  # bound all the same; it only refers to nothing


# What is left over


def _survey_signature(survey: _Survey, signature: SignatureFinding, box: Superbox) -> None:
    content = box.content_of("cbor")
    start = content.body if content is not None else box.body
    survey.left_over(
        start + signature.unsigned_start,
        start + signature.unsigned_end,
        "unsigned header of the claim signature: time-stamp and padding",
    )
    survey.violations.extend(signature.violations)
    survey.deviations.extend(signature.deviations)


def _survey_store(survey: _Survey, active: Superbox, claim: Superbox, signature: Superbox) -> None:
    root = survey.root
    _survey_tail(survey)
    _survey_structure(survey, root, _STORE, "store")
    if root.label != "c2pa":
        survey.deviations.append(f"the store is labelled {root.label!r}; expected 'c2pa'")
    for manifest in root.children[:-1]:
        _survey_manifest(survey, manifest)
    _survey_structure(survey, active, _MANIFEST, "active manifest")
    _survey_structure(survey, claim, _CLAIM, "claim")
    _survey_structure(survey, signature, _SIGNATURE, "claim signature")
    for child in active.children:
        if child in (claim, signature) or survey.binds(child):
            continue
        if child.label == _ASSERTIONS_LABEL:
            _survey_assertions(survey, child)
        else:
            survey.left_over(child.start, child.end, f"box {child.label!r} of the active manifest")
            survey.deviations.append(f"nothing signed refers to the box {child.label!r}")


def _survey_tail(survey: _Survey) -> None:
    tail = survey.store[survey.root.end :]
    if tail:
        survey.left_over(survey.root.end, len(survey.store), "padding after the store")
        survey.deviations.append("there is padding after the manifest store")
    if any(tail):
        survey.violations.append("the padding after the manifest store holds something")


def _survey_manifest(survey: _Survey, manifest: Superbox) -> None:
    """An ingredient's manifest: bound by a digest, or reached, or smuggled in."""
    if survey.binds(manifest):
        return
    survey.left_over(manifest.start, manifest.end, f"manifest {manifest.label}")
    if manifest.label not in survey.reached:
        survey.violations.append(
            f"the manifest {manifest.label} is in the store, but nothing signed refers to it"
        )
    else:
        survey.deviations.append(f"no digest binds the ingredient's manifest {manifest.label}")


def _survey_assertions(survey: _Survey, assertions: Superbox) -> None:
    _survey_structure(survey, assertions, _ASSERTIONS, "assertion store")
    for child in assertions.children:
        if not survey.binds(child):
            survey.left_over(child.start, child.end, f"assertion {child.label}")
            survey.violations.append(
                f"the assertion {child.label!r} is not one that the claim signed"
            )


def _survey_structure(survey: _Survey, box: Superbox, kind: bytes, what: str) -> None:
    """Structure is not signed, so it must be the one thing that can stand there."""
    if not box.is_plainly_described(kind):
        survey.left_over(box.body, box.description_end, f"description of the {what}")
        survey.deviations.append(f"the description of the {what} says more than its name")
    expected = 1 if kind in (_CLAIM, _SIGNATURE) else 0
    if len(box.contents) != expected or (expected and box.children):
        survey.left_over(box.start, box.end, f"the {what}")
        survey.deviations.append(f"the {what} holds boxes that do not belong there")


# What the coverage of the file needs to know


def _record(survey: _Survey, active: Superbox) -> dict[object, object] | None:
    """Return our own assertion if the claim binds it."""
    for label, content in _bound_assertions(survey, active):
        if label == RECORD_LABEL:
            return content
    return None


def _commitment(record: dict[object, object] | None) -> str | None:
    value = None if record is None else record.get("unbound_sha256")
    return value if isinstance(value, str) else None


def _hard_bindings(survey: _Survey, active: Superbox) -> Iterator[tuple[str, dict[object, object]]]:
    for label, content in _bound_assertions(survey, active):
        if label.startswith("c2pa.hash."):
            yield label, content


def _bound_assertions(
    survey: _Survey, active: Superbox
) -> Iterator[tuple[str, dict[object, object]]]:
    assertions = active.child(_ASSERTIONS_LABEL)
    for box in assertions.children if assertions is not None else ():
        if not survey.binds(box):
            continue
        for content in _contents(survey, box):
            if isinstance(content, dict):
                yield box.label, content
