"""The program of the child process that looks at files from outside.

It gives up its rights first, before it imports anything that could break, then calls `answer` of
the module it was told, and prints what that returned:

    python -I -m provenance.confinement < question.json > answer.json
"""

import ctypes
import importlib
import json
import os
import resource
import sys

CLONE_NEWUSER = 0x10000000  # <linux/sched.h>
CLONE_NEWNET = 0x40000000


def confine(*, seconds: int, memory_bytes: int, open_files: int) -> list[str]:
    """Limit this process for good and return what could not be limited, in plain words.

    Must run before any thread is started: the kernel refuses a new user namespace afterwards.
    """
    missing = [] if _cut_network() else ["the kernel did not let the examination give up network"]
    for kind, value in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_NOFILE, open_files),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (value, value))
    return missing


def _cut_network() -> bool:
    """Move into an empty network namespace: not even loopback is up in it."""
    libc = ctypes.CDLL(None, use_errno=True)
    kinds = CLONE_NEWNET if os.geteuid() == 0 else CLONE_NEWUSER | CLONE_NEWNET
    return bool(libc.unshare(kinds) == 0)


def main() -> None:
    """Read the order from standard input, confine, obey, print."""
    order = json.load(sys.stdin)
    unlimited = confine(**order["limits"])
    answer = importlib.import_module(order["module"]).answer(order["question"])
    json.dump({"answer": answer, "unlimited": unlimited}, sys.stdout)


if __name__ == "__main__":
    main()
