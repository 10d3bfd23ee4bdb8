"""Is what a record says of other records so? Pure.

A release names the clearance it follows, and every decision names the policy it was made under. A
release that points at somebody else's clearance was never cleared; a policy whose text no record
holds leaves decisions that nobody can recompute.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from audit.canonical import JsonValue
from audit.integrity.problems import Found, ProblemKind
from audit.records import Record
from audit.vocabulary import RecordKind

_JUDGED: Final = frozenset(
    {RecordKind.ATTEMPT, RecordKind.REFUSED, RecordKind.HELD, RecordKind.CLEARED}
)


class References:
    """Follows records in the log's order and reports references that lead nowhere."""

    def __init__(self, found: Found) -> None:
        self._found = found
        self._policies: set[JsonValue] = set()
        self._cleared: dict[JsonValue, tuple[str | None, JsonValue]] = {}

    def see(self, index: int, record: Record) -> None:
        """Take one record in."""
        body = record.body
        if record.kind is RecordKind.POLICY:
            self._policies.add(body["digest"])
        elif record.kind in _JUDGED:
            for policy in sorted({*_policies(body)} - self._policies):
                sentence = (
                    f"record {index} names policy {policy}, whose text no record before holds"
                )
                self._found.report(ProblemKind.REFERENCE, index, sentence)
        if record.kind is RecordKind.CLEARED:
            self._cleared[index] = record.attempt, body["clip_id"]
        if record.kind is RecordKind.RELEASED:
            self._compare_release(index, record)

    def _compare_release(self, index: int, record: Record) -> None:
        named = record.body["cleared"]
        cleared = self._cleared.get(named)
        if cleared is None:
            sentence = f"record {index} names record {named} as its clearance, which is none"
        elif cleared != (record.attempt, record.body["clip_id"]):
            sentence = f"record {index} names record {named} as its clearance, which is another's"
        else:
            return
        self._found.report(ProblemKind.REFERENCE, index, sentence)


def _policies(body: Mapping[str, JsonValue]) -> Iterator[str]:
    """Yield the digest of every policy that a body names."""
    judged = [body, body.get("verdict"), body.get("output_verdict")]
    several = body.get("prompt_verdicts")
    judged += several if isinstance(several, list) else []
    for each in judged:
        policy = each.get("policy") if isinstance(each, dict | Mapping) else None
        if isinstance(policy, str):
            yield policy
