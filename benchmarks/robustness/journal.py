"""Rows that outlive an interrupted run: one line of JSON for each finished cell.

A row names the basis that it was measured on: a digest of the sources that decide its outcome, of
the settings and of the libraries. Rows of another basis are left where they are and not counted, so
that a changed detector never lends its name to an old row, and going back to it finds them again.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from benchmarks.robustness import sources
from benchmarks.robustness.task import Outcome, Row, Setup, Task, Work

LIBRARIES = ("av", "numpy", "opencv-python-headless")

_ATTACKS = ("tests/support/attacks.py", "tests/support/editing.py", "tests/support/reencode.py")
_MARK = ("provenance/watermark/*.py", "provenance/payload.py", "provenance/polar.py")
_QUALITY = ("benchmarks/robustness/quality.py",)
_PEERS = ("benchmarks/robustness/peers.py",)
SOURCES: Mapping[Work, tuple[str, ...]] = {
    Work.MARK: _MARK + _ATTACKS + sources.CLIPS,
    Work.NULL: _MARK + _ATTACKS + sources.CLIPS,
    Work.QUALITY: _MARK + _QUALITY + sources.CLIPS,
    Work.PEER: _PEERS + _ATTACKS + sources.CLIPS,
    Work.PEER_QUALITY: _PEERS + _QUALITY + sources.CLIPS,
}


def bases(setup: Setup, root: Path = sources.ROOT) -> dict[Work, str]:
    """Return what the cells of each kind are measured on, as short digests."""
    versions = {name: version(name) for name in LIBRARIES}
    found = {}
    for work, patterns in SOURCES.items():
        ours = {} if work in {Work.PEER, Work.PEER_QUALITY} else {"strength": setup.strength}
        settings = {"frames": setup.frames, "released": setup.released, **ours}
        told = json.dumps([settings, versions], sort_keys=True)
        found[work] = sources.digest(told, patterns, root)
    return found


class Journal:
    """The rows in one file, of one set of bases."""

    def __init__(self, path: Path, bases: Mapping[Work, str]) -> None:
        self._path = path
        self._bases = bases
        self.rows: dict[Task, Row] = {}
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        for line in text.splitlines():
            self._take(line)
        if text and not text.endswith("\n"):  # the run before was killed while it wrote
            path.write_text(text + "\n", encoding="utf-8")

    def _take(self, line: str) -> None:
        try:
            kept = json.loads(line)
            task = Task(**{**kept["task"], "work": Work(kept["task"]["work"])})
            basis, row = kept["basis"], kept["row"]
        except (ValueError, KeyError, TypeError):
            return  # the last line of a run that was killed, or a task of an older form
        if basis == self._bases[task.work] and row.get("outcome") != Outcome.BROKEN:
            self.rows[task] = row

    def lacks(self, task: Task) -> bool:
        """Return whether a cell is still to be measured; broken ones are tried again."""
        return task not in self.rows

    def keep(self, task: Task, row: Row) -> None:
        """Write a row down at once."""
        self.rows[task] = row
        line = json.dumps({"task": asdict(task), "basis": self._bases[task.work], "row": row})
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
