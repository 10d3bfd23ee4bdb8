"""What each kind of record says: one frozen dataclass per kind, and the parts they share.

These classes are the schema of `docs/spec/record.md`. A field cannot be renamed or dropped once a
record with it stands in a log; a change of meaning is a new envelope version.

Verdicts arrive as plain values because this package knows nothing of the gates: a score or a
threshold is an integer in millionths, never a float. `shape.from_json(VerdictBody, plain)` builds
one from a plain dictionary and names what does not fit.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final

from audit.errors import RecordInvalid

_HEX: Final = re.compile(r"[0-9a-f]+")


class RecordKind(StrEnum):
    """What happened."""

    DEPLOYMENT = "deployment"
    POLICY = "policy"
    KEY = "key"
    ATTEMPT = "attempt"
    REFUSED = "refused"
    HELD = "held"
    CLEARED = "cleared"
    RELEASED = "released"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"
    TOKEN = "token"  # noqa: S105 - a kind of record, not a secret
    ERASURE = "erasure"
    VERIFICATION = "verification"


class Stage(StrEnum):
    """Where in the journey a gate decided or a step failed."""

    PROMPT = "prompt"
    INPUT = "input"
    GENERATION = "generation"
    OUTPUT = "output"
    MARK = "mark"
    ENCODE = "encode"
    SIGN = "sign"
    READ_BACK = "read_back"
    PUBLISH = "publish"
    RECOVERY = "recovery"


class KeyPurpose(StrEnum):
    """What a key is for; each purpose has its own key."""

    LOG = "log"
    SIGNING = "signing"
    TIMESTAMP = "timestamp"
    MARK = "mark"
    SEALING = "sealing"


class TokenAction(StrEnum):
    """What happened to a token."""

    ISSUED = "issued"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class FindingBody:
    """One classifier's score against its threshold, both in millionths."""

    category: str
    score_micro: int
    threshold_micro: int
    classifier: str
    classifier_digest: str
    evidence: str


@dataclass(frozen=True, slots=True)
class ClassifierBody:
    """A classifier that answered: its name and the SHA-256 of whatever its answers depend on."""

    name: str
    digest: str


@dataclass(frozen=True, slots=True)
class VerdictBody:
    """A gate's decision, the digest of the policy it applied, what it looked at, and why.

    `views` is how many readings of a text were examined, `frames` how many pictures.
    """

    decision: str
    stage: str
    policy: str
    findings: tuple[FindingBody, ...]
    classifiers: tuple[ClassifierBody, ...] = ()
    views: int = 0
    frames: int = 0


@dataclass(frozen=True, slots=True)
class Commitment:
    """A text that stands in the log without being readable there (`redaction.py`)."""

    scheme: str
    value: str


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which model ran: its name, its architecture, its licence, and the digest of its folder."""

    name: str
    architecture: str
    licence: str
    digest: str


@dataclass(frozen=True, slots=True)
class MarkBody:
    """The watermark: its 64-bit id as 16 hexadecimal digits, and what reads it back."""

    id: str
    algorithm: str
    key_id: str

    def __post_init__(self) -> None:
        require_hex(self.id, "mark.id", 16)


@dataclass(frozen=True, slots=True)
class Geometry:
    """Size in pixels, number of frames, frames per second as a fraction."""

    width: int
    height: int
    frames: int
    fps_numerator: int
    fps_denominator: int


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A perceptual hash: its algorithm, its value as text, and its moment when it has one."""

    algorithm: str
    value: str
    at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Deployment:
    """The first record of a log: whose it is and which key signs it."""

    kind: ClassVar[RecordKind] = RecordKind.DEPLOYMENT
    origin: str
    log_key: str
    software: str
    statement: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyText:
    """The policy in full, or no decision under it could be recomputed."""

    kind: ClassVar[RecordKind] = RecordKind.POLICY
    name: str
    digest: str
    text: str

    def __post_init__(self) -> None:
        require_sha256(self.digest, "digest")


@dataclass(frozen=True, slots=True)
class Key:
    """A key came into use; a secret one (mark, sealing) is named by its id alone."""

    kind: ClassVar[RecordKind] = RecordKind.KEY
    purpose: KeyPurpose
    algorithm: str
    key_id: str
    public_pem: str | None = None
    certificate_pem: str | None = None


