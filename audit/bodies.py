"""What each kind of record says: one frozen dataclass per kind, and the parts they share.

These classes are the schema of `docs/spec/record.md`. A field cannot be renamed or dropped once a
record with it stands in a log; a change of meaning is a new envelope version.

Verdicts arrive as plain values because this package knows nothing of the gates: a score or a
threshold is an integer in millionths, never a float. `shape.from_json(VerdictBody, plain)` builds
one from a plain dictionary and names what does not fit.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from audit.errors import NoteInvalid, RecordInvalid
from audit.note import Verifier
from audit.vocabulary import (
    Decision,
    FingerprintText,
    GateStage,
    KeyPurpose,
    LongName,
    ManifestLabel,
    MarkId,
    Name,
    PromptState,
    RecordKind,
    Scheme,
    Sha256,
    Stage,
    TokenAction,
    TokenId,
    Word,
)
from provenance.errors import FingerprintError
from provenance.fingerprint.form import ALGORITHM, Fingerprint


@dataclass(frozen=True, slots=True)
class FindingBody:
    """One classifier's score against its threshold, both in millionths."""

    category: str
    score_micro: int
    threshold_micro: int
    classifier: str
    classifier_digest: Sha256
    evidence: str


@dataclass(frozen=True, slots=True)
class ClassifierBody:
    """A classifier that answered: its name and the SHA-256 of whatever its answers depend on."""

    name: str
    digest: Sha256


@dataclass(frozen=True, slots=True)
class VerdictBody:
    """A gate's decision, the digest of the policy it applied, what it looked at, and why.

    `views` is how many readings of a text were examined, `frames` how many pictures.
    """

    decision: Decision
    stage: GateStage
    policy: Sha256
    findings: tuple[FindingBody, ...]
    classifiers: tuple[ClassifierBody, ...] = ()
    views: int = 0
    frames: int = 0


