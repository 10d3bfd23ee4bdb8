"""Attempts: where each clip is on its journey, so that a crash leaves nothing public and unlogged.

    open ─► refused | failed | withdrawn
    open ─► held ─► cleared | released | refused | failed | withdrawn
    open ─► cleared ─► held | failed | withdrawn
            cleared ─► released ─► published | withdrawn

Every step but the last is made together with the record of its name; `released` to `published` says
only that the file now has its public name. Recovery looks at what is neither closed nor leased:

    for attempt in attempts.expired(now): …finish a `released` one, withdraw any other…
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, Engine, Row, insert, select, update

from audit import tables
from audit.database import reading, writing
from audit.errors import AppendFailed, NotFound
from audit.lease import Lease, is_expired
from audit.records import to_ms
from audit.vocabulary import RecordKind


class AttemptState(StrEnum):
    """Where an attempt is."""

    OPEN = "open"
    HELD = "held"
    CLEARED = "cleared"
    RELEASED = "released"
    PUBLISHED = "published"
    REFUSED = "refused"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


_BROKEN_OFF: Final = frozenset({AttemptState.FAILED, AttemptState.WITHDRAWN})

STEPS: Final[Mapping[AttemptState, frozenset[AttemptState]]] = {
    AttemptState.OPEN: _BROKEN_OFF
    | {AttemptState.REFUSED, AttemptState.HELD, AttemptState.CLEARED},
    AttemptState.HELD: _BROKEN_OFF
    | {AttemptState.REFUSED, AttemptState.CLEARED, AttemptState.RELEASED},
    AttemptState.CLEARED: _BROKEN_OFF | {AttemptState.HELD, AttemptState.RELEASED},
    AttemptState.RELEASED: frozenset({AttemptState.PUBLISHED, AttemptState.WITHDRAWN}),
    AttemptState.PUBLISHED: frozenset(),
    AttemptState.REFUSED: frozenset(),
    AttemptState.FAILED: frozenset(),
    AttemptState.WITHDRAWN: frozenset(),
}
"""From each state, the states that may follow."""

CLOSED: Final = frozenset(state for state, following in STEPS.items() if not following)
"""States that nothing follows."""

UNFINISHED: Final = frozenset({AttemptState.OPEN, AttemptState.CLEARED, AttemptState.RELEASED})
"""States that need a living process. `held` waits for a person and needs none."""

_STATE_OF: Final[Mapping[RecordKind, AttemptState]] = {
    RecordKind.ATTEMPT: AttemptState.OPEN,
    RecordKind.HELD: AttemptState.HELD,
    RecordKind.CLEARED: AttemptState.CLEARED,
    RecordKind.RELEASED: AttemptState.RELEASED,
    RecordKind.REFUSED: AttemptState.REFUSED,
    RecordKind.FAILED: AttemptState.FAILED,
    RecordKind.WITHDRAWN: AttemptState.WITHDRAWN,
}


def state_after(kinds: Iterable[RecordKind]) -> AttemptState | None:
    """Return the state that an attempt's records, in order, lead to; None without any."""
    states = [_STATE_OF[kind] for kind in kinds if kind in _STATE_OF]
    return states[-1] if states else None


@dataclass(frozen=True, slots=True)
class StoredAttempt:
    """An attempt's row.

    Attributes:
        id: UUID of the attempt, as in its records.
        clip_id: the clip that comes of it.
        state: where it is.
        opened: index of its `attempt` record.
        cleared: index of its `cleared` record.
        released: index of its `released` record.
        closed: index of the record that ended it.
        folder: its private folder.
        staged_path: the signed file before it is public.
        public_path: where the file goes or went.
        lease: whose it is.
    """

    id: str
    clip_id: str
    state: AttemptState
    opened: int
    cleared: int | None
    released: int | None
    closed: int | None
    folder: str | None
    staged_path: str | None
    public_path: str | None
    lease: Lease


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """Change: the row of a new attempt, together with its `attempt` record."""

    id: str
    clip_id: str
    lease: Lease
    folder: str | None = None
    public_path: str | None = None

    def apply(self, connection: Connection, log: int, index: int) -> None:
        """Insert the row."""
        connection.execute(
            insert(tables.attempt).values(
                log=log,
                id=self.id,
                clip_id=self.clip_id,
                state=AttemptState.OPEN.value,
                opened=index,
                folder=self.folder,
                public_path=self.public_path,
                **_lease_columns(self.lease),
            )
        )


@dataclass(frozen=True, slots=True)
class Advance:
    """Change: an attempt goes on to `state`, together with the record of that name.

    Paths that are given replace the row's; a lease that is given takes the attempt over, as the
    approval of a held clip does in another process.
    """

    id: str
    state: AttemptState
    staged_path: str | None = None
    public_path: str | None = None
    lease: Lease | None = None

    def apply(self, connection: Connection, log: int, index: int) -> None:
        """Update the row.

        Raises:
            AppendFailed: there is no such attempt, or `state` cannot follow the state it is in.
        """
        given = {"staged_path": self.staged_path, "public_path": self.public_path}
        values: dict[str, object] = {
            name: value for name, value in given.items() if value is not None
        }
        if self.state in {AttemptState.CLEARED, AttemptState.RELEASED}:
            values[self.state.value] = index
        if self.lease:
            values |= _lease_columns(self.lease)
        _step(connection, log, self.id, self.state, values)


