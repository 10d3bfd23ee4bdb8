"""What we claim about a clip, before it becomes a manifest.

The caller fills a `Claims`; `provenance.manifest` writes it in C2PA's words. Nothing here holds a
score: a decision explains itself in the log, and scores in the open teach evasion.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class OriginKind(StrEnum):
    """How the clip came to us."""

    AI_GENERATED = "ai_generated"
    """Made here, by a model."""
    OPENED = "opened"
    """Made elsewhere; we marked and signed it."""


@dataclass(frozen=True, slots=True)
class SoftwareAgent:
    """The program that makes the claim."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """The model that made the clip."""

    name: str
    digest: str
    """SHA-256 over its weights, hex."""


@dataclass(frozen=True, slots=True)
class MarkClaim:
    """The watermark in the clip."""

    algorithm: str
    """Its name in the soft binding, for example `org.countermark.tile.1`."""
    mark_id_hex: str
    key_id: str
    """Which detection key finds it; names the key, does not reveal it."""


@dataclass(frozen=True, slots=True)
class LogProof:
    """That the decision stands in a log: RFC 6962 inclusion, under a signed checkpoint."""

    origin: str
    index: int
    leaf_hash_hex: str
    proof: tuple[str, ...]
    """Hashes from the leaf to the root, hex."""
    tree_size: int
    checkpoint: str
    """The signed note, verbatim (C2SP signed-note)."""


@dataclass(frozen=True, slots=True)
class Claims:
    """Everything the manifest of one clip states."""

    title: str
    created_at: datetime
    """Aware; when the clip was made, or opened."""
    origin: OriginKind
    software_agent: SoftwareAgent
    decision: str
    policy_name: str
    policy_digest: str
    """SHA-256 of the policy's text, hex."""
    log: LogProof
    mark: MarkClaim | None = None
    model: ModelIdentity | None = None
    generated_by: str | None = None
    """For an opened clip: the operator's own statement of what made it; not checked by anybody."""
