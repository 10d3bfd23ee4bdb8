"""The words that records are written in: kinds, stages, states, and how ids and names are spelled.

A word that stands in a log stays: more may come, none is renamed. What is annotated with a spelling
is held to it when a record is made and when one is read (`shape.py`). Lengths are those of the
columns in `tables.py`: SQLite keeps a longer text, PostgreSQL refuses it.
"""

from enum import StrEnum
from typing import Annotated, TypeAlias

from audit.shape import Spelling


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


class GateStage(StrEnum):
    """What a gate judged."""

    PROMPT = "prompt"
    NEGATIVE_PROMPT = "negative_prompt"
    INPUT = "input"
    OUTPUT = "output"


class Decision(StrEnum):
    """What a gate decided."""

    ALLOW = "allow"
    REVIEW = "review"
    BLOCK = "block"


class Scheme(StrEnum):
    """How a commitment is made of a text and its salt."""

    HMAC_SHA256 = "hmac-sha256"


class KeyPurpose(StrEnum):
    """What a key is for; each purpose has its own key."""

    LOG = "log"
    SIGNING = "signing"
    TIMESTAMP = "timestamp"
    MARK = "mark"
    SEALING = "sealing"


class PromptState(StrEnum):
    """Whether the texts that a clip was made from are known."""

    GIVEN = "given"
    NOT_AVAILABLE = "not_available"


class TokenAction(StrEnum):
    """What happened to a token."""

    ISSUED = "issued"
    REVOKED = "revoked"


Sha256: TypeAlias = Annotated[
    str, Spelling("[0-9a-f]{64}", "SHA-256 as 64 lower-case hexadecimal digits")
]
MarkId: TypeAlias = Annotated[
    str, Spelling("[0-9a-f]{16}(?:[0-9a-f]{16})?", "16 or 32 lower-case hexadecimal digits")
]
TokenId: TypeAlias = Annotated[str, Spelling("[0-9a-f]{16}", "16 lower-case hexadecimal digits")]
Word: TypeAlias = Annotated[str, Spelling("[a-z_]{1,16}", "1 to 16 of a-z and '_'")]
Name: TypeAlias = Annotated[
    str, Spelling(r"[^\x00-\x1f\x7f]{1,64}", "1 to 64 characters, none of them a control character")
]
ManifestLabel: TypeAlias = Annotated[
    str,
    Spelling(r"[^\x00-\x1f\x7f]{1,255}", "1 to 255 characters, none of them a control character"),
]
LongName: TypeAlias = Annotated[
    str,
    Spelling(r"[^\x00-\x1f\x7f]{1,128}", "1 to 128 characters, none of them a control character"),
]
FingerprintText: TypeAlias = Annotated[
    str, Spelling(r"[A-Za-z0-9+/=:_-]{1,16384}", "1 to 16,384 of A-Z a-z 0-9 + / = : _ -")
]
