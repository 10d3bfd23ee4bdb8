"""Several processes on one log: one order, nothing acknowledged is lost, whoever is killed."""

import random
import subprocess
import sys
import time
from pathlib import Path

from audit.ledger import Ledger
from tests.support.logs import begin, open_log

WRITER = [sys.executable, "-m", "tests.support.log_writer"]


def start(folder: Path, name: str, *limit: str) -> subprocess.Popen[str]:
    return subprocess.Popen([*WRITER, str(folder), name, *limit], stdout=subprocess.PIPE, text=True)


def acknowledged(output: str) -> list[tuple[int, str]]:
    """Return index and record id of every complete line."""
    lines = output.split("\n")[:-1]
    return [(int(index), record_id) for index, record_id in map(str.split, lines)]


def assert_all_there(ledger: Ledger, lines: list[tuple[int, str]]) -> None:
    stored: dict[int, str] = {}
    while page := ledger.entries(after=len(stored) - 1):
        stored |= {each.index: each.record.id for each in page}
    assert all(stored[index] == record_id for index, record_id in lines)
    assert ledger.check().problems == ()


def test_two_processes_append_to_one_log_at_once(tmp_path: Path) -> None:
    begin(open_log(tmp_path)).engine.dispose()
    writers = [start(tmp_path, name, "40") for name in ("ada", "bob")]

    lines = [line for writer in writers for line in acknowledged(writer.communicate()[0])]

    ledger = open_log(tmp_path)
    assert sorted(index for index, _ in lines) == list(range(2, 82))
    assert_all_there(ledger, lines)


def test_a_killed_process_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    begin(open_log(tmp_path)).engine.dispose()
    rng = random.Random(5)
    lines: list[tuple[int, str]] = []
    for _ in range(2):
        writers = [start(tmp_path, name) for name in ("ada", "bob")]
        for writer in writers:
            assert writer.stdout is not None
            first = writer.stdout.readline()
            lines += acknowledged(first)
        time.sleep(rng.uniform(0.05, 0.2))
        for writer in writers:
            writer.kill()
            lines += acknowledged(writer.communicate()[0])

    ledger = open_log(tmp_path)
    assert len(lines) >= 4
    assert ledger.size >= len(lines)
    assert_all_there(ledger, lines)
