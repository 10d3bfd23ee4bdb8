"""How a journey ends when nothing broke: released, refused or held. Failures raise instead.

An outcome is only told with the log's own entry of it in hand, and no other entry will do.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.reader import Entry
from audit.vocabulary import RecordKind
from safety.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Released:
    """A public clip: its entry is the record of its release, and names this very file."""

    entry: Entry
    clip_id: str
    mark_id: str  # 16 hexadecimal digits
    path: Path
    sha256: str
    verdicts: tuple[Verdict, ...]
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _require_kind(self.entry, RecordKind.RELEASED)
        recorded = self.entry.record.body["file_sha256"]
        if recorded != self.sha256:
            raise ValueError(
                f"record {self.entry.index} releases the file {recorded}, not {self.sha256}"
            )

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

    def __post_init__(self) -> None:
        _require_kind(self.entry, RecordKind.REFUSED)

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

    def __post_init__(self) -> None:
        _require_kind(self.entry, RecordKind.HELD)

    def to_json(self) -> dict[str, Any]:
        """Return plain values, as `--json` prints them."""
        return _not_released("held", self.entry, self.clip_id, self.verdicts) | {
            "advice": self.reason
        }


Outcome = Released | Refused | Held


def _require_kind(entry: Entry, kind: RecordKind) -> None:
    if entry.record.kind is not kind:
        raise ValueError(
            f"record {entry.index} is of the kind {entry.record.kind}; {kind} is expected"
        )


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
