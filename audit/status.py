"""One status from what the layers say: the table of docs/verifying.md, as code.

The rules are tried from top to bottom and the first that fits decides. Disagreement outranks
damage, damage outranks trust: a file whose pixels belong to another clip is `contradicted` even
though its bytes were changed too, and a broken file is `altered` whoever signed it. Only a positive
difference contradicts; a layer that is silent, or could not be asked, accuses nobody.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """What the evidence about a file comes to. There is no score behind it."""

    INTACT = "intact"
    UNKNOWN = "unknown"
    UNTRUSTED = "untrusted"
    ALTERED = "altered"
    CONTRADICTED = "contradicted"
    UNREADABLE = "unreadable"
    STRIPPED = "stripped"


EXIT_CODES = {
    Status.INTACT: 0,
    Status.UNKNOWN: 10,
    Status.UNTRUSTED: 11,
    Status.ALTERED: 12,
    Status.CONTRADICTED: 13,
    Status.UNREADABLE: 14,
    Status.STRIPPED: 15,
}

WORST_FIRST = (
    Status.CONTRADICTED,
    Status.ALTERED,
    Status.UNTRUSTED,
    Status.STRIPPED,
    Status.UNREADABLE,
    Status.UNKNOWN,
    Status.INTACT,
)


class Pictures(StrEnum):
    """Whether there is a video to look at."""

    DECODED = "decoded"
    DAMAGED = "damaged"  # some frames, not all
    UNREADABLE = "unreadable"


class Credentials(StrEnum):
    """What the Content Credentials came to."""

    ABSENT = "absent"
    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"
    BROKEN = "broken"
    UNREADABLE = "unreadable"  # the examination itself broke off on the file


class Mark(StrEnum):
    """What looking for watermarks came to."""

    FOUND = "found"
    NOT_FOUND = "not_found"
    NOT_CHECKED = "not_checked"


class Fingerprint(StrEnum):
    """How the content compares with the record that another layer led to."""

    MATCH = "match"
    INCONCLUSIVE = "inconclusive"
    DIFFERENT = "different"
    NOT_CHECKED = "not_checked"


class Log(StrEnum):
    """Where the log's records and this file meet."""

    THESE_BYTES = "these_bytes"  # a released record has exactly this file's digest
    OTHER_BYTES = "other_bytes"  # the manifest is a released record's, the file's digest is not
    BY_CONTENT = "by_content"  # only the mark or the fingerprint leads to a released record
    NEVER_RELEASED = "never_released"  # our signature or mark, and no released record for it
    NOT_FOUND = "not_found"
    NOT_CHECKED = "not_checked"


class Agreement(StrEnum):
    """Whether what the manifest claims and what the other layers show is the same clip."""

    AGREE = "agree"
    SILENT = "silent"  # at most one of them says anything
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Findings:
    """The layers in brief: everything that the status depends on."""

    pictures: Pictures
    credentials: Credentials
    mark: Mark
    fingerprint: Fingerprint
    log: Log
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table."""

    status: Status
    why: str
    fits: Callable[[Findings], bool]


RULES = (
    Rule(
        Status.CONTRADICTED,
        "the manifest names one clip and the pictures carry the mark of another",
        lambda f: f.agreement is Agreement.CONFLICT,
    ),
    Rule(
        Status.CONTRADICTED,
        "the content differs from the clip that the mark or the manifest leads to",
        lambda f: f.fingerprint is Fingerprint.DIFFERENT,
    ),
    Rule(
        Status.CONTRADICTED,
        "it bears our signature or our mark, and our log has no release of it",
        lambda f: f.log is Log.NEVER_RELEASED and f.credentials is not Credentials.BROKEN,
    ),
    Rule(
        Status.ALTERED,
        "the Content Credentials do not fit these bytes: something was changed after signing",
        lambda f: f.credentials is Credentials.BROKEN,
    ),
    Rule(
        Status.ALTERED,
        "the log's record of this clip has another file digest",
        lambda f: f.log is Log.OTHER_BYTES,
    ),
    Rule(
        Status.ALTERED,
        "the watermark leads to a released clip, and the credentials in this file are damaged",
        lambda f: f.credentials is Credentials.UNREADABLE and f.log is Log.BY_CONTENT,
    ),
    Rule(
        Status.UNREADABLE,
        "the file broke the process that examined it, or is no video or picture we can parse",
        lambda f: (
            f.credentials is Credentials.UNREADABLE
            or (f.pictures is Pictures.UNREADABLE and f.credentials is Credentials.ABSENT)
        ),
    ),
    Rule(
        Status.UNTRUSTED,
        "the Content Credentials fit these bytes, and nobody on the trust list vouches for them",
        lambda f: f.credentials is Credentials.UNTRUSTED,
    ),
    Rule(
        Status.STRIPPED,
        "there are no Content Credentials, and the watermark leads to a released clip",
        lambda f: (
            f.credentials is Credentials.ABSENT
            and (f.log is Log.BY_CONTENT or f.mark is Mark.FOUND)
        ),
    ),
    Rule(
        Status.UNKNOWN,
        "none of the marks that we can look for, and no Content Credentials",
        lambda f: f.credentials is Credentials.ABSENT,
    ),
    Rule(
        Status.INTACT,
        "the Content Credentials are trusted and bound to these bytes, and no layer disagrees",
        lambda f: f.credentials is Credentials.TRUSTED,
    ),
)


def decide(findings: Findings) -> Rule:
    """Return the first rule that fits; the last ones leave nothing over."""
    return next(rule for rule in RULES if rule.fits(findings))


def worst(statuses: list[Status]) -> Status:
    """Return the status that a batch ends with."""
    return min(statuses, key=WORST_FIRST.index)
