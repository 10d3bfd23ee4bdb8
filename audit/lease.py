"""Whose attempt is it, and is its process still there?

A process that opens an attempt takes a lease on it. When it dies, recovery may close what it left;
while it lives, nobody else touches its attempts. The rule, from `is_expired`:

    same place, same boot     expired when no process with that pid and start time runs
    same place, other boot    expired: the machine was restarted
    another place             expired when the heartbeat is older than HEARTBEAT_LIMIT

A place is a host name and a process namespace, because a pid means nothing outside its namespace.
At its own place a live process is never taken for dead because its heartbeat is late: a laptop that
slept is alive. From another place nobody can know, so a lease that expired there says "silent", and
recovery does nothing to it that a living process could not survive.
"""

import os
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from audit.records import to_ms

HEARTBEAT_LIMIT: Final = timedelta(minutes=2)
"""A dozen missed beats at the journey's one in ten seconds."""

_START_FIELD: Final = 22
"""Field of /proc/PID/stat that holds the process's start time in ticks since boot (proc(5))."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A process's claim on an attempt.

    Attributes:
        place: host name and process namespace.
        boot: id of the machine's current run.
        pid: the process.
        process_start: its start in clock ticks since boot: pids are used again.
        heartbeat_ms: when it last said that it lives.
    """

    place: str
    boot: str
    pid: int
    process_start: int
    heartbeat_ms: int

    @classmethod
    def of_this_process(cls, now: datetime) -> "Lease":
        """Return a fresh lease of the calling process."""
        pid = os.getpid()
        return cls(
            place=_place(),
            boot=_boot(),
            pid=pid,
            process_start=_process_start(pid) or 0,
            heartbeat_ms=to_ms(now),
        )

    @property
    def is_of_this_place(self) -> bool:
        """Whether its process, if it runs, is one that the calling process can see."""
        return self.place == _place()


def is_expired(lease: Lease, now: datetime) -> bool:
    """Tell whether the lease's process is gone, as the module says."""
    if not lease.is_of_this_place:
        return to_ms(now) - lease.heartbeat_ms > HEARTBEAT_LIMIT // timedelta(milliseconds=1)
    if lease.boot != _boot():
        return True
    return _process_start(lease.pid) != lease.process_start


def _place() -> str:
    return f"{socket.gethostname()} {Path('/proc/self/ns/pid').readlink()}"


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _process_start(pid: int) -> int | None:
    """Return when the process started, in ticks since boot; None when it does not run."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name in brackets and may hold spaces and brackets itself.
    after_name = stat.rpartition(")")[2].split()
    state, start = after_name[0], after_name[_START_FIELD - 3]
    # A zombie does nothing any more: only its parent has not looked yet.
    return None if state in {"Z", "X"} else int(start)
