"""The command as a user calls it: the installed program, in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

Countermark = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def countermark() -> Countermark:
    program = Path(sys.executable).with_name("countermark")

    def run(
        *arguments: object, within: Sequence[object] = (), **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*map(str, within), str(program), *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "COLUMNS": "120", "NO_COLOR": "1", **environment},
        )

    return run
