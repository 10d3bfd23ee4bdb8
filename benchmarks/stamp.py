"""Results on disk, with what somebody else needs to get them again: command, machine, versions."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
LIBRARIES = ("av", "c2pa-python", "encypher-c2pa", "numpy", "opencv-python-headless")


def stamp(*libraries: str) -> dict[str, object]:
    """Return how this process was started, on what, and with which versions.

    Args:
        libraries: distributions to name beside those that every benchmark uses.
    """
    name = Path(sys.argv[0]).stem
    return {
        "command": " ".join(["python", "-m", f"benchmarks.{name}", *map(_nameless, sys.argv[1:])]),
        "commit": _commit(),
        "machine": f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "versions": {each: version(each) for each in (*LIBRARIES, *libraries)},
    }


def keep(
    figures: Mapping[str, Any],
    *libraries: str,
    name: str | None = None,
    folder: Path = RESULTS,
    shown: bool = True,
) -> None:
    """Write figures to `NAME.json` among the results, stamped, and print them if `shown`."""
    text = json.dumps({**stamp(*libraries), **figures}, indent=1, ensure_ascii=False)
    path = folder / f"{name or Path(sys.argv[0]).stem}.json"
    path.write_text(text + "\n", encoding="utf-8")
    if shown:
        print(text)


def _nameless(argument: str) -> str:
    """Leave out where somebody's folders and files lie."""
    path = Path(argument)
    return "FOLDER" if path.is_dir() else "FILE" if path.is_file() else argument


def _commit() -> str:
    """Return the commit, with `+` where tracked files differ from it."""
    asked = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, cwd=RESULTS)
    return done.stdout.strip() or "unknown"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
