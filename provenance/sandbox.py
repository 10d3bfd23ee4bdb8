"""Have a child process with limits look at a file that anybody may have sent.

A parser that reads hostile bytes is assumed to break some day. So it runs where breaking costs
little: without network, without the right to write files, to read others than the one it is given,
or to start processes, with a bound on time and memory, and with nothing in its memory but the file
and the keys that looking for marks needs (`confinement.py`).

The parent believes nothing that it hears. It reads no more than a bound, as lines of JSON and never
pickled objects, and whoever calls checks the shape. What goes wrong before the child says that it
is ready is this installation's fault, what goes wrong afterwards is the file's.
"""

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from provenance.errors import ExaminationFailed, ExaminationUnavailable

CHILD = "provenance.confinement"
MAX_ANSWER_BYTES = 8 * 2**20  # with thousands of failures in one manifest it comes to 2 MB
MAX_LAST_WORDS_BYTES = 4096  # of what the child complains about, the end
SECONDS_TO_START = 60  # importing OpenCV, PyAV and c2pa takes half a second, on a busy machine more
_CHUNK_BYTES = 2**16  # what a pipe holds
_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    # Each arena of glibc's takes 64 MiB of the address space, and each thread may have its own.
    "MALLOC_ARENA_MAX": "4",
    "LC_ALL": "C.UTF-8",
}


class Confinement(StrEnum):
    """What to do where the kernel does not let the child give up everything."""

    REQUIRED = "required"  # examine nothing
    POSSIBLE = "possible"  # examine, and name in the answer what it could not give up


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    """What one examination may use."""

    seconds: int = 600  # of wall time, from when the child is ready
    memory_bytes: int = 6 * 2**30  # address space
    open_files: int = 64
    confinement: Confinement = Confinement.POSSIBLE


@dataclass(frozen=True, slots=True)
class Said:
    """What a child said of a file. Nobody has checked it yet."""

    parts: tuple[bytes, ...]  # each as one line of JSON, whatever is in it
    unlimited: tuple[str, ...]  # what the child could not give up; said before it saw the file
    broke_off: str | None  # why it did not come to its end


def run_child(
    module: str, question: Mapping[str, Any], limits: ProcessLimits, *, descriptor: int
) -> Said:
    """Have a confined child answer a question about an open file.

    Args:
        module: has the function `prepare` (`confinement.Prepare`).
        question: JSON values for it.
        limits: for the child.
        descriptor: of the file, open for reading.

    Raises:
        ExaminationUnavailable: the child did not start, or could not be confined as required.
        ExaminationFailed: it said more than anybody wants to hear.
    """
    order = {
        "limits": asdict(limits),
        "module": module,
        "question": question,
        "descriptor": descriptor,
    }
    with _started(json.dumps(order).encode(), descriptor) as child:
        overran = child.listen(limits.seconds)
    ending = overran or child.ending()
    first, *parts = child.lines() or [b""]
    if not first:
        raise ExaminationUnavailable(
            f"the process that examines files did not start ({ending or 'it said nothing'}); "
            "`countermark doctor` checks this installation"
        )
    broke_off = f"the process examining the file broke off ({ending})" if ending else None
    return Said(tuple(parts), tuple(json.loads(first)), overran or broke_off)


@dataclass(slots=True)
class _Child:
    """A child that was started, and what it has said so far."""

    process: "subprocess.Popen[bytes]"
    end: int  # a descriptor that can be read once the process has ended
    said: bytearray = field(default_factory=bytearray)
    last_words: bytearray = field(default_factory=bytearray)

    def listen(self, seconds: int) -> str | None:
        """Take in what the child says; return why it must be stopped, or None when it ended.

        Raises:
            ExaminationFailed: it said more than `MAX_ANSWER_BYTES`.
        """
        deadline, is_ready = time.monotonic() + SECONDS_TO_START, False
        with self._pipes() as pipes:
            while pipes.get_map():
                if not is_ready and b"\n" in self.said:
                    deadline, is_ready = time.monotonic() + seconds, True
                left = deadline - time.monotonic()
                if left <= 0:
                    return _overran(seconds) if is_ready else f"not in {SECONDS_TO_START} s"
                has_ended = self.end not in pipes.get_map()
                heard = pipes.select(0 if has_ended else left)
                if has_ended and not heard:
                    break  # somebody else holds the other end of a pipe
                for key, _ in heard:
                    if not self._take(key.fd):
                        pipes.unregister(key.fd)
        return None

    def lines(self) -> list[bytes]:
        """Return the whole lines that it said."""
        return bytes(self.said).split(b"\n")[:-1]

    def ending(self) -> str | None:
        """Return in words how the process ended; None where it ended well."""
        code = self.process.returncode
        if code == 0:
            return None
        lines = self.last_words.decode(errors="replace").strip().splitlines()
        # A terminal obeys control characters, and these words may be an attacker's.
        words = "".join(c if c.isprintable() else "?" for c in lines[-1][:300]) if lines else ""
        how = f"signal {-code}" if code < 0 else f"exit {code}"
        return f"{how}: {words}" if words else how

    def _pipes(self) -> selectors.DefaultSelector:
        """Return what there is to listen to."""
        pipes = selectors.DefaultSelector()
        for each in (self.process.stdout, self.process.stderr, self.end):
            if each is not None:
                pipes.register(each, selectors.EVENT_READ)
        return pipes

    def _take(self, descriptor: int) -> bool:
        """Read what is there; False at the end."""
        if descriptor == self.end:
            return False
        chunk = os.read(descriptor, _CHUNK_BYTES)
        if self.process.stdout is not None and descriptor == self.process.stdout.fileno():
            self.said += chunk
        else:
            self.last_words += chunk
            del self.last_words[:-MAX_LAST_WORDS_BYTES]
        if len(self.said) > MAX_ANSWER_BYTES:
            raise ExaminationFailed(
                f"the process examining the file said more than {MAX_ANSWER_BYTES} bytes "
                "and was stopped; nothing that it said is believed"
            )
        return bool(chunk)


@contextmanager
def _started(order: bytes, descriptor: int) -> Iterator[_Child]:
    """Start a child in a session of its own, and leave nothing of it when the caller is done."""
    with ExitStack() as stack:
        try:
            # A file and no pipe: a child that does not read must not keep us from going on.
            stdin = stack.enter_context(os.fdopen(os.memfd_create("order"), "w+b"))
            stdin.write(order)
            stdin.seek(0)
            process = subprocess.Popen(
                # -I: neither the working folder nor the environment can put code in front of ours.
                [sys.executable, "-I", "-B", "-m", CHILD],
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                pass_fds=(descriptor,),
                env=_ENVIRONMENT,
            )
            stack.enter_context(process)  # closes the pipes and waits for the end
            stack.callback(_kill, process.pid)
            end = os.pidfd_open(process.pid)
        except OSError as error:
            raise ExaminationUnavailable(
                f"no process could be started to examine the file ({error.strerror}); "
                "examine fewer at once, or allow more memory and processes"
            ) from error
        stack.callback(os.close, end)
        yield _Child(process, end)


def _kill(pid: int) -> None:
    """End a child and its session. Nobody has waited for it yet, so the number is its own."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _overran(seconds: int) -> str:
    return (
        f"examining the file took longer than {seconds} s and was stopped; "
        "raise provenance.examination_seconds or cut the clip"
    )
