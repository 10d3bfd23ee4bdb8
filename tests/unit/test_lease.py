"""Leases: a process that lives keeps what is its own, however late its heartbeat."""

import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from audit.lease import HEARTBEAT_LIMIT, Lease, is_expired
from tests.support.logs import START

MINE = Lease.of_this_process(START)


@pytest.mark.parametrize("later", [timedelta(0), timedelta(hours=9)])
def test_this_process_lives_whatever_its_heartbeat(later: timedelta) -> None:
    assert not is_expired(MINE, START + later)


def test_a_process_that_ended_is_gone() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    stat = Path(f"/proc/{child.pid}/stat").read_text(encoding="ascii")
    started = int(stat.rpartition(")")[2].split()[19])
    theirs = replace(MINE, pid=child.pid, process_start=started)

    alive = is_expired(theirs, START)
    child.communicate(b"\n")

    assert not alive
    assert is_expired(theirs, START)


def test_a_pid_that_was_used_again_is_another_process() -> None:
    assert is_expired(replace(MINE, process_start=MINE.process_start + 1), START)


def test_a_restart_of_the_machine_ends_every_lease() -> None:
    assert is_expired(replace(MINE, boot="another"), START)


def test_elsewhere_only_the_heartbeat_speaks() -> None:
    elsewhere = replace(MINE, place="elsewhere pid:[1]", boot="another")

    assert not is_expired(elsewhere, START + HEARTBEAT_LIMIT)
    assert is_expired(elsewhere, START + HEARTBEAT_LIMIT + timedelta(milliseconds=1))


def test_a_place_is_told_from_another() -> None:
    assert MINE.is_of_this_place
    assert not replace(MINE, place="elsewhere pid:[1]").is_of_this_place
