"""Superboxes: what a description may say, and what sizes may not."""

import struct

import pytest

from provenance import jumbf
from provenance.jumbf import MAX_DEPTH, UUID_SUFFIX, MalformedStore, parse


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def described(
    label: bytes, *, toggles: int = 3, after: bytes = b"", kind: bytes = b"c2pa"
) -> bytes:
    return box(b"jumd", kind + UUID_SUFFIX + bytes([toggles]) + label + b"\0" + after)


def superbox(label: bytes, *inner: bytes, **description: bytes | int) -> bytes:
    return box(b"jumb", described(label, **description) + b"".join(inner))  # type: ignore[arg-type]


def test_a_tree_of_boxes_keeps_places_and_names() -> None:
    store = superbox(b"c2pa", superbox(b"one", box(b"cbor", b"\xf6")), superbox(b"two"))

    root = parse(store)

    assert [child.label for child in root.children] == ["one", "two"]
    content = root.children[0].content_of("cbor")
    assert content is not None
    assert store[content.body : content.end] == b"\xf6"
    assert root.end == len(store)
    assert [inner.label for inner in root.walk()] == ["c2pa", "one", "two"]


def test_two_children_of_one_name_are_no_child_of_that_name() -> None:
    root = parse(superbox(b"c2pa", superbox(b"same"), superbox(b"same")))

    assert root.child("same") is None


def test_a_plain_description_is_told_from_one_that_says_more() -> None:
    plain = parse(superbox(b"c2pa"))
    toggled = parse(superbox(b"c2pa", toggles=2))
    longer = parse(superbox(b"c2pa", after=b"more"))

    assert plain.is_plainly_described(b"c2pa")
    assert not plain.is_plainly_described(b"c2ma")
    assert not toggled.is_plainly_described(b"c2pa")
    assert not longer.is_plainly_described(b"c2pa")


@pytest.mark.parametrize(
    "store",
    [
        b"",
        b"\0\0\0\x08jumb",
        box(b"jumb", b""),
        box(b"jumb", box(b"cbor", b"")),
        box(b"jumb", box(b"jumd", b"short")),
        box(b"jumb", box(b"jumd", b"c2pa" + UUID_SUFFIX + b"\x03no end")),
        box(b"jumb", box(b"jumd", b"c2pa" + UUID_SUFFIX + b"\x03\xff\0")),
        superbox(b"c2pa")[:-1],
        box(b"jumb", described(b"c2pa") + b"\0\0\0\x07cbor"),
        box(b"jumb", described(b"c2pa") + b"\0\0"),
        box(b"free", described(b"c2pa")),
    ],
)
def test_what_does_not_fit_is_refused(store: bytes) -> None:
    with pytest.raises(MalformedStore):
        parse(store)


def test_nesting_has_an_end() -> None:
    store = superbox(b"x")
    for _ in range(MAX_DEPTH + 1):
        store = superbox(b"x", store)

    with pytest.raises(MalformedStore, match="deeper"):
        parse(store)


def test_the_number_of_boxes_has_an_end() -> None:
    with pytest.raises(MalformedStore, match="more than"):
        parse(superbox(b"c2pa", *(box(b"cbor", b"") for _ in range(jumbf.MAX_BOXES))))
