"""How long until an answer: `python -m benchmarks.start_up`.

CPU seconds (user and system) of whole commands in processes of their own, the median of five, after
one run that warms the disk cache. `verify` looks at tests/vectors/unmarked.mp4 without a home.
"""

import os
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.stamp import keep

PROGRAM = Path(sys.executable).with_name("countermark")
COMMANDS: dict[str, list[object]] = {
    "countermark --help": [PROGRAM, "--help"],
    "countermark verify --help": [PROGRAM, "verify", "--help"],
    "python -c 'import audit, provenance'": [sys.executable, "-c", "import audit, provenance"],
    "countermark verify tests/vectors/unmarked.mp4": [
        PROGRAM, "--home", "no-such-home", "verify", "tests/vectors/unmarked.mp4",
    ],
}  # fmt: skip


def cpu_s(command: list[object]) -> float:
    before = os.times()
    subprocess.run([str(part) for part in command], capture_output=True, check=False)
    after = os.times()
    user = after.children_user - before.children_user
    return user + after.children_system - before.children_system


def main() -> None:
    figures = {}
    for name, command in COMMANDS.items():
        cpu_s(command)
        figures[name] = round(statistics.median(cpu_s(command) for _ in range(5)), 2)
        print(f"{figures[name]:6.2f} CPU s  {name}", flush=True)
    keep({"cpu_s_median_of_5": figures})


if __name__ == "__main__":
    main()