@dataclass(frozen=True, slots=True)
class PlugIn:
    """Code that takes part: its entry point, and the distribution that it was installed from."""

    group: str
    name: str
    distribution: str
    version: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody asked for a clip: the effective request, with the prompts as commitments."""

    kind: ClassVar[RecordKind] = RecordKind.ATTEMPT
    operation: str
    clip_id: str
    policy: str
    request: Mapping[str, object]
    prompt: Commitment | None = None
    negative_prompt: Commitment | None = None
    input_digest: str | None = None
    model: ModelIdentity | None = None
    plug_ins: tuple[PlugIn, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """A gate said no."""

    kind: ClassVar[RecordKind] = RecordKind.REFUSED
    stage: Stage
    verdict: VerdictBody


@dataclass(frozen=True, slots=True)
class Held:
    """Waiting for a person or for an authority; `sealed_digest` is of the encrypted clip."""

    kind: ClassVar[RecordKind] = RecordKind.HELD
    stage: Stage
    reason: str
    verdict: VerdictBody | None = None
    sealed_digest: str | None = None


@dataclass(frozen=True, slots=True)
class Cleared:
    """Both gates passed and the clip is marked: the record whose proof travels in the manifest.

    `prompt_verdicts` is empty when no prompt was given (it was not available); `making` is what was
    really done: the model's effective values, the encoding, the mark's strength; `generated_by` is
    the operator's statement about a clip made elsewhere.
    """

    kind: ClassVar[RecordKind] = RecordKind.CLEARED
    clip_id: str
    policy: str
    prompt_verdicts: tuple[VerdictBody, ...]
    output_verdict: VerdictBody
    mark: MarkBody
    media_digest: str
    fingerprints: tuple[Fingerprint, ...]
    geometry: Geometry
    making: Mapping[str, object]
    model: ModelIdentity | None = None
    generated_by: str | None = None

    def __post_init__(self) -> None:
        require_sha256(self.media_digest, "media_digest")


@dataclass(frozen=True, slots=True)
class Released:
    """The signed file, just before it becomes public; `cleared` is that record's index."""

    kind: ClassVar[RecordKind] = RecordKind.RELEASED
    clip_id: str
    file_sha256: str
    bytes: int
    manifest_label: str
    manifest_digest: str
    cleared: int

    def __post_init__(self) -> None:
        require_sha256(self.file_sha256, "file_sha256")
        require_sha256(self.manifest_digest, "manifest_digest")


@dataclass(frozen=True, slots=True)
class Failed:
    """A step broke; `error` is the stable code of the error, never its text."""

    kind: ClassVar[RecordKind] = RecordKind.FAILED
    stage: Stage
    error: str


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Recovery closed an attempt that nobody finished."""

    kind: ClassVar[RecordKind] = RecordKind.WITHDRAWN
    why: str


@dataclass(frozen=True, slots=True)
class Token:
    """An API token was issued or revoked; `token_id` says which without being one."""

    kind: ClassVar[RecordKind] = RecordKind.TOKEN
    action: TokenAction
    role: str
    token_id: str
    expires: int | None = None


@dataclass(frozen=True, slots=True)
class Erasure:
    """A subject's key, salts and texts were destroyed; `sealed` is how many texts those were."""

    kind: ClassVar[RecordKind] = RecordKind.ERASURE
    subject: str
    ticket: str
    sealed: int


@dataclass(frozen=True, slots=True)
class Verification:
    """Somebody signed in asked about a file and got this answer."""

    kind: ClassVar[RecordKind] = RecordKind.VERIFICATION
    file_sha256: str
    status: str
    origin: str
    layers: Mapping[str, object]

    def __post_init__(self) -> None:
        require_sha256(self.file_sha256, "file_sha256")


Body = (
    Deployment | PolicyText | Key | Attempt | Refused | Held | Cleared | Released | Failed
    | Withdrawn | Token | Erasure | Verification
)  # fmt: skip

BODIES: Final[Mapping[RecordKind, type[Body]]] = {
    shape.kind: shape
    for shape in (
        Deployment, PolicyText, Key, Attempt, Refused, Held, Cleared, Released, Failed,
        Withdrawn, Token, Erasure, Verification,
    )
}  # fmt: skip
"""The class that describes the body of each kind."""


def require_sha256(value: str, name: str) -> None:
    """Refuse anything but 64 lower-case hexadecimal digits."""
    require_hex(value, name, 64)


def require_hex(value: str, name: str, digits: int) -> None:
    """Refuse anything but `digits` lower-case hexadecimal digits.

    Raises:
        RecordInvalid: naming the field and what came.
    """
    if len(value) != digits or not _HEX.fullmatch(value):
        raise RecordInvalid(
            f"{name} is {value[:80]!r}; expected {digits} lower-case hexadecimal digits"
        )
