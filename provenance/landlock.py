"""Which files a process may still open: Landlock, as the kernel has it since Linux 5.13.

Binds the calling thread and every thread it starts, for good. Whatever is not listed can be neither
read nor listed, and nothing can be written, made, moved or removed. Where the kernel knows how, the
process can also signal nobody and reach no socket outside.
"""

import ctypes
import os
from collections.abc import Mapping
from enum import IntFlag

# The same numbers on every machine (<asm-generic/unistd.h>).
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION = 1
_PATH_BENEATH = 1
# Rights over files by version of the interface (<linux/landlock.h>): all of them are taken away.
_FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_TCP = (4, 0b11)  # from this version: bind and connect
_SCOPES = (6, 0b11)  # from this version: abstract Unix sockets and signals


class Access(IntFlag):
    """What may be done below a path."""

    READ_FILE = 1 << 2
    READ_DIR = 1 << 3


class _Ruleset(ctypes.Structure):
    """`struct landlock_ruleset_attr`; an older kernel takes a shorter one."""

    _fields_ = (
        ("files", ctypes.c_uint64),
        ("network", ctypes.c_uint64),
        ("scopes", ctypes.c_uint64),
    )


class _Beneath(ctypes.Structure):
    """`struct landlock_path_beneath_attr`."""

    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def restrict(libc: ctypes.CDLL, readable: Mapping[str, Access], descriptor: int) -> bool:
    """Leave this process what is listed and one open file; False where the kernel cannot.

    Needs PR_SET_NO_NEW_PRIVS, or the kernel refuses.

    Args:
        libc: of this process.
        readable: paths and what may be done below them; those that do not exist are passed by.
        descriptor: of the one file that may be opened again for reading.
    """
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _ASK_VERSION)
    if version < 1:
        return False
    asked = _Ruleset(
        files=_FILE_RIGHTS[max(known for known in _FILE_RIGHTS if known <= version)],
        network=_TCP[1] if version >= _TCP[0] else 0,
        scopes=_SCOPES[1] if version >= _SCOPES[0] else 0,
    )
    size = 8 * (1 + (version >= _TCP[0]) + (version >= _SCOPES[0]))
    ruleset = libc.syscall(_CREATE_RULESET, ctypes.byref(asked), ctypes.c_size_t(size), 0)
    if ruleset < 0:
        return False
    try:
        for path, access in readable.items():
            _allow_below(libc, ruleset, path, access)
        _allow(libc, ruleset, descriptor, Access.READ_FILE)
        return bool(libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _allow_below(libc: ctypes.CDLL, ruleset: int, path: str, access: Access) -> None:
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        _allow(libc, ruleset, parent, access)
    finally:
        os.close(parent)


def _allow(libc: ctypes.CDLL, ruleset: int, parent: int, access: Access) -> None:
    rule = _Beneath(allowed=access, parent=parent)
    # A rule that is refused leaves less to open, never more.
    libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