@dataclass(frozen=True, slots=True)
class CloseAttempt:
    """Change: an attempt ends as refused, failed or withdrawn, together with that record."""

    id: str
    state: AttemptState

    def apply(self, connection: Connection, log: int, index: int) -> None:
        """Update the row.

        Raises:
            AppendFailed: there is no such attempt, it is closed already, or `state` ends nothing.
        """
        if self.state not in CLOSED or self.state is AttemptState.PUBLISHED:
            raise AppendFailed(f"{self.state} does not end an attempt; advance it instead")
        _step(connection, log, self.id, self.state, {"closed": index})


class Attempts:
    """The attempts of one log."""

    def __init__(self, engine: Engine, log_id: int) -> None:
        self._engine = engine
        self._log = log_id

    def get(self, attempt_id: str) -> StoredAttempt:
        """Return one attempt.

        Raises:
            NotFound: there is none with this id.
        """
        with reading(self._engine) as connection:
            return read_attempt(_row(connection, self._log, attempt_id))

    def find_by_clip(self, clip_id: str) -> StoredAttempt | None:
        """Return the attempt that made a clip, or None."""
        query = select(tables.attempt).where(
            tables.attempt.c.log == self._log, tables.attempt.c.clip_id == clip_id
        )
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else read_attempt(row)

    def in_state(self, *states: AttemptState) -> tuple[StoredAttempt, ...]:
        """Return all attempts in one of these states, the oldest first."""
        query = select(tables.attempt).where(
            tables.attempt.c.log == self._log,
            tables.attempt.c.state.in_([state.value for state in states]),
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(tables.attempt.c.opened)).all()
        return tuple(read_attempt(row) for row in rows)

    def expired(self, now: datetime) -> tuple[StoredAttempt, ...]:
        """Return the unfinished attempts whose process is gone: the ones recovery may close."""
        return tuple(each for each in self.in_state(*UNFINISHED) if is_expired(each.lease, now))

    def beat(self, attempt_id: str, now: datetime) -> None:
        """Say that the process of this attempt lives. Safe in a thread of its own.

        Raises:
            NotFound: there is none with this id.
        """
        with writing(self._engine) as connection:
            _row(connection, self._log, attempt_id)
            _update(connection, self._log, attempt_id, {"heartbeat_ms": to_ms(now)})

    def mark_published(self, attempt_id: str) -> None:
        """Say that the released file has its public name now. Saying it twice is harmless.

        Raises:
            NotFound: there is none with this id.
            AppendFailed: the attempt is not released.
        """
        with writing(self._engine) as connection:
            row = _row(connection, self._log, attempt_id)
            if row.state != AttemptState.PUBLISHED:
                _step(connection, self._log, attempt_id, AttemptState.PUBLISHED, {})

    def take_over(self, attempt_id: str, lease: Lease, *, now: datetime) -> StoredAttempt:
        """Lease an expired attempt to this process, so that two recoveries do not both close it.

        Not even this process takes it a second time: another thread of it may be at work.

        Raises:
            NotFound: there is none with this id.
            AppendFailed: its process lives, or another recovery was faster.
        """
        with writing(self._engine) as connection:
            found = read_attempt(_row(connection, self._log, attempt_id))
            if found.state in CLOSED or not is_expired(found.lease, now):
                raise AppendFailed(
                    f"attempt {attempt_id} is {found.state} and process {found.lease.pid} holds "
                    "it; it is left alone"
                )
            _update(connection, self._log, attempt_id, _lease_columns(lease))
            return replace(found, lease=lease)

    def give_back(self, attempt_id: str, lease: Lease) -> None:
        """Undo `take_over` where nothing came of it: the next recovery may try again."""
        with writing(self._engine) as connection:
            _update(connection, self._log, attempt_id, _lease_columns(lease))


def _step(
    connection: Connection,
    log: int,
    attempt_id: str,
    state: AttemptState,
    values: Mapping[str, object],
) -> None:
    """Move an attempt to `state` if that may follow the state it is in."""
    try:
        row = _row(connection, log, attempt_id)
    except NotFound as error:
        raise AppendFailed(f"{error}; open it first") from error
    if state not in STEPS[AttemptState(row.state)]:
        raise AppendFailed(f"attempt {attempt_id} is {row.state}; it cannot become {state}")
    _update(connection, log, attempt_id, {"state": state.value, **values})


def _update(
    connection: Connection, log: int, attempt_id: str, values: Mapping[str, object]
) -> None:
    connection.execute(
        update(tables.attempt)
        .where(tables.attempt.c.log == log, tables.attempt.c.id == attempt_id)
        .values(**values)
    )


def _row(connection: Connection, log: int, attempt_id: str) -> Row[tuple[object, ...]]:
    query = select(tables.attempt).where(
        tables.attempt.c.log == log, tables.attempt.c.id == attempt_id
    )
    row = connection.execute(query.with_for_update()).one_or_none()
    if row is None:
        raise NotFound(f"there is no attempt {attempt_id}")
    return row


def _lease_columns(lease: Lease) -> dict[str, object]:
    return {
        "place": lease.place,
        "boot": lease.boot,
        "pid": lease.pid,
        "process_start": lease.process_start,
        "heartbeat_ms": lease.heartbeat_ms,
    }


def read_attempt(row: Row[tuple[object, ...]]) -> StoredAttempt:
    """Return the attempt of a row of `tables.attempt`."""
    return StoredAttempt(
        id=row.id,
        clip_id=row.clip_id,
        state=AttemptState(row.state),
        opened=row.opened,
        cleared=row.cleared,
        released=row.released,
        closed=row.closed,
        folder=row.folder,
        staged_path=row.staged_path,
        public_path=row.public_path,
        lease=Lease(row.place, row.boot, row.pid, row.process_start, row.heartbeat_ms),
    )
