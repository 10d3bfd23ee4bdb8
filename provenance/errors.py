"""What can go wrong while origin is put into a clip or read back.

ProvenanceError
├── MediaError                the clip itself                     who can fix it
│   ├── UnreadableMedia       cannot be decoded or parsed         whoever sent the file
│   ├── UnsupportedMedia      decodes, but is outside the limits  whoever sent the file
│   └── StorageFailed         the disk refused while writing      the operator
├── MarkError                 the watermark
│   ├── MarkDoesNotHold       the clip cannot carry the mark      whoever chose the clip
│   └── PayloadError          a mark id that is none              the caller
├── FingerprintError          a clip nothing can be taken of, or bytes that are no fingerprint
├── SigningError              keys, certificates, time-stamps
│   ├── KeyUnavailable        missing, unreadable or wrong key    the operator
│   ├── KeyExposed            a secret that others can read       the operator
│   ├── AuthorityUnavailable  the time-stamp authority is silent  the operator, or time
│   └── ReadBackFailed        what was signed does not verify     the operator
├── CredentialsError          a trust list or manifest we were given is malformed
├── ExaminationFailed         the file broke the process that examined it, or overran its limits
└── ExaminationUnavailable    that process could not be started or confined    the operator
"""

from typing import ClassVar


class ProvenanceError(Exception):
    """Root of everything this package raises."""

    code: ClassVar[str] = "provenance_error"
    http_status: ClassVar[int] = 500


class MediaError(ProvenanceError):
    """The clip is at fault."""

    code = "media_error"
    http_status = 422


class UnreadableMedia(MediaError):
    """The bytes cannot be decoded or parsed as a clip."""

    code = "unreadable_media"


class UnsupportedMedia(MediaError):
    """The clip is longer, larger or of another kind than we decode or encode."""

    code = "unsupported_media"


class StorageFailed(MediaError):
    """The disk refused while a clip was being written, or its place is taken; nothing was left."""

    code = "storage_failed"
    http_status = 507


class MarkError(ProvenanceError):
    """The watermark is at fault."""

    code = "mark_error"
    http_status = 422


class MarkDoesNotHold(MarkError):
    """The clip is too small, too short or too flat to carry the mark."""

    code = "mark_does_not_hold"


class PayloadError(MarkError):
    """What was given as a mark id or a payload is none."""

    code = "payload_error"


class FingerprintError(ProvenanceError):
    """A clip has nothing to take a fingerprint of, or what was given as one is none."""

    code = "fingerprint_error"
    http_status = 422


class SigningError(ProvenanceError):
    """A key, a certificate or a time-stamp is at fault."""

    code = "signing_error"
    http_status = 503


class KeyUnavailable(SigningError):
    """A key or certificate is missing, unreadable or of the wrong kind."""

    code = "key_unavailable"


class KeyExposed(SigningError):
    """A secret file can be read or written by others than its owner."""

    code = "key_exposed"


class AuthorityUnavailable(SigningError):
    """The configured time-stamp authority does not answer."""

    code = "authority_unavailable"


class ReadBackFailed(SigningError):
    """What was just marked and signed does not read back as it must."""

    code = "read_back_failed"
    http_status = 500


class CredentialsError(ProvenanceError):
    """A trust list or a manifest that we were given is malformed."""

    code = "credentials_error"
    http_status = 422


class ExaminationFailed(ProvenanceError):
    """The process that examined a file died of it, overran its limits, or answered nonsense."""

    code = "examination_failed"
    http_status = 422


class ExaminationUnavailable(ProvenanceError):
    """The process that examines files could not be started or confined; no file is to blame."""

    code = "examination_unavailable"
    http_status = 503
