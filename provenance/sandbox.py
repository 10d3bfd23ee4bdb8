"""Have a child process with limits look at a file that anybody may have sent.

A parser that reads hostile bytes is assumed to break some day. So it runs where breaking costs
nothing: without network, without the right to write files, with a bound on time and memory, and
with nothing in its memory but the file and the keys that looking for marks needs. What comes back
is JSON, never pickled objects: a child that was taken over must not run code in its parent.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from provenance.errors import ExaminationFailed

CHILD = "provenance.confinement"
MAX_ANSWER_BYTES = 64 * 2**20  # a manifest store of a few MB, printed as JSON
SECONDS_TO_START = 20  # importing OpenCV, PyAV and c2pa on a busy machine


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    """What one examination may use."""

    seconds: int = 600  # wall and CPU
    memory_bytes: int = 6 * 2**30  # address space
    open_files: int = 64


def run_child(
    module: str, question: Mapping[str, Any], limits: ProcessLimits
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Have a confined child call `answer(question)` of a module of ours.

    Returns:
        The answer, and which limits the system did not let the child set.

    Raises:
        ExaminationFailed: the child died, overran a limit, or answered nonsense.
    """
    order = {"limits": asdict(limits), "module": module, "question": question}
    try:
        done = subprocess.run(
            # -I: neither the working folder nor the environment can put code in front of ours.
            [sys.executable, "-I", "-m", CHILD],
            input=json.dumps(order).encode(),
            capture_output=True,
            timeout=limits.seconds + SECONDS_TO_START,
            check=False,
            env={"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "LC_ALL": "C.UTF-8"},
        )
    except subprocess.TimeoutExpired as error:
        raise ExaminationFailed(
            f"examining the file took longer than {limits.seconds} s and was stopped; "
            "raise provenance.examination_seconds or cut the clip"
        ) from error
    return _answer(done)


def _answer(done: subprocess.CompletedProcess[bytes]) -> tuple[dict[str, Any], tuple[str, ...]]:
    if done.returncode != 0 or len(done.stdout) > MAX_ANSWER_BYTES:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        ending = f"signal {-done.returncode}" if done.returncode < 0 else f"exit {done.returncode}"
        last_words = f": {lines[-1][:200]}" if lines else ""
        raise ExaminationFailed(f"the process examining the file broke off ({ending}{last_words})")
    try:
        values = json.loads(done.stdout)
        return dict(values["answer"]), tuple(values["unlimited"])
    except (ValueError, KeyError, TypeError) as error:
        raise ExaminationFailed("the process examining the file answered nonsense") from error
