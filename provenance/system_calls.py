"""The system calls that the process which looks at files from outside has no use for.

A decoder reads, computes and starts threads. `refuse` takes everything away that reaches other
processes, the network or the files of this user, for good and for every thread started later
(seccomp-BPF, Linux 3.5; numbers from the kernel's unistd.h). A refused call fails with an error, so
that a library which merely tries goes on.
"""

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass

# Name, number on x86_64, number on aarch64; None where the machine never had the call.
_REFUSED = (
    # The network: without a socket there is none. io_uring would open one past this filter.
    ("socket", 41, 198),
    ("socketpair", 53, 199),
    ("connect", 42, 203),
    ("bind", 49, 200),
    # Other programs.
    ("fork", 57, None),
    ("vfork", 58, None),
    ("execve", 59, 221),
    ("execveat", 322, 281),
    # Other processes of this user, the parent first among them.
    ("ptrace", 101, 117),
    ("process_vm_readv", 310, 270),
    ("process_vm_writev", 311, 271),
    ("process_madvise", 440, 440),
    ("kcmp", 312, 272),
    ("pidfd_open", 434, 434),
    ("pidfd_getfd", 438, 438),
    ("pidfd_send_signal", 424, 424),
    ("tkill", 200, 130),
    ("rt_sigqueueinfo", 129, 138),
    ("rt_tgsigqueueinfo", 297, 240),
    ("setpriority", 141, 140),
    ("ioprio_set", 251, 30),
    ("sched_setaffinity", 203, 122),
    ("sched_setattr", 314, 274),
    ("sched_setparam", 142, 118),
    ("sched_setscheduler", 144, 119),
    ("migrate_pages", 256, 238),
    ("move_pages", 279, 239),
    ("shmget", 29, 194),
    ("shmat", 30, 196),
    ("semget", 64, 190),
    ("msgget", 68, 186),
    ("mq_open", 240, 180),
    # Another view of the machine, and the kernel's less travelled doors.
    ("setns", 308, 268),
    ("unshare", 272, 97),
    ("mount", 165, 40),
    ("umount2", 166, 39),
    ("pivot_root", 155, 41),
    ("chroot", 161, 51),
    ("open_tree", 428, 428),
    ("move_mount", 429, 429),
    ("fsopen", 430, 430),
    ("fsmount", 432, 432),
    ("mount_setattr", 442, 442),
    ("bpf", 321, 280),
    ("perf_event_open", 298, 241),
    ("userfaultfd", 323, 282),
    ("keyctl", 250, 219),
    ("add_key", 248, 217),
    ("request_key", 249, 218),
    ("open_by_handle_at", 304, 265),
    # Changing files. Landlock leaves out the rights, owners, times and attributes, and, before
    # Linux 6.2, cutting a file short.
    ("creat", 85, None),
    ("truncate", 76, 45),
    ("unlink", 87, None),
    ("unlinkat", 263, 35),
    ("rmdir", 84, None),
    ("mkdir", 83, None),
    ("mkdirat", 258, 34),
    ("rename", 82, None),
    ("renameat", 264, 38),
    ("renameat2", 316, 276),
    ("link", 86, None),
    ("linkat", 265, 37),
    ("symlink", 88, None),
    ("symlinkat", 266, 36),
    ("mknod", 133, None),
    ("mknodat", 259, 33),
    ("chmod", 90, None),
    ("fchmod", 91, 52),
    ("fchmodat", 268, 53),
    ("fchmodat2", 452, 452),
    ("chown", 92, None),
    ("fchown", 93, 55),
    ("lchown", 94, None),
    ("fchownat", 260, 54),
    ("utime", 132, None),
    ("utimes", 235, None),
    ("futimesat", 261, None),
    ("utimensat", 280, 88),
    ("setxattr", 188, 5),
    ("lsetxattr", 189, 6),
    ("fsetxattr", 190, 7),
    ("setxattrat", 463, 463),
    ("removexattr", 197, 14),
    ("lremovexattr", 198, 15),
    ("fremovexattr", 199, 16),
    ("removexattrat", 466, 466),
)
# Calls whose arguments a filter cannot see. Libraries fall back when told that they do not exist.
_ABSENT = (("clone3", 435, 435), ("openat2", 437, 437), ("io_uring_setup", 425, 425))

