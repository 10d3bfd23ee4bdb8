"""Which bytes of a manifest store does its active claim bind?

`binding.follow` walks the chain of digests from the claim. The rest of the store is structure,
which can say only one thing, or it is something that nobody signed: a hiding place. `inspect` lists
what is left over, and says whose manifests the history holds.

Two kinds of findings. A *violation* is what no honest signer writes. A *deviation* is what
countermark does not write; a manifest with our record in it promises to be without any
(docs/spec/manifest.md), a stranger's promises nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cryptography import x509

from provenance import cbor
from provenance.binding import CLAIM_LABELS, Bindings, claim_of, follow
from provenance.claim_signature import (
    SignatureFinding,
    SignerCertificate,
    open_signature,
    signer_of,
)
from provenance.jumbf import UUID_SUFFIX, MalformedStore, Superbox, parse
from provenance.manifest import RECORD_LABEL
from provenance.timestamp import TimestampFinding

_STORE, _MANIFEST, _ASSERTIONS = b"c2pa", b"c2ma", b"c2as"
_MANIFESTS = (_MANIFEST, b"c2um", b"c2cm")  # standard, update, compressed: C2PA 2.2, section 11.1
_CLAIM, _SIGNATURE = b"c2cl", b"c2cs"
_SIGNATURE_LABEL = "c2pa.signature"
_ASSERTIONS_LABEL = "c2pa.assertions"
# Further stores of a manifest: data boxes and verifiable credentials, each referred to by itself.
_SIDE_STORES = {"c2pa.databoxes": b"c2db", "c2pa.credentials": b"c2vc"}
MAX_FINDINGS = 100  # of each kind; a report with more says no more


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes [start, end) and what they are."""

    start: int
    end: int
    what: str


@dataclass(frozen=True, slots=True)
class HistoryStep:
    """An earlier manifest of the same store."""

    label: str
    signer: SignerCertificate | None


@dataclass(frozen=True, slots=True)
class StoreFinding:
    """What the chain from the active claim binds, and what it does not."""

    active_label: str
    has_record: bool
    """The claim refers to an assertion of ours: the manifest promises the canonical form."""
    unbound_sha256: str | None
    """What our record says of the file's boxes outside the hard binding."""
    hard_binding: tuple[tuple[str, dict[object, object]], ...]
    """Labels and contents of the bound `c2pa.hash.*` assertions."""
    signer: SignerCertificate | None
    history: tuple[HistoryStep, ...]
    """The manifests of earlier steps that the claim binds whole."""
    timestamp: TimestampFinding
    unbound: tuple[ByteRange, ...]
    """Offsets into the store."""
    violations: tuple[str, ...]
    deviations: tuple[str, ...]


@dataclass(slots=True)
class _Survey:
    """What is left over of a store, as it is found."""

    bindings: Bindings
    unbound: list[ByteRange] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    deviations: list[str] = field(default_factory=list)

    def left_over(self, start: int, end: int, what: str) -> None:
        self.unbound.append(ByteRange(start, end, what))


def inspect(store: bytes, *, timestamp_roots: Sequence[x509.Certificate]) -> StoreFinding:
    """Follow the chain of digests from the active claim through the store.

    1. Parse the boxes; the active manifest is the last that has a manifest's type. A box of another
       type among them is nothing that anybody writes: the verifiers pass it by unseen.
    2. Take claim and signature apart.
    3. Follow every digest from the claim; what matches is bound.
    4. List what is not bound: padding, structure, assertions and manifests nobody refers to.

    Raises:
        MalformedStore: it cannot be parsed so far that the question has an answer.
    """
    root = parse(store)
    manifests = [child for child in root.children if _is_manifest(child)]
    if not manifests:
        raise MalformedStore("the store holds no manifest")
    active = manifests[-1]
    claim_box, signature_box = _only_claim(active), active.child(_SIGNATURE_LABEL)
    if signature_box is None:
        raise MalformedStore("the active manifest has no single signature")
    claim = _content(store, claim_box, "claim")
    signature = open_signature(
        _content(store, signature_box, "signature"), claim=claim, timestamp_roots=timestamp_roots
    )
    bindings = follow(store, root, active, _claim(claim))
    survey = _Survey(bindings)
    _survey_signature(survey, signature, signature_box)
    _survey_store(survey, active, claim_box, signature_box)
    record = _record(bindings, active)
    return StoreFinding(
        active_label=active.label,
        has_record=record is not None,
        unbound_sha256=_commitment(record),
        hard_binding=tuple(_hard_bindings(bindings, active)),
        signer=signature.signer,
        history=tuple(_history(bindings)),
        timestamp=signature.timestamp,
        unbound=tuple(survey.unbound[:MAX_FINDINGS]),
        violations=tuple(dict.fromkeys(survey.violations))[:MAX_FINDINGS],
        deviations=tuple(dict.fromkeys(survey.deviations))[:MAX_FINDINGS],
    )


def _is_manifest(box: Superbox) -> bool:
    return any(box.content_type == kind + UUID_SUFFIX for kind in _MANIFESTS)


def _only_claim(active: Superbox) -> Superbox:
    claim = claim_of(active)
    if claim is None:
        count = sum(box.label in CLAIM_LABELS for box in active.children)
        raise MalformedStore(f"the active manifest has {count} claims; expected one")
    return claim


def _content(store: bytes, box: Superbox, what: str) -> bytes:
    found = box.content_of("cbor")
    if found is None:
        raise MalformedStore(f"the {what} holds no single CBOR content")
    return store[found.body : found.end]


