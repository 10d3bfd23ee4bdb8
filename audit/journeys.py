"""Do the attempts' rows say what the log's records say? Pure.

Each attempt's records must be a path through `attempts.STEPS` that begins with its `attempt`
record, and its row must stand where that path ends, with the indices of the records on it. So a row
edited to hide an unfinished clip, and a clip released without having been cleared, both show.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from audit.attempts import STEPS, AttemptState, StoredAttempt, state_after
from audit.records import Record
from audit.vocabulary import RecordKind


@dataclass(frozen=True, slots=True)
class Step:
    """One record of an attempt: what it says, where it stands, and the clip it names if any."""

    kind: RecordKind
    index: int
    clip_id: str | None

    @classmethod
    def of(cls, record: Record, index: int) -> "Step":
        """Take what matters here from a record."""
        clip_id = record.body.get("clip_id")
        return cls(record.kind, index, clip_id if isinstance(clip_id, str) else None)


def disagreements(
    steps: Mapping[str, Sequence[Step]], rows: Mapping[str, StoredAttempt]
) -> Iterator[tuple[int, str]]:
    """Yield (index of the record, sentence) for whatever does not agree.

    Args:
        steps: the records of each attempt, in the log's order.
        rows: the row of each attempt.
    """
    for attempt_id, path in steps.items():
        yield from _broken_path(attempt_id, path)
        row = rows.get(attempt_id)
        if row is None:
            yield path[0].index, f"attempt {attempt_id} has records and no row"
        else:
            yield from _row_against_path(row, path)
    for attempt_id in rows.keys() - steps.keys():
        yield rows[attempt_id].opened, f"attempt {attempt_id} has a row and no record"


def _broken_path(attempt_id: str, path: Sequence[Step]) -> Iterator[tuple[int, str]]:
    state: AttemptState | None = None
    for step in path:
        following = state_after([step.kind])
        if following is None:
            continue
        starts = state is None and following is AttemptState.OPEN
        if not starts and (state is None or following not in STEPS[state]):
            was = "not opened" if state is None else f"already {state}"
            yield (
                step.index,
                f"record {step.index} says {step.kind} and attempt {attempt_id} was {was}",
            )
        state = following


def _row_against_path(row: StoredAttempt, path: Sequence[Step]) -> Iterator[tuple[int, str]]:
    state = state_after(step.kind for step in path)
    allowed = {state}
    if state is AttemptState.RELEASED:
        # Publishing the file has no record of its own: the release was the record of it.
        allowed.add(AttemptState.PUBLISHED)
    if row.state not in allowed:
        yield path[-1].index, f"attempt {row.id} is {row.state} in its row, its records say {state}"
    last = {step.kind: step.index for step in path}
    closing = (RecordKind.REFUSED, RecordKind.FAILED, RecordKind.WITHDRAWN)
    expected = {
        "opened": last.get(RecordKind.ATTEMPT),
        "cleared": last.get(RecordKind.CLEARED),
        "released": last.get(RecordKind.RELEASED),
        "closed": next((last[kind] for kind in closing if kind in last), None),
    }
    for name, index in expected.items():
        found = getattr(row, name)
        if found != index:
            yield (
                path[0].index,
                f"the row of attempt {row.id} names record {found} as its {name}, the log {index}",
            )
    if any(step.clip_id not in {None, row.clip_id} for step in path):
        yield (
            path[0].index,
            f"attempt {row.id} has clip {row.clip_id} in its row and not in the log",
        )
