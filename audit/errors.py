"""What can go wrong on the read side.

AuditError
├── LedgerError
│   ├── AppendFailed      the record could not be made durable     the operator
│   ├── LedgerLocked      locked or read-only database             the operator
│   └── LedgerDamaged     the log contradicts itself               an investigator
├── ProofError
│   ├── ProofInvalid      a proof that does not prove              whoever sent it
│   └── NoteInvalid       a signed note that is none               whoever sent it
├── RecordInvalid         bytes that are no canonical record       the caller
│   └── RecordNewer       a record that a later version wrote      the operator
├── AccessDenied          a token without the right                the caller
│   └── TokenInvalid      no, unknown, expired or revoked token    the caller
├── NotFound              no such record, clip or token            the caller
├── UploadError           a file sent to be verified
│   ├── RequestTooLarge   an upload beyond the limit               the caller
│   ├── UploadMalformed   a body that holds not exactly one file   the caller
│   ├── UploadStalled     an upload that stopped coming            the caller
│   └── UploadsFull       as many uploads as we take at once       the caller, later
├── NameClaimed           another distribution owns a name of ours the operator
└── HomeUnusable          COUNTERMARK_HOME is missing or broken    the operator
"""

from typing import ClassVar


class AuditError(Exception):
    """Root of everything this package raises."""

    code: ClassVar[str] = "audit_error"
    http_status: ClassVar[int] = 500


class LedgerError(AuditError):
    """The ledger is at fault."""

    code = "ledger_error"


class AppendFailed(LedgerError):
    """A record could not be made durable; it does not stand in the log."""

    code = "append_failed"
    http_status = 503


class LedgerLocked(LedgerError):
    """The database is locked by another process or cannot be written."""

    code = "ledger_locked"
    http_status = 503


class LedgerDamaged(LedgerError):
    """The log contradicts itself: rows, tiles or checkpoints were changed."""

    code = "ledger_damaged"


class ProofError(AuditError):
    """A proof or a note is at fault."""

    code = "proof_error"
    http_status = 422


class ProofInvalid(ProofError):
    """A proof that does not prove what it claims."""

    code = "proof_invalid"


class NoteInvalid(ProofError):
    """Text that is not a signed note, or not one by the expected key."""

    code = "note_invalid"


class RecordInvalid(AuditError):
    """Bytes that are not a canonical record of a known kind."""

    code = "record_invalid"
    http_status = 422


class RecordNewer(RecordInvalid):
    """A record of a version or kind that this program does not know; a later one does."""

    code = "record_newer"
    http_status = 501


class AccessDenied(AuditError):
    """The caller is known and may not do this."""

    code = "access_denied"
    http_status = 403


class TokenInvalid(AccessDenied):
    """No token, or one that is unknown, expired or revoked."""

    code = "token_invalid"
    http_status = 401


class NotFound(AuditError):
    """No such record, clip or token."""

    code = "not_found"
    http_status = 404


class UploadError(AuditError):
    """A file that was sent to be verified did not arrive as it must."""

    code = "upload_error"
    http_status = 422


class RequestTooLarge(UploadError):
    """An upload beyond the limit."""

    code = "request_too_large"
    http_status = 413


class UploadMalformed(UploadError):
    """The body does not hold exactly one file."""

    code = "upload_malformed"


class UploadStalled(UploadError):
    """The upload stopped coming, or took too long."""

    code = "upload_stalled"
    http_status = 408


class UploadsFull(UploadError):
    """As many uploads, or as many bytes of them, as are taken in at once."""

    code = "uploads_full"
    http_status = 503


class NameClaimed(AuditError):
    """Another distribution claims one of our four package names."""

    code = "name_claimed"


class HomeUnusable(AuditError):
    """The folder of configuration, keys and database is missing or broken."""

    code = "home_unusable"
    http_status = 503