def _claim(encoded: bytes) -> dict[object, object]:
    try:
        claim = cbor.decode(encoded).value
    except cbor.MalformedCbor as error:
        raise MalformedStore(f"the claim is no CBOR: {error}") from error
    if not isinstance(claim, dict):
        raise MalformedStore("the claim is no map")
    return claim


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
    root = survey.bindings.root
    _survey_tail(survey)
    _survey_structure(survey, root, _STORE, "store")
    if root.label != "c2pa":
        survey.deviations.append(f"the store is labelled {root.label!r}; expected 'c2pa'")
    for child in root.children:
        if not _is_manifest(child):
            survey.left_over(child.start, child.end, f"box {child.label}")
            survey.violations.append(f"the store holds {child.label!r}, which is no manifest")
        elif child is not active:
            _survey_manifest(survey, child)
    _survey_structure(survey, active, _MANIFEST, "active manifest")
    _survey_structure(survey, claim, _CLAIM, "claim")
    _survey_structure(survey, signature, _SIGNATURE, "claim signature")
    for child in active.children:
        if child not in (claim, signature) and not survey.bindings.binds(child):
            _survey_part(survey, child)


def _survey_tail(survey: _Survey) -> None:
    store, root = survey.bindings.store, survey.bindings.root
    tail = store[root.end :]
    if tail:
        survey.left_over(root.end, len(store), "padding after the store")
        survey.deviations.append("there is padding after the manifest store")
    if any(tail):
        survey.violations.append("the padding after the manifest store holds something")


def _survey_manifest(survey: _Survey, manifest: Superbox) -> None:
    """An ingredient's manifest: bound by a digest, or reached, or changed, or smuggled in."""
    bindings, label = survey.bindings, manifest.label
    if bindings.binds(manifest):
        return
    survey.left_over(manifest.start, manifest.end, f"manifest {label}")
    claim = claim_of(manifest)
    if label not in bindings.reached:
        survey.violations.append(
            f"the manifest {label} is in the store, but nothing signed refers to it"
        )
    elif claim is not None and bindings.binds(claim):
        survey.deviations.append(f"only the claim of the ingredient's manifest {label} is bound")
    elif bindings.was_changed(manifest):
        survey.violations.append(
            f"the ingredient's manifest {label} is not the one whose digest was signed"
        )
    else:
        survey.deviations.append(f"no digest binds the ingredient's manifest {label}")


def _survey_part(survey: _Survey, part: Superbox) -> None:
    """A part of the active manifest that no digest covers whole: a store, or something astray."""
    if part.label == _ASSERTIONS_LABEL:
        _survey_structure(survey, part, _ASSERTIONS, "assertion store")
        for child in part.children:
            if not survey.bindings.binds(child):
                survey.left_over(child.start, child.end, f"assertion {child.label}")
                survey.violations.append(
                    f"the assertion {child.label!r} is not one that the claim signed"
                )
        return
    astray = [part]
    if part.label in _SIDE_STORES:
        _survey_structure(survey, part, _SIDE_STORES[part.label], part.label)
        astray = [child for child in part.children if not survey.bindings.binds(child)]
    for box in astray:
        survey.left_over(box.start, box.end, f"box {box.label!r} of the active manifest")
        survey.deviations.append(f"nothing signed refers to the box {box.label!r}")


def _survey_structure(survey: _Survey, box: Superbox, kind: bytes, what: str) -> None:
    """Structure is not signed, so it must be the one thing that can stand there."""
    if not box.is_plainly_described(kind):
        survey.left_over(box.body, box.description_end, f"description of the {what}")
        survey.deviations.append(f"the description of the {what} says more than its name")
    expected = 1 if kind in (_CLAIM, _SIGNATURE) else 0
    if len(box.contents) != expected or (expected and box.children):
        survey.left_over(box.start, box.end, f"the {what}")
        survey.deviations.append(f"the {what} holds boxes that do not belong there")


# What the coverage of the file, and the log, need to know


def _history(bindings: Bindings) -> Iterator[HistoryStep]:
    """Give the earlier manifests that are bound whole, with the certificate in each signature."""
    for manifest in bindings.root.children[:-1]:
        signature = manifest.child(_SIGNATURE_LABEL) if bindings.binds(manifest) else None
        content = signature.content_of("cbor") if signature is not None else None
        if content is not None:
            encoded = bindings.store[content.body : content.end]
            yield HistoryStep(manifest.label, signer_of(encoded))


def _record(bindings: Bindings, active: Superbox) -> dict[object, object] | None:
    """Return our own assertion if the claim binds it."""
    for label, content in _bound_assertions(bindings, active):
        if label == RECORD_LABEL:
            return content
    return None


def _commitment(record: dict[object, object] | None) -> str | None:
    value = None if record is None else record.get("unbound_sha256")
    return value if isinstance(value, str) else None


def _hard_bindings(
    bindings: Bindings, active: Superbox
) -> Iterator[tuple[str, dict[object, object]]]:
    for label, content in _bound_assertions(bindings, active):
        if label.startswith("c2pa.hash."):
            yield label, content


def _bound_assertions(
    bindings: Bindings, active: Superbox
) -> Iterator[tuple[str, dict[object, object]]]:
    assertions = active.child(_ASSERTIONS_LABEL)
    for box in assertions.children if assertions is not None else ():
        if not bindings.binds(box):
            continue
        for content in bindings.contents(box):
            if isinstance(content, dict):
                yield box.label, content
