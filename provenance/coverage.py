"""Which bytes of a file does no signature protect, and do they hold what they should?

C2PA's hash of an MP4 leaves boxes out: `ftyp`, `free`, `skip`, `mfra` and its own box. Both
verifiers call a file Trusted with a kilobyte of anything in an appended `free` box. A manifest of
ours therefore carries a digest of the boxes left out and of the place of each (`unbound_digest`),
and promises a store without a byte of slack; `examine` holds it to that. In a stranger's file the
same bytes are only named, unless they are what no honest signer writes.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from cryptography import x509

from provenance import bmff, manifest_store
from provenance.bmff import Box, CredentialsBox, MalformedBoxes
from provenance.claim_signature import SignerCertificate
from provenance.errors import UnreadableMedia
from provenance.jumbf import MalformedStore
from provenance.manifest_store import ByteRange, HistoryStep, StoreFinding
from provenance.timestamp import TimestampFinding, TimestampState

MAX_STORE_BYTES = 64 * 2**20  # thumbnails of a long history; ours has about 15 KiB

LEFT_OUT = ("ftyp", "mfra", "free", "skip")
"""What c2pa-rs leaves out of an MP4's hash besides the box that holds the manifest."""

MAX_RANGES = 200  # of a file with more, the first
_CHUNK = 2**20

# What `unbound_digest` writes (docs/spec/manifest.md, section 4).
_DOMAIN = b"countermark boxes v1\n"
_WHOLE, _HASHED, _CREDENTIALS = b"w", b"h", b"c"
_LENGTH_BYTES = 8


class CoverageState(StrEnum):
    """How far the question could be answered."""

    CHECKED = "checked"
    NOT_CHECKED = "not_checked"
    """Another container than MP4 or MOV, or no manifest in it."""
    UNREADABLE = "unreadable"
    """Boxes or store do not parse."""
    REMAINS = "remains"
    """A manifest store lies in a box where no reader looks: its box was renamed or damaged."""


@dataclass(frozen=True, slots=True)
class CoverageFinding:
    """What is bound and what is not."""

    state: CoverageState
    reason: str | None = None
    """Why it is not checked or not readable."""
    promised: bool = False
    """The manifest carries our record: whatever deviates is a violation."""
    unbound: tuple[ByteRange, ...] = ()
    """Offsets into the file."""
    violations: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    """Deviations of a stranger's file, which promised nothing."""
    active_label: str | None = None
    """Of the manifest that all of this is about."""
    store_sha256: str | None = None
    """Of the manifest store, hex: what the log's record of a released clip names."""
    signer: SignerCertificate | None = None
    history: tuple[HistoryStep, ...] = ()
    """Earlier manifests that the claim binds."""
    timestamp: TimestampFinding = field(
        default_factory=lambda: TimestampFinding(TimestampState.NOT_CHECKED)
    )


