"""A journey's sign of life, from a thread of its own.

Whole minutes of a journey say nothing: a model is decoding, a clip is read back, a time-stamp
authority is waited for. Another machine sees the heartbeat alone (`audit.lease`), so it must not
depend on what the journey is busy with.
"""

import threading
from collections.abc import Callable
from datetime import datetime

from audit.attempts import Attempts
from audit.errors import AuditError

BEAT_EVERY_S = 10.0  # a twelfth of `audit.lease.HEARTBEAT_LIMIT`


class Heartbeat:
    """Beats for one attempt until it is stopped, or until its process ends."""

    def __init__(self, attempts: Attempts, attempt_id: str, clock: Callable[[], datetime]) -> None:
        self._attempts = attempts
        self._attempt_id = attempt_id
        self._clock = clock
        self._stopped = threading.Event()
        self._thread = threading.Thread(
            target=self._beat, name=f"heartbeat of {attempt_id}", daemon=True
        )

    def start(self) -> None:
        """Begin; the attempt's lease holds the first beat."""
        self._thread.start()

    def stop(self) -> None:
        """Return once no further beat can come; a beat under way is waited for."""
        self._stopped.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._stopped.wait(BEAT_EVERY_S):
            try:
                self._attempts.beat(self._attempt_id, self._clock())
            except AuditError:
                continue  # a locked database or a full disk; the next beat is soon enough
