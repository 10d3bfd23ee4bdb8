"""What a decoder that a hostile file has taken over might do, as the confined child would run it.

`prepare` is what `provenance.confinement` calls. The question names an attack and what it is aimed
at; the answer is one line: what came of it.
"""

import ctypes
import fcntl
import json
import os
import resource
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

MIB = 2**20
PTRACE_ATTACH = 16  # <linux/ptrace.h>
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000  # <linux/sched.h>
F_SETSIG, F_SETOWN_EX, F_OWNER_PID = 10, 15, 1  # <asm-generic/fcntl.h>
PR_GET_DUMPABLE, PR_GET_NO_NEW_PRIVS = 3, 39  # <linux/prctl.h>


def prepare(question: Mapping[str, Any], file: Path) -> Callable[[], Iterator[bytes]]:
    """Return the attack that the question names."""
    if question["attack"] == "fail_to_prepare":
        raise RuntimeError("a library is missing")
    attack = ATTACKS[question["attack"]]

    def answer() -> Iterator[bytes]:
        try:
            came_of_it = attack(file, question.get("aim"))
        except OSError as error:
            came_of_it = type(error).__name__
        yield json.dumps(came_of_it).encode()

    return answer


def read_the_file(file: Path, aim: object) -> str:
    """What is allowed, twice: each opening begins at the beginning."""
    del aim
    return file.read_bytes().decode() + file.read_bytes().decode()


def read(file: Path, aim: str) -> str:
    del file
    return Path(aim).read_text(encoding="utf-8")


def list_folder(file: Path, aim: str) -> list[str]:
    del file
    return os.listdir(aim)  # noqa: PTH208 - as an attacker would


def write(file: Path, aim: str) -> str:
    del file
    Path(aim).write_text("mine now", encoding="utf-8")
    return "written"


def write_to_the_file(file: Path, aim: object) -> str:
    del aim
    with file.open("r+b") as again:
        again.write(b"mine now")
    return "written"


def truncate(file: Path, aim: str) -> str:
    del file
    os.truncate(aim, 0)
    return "cut"


def truncate_by_opening(file: Path, aim: str) -> str:
    del file
    os.open(aim, os.O_RDONLY | os.O_TRUNC)
    return "cut"


def unlink(file: Path, aim: str) -> str:
    del file
    Path(aim).unlink()
    return "gone"


def link_symbolically(file: Path, aim: str) -> str:
    del file
    Path(aim + ".link").symlink_to(aim)
    return "linked"


def rename(file: Path, aim: str) -> str:
    del file
    Path(aim).rename(aim + ".moved")
    return "moved"


def open_to_everybody(file: Path, aim: str) -> str:
    del file
    Path(aim).chmod(0o666)
    return "open"


def make_folder(file: Path, aim: str) -> str:
    del file
    Path(aim + ".folder").mkdir()
    return "made"


def connect_tcp(file: Path, aim: list[Any]) -> str:
    del file
    with socket.create_connection((aim[0], aim[1]), timeout=5):
        return "connected"


def connect_unix(file: Path, aim: str) -> str:
    del file
    with socket.socket(socket.AF_UNIX) as end:
        end.connect(aim)
        return "connected"


def fork_and_outlive(file: Path, aim: str) -> str:
    del file
    if os.fork() == 0:
        os.setsid()
        time.sleep(1)
        Path(aim).touch()
        os._exit(0)
    return "forked"


def run_a_program(file: Path, aim: object) -> str:
    del file, aim
    os.execv(sys.executable, [sys.executable, "-c", "print('[]')"])


def kill_the_parent(file: Path, aim: object) -> str:
    del file, aim
    os.kill(os.getppid(), signal.SIGTERM)
    return "killed"


def aim_a_descriptor_at_the_parent(file: Path, aim: object) -> str:
    """Let the kernel send the signal when a pipe is ready, as `kill` is not at hand."""
    del file, aim
    fcntl.fcntl(os.pipe()[0], fcntl.F_SETOWN, os.getppid())
    return "aimed"


def aim_a_descriptor_at_the_parent_in_the_newer_way(file: Path, aim: object) -> str:
    del file, aim
    owner = struct.pack("=ii", F_OWNER_PID, os.getppid())
    fcntl.fcntl(os.pipe()[0], F_SETOWN_EX, owner)
    return "aimed"


def choose_the_signal_of_a_descriptor(file: Path, aim: object) -> str:
    del file, aim
    fcntl.fcntl(os.pipe()[0], F_SETSIG, signal.SIGKILL)
    return "chosen"


def starve_the_parent(file: Path, aim: object) -> str:
    del file, aim
    resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (0, 0))
    return "starved"