def examine(path: Path, *, timestamp_roots: Sequence[x509.Certificate]) -> CoverageFinding:
    """Read an MP4 or MOV file and say which of its bytes nothing protects.

    Raises:
        UnreadableMedia: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            if not _is_bmff(file):
                return CoverageFinding(
                    CoverageState.NOT_CHECKED,
                    "byte coverage is checked in MP4 and MOV files only",
                )
            return _examine(file, timestamp_roots)
    except OSError as error:
        raise UnreadableMedia(f"cannot read {path.name} ({error.strerror})") from error
    except (MalformedBoxes, MalformedStore) as error:
        return CoverageFinding(CoverageState.UNREADABLE, str(error))


def unbound_digest(path: Path) -> str:
    """Return SHA-256 (hex) over the boxes that C2PA's hash will leave out, and over every place.

    Signing touches none of them and puts its own box directly after `ftyp`, so the digest of the
    clip to be signed is that of the signed one.

    Raises:
        UnreadableMedia: the file cannot be read, or is no sequence of boxes that begins with
            `ftyp`.
    """
    try:
        with path.open("rb") as file:
            boxes = bmff.top_boxes(file)
            if not boxes or boxes[0].kind != "ftyp":
                raise UnreadableMedia(f"{path.name} is no MP4: it does not begin with `ftyp`")
            return _digest_of_boxes(file, boxes)
    except OSError as error:
        raise UnreadableMedia(f"cannot read {path.name} ({error.strerror})") from error
    except MalformedBoxes as error:
        raise UnreadableMedia(f"{path.name} is no MP4: {error}") from error


def _is_bmff(file: BinaryIO) -> bool:
    return file.read(8)[4:] == b"ftyp"


def _examine(file: BinaryIO, roots: Sequence[x509.Certificate]) -> CoverageFinding:
    boxes = bmff.top_boxes(file)
    carriers = [box for box in boxes if box.carries_credentials]
    opened = [bmff.credentials_box(file, box) for box in carriers]
    manifests = [found for found in opened if found is not None]
    if not manifests:
        return _without_store(file, boxes)
    if len(manifests) > 1:
        return CoverageFinding(
            CoverageState.CHECKED,
            unbound=tuple(_range(box, "a C2PA box") for box in carriers),
            violations=(f"the file holds {len(manifests)} manifest stores; expected one",),
        )
    carrier = manifests[0]
    encoded = _read_store(file, carrier)
    store = manifest_store.inspect(encoded, timestamp_roots=roots)
    deviations = [*store.deviations, *_carrier_deviations(carrier, carriers)]
    deviations += _binding_deviations(store)
    if not store.has_record:
        deviations += _unsigned_contents(file, boxes)
    violations = [*store.violations]
    if store.has_record and store.unbound_sha256 != _digest_of_boxes(file, boxes):
        violations.append(
            "the boxes that the C2PA hash leaves out are not those that were signed, or not there"
        )
    return CoverageFinding(
        state=CoverageState.CHECKED,
        promised=store.has_record,
        unbound=tuple(islice(_unbound(boxes, carrier, store), MAX_RANGES)),
        violations=(*violations, *(deviations if store.has_record else ())),
        remarks=() if store.has_record else tuple(deviations[:MAX_RANGES]),
        active_label=store.active_label,
        store_sha256=hashlib.sha256(encoded).hexdigest(),
        signer=store.signer,
        history=store.history,
        timestamp=store.timestamp,
    )


def _without_store(file: BinaryIO, boxes: Sequence[Box]) -> CoverageFinding:
    for box in boxes:
        if bmff.holds_store(file, box):
            return CoverageFinding(
                CoverageState.REMAINS,
                f"a manifest store lies in a box {box.kind!r} at byte {box.start}, "
                "where no reader looks for one",
                unbound=(_range(box, "remains of credentials"),),
            )
    return CoverageFinding(CoverageState.NOT_CHECKED, "the file holds no manifest store")


def _read_store(file: BinaryIO, carrier: CredentialsBox) -> bytes:
    length = carrier.box.end - carrier.store_start
    if length > MAX_STORE_BYTES:
        raise MalformedStore(f"the store has {length} bytes, more than {MAX_STORE_BYTES}")
    file.seek(carrier.store_start)
    return file.read(length)


def _carrier_deviations(carrier: CredentialsBox, carriers: Sequence[Box]) -> Iterator[str]:
    if not carrier.preamble_is_canonical:
        yield "the box of the manifest store has a header that countermark does not write"
    if len(carriers) > 1:
        yield "the file holds C2PA boxes besides the manifest store"


def _binding_deviations(store: StoreFinding) -> Iterator[str]:
    """Say where the signer left more out of the hash than c2pa-rs does by itself."""
    for label, content in store.hard_binding:
        exclusions = content.get("exclusions")
        for exclusion in exclusions if isinstance(exclusions, list) else ():
            xpath = _xpath(exclusion)
            if xpath is not None and xpath.strip("/") not in {*LEFT_OUT, "uuid"}:
                yield f"the signer left {xpath} out of {label}"


def _unsigned_contents(file: BinaryIO, boxes: Sequence[Box]) -> Iterator[str]:
    """Say where a stranger's file holds something in boxes that are there to hold nothing."""
    for box in boxes:
        if box.kind in {"free", "skip"} and any(map(any, _chunks(file, box.body, box.end))):
            yield f"{box.end - box.body} bytes in a box {box.kind!r} that no signature protects"


def _unbound(
    boxes: Sequence[Box], carrier: CredentialsBox, store: StoreFinding
) -> Iterator[ByteRange]:
    excluded = {
        xpath.strip("/").partition("/")[0].partition("[")[0]
        for _, content in store.hard_binding
        for xpath in map(_xpath, _exclusions(content))
        if xpath is not None
    }
    for box in boxes:
        if box == carrier.box:
            yield ByteRange(box.start, carrier.store_start, "header of the manifest store's box")
            for found in store.unbound:
                start = carrier.store_start
                yield ByteRange(start + found.start, start + found.end, found.what)
        elif box.carries_credentials:
            yield _range(box, "a C2PA box besides the manifest store")
        elif box.kind in excluded and box.kind != "uuid":
            yield _range(box, f"box {box.kind}")


def _exclusions(content: dict[object, object]) -> list[object]:
    found = content.get("exclusions")
    return found if isinstance(found, list) else []


def _xpath(exclusion: object) -> str | None:
    match exclusion:
        case {"xpath": str() as xpath}:
            return xpath
        case _:
            return None


def _range(box: Box, what: str) -> ByteRange:
    return ByteRange(box.start, box.end, what)


def _digest_of_boxes(file: BinaryIO, boxes: Sequence[Box]) -> str:
    """Digest what C2PA's hash leaves out, whole, and a mark in the place of everything else.

    The mark of the credentials is where they are, and where signing will put them if there are
    none: directly after the first box.
    """
    digest = hashlib.sha256(_DOMAIN)
    signed = any(box.carries_credentials for box in boxes)
    for number, box in enumerate(boxes):
        if box.carries_credentials:
            digest.update(_CREDENTIALS)
        elif box.kind in LEFT_OUT:
            digest.update(_WHOLE + (box.end - box.start).to_bytes(_LENGTH_BYTES, "big"))
            for chunk in _chunks(file, box.start, box.end):
                digest.update(chunk)
        else:
            digest.update(_HASHED)
        if number == 0 and not signed:
            digest.update(_CREDENTIALS)
    return digest.hexdigest()


def _chunks(file: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    file.seek(start)
    while start < end and (chunk := file.read(min(end - start, _CHUNK))):
        yield chunk
        start += len(chunk)
