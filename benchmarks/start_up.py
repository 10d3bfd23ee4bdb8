"""How long until an answer: `python -m benchmarks.start_up [--write]`.

CPU seconds (user and system) of whole commands in processes of their own, the median of five, after
one run that warms the disk cache. `verify` looks at tests/vectors/unmarked.mp4 without a home.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(sys.executable).with_name("countermark")
RESULT = Path(__file__).parent / "results" / "start_up.json"
COMMANDS = {
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
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true", help="write the results file")
    asked = parser.parse_args()
    figures = {}
    for name, command in COMMANDS.items():
        cpu_s(command)
        figures[name] = round(statistics.median(cpu_s(command) for _ in range(5)), 2)
        print(f"{figures[name]:6.2f} CPU s  {name}", flush=True)
    result = {
        "command": "python -m benchmarks.start_up --write",
        "machine": f"{platform.machine()}, Python {platform.python_version()}, 2 cores",
        "cpu_s_median_of_5": figures,
    }
    if asked.write:
        RESULT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