def read_the_parents_memory(file: Path, aim: object) -> str:
    del file, aim
    with Path(f"/proc/{os.getppid()}/mem").open("rb"):
        return "open"


def attach_to_the_parent(file: Path, aim: object) -> str:
    del file, aim
    return _called(ctypes.CDLL(None, use_errno=True).ptrace(PTRACE_ATTACH, os.getppid(), 0, 0))


def enter_the_parents_network(file: Path, aim: int) -> str:
    """`aim` is a descriptor of the parent's network namespace, if one was left open."""
    del file
    return _called(ctypes.CDLL(None, use_errno=True).setns(aim, CLONE_NEWNET))


def become_root_of_a_namespace(file: Path, aim: object) -> str:
    del file, aim
    return _called(ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER))


def start_a_thread(file: Path, aim: object) -> str:
    """Decoders need threads: these must work, and be as confined as the first."""
    del aim
    came_of_it: list[str] = []

    def work() -> None:
        came_of_it.append(str(len(file.read_bytes())))
        try:
            socket.socket().close()
        except OSError as error:
            came_of_it.append(type(error).__name__)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return " ".join(came_of_it)


def tell_what_is_left(file: Path, aim: object) -> dict[str, Any]:
    """What the kernel says of this process."""
    del file, aim
    libc = ctypes.CDLL(None)
    return {
        "dumpable": libc.prctl(PR_GET_DUMPABLE, 0, 0, 0, 0),
        "no_new_privileges": libc.prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
        "session_leader": os.getsid(0) == os.getpid(),
        "environment": sorted(os.environ),
    }


def exceed_memory(file: Path, aim: int) -> int:
    del file
    return len(bytearray(aim))


def exceed_time(file: Path, aim: str) -> str:
    del file
    while aim == "busy":
        pass
    time.sleep(3600)
    return "awake"


def flood_the_answer(file: Path, aim: object) -> str:
    del file, aim
    return _flood(_answers())


def flood_the_complaints(file: Path, aim: object) -> str:
    del file, aim
    return _flood(sys.stderr.fileno())


def die(file: Path, aim: int) -> str:
    del file
    os.kill(os.getpid(), aim)
    return "alive"


def complain(file: Path, aim: str) -> str:
    del file
    sys.exit(aim)


def say(file: Path, aim: list[str]) -> str:
    """Say given lines in place of an answer, and end well."""
    del file
    for line in aim:
        os.write(_answers(), line.encode() + b"\n")
    os._exit(0)


def say_and_die(file: Path, aim: list[str]) -> str:
    """Give a first part of an answer, then break, as a decoder might."""
    del file
    os.write(_answers(), aim[0].encode() + b"\n")
    os.kill(os.getpid(), signal.SIGSEGV)
    return "alive"


def nest(file: Path, aim: int) -> str:
    """Say JSON that is nested deeply, which a recursive parser would follow."""
    del file
    os.write(_answers(), b"[" * aim + b"\n")
    os._exit(0)


ATTACKS: Mapping[str, Callable[[Path, Any], Any]] = {
    attack.__name__: attack
    for attack in (
        read_the_file,
        read,
        list_folder,
        write,
        write_to_the_file,
        truncate,
        truncate_by_opening,
        unlink,
        link_symbolically,
        rename,
        open_to_everybody,
        make_folder,
        connect_tcp,
        connect_unix,
        fork_and_outlive,
        run_a_program,
        kill_the_parent,
        aim_a_descriptor_at_the_parent,
        aim_a_descriptor_at_the_parent_in_the_newer_way,
        choose_the_signal_of_a_descriptor,
        starve_the_parent,
        read_the_parents_memory,
        attach_to_the_parent,
        enter_the_parents_network,
        become_root_of_a_namespace,
        start_a_thread,
        tell_what_is_left,
        exceed_memory,
        exceed_time,
        flood_the_answer,
        flood_the_complaints,
        die,
        complain,
        say,
        say_and_die,
        nest,
    )
}


def _flood(descriptor: int) -> str:
    for _ in range(200):
        left = memoryview(b"x" * MIB)
        while left:
            left = left[os.write(descriptor, left) :]
    return "flooded"


def _called(result: int) -> str:
    return "done" if result == 0 else os.strerror(ctypes.get_errno())


def _answers() -> int:
    """Return the descriptor of the answers: the pipe besides the standard ones."""
    return next(
        number
        for number in range(3, 16)
        if (link := _link(number)) is not None and link.startswith("pipe:")
    )


def _link(number: int) -> str | None:
    try:
        return os.readlink(f"/proc/self/fd/{number}")  # noqa: PTH115 - no path
    except OSError:
        return None
