"""The attacker: changes a signed file in every way that a stranger on the way can."""

import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from provenance import bmff, jumbf
from provenance.bmff import C2PA_USER_TYPE, Box

_PREAMBLE = 4 + len(b"manifest\0") + 8


def flipped(content: bytes, at: int, bit: int) -> bytes:
    """Change one bit."""
    changed = bytearray(content)
    changed[at] ^= 1 << bit
    return bytes(changed)


def random_flips(content: bytes, count: int, *, seed: int) -> Iterator[tuple[int, int, bytes]]:
    """Give (byte, bit, content with that bit flipped), drawn evenly over the whole file."""
    draw = random.Random(seed)
    for _ in range(count):
        at, bit = draw.randrange(len(content)), draw.randrange(8)
        yield at, bit, flipped(content, at, bit)


def boxes_of(path: Path) -> list[Box]:
    """List the outer boxes of an MP4."""
    with path.open("rb") as file:
        return bmff.top_boxes(file)


def credentials_box_of(path: Path) -> Box:
    """Return the box of the manifest store."""
    return next(box for box in boxes_of(path) if box.carries_credentials)


def box(kind: bytes, body: bytes) -> bytes:
    """Make a box."""
    return struct.pack(">I4s", 8 + len(body), kind) + body


def with_appended_free_box(content: bytes, hidden: bytes) -> bytes:
    """Hide something in a box that C2PA's hash leaves out."""
    return content + box(b"free", hidden)


def with_second_credentials_box(content: bytes, *, purpose: bytes, hidden: bytes) -> bytes:
    """Append a C2PA box, which C2PA's hash leaves out whatever it holds."""
    body = C2PA_USER_TYPE + b"\0\0\0\0" + purpose + b"\0" + b"\0" * 8 + hidden
    return content + box(b"uuid", body)


def store_of(path: Path) -> bytes:
    """Cut the manifest store out of a signed MP4."""
    place = credentials_box_of(path)
    return path.read_bytes()[place.body + _PREAMBLE : place.end]


def renamed_credentials_box(path: Path) -> bytes:
    """Turn the box of the manifest into a `free` box, as careless tools strip it."""
    place = credentials_box_of(path)
    content = bytearray(path.read_bytes())
    content[place.start + 4 : place.start + 8] = b"free"
    return bytes(content)


def without_credentials_box(path: Path) -> bytes:
    """Cut the manifest out; offsets in the movie are left pointing beside the samples."""
    place = credentials_box_of(path)
    content = path.read_bytes()
    return content[: place.start] + content[place.end :]


def with_free_box_first(path: Path) -> bytes:
    """Put the empty box that follows the manifest's before it: nothing else moves in the file."""
    content, place = path.read_bytes(), credentials_box_of(path)
    free = next(box for box in boxes_of(path) if box.start == place.end)
    if free.kind != "free":
        raise ValueError(f"a box {free.kind!r} follows the credentials")
    swapped = content[free.start : free.end] + content[place.start : place.end]
    return content[: place.start] + swapped + content[free.end :]


def flipped_in_ancestor(path: Path) -> bytes:
    """Change one bit of an assertion in the first manifest of a file's history."""
    store = store_of(path)
    earlier = jumbf.parse(store).children[0]
    assertions = earlier.child("c2pa.assertions")
    if assertions is None or earlier is jumbf.parse(store).children[-1]:
        raise ValueError("the file has no history")
    at = credentials_box_of(path).body + _PREAMBLE + assertions.children[1].end - 1
    return flipped(path.read_bytes(), at, 0)


def hidden_in_padding(path: Path, secret: bytes) -> bytes:
    """Write over the padding of the claim signature."""
    content, place = path.read_bytes(), credentials_box_of(path)
    at = content.index(b"cpad", place.start) + 32
    return content[:at] + secret + content[at + len(secret) :]


def with_signature_map(
    path: Path, change: Callable[[bytes], bytes], *, smuggled: bytes = b""
) -> bytes:
    """Rewrite the unsigned header of the active signature, keeping every size of the file.

    What `change` takes away or adds, and what `smuggled` adds before the active manifest, is made
    up for by the padding, so that no hash of C2PA sees a difference.
    """
    content, place, store = path.read_bytes(), credentials_box_of(path), store_of(path)
    root = jumbf.parse(store)
    active = root.children[-1]
    signature = active.child("c2pa.signature")
    if signature is None:
        raise ValueError("the store has no signature to rewrite")
    encoded = store[signature.contents[0].body : signature.end]
    changed = change(encoded)
    spare = len(encoded) - len(changed) - len(smuggled)
    repadded = _padding_grown(changed, spare)
    inner = box(b"cbor", repadded)
    rebuilt = box(b"jumb", store[signature.body : signature.description_end] + inner)
    manifest = box(b"jumb", store[active.body : signature.start] + rebuilt)
    grown = box(b"jumb", store[root.body : active.start] + smuggled + manifest)
    if len(grown) != len(store):
        raise ValueError("the padding does not make up for the change")
    return content[: place.body + _PREAMBLE] + grown + content[place.end :]


def with_box_after_the_manifest(path: Path, child: Callable[[bytes], bytes]) -> bytes:
    """Add what `child` makes of the active manifest after it, its room taken from the padding."""
    content, place, store = path.read_bytes(), credentials_box_of(path), store_of(path)
    root = jumbf.parse(store)
    active = root.children[-1]
    signature = active.child("c2pa.signature")
    if signature is None:
        raise ValueError("the store has no signature to shrink")
    encoded = store[signature.contents[0].body : signature.end]
    repadded = box(b"cbor", _padding_grown(encoded, -len(child(b""))))
    rebuilt = box(b"jumb", store[signature.body : signature.description_end] + repadded)
    manifest = box(b"jumb", store[active.body : signature.start] + rebuilt)
    grown = box(b"jumb", store[root.body : active.start] + manifest + child(manifest))
    if len(grown) != len(store):
        raise ValueError("the padding does not make up for the change")
    return content[: place.body + _PREAMBLE] + grown + content[place.end :]


def small_manifest_of(path: Path) -> bytes:
    """Cut the active manifest out of a file and throw most of its padding away."""
    store = store_of(path)
    active = jumbf.parse(store).children[-1]
    signature = active.child("c2pa.signature")
    if signature is None:
        raise ValueError("the store has no signature to shrink")
    encoded = store[signature.contents[0].body : signature.end]
    shrunk = _padding_grown(encoded, 300 - _padding_length(encoded))
    inner = store[signature.body : signature.description_end] + box(b"cbor", shrunk)
    return box(b"jumb", store[active.body : signature.start] + box(b"jumb", inner))


def _padding_length(encoded: bytes) -> int:
    at = encoded.index(b"cpad") + 4
    if encoded[at] != 0x59:
        raise ValueError("expected a padding between 256 and 65,535 bytes long")
    return int.from_bytes(encoded[at + 1 : at + 3], "big")


def _padding_grown(encoded: bytes, by: int) -> bytes:
    at, length = encoded.index(b"cpad") + 4, _padding_length(encoded)
    padding = b"\x59" + (length + by).to_bytes(2, "big") + bytes(length + by)
    return encoded[:at] + padding + encoded[at + 3 + length :]
