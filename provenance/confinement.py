"""The program of the child process that looks at files from outside.

    python -I -B -m provenance.confinement < order.json

1. It gives up its rights, before it imports anything that could start a thread.
2. It imports the module it was told and has it `prepare` for the question. Up to here nothing of
   the file was read: whatever fails is this installation's fault.
3. It says that it is ready, and what it could not give up.
4. It reads the file and says each part of the answer.

It says everything as lines of JSON on its standard output.
"""

import ctypes
import importlib
import json
import os
import resource
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from provenance import landlock, system_calls
from provenance.landlock import Access

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000  # <linux/sched.h>
# <linux/prctl.h>
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_SIGKILL = 9
_CAPABILITY_VERSION_3 = 0x20080522  # <linux/capability.h>
_CAP_DAC_READ_SEARCH = 1 << 2

# Where shared libraries lie, and what the loader reads to find them.
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib")
_LOADER = ("/etc/ld.so.cache", "/proc/cpuinfo", "/sys/devices/system/cpu/online")

FILES_OPEN = "the kernel has no Landlock here: other files of this user could have been read"
CALLS_OPEN = "the kernel took no filter of system calls: other processes could have been reached"
NETWORK_OPEN = "the kernel did not let the examination give up the network"
RIGHTS_KEPT = "the kernel did not let the examination give up its capabilities"

Prepare = Callable[[Mapping[str, Any], Path], Callable[[], Iterator[bytes]]]
"""What a module that answers has as `prepare`: the question and the file's path go in, and out
comes what reads the file and gives the parts of the answer, each one line of JSON."""


def confine(*, seconds: int, memory_bytes: int, open_files: int, descriptor: int) -> list[str]:
    """Limit this process for good and return what could not be limited, in plain words.

    Must run before any thread is started: what is given up here is given up thread by thread.

    Args:
        seconds: of wall time; the processors may each be busy as long.
        memory_bytes: of address space.
        open_files: at once.
        descriptor: of the one file that may be read.
    """
    _limit_resources(seconds=seconds, memory_bytes=memory_bytes, open_files=open_files)
    libc = ctypes.CDLL(None, use_errno=True)
    network_is_cut = _cut_network(libc)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    files_are_closed = landlock.restrict(libc, _readable(), descriptor)
    # Root reads files of others, such as an upload or an installation, only with this right; with
    # Landlock it reaches no more than what is listed.
    kept = _CAP_DAC_READ_SEARCH if files_are_closed and os.geteuid() == 0 else 0
    rights_are_gone = _keep_capabilities(libc, kept)
    # After the capabilities: changing those makes the kernel forget the signal. It comes when the
    # thread ends that started this process, and that one waits for the answer.
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    calls_are_refused = system_calls.refuse(libc)
    given_up = {
        FILES_OPEN: files_are_closed,
        CALLS_OPEN: calls_are_refused,
        NETWORK_OPEN: network_is_cut or calls_are_refused,
        RIGHTS_KEPT: rights_are_gone,
    }
    return [sentence for sentence, done in given_up.items() if not done]


def main() -> None:
    """Read the order from standard input, confine, obey, say."""
    order = json.load(sys.stdin)
    # Libraries print where they like; the answer has its own way out.
    said = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    limits, descriptor = order["limits"], order["descriptor"]
    required = limits.pop("confinement") == "required"
    unlimited = confine(**limits, descriptor=descriptor)  # (1)
    if unlimited and required:
        sys.exit(f"examining needs a process without rights, and {'; '.join(unlimited)}")
    prepare: Prepare = importlib.import_module(order["module"]).prepare  # (2)
    file = Path(f"/proc/self/fd/{descriptor}")
    answer = prepare(order["question"], file)
    file.open("rb").close()
    _say(said, json.dumps(unlimited).encode())  # (3)
    for part in answer():  # (4)
        _say(said, part)
    os._exit(0)  # nothing is left to do, and threads of libraries have nothing to add


def _say(said: Any, line: bytes) -> None:  # noqa: ANN401 - the file that os.fdopen gives
    said.write(line + b"\n")
    said.flush()


def _limit_resources(*, seconds: int, memory_bytes: int, open_files: int) -> None:
    """Set limits, or keep those that are lower already: raising one is root's alone."""
    for kind, wanted in (
        (resource.RLIMIT_CPU, seconds * len(os.sched_getaffinity(0))),
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_NOFILE, open_files),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _, most = resource.getrlimit(kind)
        value = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        resource.setrlimit(kind, (value, value))


def _cut_network(libc: ctypes.CDLL) -> bool:
    """Move into an empty network namespace: not even loopback is up in it."""
    kinds = _CLONE_NEWNET if os.geteuid() == 0 else _CLONE_NEWUSER | _CLONE_NEWNET
    return bool(libc.unshare(kinds) == 0)


def _keep_capabilities(libc: ctypes.CDLL, kept: int) -> bool:
    """Give up every capability but those kept; an ordinary user has none to begin with."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)(kept, kept, 0, 0, 0, 0)  # effective, permitted, inheritable, twice
    return bool(libc.capset(header, sets) == 0)


def _readable() -> dict[str, Access]:
    """Return what importing takes: what is installed, and of a checkout on the path its packages.

    Beside those packages only the names may be read: a home with keys may lie there as well.
    """
    whole = Access.READ_FILE | Access.READ_DIR
    libraries = {*_LIBRARIES, *(f"{p}/lib" for p in (sys.prefix, sys.base_prefix))}
    readable = dict.fromkeys(libraries, whole) | dict.fromkeys(_LOADER, Access.READ_FILE)
    for entry in map(Path, sys.path):
        if any(entry.is_relative_to(library) for library in libraries):
            continue
        if entry.is_dir():
            readable[str(entry)] = Access.READ_DIR
            readable |= {str(package.parent): whole for package in entry.glob("*/__init__.py")}
        else:
            readable[str(entry)] = Access.READ_FILE  # packages in an archive
    return readable


if __name__ == "__main__":
    main()
