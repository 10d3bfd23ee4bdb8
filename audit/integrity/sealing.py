"""Are exactly those texts sealed that were committed to and not erased? Pure.

A sealed text that disappears without an erasure record is an erasure that nobody answers for; one
that is there in spite of such a record came back, with a backup. Whose text it is says the actor of
the record that commits to it.

Nothing is decrypted, for a check needs no secret key. So a text or a key that was cut short or
emptied shows here, and one replaced by other bytes of a possible length when it is unsealed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from audit.bodies import Erasure
from audit.canonical import JsonValue
from audit.integrity.problems import Found, ProblemKind
from audit.records import Record
from audit.shape import from_json
from audit.vocabulary import RecordKind

# As `redaction.py` seals with AES-256-GCM: a nonce of 12 bytes and a tag of 16 around the secret.
_AROUND: Final = 12 + 16
_WRAPPED_BYTES: Final = _AROUND + 32
_LEAST_TEXT_BYTES: Final = _AROUND + 32 + 1
"""A salt of 32 bytes, and a text of at least one: an empty one is not sealed."""


@dataclass(frozen=True, slots=True)
class SealedRow:
    """A sealed text as its row has it; SQLite stores any type where bytes belong."""

    subject: str
    ciphertext: object


@dataclass(frozen=True, slots=True)
class _Committed:
    """A commitment: the record that makes it, and whose text it stands for, if that is said."""

    index: int
    subject: str | None


class Sealing:
    """Follows commitments and erasures in the log's order."""

    def __init__(self, found: Found) -> None:
        self._found = found
        self._open: dict[str, _Committed] = {}
        self._erased: dict[str, tuple[int, str]] = {}

    def see(self, index: int, record: Record) -> None:
        """Take one record in."""
        if record.kind is RecordKind.ATTEMPT:
            for value in _commitments(record.body):
                self._open[value] = _Committed(index, record.actor)
        elif record.kind is RecordKind.ERASURE:
            self._erase(index, from_json(Erasure, record.body))

    def compare(self, texts: Mapping[str, SealedRow], keys: Mapping[str, object]) -> None:
        """Compare with the rows.

        Args:
            texts: each sealed text, by its commitment.
            keys: the wrapped key of each subject that has one.
        """
        for value, committed in self._open.items():
            if value not in texts:
                self._report(committed.index, f"the text of record {committed.index} is gone")
            elif committed.subject not in {None, texts[value].subject}:
                sentence = f"the text of record {committed.index} is filed under somebody else"
                self._report(committed.index, sentence)
        for value in texts.keys() - self._open.keys():
            index, subject = self._erased.get(value, (None, None))
            if index is None:
                self._report(None, f"the text sealed as {value[:16]}… was never committed to")
            else:
                self._report(index, f"a text of {subject} is back after record {index} erased it")
        subjects = {text.subject for text in texts.values()}
        for subject in sorted(subjects.difference(keys)):
            self._report(None, f"the key of {subject} is gone, and no record erased it")
        for subject in sorted({*keys}.difference(subjects)):
            self._report(None, f"{subject} has a key and no sealed text")
        self._compare_lengths(texts, keys)

    def _compare_lengths(self, texts: Mapping[str, SealedRow], keys: Mapping[str, object]) -> None:
        for value, committed in self._open.items():
            if value in texts and _length(texts[value].ciphertext) < _LEAST_TEXT_BYTES:
                sentence = f"the text of record {committed.index} is destroyed, and not erased"
                self._report(committed.index, sentence)
        for subject, wrapped in sorted(keys.items()):
            if _length(wrapped) != _WRAPPED_BYTES:
                self._report(None, f"the key of {subject} is destroyed, and no record erased it")

    def _erase(self, index: int, erasure: Erasure) -> None:
        gone = [value for value, each in self._open.items() if each.subject == erasure.subject]
        if len(gone) != erasure.sealed:
            self._report(
                index,
                f"record {index} says that {erasure.sealed} texts of {erasure.subject} were "
                f"erased, the log had {len(gone)}",
            )
        for value in gone:
            del self._open[value]
            self._erased[value] = index, erasure.subject

    def _report(self, index: int | None, sentence: str) -> None:
        self._found.report(ProblemKind.SEALED, index, sentence)


def _length(value: object) -> int:
    """Return how many bytes a value has; text and numbers in a blob's place have none."""
    return len(value) if isinstance(value, bytes) else 0


def _commitments(body: Mapping[str, JsonValue]) -> Iterator[str]:
    for name in ("prompt", "negative_prompt"):
        commitment = body.get(name)
        if isinstance(commitment, Mapping):
            yield str(commitment["value"])
