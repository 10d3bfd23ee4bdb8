"""How a journey ends when nothing broke: released, refused or held. Failures raise instead."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.reader import Entry
from safety.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Released:
    """A public clip. It can only be told with the log's entry of its release in hand."""

    entry: Entry
    clip_id: str
    mark_id: str  # 16 hexadecimal digits
    path: Path
    sha256: str
    verdicts: tuple[Verdict, ...]
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return plain values, as `--json` prints them."""
        return {
            "outcome": "released",
            "clip_id": self.clip_id,
            "mark_id": self.mark_id,
            "path": str(self.path),
            "sha256": self.sha256,
            "record_index": self.entry.index,
            "verdicts": [verdict.to_json() for verdict in self.verdicts],
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True, slots=True)
class Refused:
    """A gate said no, and the log knows."""

    entry: Entry
    clip_id: str
    verdict: Verdict  # the one that refused
    verdicts: tuple[Verdict, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values, as `--json` prints them."""
        return _not_released("refused", self.entry, self.clip_id, self.verdicts) | {
            "advice": self.verdict.advice()
        }


@dataclass(frozen=True, slots=True)
class Held:
    """Waiting for a person or for an authority; nothing is public."""

    entry: Entry
    clip_id: str
    reason: str
    verdicts: tuple[Verdict, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values, as `--json` prints them."""
        return _not_released("held", self.entry, self.clip_id, self.verdicts) | {
            "advice": self.reason
        }


Outcome = Released | Refused | Held


def _not_released(
    outcome: str, entry: Entry, clip_id: str, verdicts: tuple[Verdict, ...]
) -> dict[str, Any]:
    return {
        "outcome": outcome,
        "clip_id": clip_id,
        "mark_id": None,
        "path": None,
        "sha256": None,
        "record_index": entry.index,
        "verdicts": [verdict.to_json() for verdict in verdicts],
    }