@dataclass(frozen=True, slots=True)
class Commitment:
    """A text that stands in the log without being readable there (`redaction.py`)."""

    scheme: Scheme
    value: Sha256


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which model ran: its name, its architecture, its licence, and the digest of its folder."""

    name: str
    architecture: str
    licence: str
    digest: Sha256


@dataclass(frozen=True, slots=True)
class MarkBody:
    """The watermark: its id of 64 or 128 bits in hexadecimal digits, and what reads it back."""

    id: MarkId
    algorithm: str
    key_id: str


@dataclass(frozen=True, slots=True)
class Geometry:
    """Size in pixels, number of frames, frames per second as a fraction."""

    width: int
    height: int
    frames: int
    fps_numerator: int
    fps_denominator: int


@dataclass(frozen=True, slots=True)
class FingerprintBody:
    """What a clip looks like: a method, and its value as text (docs/spec/fingerprint.md)."""

    algorithm: LongName
    value: FingerprintText

    def __post_init__(self) -> None:
        if self.algorithm == ALGORITHM:
            frames_in(self.value)


def frames_in(value: str) -> Fingerprint:
    """Return the fingerprint that a value of our own method spells.

    Raises:
        RecordInvalid: it spells none.
    """
    try:
        return Fingerprint.decode(base64.b64decode(value, validate=True))
    except (FingerprintError, ValueError) as error:
        raise RecordInvalid(f"a value of {ALGORITHM} in base64 was expected: {error}") from error


@dataclass(frozen=True, slots=True)
class Deployment:
    """The first record of a log: whose it is and which key signs it."""

    kind: ClassVar[RecordKind] = RecordKind.DEPLOYMENT
    origin: str
    log_key: str
    software: str
    statement: str | None = None

    def __post_init__(self) -> None:
        try:
            named = Verifier.from_vkey(self.log_key).name
        except NoteInvalid as error:
            raise RecordInvalid(f"log_key is no public key of a log: {error}") from error
        if named != self.origin:
            raise RecordInvalid(f"log_key is the key of {named!r}; expected one of {self.origin!r}")


@dataclass(frozen=True, slots=True)
class PolicyText:
    """The policy in full, or no decision under it could be recomputed."""

    kind: ClassVar[RecordKind] = RecordKind.POLICY
    name: str
    digest: Sha256
    text: str

    def __post_init__(self) -> None:
        found = hashlib.sha256(self.text.encode(errors="replace")).hexdigest()
        if self.digest != found:
            raise RecordInvalid(
                f"digest is {self.digest[:80]!r}; expected {found}, the SHA-256 of its text"
            )


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
    """Somebody asked for a clip: the effective request, with the prompts as commitments.

    A clip made elsewhere may come without its prompt: then `prompt_state` says so, and nobody has
    to guess whether the prompt gate was skipped.
    """

    kind: ClassVar[RecordKind] = RecordKind.ATTEMPT
    operation: str
    clip_id: str
    policy: str
    request: Mapping[str, object]
    prompt_state: PromptState
    prompt: Commitment | None = None
    negative_prompt: Commitment | None = None
    input_digest: str | None = None
    model: ModelIdentity | None = None
    plug_ins: tuple[PlugIn, ...] = ()

    def __post_init__(self) -> None:
        if (self.prompt_state is PromptState.GIVEN) != (self.prompt is not None):
            raise RecordInvalid(
                f"prompt_state is {self.prompt_state} and the commitment to the prompt is "
                f"{'absent' if self.prompt is None else 'there'}; a given prompt has one"
            )


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
    sealed_digest: Sha256 | None = None


@dataclass(frozen=True, slots=True)
class Cleared:
    """Both gates passed and the clip is marked: the record whose proof travels in the manifest.

    `prompt_verdicts` is empty when no prompt was available; `making` is what was
    really done: the model's effective values, the encoding, the mark's strength; `generated_by` is
    the operator's statement about a clip made elsewhere, and `input_verdict` is on its frames as
    something that was brought.
    """

    kind: ClassVar[RecordKind] = RecordKind.CLEARED
    clip_id: Name
    policy: Sha256
    prompt_verdicts: tuple[VerdictBody, ...]
    output_verdict: VerdictBody
    mark: MarkBody
    media_digest: Sha256
    fingerprints: tuple[FingerprintBody, ...]
    geometry: Geometry
    making: Mapping[str, object]
    model: ModelIdentity | None = None
    generated_by: str | None = None
    input_verdict: VerdictBody | None = None


@dataclass(frozen=True, slots=True)
class TimestampBody:
    """The RFC 3161 time-stamp in the claim: whose it is, what time it says, and which token.

    `authority` is `local` for the one that `countermark init` makes, which proves no more than the
    honesty of whoever runs it; for any other it is the host that was asked.
    """

    authority: LongName
    certificate_sha256: Sha256
    time_ms: int
    token_sha256: Sha256


@dataclass(frozen=True, slots=True)
class Released:
    """The signed file, just before it becomes public; `cleared` is that record's index."""

    kind: ClassVar[RecordKind] = RecordKind.RELEASED
    clip_id: Name
    file_sha256: Sha256
    bytes: int
    manifest_label: ManifestLabel
    manifest_digest: Sha256
    cleared: int
    timestamp: TimestampBody


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
    """An API token was issued or revoked.

    `sha256` is of the token itself, which is 256 random bits: nobody finds it from its hash. The
    check compares it with the row that lets the token in. `token_id`, its beginning, says which
    token is meant wherever one is named.
    """

    kind: ClassVar[RecordKind] = RecordKind.TOKEN
    action: TokenAction
    role: Word
    token_id: TokenId
    sha256: Sha256
    expires: int | None = None

    def __post_init__(self) -> None:
        if not self.sha256.startswith(self.token_id):
            raise RecordInvalid(
                f"token_id is {self.token_id[:80]!r}; expected the beginning of sha256, "
                f"{self.sha256[:16]!r}"
            )


@dataclass(frozen=True, slots=True)
class Erasure:
    """A subject's key, salts and texts were destroyed; `sealed` is how many texts those were."""

    kind: ClassVar[RecordKind] = RecordKind.ERASURE
    subject: LongName
    ticket: str
    sealed: int


@dataclass(frozen=True, slots=True)
class Verification:
    """Somebody signed in asked about a file and got this answer."""

    kind: ClassVar[RecordKind] = RecordKind.VERIFICATION
    file_sha256: Sha256
    status: str
    origin: str
    layers: Mapping[str, object]


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