_CLONE_THREAD = 0x10000  # <linux/sched.h>
# O_WRONLY or O_RDWR, O_CREAT, O_TRUNC: the same on both machines (<asm-generic/fcntl.h>).
_OPENS_TO_WRITE = 0o3 | 0o100 | 0o1000
# F_SETOWN, F_SETSIG, F_SETOWN_EX (<asm-generic/fcntl.h>): the kernel would send another process a
# signal of our choice when a descriptor is ready. Landlock keeps these in from Linux 6.12 on.
_ASKS_FOR_SIGNALS = (8, 10, 15)
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column, AUDIT_ARCH_*
_X32 = 0x40000000  # x86_64's second set of numbers begins here, and would pass by every rule

# <linux/bpf_common.h>, <linux/seccomp.h>, <linux/prctl.h>
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_KILL_PROCESS, _FAIL, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_NUMBER_AT, _MACHINE_AT, _ARGUMENTS_AT = 0, 4, 16  # offsets in struct seccomp_data
_PR_SET_SECCOMP, _MODE_FILTER = 22, 2

_Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, operand


class _Program(ctypes.Structure):
    """`struct sock_fprog` of <linux/filter.h>."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


@dataclass(frozen=True, slots=True)
class _Test:
    """A call that may pass, depending on the low half of one of its arguments.

    One for each call: the first to match its number decides.
    """

    number: int
    argument: int
    code: int
    operands: tuple[int, ...]
    passes: bool  # when the comparison with one of them holds


def refuse(libc: ctypes.CDLL) -> bool:
    """Install the filter in this thread; False where the kernel or the machine has none.

    Needs PR_SET_NO_NEW_PRIVS, or the kernel refuses.
    """
    machine = _MACHINES.get(platform.machine())
    if machine is None or sys.maxsize < 2**32:
        return False
    instructions = b"".join(struct.pack("=HBBI", *each) for each in _filter(*machine))
    program = _Program(len(instructions) // 8, instructions)
    return bool(libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) == 0)


def _filter(column: int, machine: int) -> Iterator[_Instruction]:
    """Yield the program: the machine's own calls alone, then one rule for each that is refused."""
    yield _LOAD, 0, 0, _MACHINE_AT
    yield _JUMP_EQUAL, 1, 0, machine
    yield _RETURN, 0, 0, _KILL_PROCESS
    yield _LOAD, 0, 0, _NUMBER_AT
    yield _JUMP_AT_LEAST, 0, 1, _X32
    yield _RETURN, 0, 0, _KILL_PROCESS
    for calls, error in ((_REFUSED, errno.EPERM), (_ABSENT, errno.ENOSYS)):
        for _, *numbers in calls:
            if (number := numbers[column]) is not None:
                yield _JUMP_EQUAL, 0, 1, number
                yield _RETURN, 0, 0, _FAIL | error
    for test in _tests(column):
        refusal = _FAIL | errno.EPERM
        matched, other = (_ALLOW, refusal) if test.passes else (refusal, _ALLOW)
        yield _JUMP_EQUAL, 0, 2 + 2 * len(test.operands), test.number
        yield _LOAD, 0, 0, _ARGUMENTS_AT + 8 * test.argument
        for operand in test.operands:
            yield test.code, 0, 1, operand
            yield _RETURN, 0, 0, matched
        yield _RETURN, 0, 0, other
    yield _RETURN, 0, 0, _ALLOW


def _tests(column: int) -> Iterator[_Test]:
    clone, openat, kill, tgkill, prlimit = ((56, 220), (257, 56), (62, 129), (234, 131), (302, 261))
    fcntl = (72, 25)
    own = os.getpid()
    yield _Test(clone[column], 0, _JUMP_ANY_BIT, (_CLONE_THREAD,), passes=True)
    yield _Test(openat[column], 2, _JUMP_ANY_BIT, (_OPENS_TO_WRITE,), passes=False)
    if column == 0:
        yield _Test(2, 1, _JUMP_ANY_BIT, (_OPENS_TO_WRITE,), passes=False)  # open, on x86_64 alone
    yield _Test(fcntl[column], 1, _JUMP_EQUAL, _ASKS_FOR_SIGNALS, passes=False)
    yield _Test(kill[column], 0, _JUMP_EQUAL, (own,), passes=True)
    yield _Test(tgkill[column], 0, _JUMP_EQUAL, (own,), passes=True)
    yield _Test(prlimit[column], 0, _JUMP_EQUAL, (0,), passes=True)  # 0 is the caller itself
