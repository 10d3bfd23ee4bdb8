"""Make this process's kernel look as if it lacked what the confined child asks of it.

A filter of system calls, which children inherit, answers as an older kernel would. It can be put on
and never taken off: only in a process of its own.
"""

import ctypes
import errno
import struct
from collections.abc import Sequence

from provenance.system_calls import _Program

LANDLOCK_CREATE_RULESET, UNSHARE, CAPSET, PRCTL = 444, 272, 126, 157  # on x86_64
PR_SET_SECCOMP, MODE_FILTER, PR_SET_NO_NEW_PRIVS = 22, 2, 38
LOAD, EQUAL, RETURN, ALLOW, FAIL = 0x20, 0x15, 0x06, 0x7FFF0000, 0x00050000


def lack(calls: Sequence[int]) -> None:
    """Have these system calls fail from now on; for prctl, only asking for another filter."""
    rules = [(LOAD, 0, 0, 0)]
    for call in calls:
        if call == PRCTL:
            rules += [
                (EQUAL, 0, 4, PRCTL),
                (LOAD, 0, 0, 16),
                (EQUAL, 0, 1, PR_SET_SECCOMP),
                (RETURN, 0, 0, FAIL | errno.EINVAL),
                (RETURN, 0, 0, ALLOW),
            ]
        else:
            rules += [(EQUAL, 0, 1, call), (RETURN, 0, 0, FAIL | errno.ENOSYS)]
    rules.append((RETURN, 0, 0, ALLOW))
    instructions = b"".join(struct.pack("=HBBI", *rule) for rule in rules)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    program = _Program(len(instructions) // 8, instructions)
    if libc.prctl(PR_SET_SECCOMP, MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the filter was not taken")
