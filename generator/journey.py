"""One attempt under way: what the log is told of it, and how it ends.

A `Journey` is a context manager. Whatever leaves it by exception is recorded as `failed`, with the
stage it was in and the error's stable code; once `released` is recorded, recovery's own rule
finishes or withdraws it. So there is no way out of a journey that the log does not know.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from audit.attempts import Advance, Attempts, AttemptState, CloseAttempt
from audit.bodies import Body, Cleared, Failed, Held, Refused, Released, Stage
from audit.ledger import Ledger
from audit.reader import Entry
from generator.errors import RequestInvalid
from generator.progress import Phase, Progress, ProgressListener
from generator.recording import verdict_body
from generator.recovery import settle
from safety.verdict import Decision, Verdict

BEAT_EVERY = timedelta(seconds=10)
PRIVATE_FOLDER_MODE = 0o700
INTERRUPTED = "interrupted"  # the code of an end that no error of ours explains


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
        self._beat_at = clock()
        self._ended = False

    def enter(self, stage: Stage, phase: Phase) -> None:
        """Go on to the next part of the journey."""
        self._stage = stage
        self.tell(Progress(phase))

    def tell(self, progress: Progress) -> None:
        """Pass progress on, and let other machines know that this process lives."""
        now = self._clock()
        if now - self._beat_at > BEAT_EVERY:
            self._attempts.beat(self.id, now)
            self._beat_at = now
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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Record how the journey broke, if it did."""
        del kind, traceback
        if error is None or self._ended:
            return
        if self._attempts.get(self.id).state is AttemptState.RELEASED:
            settle(self._ledger, self._attempts.get(self.id), self._clock)
            return
        code = str(getattr(error, "code", INTERRUPTED))
        body = Failed(stage=self._stage, error=code)
        self._end(body, CloseAttempt(self.id, AttemptState.FAILED))

    def _record(self, body: Body, change: Advance | CloseAttempt) -> Entry:
        record = self._ledger.record(body, now=self._clock(), attempt=self.id)
        return self._ledger.commit(record, changes=[change])

    def _end(self, body: Body, change: Advance | CloseAttempt) -> Entry:
        entry = self._record(body, change)
        self._ended = True
        return entry


@contextmanager
def private_folder(parent: Path, attempt_id: str) -> Iterator[Path]:
    """Give an attempt a folder that nobody else can read, and remove it afterwards.

    Raises:
        RequestInvalid: it cannot be made.
    """
    folder = parent / attempt_id
    try:
        folder.mkdir(mode=PRIVATE_FOLDER_MODE)
    except OSError as error:
        raise RequestInvalid(
            f"no working folder can be made in {parent} ({error.strerror}); free some space "
            "or check its owner"
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
