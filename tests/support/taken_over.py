"""A child process whose decoder a hostile file has taken over (`evil.py`), and its parent."""

from pathlib import Path

from provenance.sandbox import ProcessLimits, Said, run_child
from tests.support import evil

SHORT = ProcessLimits(seconds=20, memory_bytes=2**30)


def attacked(file: Path, attack: str, aim: object = None, limits: ProcessLimits = SHORT) -> Said:
    """Return what a confined child says that carries out an attack."""
    with file.open("rb") as opened:
        question = {"attack": attack, "aim": aim}
        return run_child(evil.__name__, question, limits, descriptor=opened.fileno())
