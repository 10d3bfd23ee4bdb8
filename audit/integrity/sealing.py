"""Are exactly those texts sealed that were committed to and not erased? Pure.

A sealed text that disappears without an erasure record is an erasure that nobody answers for; one
that is there in spite of such a record came back, with a backup. Whose text it is says the actor of
the record that commits to it.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from audit.bodies import Erasure, RecordKind
from audit.canonical import JsonValue
from audit.integrity.problems import Found, ProblemKind
from audit.records import Record
from audit.shape import from_json


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

    def compare(self, texts: Mapping[str, str], keys: Collection[str]) -> None:
        """Compare with the rows.

        Args:
            texts: the subject of each sealed text, by its commitment.
            keys: the subjects that have a key.
        """
        for value, committed in self._open.items():
            if value not in texts:
                self._report(committed.index, f"the text of record {committed.index} is gone")
            elif committed.subject not in {None, texts[value]}:
                sentence = f"the text of record {committed.index} is filed under somebody else"
                self._report(committed.index, sentence)
        for value in texts.keys() - self._open.keys():
            index, subject = self._erased.get(value, (None, None))
            if index is None:
                self._report(None, f"the text sealed as {value[:16]}… was never committed to")
            else:
                self._report(index, f"a text of {subject} is back after record {index} erased it")
        for subject in sorted({*texts.values()}.difference(keys)):
            self._report(None, f"the key of {subject} is gone, and no record erased it")
        for subject in sorted({*keys}.difference(texts.values())):
            self._report(None, f"{subject} has a key and no sealed text")

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


def _commitments(body: Mapping[str, JsonValue]) -> Iterator[str]:
    for name in ("prompt", "negative_prompt"):
        commitment = body.get(name)
        if isinstance(commitment, Mapping):
            yield str(commitment["value"])
