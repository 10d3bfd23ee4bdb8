"""One attempt under way: what the log is told of it, and how it ends.

A `Journey` is a context manager. Whatever leaves it by exception is recorded as `failed`, with the
stage it was in and the error's stable code; once `released` is recorded, recovery's own rule
finishes or withdraws it. So there is no way out of a journey that the log does not know. Where the
log cannot be told either (the disk is full), the error says so, and recovery tells it later.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from audit.attempts import UNFINISHED, Advance, Attempts, AttemptState, CloseAttempt
from audit.bodies import Body, Cleared, Failed, Held, Refused, Released
from audit.errors import AuditError
from audit.ledger import Ledger
from audit.reader import Entry
from audit.vocabulary import Stage
from generator.failures import record_code_of
from generator.heartbeat import Heartbeat
from generator.progress import Phase, Progress, ProgressListener
from generator.recording import verdict_body
from generator.recovery import settle
from safety.verdict import Decision, Verdict


@dataclass(frozen=True, slots=True)
class Ticket:
    """What stays the same about an attempt."""

    attempt_id: str
    clip_id: str
    folder: Path  # private, removed at the end
    target: Path  # the public place


class Journey:
    """An open attempt. Made by `generator.journal.Journal.open`."""

    def __init__(
        self,
        ticket: Ticket,
        entry: Entry,
        *,
        ledger: Ledger,
        clock: Callable[[], datetime],
        listener: ProgressListener,
    ) -> None:
        self.id = ticket.attempt_id
        self.clip_id = ticket.clip_id
        self.folder = ticket.folder
        self.target = ticket.target
        self.entry = entry
        self.verdicts: tuple[Verdict, ...] = ()
        self._ledger = ledger
        self._attempts = Attempts(ledger.engine, ledger.log_id)
        self._clock = clock
        self._listener = listener
        self._stage = Stage.PROMPT
        self._heartbeat = Heartbeat(self._attempts, self.id, clock)
        self._ended = False

    def enter(self, stage: Stage, phase: Phase) -> None:
        """Go on to the next part of the journey."""
        self._stage = stage
        self.tell(Progress(phase))

    def tell(self, progress: Progress) -> None:
        """Pass progress on; a listener that raises stops the journey here."""
        self._listener(progress)

    def judged(self, *verdicts: Verdict) -> Verdict | None:
        """Keep the verdicts of a gate and return the first that stops the journey, if any."""
        self.verdicts += verdicts
        by_severity = sorted(verdicts, key=lambda v: -v.decision.severity)
        return next((v for v in by_severity if v.decision is not Decision.ALLOW), None)

    def refuse(self, verdict: Verdict) -> Entry:
        """Record that a gate said no."""
        body = Refused(stage=self._stage, verdict=verdict_body(verdict))
        return self._end(body, CloseAttempt(self.id, AttemptState.REFUSED))

    def hold(
        self, reason: str, *, verdict: Verdict | None = None, sealed_digest: str | None = None
    ) -> Entry:
        """Record that the clip waits for a person or an authority."""
        body = Held(
            stage=self._stage,
            reason=reason,
            verdict=None if verdict is None else verdict_body(verdict),
            sealed_digest=sealed_digest,
        )
        return self._end(body, Advance(self.id, AttemptState.HELD))

    def clear(self, body: Cleared) -> Entry:
        """Record both verdicts and what the marked clip is."""
        return self._record(body, Advance(self.id, AttemptState.CLEARED))

    def release(self, body: Released, staged: Path) -> Entry:
        """Record the signed file, and where it lies until it is public."""
        change = Advance(self.id, AttemptState.RELEASED, staged_path=str(staged))
        return self._record(body, change)

    def finish(self) -> None:
        """Note that the file has its public name."""
        self._attempts.mark_published(self.id)
        self._ended = True

    @property
    def state(self) -> AttemptState:
        """Where the log's database says that the attempt is."""
        return self._attempts.get(self.id).state

    def __enter__(self) -> Self:
        self._heartbeat.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Record how the journey broke, if it did; the error that broke it is what comes out."""
        del kind, traceback
        self._heartbeat.stop()
        if error is None or self._ended:
            return
        try:
            self._record_break(error)
        except (AuditError, OSError) as unrecorded:
            error.add_note(
                f"the log could not be told of it ({unrecorded}); countermark makes up for that "
                "when it starts next"
            )

    def _record_break(self, error: BaseException) -> None:
        code = record_code_of(error)
        attempt = self._attempts.get(self.id)
        if attempt.state is AttemptState.RELEASED:
            if settle(self._ledger, attempt, self._clock, why=f"it was not published: {code}"):
                error.add_note(f"the clip was released before that, and is public: {self.target}")
        elif attempt.state in UNFINISHED:  # else it ended, and only our noting of that broke off
            self._end(Failed(self._stage, code), CloseAttempt(self.id, AttemptState.FAILED))

    def _record(self, body: Body, change: Advance | CloseAttempt) -> Entry:
        record = self._ledger.record(body, now=self._clock(), attempt=self.id)
        return self._ledger.commit(record, changes=[change])

    def _end(self, body: Body, change: Advance | CloseAttempt) -> Entry:
        entry = self._record(body, change)
        self._ended = True
        return entry
