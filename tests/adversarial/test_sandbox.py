"""A hostile file has taken over its decoder: what can that process do?

Every attack in `tests/support/evil.py` runs where a decoder would. A control runs the same attacks
without the confinement: one that fails there too would prove nothing.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import evil
from tests.support.taken_over import attacked

DENIED = ["PermissionError", "Operation not permitted"]

ON_FILES = (
    "read",
    "write",
    "truncate",
    "truncate_by_opening",
    "unlink",
    "link_symbolically",
    "rename",
    "open_to_everybody",
    "make_folder",
)
ON_DESCRIPTORS = (
    "aim_a_descriptor_at_the_parent",
    "aim_a_descriptor_at_the_parent_in_the_newer_way",
    "choose_the_signal_of_a_descriptor",
)
ON_PROCESSES = (
    "run_a_program",
    "kill_the_parent",
    "starve_the_parent",
    "read_the_parents_memory",
    "attach_to_the_parent",
    "become_root_of_a_namespace",
    *ON_DESCRIPTORS,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"bytes of a clip")
    return path


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "log.key"
    path.write_text("a secret", encoding="utf-8")
    path.chmod(0o600)
    return path


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.2)
        yield listening


def came_of(file: Path, attack: str, aim: object = None) -> object:
    said = attacked(file, attack, aim)
    assert said.unlimited == (), "this kernel lacks what these tests are about"
    assert said.broke_off is None
    return json.loads(said.parts[0])


def unconfined(attack: str, file: Path, aim: object) -> str:
    """Run an attack in an ordinary process and return what came of it."""
    code = (
        "import sys, json; from pathlib import Path; from tests.support.evil import ATTACKS; "
        "name, file, aim = json.loads(sys.argv[1]); print(ATTACKS[name](Path(file), aim))"
    )
    arguments = json.dumps([attack, str(file), aim])
    done = subprocess.run(
        [sys.executable, "-c", code, arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_file_itself_can_be_opened_as_often_as_there_are_readers(file: Path) -> None:
    assert came_of(file, "read_the_file") == "bytes of a clip" * 2


def test_decoders_may_start_threads_and_these_are_confined_as_well(file: Path) -> None:
    assert came_of(file, "start_a_thread") == "15 PermissionError"


@pytest.mark.parametrize("attack", ON_FILES)
def test_no_other_file_can_be_read_or_changed(file: Path, secret: Path, attack: str) -> None:
    before = sorted(file.parent.iterdir())

    assert came_of(file, attack, str(secret)) in DENIED

    assert secret.read_text(encoding="utf-8") == "a secret"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert sorted(file.parent.iterdir()) == before


def test_no_folder_can_be_listed(file: Path) -> None:
    assert came_of(file, "list_folder", str(file.parent)) in DENIED


def test_not_even_the_file_that_is_examined_can_be_changed(file: Path) -> None:
    assert came_of(file, "write_to_the_file") in DENIED
    assert file.read_bytes() == b"bytes of a clip"


def test_a_key_in_a_checkout_beside_our_packages_cannot_be_read(file: Path) -> None:
    """The packages of a checkout are readable, and `make demo` puts a home beside them."""
    root = Path(evil.__file__).parents[2]

    assert came_of(file, "read", str(root / "pyproject.toml")) in DENIED


def test_nobody_can_be_reached_over_tcp(file: Path, listener: socket.socket) -> None:
    assert came_of(file, "connect_tcp", listener.getsockname()) in DENIED

    with pytest.raises(TimeoutError):
        listener.accept()


def test_nobody_can_be_reached_over_a_unix_socket(file: Path, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        listening.listen()

        assert came_of(file, "connect_unix", str(tmp_path / "socket")) in DENIED


def test_the_network_of_a_descriptor_left_open_cannot_be_entered(file: Path) -> None:
    network = os.open("/proc/self/ns/net", os.O_RDONLY)
    try:
        os.set_inheritable(network, True)  # noqa: FBT003 - the signature is Python's

        assert came_of(file, "enter_the_parents_network", network) in DENIED
    finally:
        os.close(network)


@pytest.mark.parametrize("attack", ON_PROCESSES)
def test_no_other_process_can_be_reached_or_started(file: Path, attack: str) -> None:
    assert came_of(file, attack) in DENIED


def test_nothing_outlives_the_examination(file: Path, tmp_path: Path) -> None:
    trace = tmp_path / "outlived"

    assert came_of(file, "fork_and_outlive", str(trace)) in DENIED

    time.sleep(1.2)
    assert not trace.exists()


def test_the_child_has_no_rights_left_and_nothing_of_our_environment(file: Path) -> None:
    assert came_of(file, "tell_what_is_left") == {
        "dumpable": 0,
        "no_new_privileges": 1,
        "session_leader": True,
        "environment": ["LC_ALL", "MALLOC_ARENA_MAX", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"],
    }


@pytest.mark.parametrize(
    "attack",
    [
        *ON_FILES,
        *ON_DESCRIPTORS,
        "list_folder",
        "write_to_the_file",
        "become_root_of_a_namespace",
    ],
)
def test_control_the_same_attacks_succeed_where_nothing_confines_them(
    file: Path, secret: Path, attack: str
) -> None:
    aim = str(file.parent) if attack == "list_folder" else str(secret)

    assert unconfined(attack, file, aim) not in DENIED


def test_control_the_network_and_a_fork_are_there_where_nothing_confines(
    file: Path, tmp_path: Path, listener: socket.socket
) -> None:
    trace = tmp_path / "outlived"

    assert unconfined("connect_tcp", file, listener.getsockname()) == "connected"
    assert unconfined("fork_and_outlive", file, str(trace)) == "forked"

    until = time.monotonic() + 30
    while not trace.exists():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_the_child_dies_with_its_parent(file: Path) -> None:
    code = (
        "import sys; from provenance.sandbox import ProcessLimits, run_child\n"
        "with open(sys.argv[1], 'rb') as file:\n"
        "    question = {'attack': 'exceed_time', 'aim': 'asleep'}\n"
        f"    run_child({evil.__name__!r}, question, ProcessLimits(), descriptor=file.fileno())\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(file)]) as parent:
        child = confined_child_of(parent.pid)
        parent.kill()

    gone_by = time.monotonic() + 30
    while is_alive(child):
        assert time.monotonic() < gone_by
        time.sleep(0.02)


def confined_child_of(parent: int) -> int:
    """Wait until a process has a child that is confined, and return the child."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
            if "\nSeccomp:\t2\n" in Path(f"/proc/{child}/status").read_text():
                return int(child)
        time.sleep(0.02)
    raise TimeoutError("no confined child appeared")


def is_alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
