"""What a verification says: a status, the state of each layer, and what could not be checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from audit.status import Status

SENTENCES: Final[Mapping[Status, str]] = {
    Status.INTACT: "The credentials are trusted and fit these bytes, and no layer disagrees.",
    Status.UNKNOWN: (
        "We found no mark that leads anywhere and could read no Content Credentials. That says "
        "nothing about whether the video is real: other generators leave other marks, and marks "
        "can be removed."
    ),
    Status.UNTRUSTED: (
        "The credentials fit these bytes, but nobody on your trust list vouches for their signer."
    ),
    Status.ALTERED: "Something in this file was changed after it was signed.",
    Status.CONTRADICTED: "The layers disagree: they speak of different clips.",
    Status.UNREADABLE: "The file cannot be decoded or parsed.",
    Status.STRIPPED: (
        "There are no Content Credentials at hand, but the picture still carries a mark of a "
        "known key; whoever put it there may have the record."
    ),
}
"""The one headline per status. No score, and no word that vouches for the content."""


class LayerState(StrEnum):
    """How far one layer could be established. Unknown is not absent, absent is not false."""

    ESTABLISHED = "established"
    CONSISTENT = "consistent"
    NOT_FOUND = "not_found"
    BROKEN = "broken"
    CONFLICT = "conflict"
    NOT_CHECKED = "not_checked"


class Origin(StrEnum):
    """Whose clip the evidence says it is."""

    OURS = "ours"
    ISSUER = "issuer"
    OTHER = "other"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer's state, why, and its evidence as plain JSON values."""

    state: LayerState
    reason: str
    evidence: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"state": self.state.value, "reason": self.reason, **self.evidence}


@dataclass(frozen=True, slots=True)
class RecordLine:
    """One record of the log that speaks of this clip."""

    index: int
    kind: str
    time: str  # RFC 3339, UTC
    clip_id: str | None
    attempt: str | None
    # What a `cleared` record says of the clip; None for other kinds.
    model: str | None = None
    decision: str | None = None
    policy: str | None = None  # SHA-256 of its text, hex

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "index": self.index,
            "kind": self.kind,
            "time": self.time,
            "clip_id": self.clip_id,
            "attempt": self.attempt,
            "model": self.model,
            "decision": self.decision,
            "policy": self.policy,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that one verification found out."""

    name: str  # of the file, without its folder
    status: Status
    why: str  # the rule of the status table that decided
    origin: Origin
    size: int | None
    sha256: str | None
    content_credentials: Layer
    watermark: Layer
    fingerprint: Layer
    log: Layer
    records: tuple[RecordLine, ...]
    gaps: tuple[str, ...]
    versions: Mapping[str, str]

    @property
    def sentence(self) -> str:
        """The headline."""
        return SENTENCES[self.status]

    @property
    def layers(self) -> tuple[tuple[str, Layer], ...]:
        """The layers by name, in the order in which they are read."""
        return (
            ("content_credentials", self.content_credentials),
            ("watermark", self.watermark),
            ("fingerprint", self.fingerprint),
            ("log", self.log),
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values, as `verify --json` prints them."""
        return {
            "name": self.name,
            "status": self.status.value,
            "sentence": self.sentence,
            "why": self.why,
            "origin": self.origin.value,
            "size": self.size,
            "sha256": self.sha256,
            "layers": {name: layer.to_json() for name, layer in self.layers},
            "records": [record.to_json() for record in self.records],
            "gaps": list(self.gaps),
            "versions": dict(self.versions),
        }
