"""What happens when somebody ends the command: it records its end, cleans up and says so."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from audit.home import Home
from tests.e2e.conftest import Countermark
from tests.support.drawing import drawn_video
from tests.support.press import new_home

PROGRAM = Path(sys.executable).with_name("countermark")
LONGEST_START_S = 120  # on a busy machine


@pytest.mark.gates
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_command_that_is_ended_records_it_and_leaves_no_clip_in_the_clear(
    countermark: Countermark, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    home = new_home(tmp_path / "home")
    source = drawn_video(tmp_path / "in.mp4", 200)
    arguments = ["--home", home.path, "protect", source, "-o", tmp_path / "out.mp4"]

    with subprocess.Popen(
        [PROGRAM, *arguments], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        wait_for_marking(home, process)
        process.send_signal(number)
        _, told = process.communicate(timeout=60)

    assert process.returncode == code, told
    assert "Traceback" not in told
    assert list(home.private.iterdir()) == []
    assert not (tmp_path / "out.mp4").exists()
    listed = countermark("--home", home.path, "log", "ls", "--kind", "failed", "--json")
    (record,) = json.loads(listed.stdout)["records"]
    assert record["record"]["body"] == {"stage": "mark", "error": "interrupted"}


def wait_for_marking(home: Home, process: "subprocess.Popen[str]") -> None:
    begun = time.monotonic()
    while not list(home.private.glob("*/marked.mp4")):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() - begun < LONGEST_START_S
        time.sleep(0.02)
