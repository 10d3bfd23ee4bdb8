"""Time-stamp tokens, and how to exchange values in them so that every length still fits."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import rfc3161_client
from pyasn1.codec.der import decoder, encoder
from pyasn1_modules import rfc3161
from rfc3161_client import HashAlgorithm

from provenance.timestamp_authority import LocalAuthority

_CONSTRUCTED = 0x20


@dataclass(slots=True)
class Node:
    """One element: a value, or elements within it."""

    tag: int
    content: "bytes | list[Node]"


def request(content: bytes, algorithm: HashAlgorithm = HashAlgorithm.SHA256) -> bytes:
    """Ask for a time-stamp."""
    asked = rfc3161_client.TimestampRequestBuilder().data(content).hash_algorithm(algorithm)
    return asked.build().as_bytes()


def token_for(authority: LocalAuthority, content: bytes, now: datetime) -> bytes:
    """Have a token made."""
    answer, _ = decoder.decode(
        authority.respond(request(content), now), asn1Spec=rfc3161.TimeStampResp()
    )
    return bytes(encoder.encode(answer["timeStampToken"]))


def exchanged(encoded: bytes, changes: Iterable[tuple[int, int | bytes]]) -> bytes:
    """Change primitive values of a DER element and write all lengths anew.

    Args:
        encoded: one element.
        changes: which value, counted through all of them and around; and the bit of its last byte
            to flip, or what to put in its place.
    """
    tree = _tree(encoded)
    leaves = list(_leaves(tree))
    for number, change in changes:
        leaf = leaves[number % len(leaves)]
        if isinstance(change, bytes):
            leaf.content = change
        elif isinstance(leaf.content, bytes) and leaf.content:
            leaf.content = leaf.content[:-1] + bytes([leaf.content[-1] ^ 1 << change])
    return b"".join(map(_written, tree))


def _tree(encoded: bytes) -> list[Node]:
    found = []
    while encoded:
        tag, length, start = encoded[0], encoded[1], 2
        if length >= 0x80:
            start += length & 0x7F
            length = int.from_bytes(encoded[2:start], "big")
        content = encoded[start : start + length]
        found.append(Node(tag, _tree(content) if tag & _CONSTRUCTED else content))
        encoded = encoded[start + length :]
    return found


def _leaves(tree: list[Node]) -> Iterator[Node]:
    for node in tree:
        if isinstance(node.content, list):
            yield from _leaves(node.content)
        else:
            yield node


def _written(node: Node) -> bytes:
    content = node.content
    inner = b"".join(map(_written, content)) if isinstance(content, list) else content
    if len(inner) < 0x80:
        return bytes([node.tag, len(inner)]) + inner
    length = len(inner).to_bytes((len(inner).bit_length() + 7) // 8, "big")
    return bytes([node.tag, 0x80 | len(length)]) + length + inner
