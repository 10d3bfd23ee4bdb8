"""Asks a classifier for its answer, and gives up after a deadline.

A classifier is code that we may not have written: it may raise anything, or never return. Both must
close the gate, so here, at the border to that code, and nowhere else in the package, everything
that is raised is caught and handed back as a value.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

AnswerT = TypeVar("AnswerT")


@dataclass(frozen=True, slots=True)
class Answered(Generic[AnswerT]):
    """The call returned this."""

    value: AnswerT


@dataclass(frozen=True, slots=True)
class Raised:
    """The call raised this."""

    error: BaseException


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The call did not return within the deadline; its thread is left behind, not stopped."""

    deadline_s: float


def ask(call: Callable[[], AnswerT], *, deadline_s: float) -> Answered[AnswerT] | Raised | TimedOut:
    """Run the call in a thread of its own and wait for it, at most `deadline_s` seconds.

    Python cannot stop a thread, so a call that hangs keeps it; being a daemon, the thread does not
    keep the program from ending. A call that never lets go of the interpreter's lock cannot be
    timed out this way; numpy, onnxruntime and input or output all let go of it.
    """
    outcome: list[Answered[AnswerT] | Raised] = []

    def run() -> None:
        try:
            outcome.append(Answered(call()))
        except BaseException as error:  # noqa: BLE001 - even SystemExit closes the gate
            outcome.append(Raised(error))

    thread = threading.Thread(target=run, name="countermark-classifier", daemon=True)
    thread.start()
    thread.join(deadline_s)
    return outcome[0] if outcome else TimedOut(deadline_s)
