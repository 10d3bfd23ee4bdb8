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
    NOT_CHECKED = "not_checked"  # a still image, sound alone, or a clip that we do not take
    UNREADABLE = "unreadable"


class Credentials(StrEnum):
    """What the Content Credentials came to."""

    ABSENT = "absent"
    ELSEWHERE = "elsewhere"  # kept at an address that the file names, and never fetched
    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"
    BROKEN = "broken"
    UNREADABLE = "unreadable"  # the examination itself broke off on the file


class Mark(StrEnum):
    """What looking for watermarks came to."""

    FOUND = "found"  # beyond doubt, or the log knows the id
    PRESENT = "present"  # one of a known key is there; its id is lost or could be misread
    NOT_FOUND = "not_found"
    NOT_CHECKED = "not_checked"


class Fingerprint(StrEnum):
    """How the pictures compare with the record that another layer leads to."""

    MATCH = "match"
    INCONCLUSIVE = "inconclusive"
    DIFFERENT = "different"
    NOT_FOUND = "not_found"  # nothing else leads anywhere, and no released clip looks like it
    NOT_CHECKED = "not_checked"


class Log(StrEnum):
    """Where the log's records and this file meet."""

    THESE_BYTES = "these_bytes"  # a released record has exactly this file's digest
    OTHER_BYTES = "other_bytes"  # the manifest is a released record's, the file's digest is not
    IN_HISTORY = "in_history"  # somebody made it from a released clip, and kept our manifest
    BY_CONTENT = "by_content"  # only the mark or the fingerprint leads to a released record
    NEVER_RELEASED = "never_released"  # our signature or mark, and no released record for it
    NOT_FOUND = "not_found"
    NOT_CHECKED = "not_checked"


class Agreement(StrEnum):
    """Whether what the manifest claims and what the other layers show is the same clip."""

    AGREE = "agree"
    SILENT = "silent"  # at most one of them says anything
    OTHER_CLIP = "other_clip"  # the manifest names one clip, the pictures carry another's mark
    BORROWED = "borrowed"  # the manifest carries a proof of our log that is not its signer's
    CLAIMED = "claimed"  # the pictures are a released clip's, and a stranger says he created them


CONTRADICTIONS = frozenset({Agreement.OTHER_CLIP, Agreement.BORROWED, Agreement.CLAIMED})


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


_NONE_AT_HAND = frozenset({Credentials.ABSENT, Credentials.ELSEWHERE})

RULES = (
    Rule(
        Status.CONTRADICTED,
        "the manifest names one clip and the pictures carry the mark of another",
        lambda f: f.agreement is Agreement.OTHER_CLIP,
    ),
    Rule(
        Status.CONTRADICTED,
        "the manifest carries a proof of our log that does not speak of this clip",
        lambda f: f.agreement is Agreement.BORROWED,
    ),
    Rule(
        Status.CONTRADICTED,
        "somebody else claims to have created what carries the mark of a released clip",
        lambda f: f.agreement is Agreement.CLAIMED,
    ),
    Rule(
        Status.CONTRADICTED,
        "the pictures are not those of the clip that their mark leads to: the mark was copied",
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
        Status.ALTERED,
        "the watermark leads to a released clip, and its credentials were left out of the history",
        lambda f: f.log is Log.BY_CONTENT and f.credentials not in _NONE_AT_HAND,
    ),
    Rule(
        Status.UNREADABLE,
        "the file broke the process that examined it, or is no video or picture we can parse",
        lambda f: (
            f.credentials is Credentials.UNREADABLE
            or (f.pictures is Pictures.UNREADABLE and f.credentials in _NONE_AT_HAND)
        ),
    ),
    Rule(
        Status.UNTRUSTED,
        "the Content Credentials fit these bytes, and nobody on the trust list vouches for them",
        lambda f: f.credentials is Credentials.UNTRUSTED,
    ),
    Rule(
        Status.STRIPPED,
        "there are no Content Credentials at hand, and the pictures lead to a released clip",
        lambda f: f.credentials in _NONE_AT_HAND and f.log is Log.BY_CONTENT,
    ),
    Rule(
        Status.STRIPPED,
        "there are no Content Credentials at hand, and the pictures carry a mark of a known key",
        lambda f: f.credentials in _NONE_AT_HAND and f.mark is Mark.FOUND,
    ),
    Rule(
        Status.UNKNOWN,
        "a mark of a known key is in the pictures, without an id to rely on, and nothing else "
        "speaks of it",
        lambda f: f.credentials in _NONE_AT_HAND and f.mark is Mark.PRESENT,
    ),
    Rule(
        Status.UNKNOWN,
        "the Content Credentials are kept elsewhere and were not fetched",
        lambda f: f.credentials is Credentials.ELSEWHERE,
    ),
    Rule(
        Status.UNKNOWN,
        "there are no Content Credentials, and such pictures are not looked at for marks",
        lambda f: f.credentials is Credentials.ABSENT and f.pictures is Pictures.NOT_CHECKED,
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
