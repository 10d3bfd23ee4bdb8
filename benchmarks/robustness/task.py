"""The words of the measurement: what a cell is, and what it can come to."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from benchmarks.robustness.clips import FRAMES
from provenance.watermark import STRENGTHS

Row = dict[str, Any]  # what a cell came to, as plain JSON values


class Work(StrEnum):
    """What a task measures."""

    MARK = "mark"  # does the exact id come back after an attack?
    NULL = "null"  # is anything found with a key that the clip was not marked with?
    QUALITY = "quality"  # what does the mark cost the clip, and how long does it take?
    PEER = "peer"  # does another mark's exact payload come back after an attack?
    PEER_QUALITY = "peer quality"


class Outcome(StrEnum):
    """What a search came to."""

    EXACT = "exact"
    WRONG = "wrong"  # something else was found than was put in
    NOTHING = "nothing"
    REFUSED = "refused"  # the mark said that it does not hold in this clip: counts as lost
    BROKEN = "broken"  # marking, attacking or searching raised; `reason` says what


@dataclass(frozen=True, slots=True)
class Task:
    """One cell; those that share turn and clip share the marked frames."""

    turn: int  # which key and payload of the clip
    clip: str
    work: Work
    peer: str = ""
    attack: str = ""


@dataclass(frozen=True, slots=True)
class Setup:
    """What all cells of a run have in common."""

    cache: Path
    strength: float = STRENGTHS[0]
    frames: int = FRAMES
    released: bool = False  # encode the marked clip as a release before it is attacked


def is_marked(task: Task) -> bool:
    """Return whether a null cell's clip carries a mark (of another key) or none."""
    return hashlib.sha256(f"{task.clip} {task.attack} {task.turn}".encode()).digest()[0] % 2 == 0
