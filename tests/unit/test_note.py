"""Signed notes: the format's own example, and every departure from the one spelling."""

import base64

import pytest

from audit.errors import NoteInvalid
from audit.note import Verifier, parse_note
from tests.support.logs import fixed_signer

SIGNER = fixed_signer("example.com/log")
TEXT = "example.com/log\n3\nsome text\n"
NOTE = SIGNER.sign(TEXT)

# PeterNeumann and his key are the example in the documentation of Go's golang.org/x/mod/sumdb/note,
# an independent implementation; the note was signed there.
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngo"
    "tpRZb6KE6RyyBwJnAM=\n"
)


def test_a_signed_note_opens_with_its_key() -> None:
    assert SIGNER.verifier.open(NOTE) == TEXT


def test_a_note_signed_by_another_implementation_opens() -> None:
    text = Verifier.from_vkey(GO_VKEY).open(GO_NOTE)

    assert text.startswith("If you think cryptography")


def test_the_key_survives_as_text() -> None:
    assert Verifier.from_vkey(SIGNER.verifier.vkey) == SIGNER.verifier


def test_a_text_may_hold_blank_lines() -> None:
    text = "one\n\ntwo\n"

    assert SIGNER.verifier.open(SIGNER.sign(text)) == text


def test_signatures_by_others_are_ignored() -> None:
    other = fixed_signer("example.com/witness", seed=2)
    second_line = other.sign(TEXT).removeprefix(TEXT + "\n")

    assert SIGNER.verifier.open(NOTE + second_line) == TEXT
    assert other.verifier.open(NOTE + second_line) == TEXT


def test_a_key_of_the_same_name_is_not_the_same_key() -> None:
    with pytest.raises(NoteInvalid, match="no signature by"):
        fixed_signer("example.com/log", seed=2).verifier.open(NOTE)


def test_a_changed_text_does_not_open() -> None:
    with pytest.raises(NoteInvalid, match="does not match"):
        SIGNER.verifier.open(NOTE.replace("3\n", "4\n", 1))


def test_sixteen_signatures_are_read_and_seventeen_are_not() -> None:
    lines = [
        fixed_signer(f"example.com/witness{n}").sign(TEXT).removeprefix(TEXT + "\n")
        for n in range(16)
    ]

    assert SIGNER.verifier.open(NOTE + "".join(lines[:15])) == TEXT
    with pytest.raises(NoteInvalid, match="at most 16"):
        SIGNER.verifier.open(NOTE + "".join(lines))


def without_padding(note: str) -> str:
    return note.replace("=\n", "\n")


def with_loose_bits(note: str) -> str:
    """Return the note with a last base64 digit that decodes to the same bytes."""
    head, digit = note[: note.rindex("=")].rstrip("="), note.rstrip("=\n")[-1]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return head[:-1] + alphabet[alphabet.index(digit) ^ 1] + note[len(head) :]


@pytest.mark.parametrize(
    "note",
    [
        NOTE.replace("\n", "\r\n"),
        NOTE[:-1],
        NOTE + "\n",
        NOTE.replace("\u2014", "-"),
        NOTE.replace("\u2014", "\u2013"),
        NOTE.replace("\u2014 ", "\u2014"),
        NOTE.replace("\u2014 ", "\u2014  "),
        NOTE + NOTE.removeprefix(TEXT + "\n"),
        without_padding(NOTE),
        with_loose_bits(NOTE),
        NOTE.replace("=\n", "= \n"),
        NOTE.replace("=\n", "==\n"),
        NOTE.replace("=\n", "*=\n"),
        TEXT,
        TEXT + "\n",
        "",
        "\n\n",
        NOTE.replace("text", "te\x00t"),
        NOTE.replace("text", "te\tt"),
        NOTE.replace("text", "te\ud800t"),
        NOTE.replace("\n\n", "\n"),
        "x" * 70_000 + NOTE,
        TEXT + "\n\u2014 example.com/log AAAAAA==\n",
        TEXT + "\n\u2014 bad+name " + base64.b64encode(bytes(68)).decode() + "\n",
        TEXT + "\n\u2014  " + base64.b64encode(bytes(68)).decode() + "\n",
    ],
)
def test_no_other_spelling_of_a_note_opens(note: str) -> None:
    with pytest.raises(NoteInvalid):
        SIGNER.verifier.open(note)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "name",
        "name+00000000+",
        SIGNER.verifier.vkey.replace("+", "-", 1),
        SIGNER.verifier.vkey.replace("example", "exampel"),
        SIGNER.verifier.vkey + "=",
        "n+00000000+" + base64.b64encode(b"\x02" + bytes(32)).decode(),
        "n+00000000+" + base64.b64encode(b"\x01" + bytes(31)).decode(),
    ],
)
def test_a_text_that_is_no_key_is_refused(vkey: str) -> None:
    with pytest.raises(NoteInvalid):
        Verifier.from_vkey(vkey)


@pytest.mark.parametrize("text", ["no newline", "tab\there\n"])
def test_what_is_no_text_of_a_note_is_not_signed(text: str) -> None:
    with pytest.raises(NoteInvalid):
        SIGNER.sign(text)


def test_the_parts_of_a_note() -> None:
    parsed = parse_note(NOTE)

    assert parsed.text == TEXT
    assert parsed.signatures[0].name == "example.com/log"
    assert parsed.signatures[0].key_id == SIGNER.verifier.key_id
