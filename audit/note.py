"""Signed notes: short texts with Ed25519 signatures that third parties check (C2SP signed-note).

    example/log
    42
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — example/log Az3grlgtzPICa5OS8npVmf1M…

The parser is strict: a note has one spelling, and any other is refused before a signature is looked
at. A parser that mends what it reads lets two readers see two different notes.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.errors import NoteInvalid

ED25519: Final = b"\x01"
"""Signature type byte of Ed25519 (C2SP signed-note, "Signature types")."""

SIGNATURE_LIMIT: Final = 16
"""Signatures on one note; the format asks readers to accept 16 and lets them refuse more."""

NOTE_BYTES_LIMIT: Final = 64 * 2**10
"""Room for sixteen post-quantum signatures of up to 4 kB."""

_DASH: Final = "\u2014 "
_KEY_ID_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: the key's name and id, and the bytes of its signature."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A well-formed note. Nothing is known of its signatures until `Verifier.open` says so."""

    text: str
    signatures: tuple[Signature, ...]


@dataclass(frozen=True, slots=True)
class Verifier:
    """A named Ed25519 public key.

    Attributes:
        name: the key's name, for a log its origin.
        public_key: the raw 32 bytes.
    """

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        _require_name(self.name)
        if len(self.public_key) != 32:
            raise NoteInvalid(f"an Ed25519 key has 32 bytes, this one {len(self.public_key)}")

    @property
    def key_id(self) -> bytes:
        """First four bytes of SHA-256 over name, newline, type and key."""
        material = self.name.encode() + b"\n" + ED25519 + self.public_key
        return hashlib.sha256(material).digest()[:_KEY_ID_BYTES]

    @property
    def vkey(self) -> str:
        """The key as text: `<name>+<key id in hex>+<base64 of type and key>`."""
        encoded = base64.b64encode(ED25519 + self.public_key).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    @classmethod
    def from_vkey(cls, vkey: str) -> "Verifier":
        """Read a key from its text.

        Raises:
            NoteInvalid: not such a text, another key type, or an id that is not the key's.
        """
        name, _, rest = vkey.partition("+")
        key_id, _, encoded = rest.partition("+")
        key = decode_base64(encoded)
        if key[:1] != ED25519:
            raise NoteInvalid(f"{vkey[:80]!r} is no Ed25519 key; expected type byte 1")
        verifier = cls(name, key[1:])
        if verifier.key_id.hex() != key_id:
            raise NoteInvalid(
                f"the key id of {vkey[:80]!r} is not that of its key; copy the text again"
            )
        return verifier

    def open(self, note: str) -> str:
        """Return the note's text once this key's signature on it is verified.

        Signatures by other keys are ignored, as the format demands.

        Raises:
            NoteInvalid: not a note, no signature by this key, or one that does not verify.
        """
        parsed = parse_note(note)
        key_id = self.key_id
        ours = [
            each.signature
            for each in parsed.signatures
            if each.name == self.name and each.key_id == key_id
        ]
        if not ours:
            raise NoteInvalid(f"the note carries no signature by {self.vkey}")
        key = Ed25519PublicKey.from_public_bytes(self.public_key)
        try:
            key.verify(ours[0], parsed.text.encode())
        except InvalidSignature as error:
            raise NoteInvalid(f"the signature by {self.name} does not match the text") from error
        return parsed.text


@dataclass(frozen=True, slots=True)
class NoteSigner:
    """A named Ed25519 private key."""

    name: str
    key: Ed25519PrivateKey

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.name, self.key.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """Return `text`, which ends with a newline, with this key's signature under it.

        Raises:
            NoteInvalid: the text cannot be signed as a note.
        """
        if not text.endswith("\n"):
            raise NoteInvalid("a note's text ends with a newline")
        _require_plain(text)
        signature = self.verifier.key_id + self.key.sign(text.encode())
        return f"{text}\n{_DASH}{self.name} {base64.b64encode(signature).decode()}\n"


def parse_note(note: str) -> Note:
    """Split a note into text and signatures; verifies nothing.

    Raises:
        NoteInvalid: any departure from the format, however small.
    """
    if len(note.encode(errors="replace")) > NOTE_BYTES_LIMIT:
        raise NoteInvalid(f"a note has at most {NOTE_BYTES_LIMIT} bytes")
    _require_plain(note)
    # The text may hold blank lines: the last one ends it.
    head, blank, tail = note.rpartition("\n\n")
    if not blank or not tail.endswith("\n"):
        raise NoteInvalid(
            "a note is text, a blank line and signature lines, each ending in newline"
        )
    lines = tail[:-1].split("\n")
    if len(lines) > SIGNATURE_LIMIT:
        raise NoteInvalid(f"{len(lines)} signatures; at most {SIGNATURE_LIMIT} are read")
    signatures = tuple(_parse_signature(line) for line in lines)
    keys = [(each.name, each.key_id) for each in signatures]
    if len(set(keys)) != len(keys):
        raise NoteInvalid("two signatures by the same key")
    return Note(head + "\n", signatures)


def decode_base64(text: str) -> bytes:
    """Decode standard base64 in its one canonical spelling.

    Raises:
        NoteInvalid: another alphabet, white space, wrong padding or bits left over.
    """
    try:
        decoded = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise NoteInvalid(f"{text[:80]!r} is not base64") from error
    if base64.b64encode(decoded).decode() != text:
        raise NoteInvalid(f"{text[:80]!r} is not the canonical base64 of its bytes")
    return decoded


def _parse_signature(line: str) -> Signature:
    if not line.startswith(_DASH):
        raise NoteInvalid(f"{line[:80]!r} is no signature line; it starts with an em dash")
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    _require_name(name)
    decoded = decode_base64(encoded)
    if not space or len(decoded) <= _KEY_ID_BYTES:
        raise NoteInvalid(f"the signature line of {name!r} holds no signature")
    return Signature(name, decoded[:_KEY_ID_BYTES], decoded[_KEY_ID_BYTES:])


def _require_name(name: str) -> None:
    if not name or "+" in name or any(c.isspace() or ord(c) < 0x20 for c in name):
        raise NoteInvalid(f"{name[:80]!r} cannot name a key; use no spaces and no '+'")


def _require_plain(text: str) -> None:
    """Refuse control characters and what UTF-8 cannot carry."""
    try:
        raw = text.encode()
    except UnicodeEncodeError as error:
        raise NoteInvalid("a note is UTF-8 text; this holds half a surrogate pair") from error
    if any(byte < 0x20 and byte != 0x0A for byte in raw):
        raise NoteInvalid("a note holds no control characters; was its line ending changed?")
