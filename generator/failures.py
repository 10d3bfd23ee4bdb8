"""Which failures are told in one sentence, and their codes: of the exit, and in the record."""

from audit.errors import AuditError, LedgerDamaged
from generator.errors import GenerationError, RequestInvalid
from provenance.errors import ProvenanceError
from safety.errors import SafetyError

OPERATIONAL, USAGE, LOG_DAMAGED = 1, 2, 30
INTERRUPTED = "interrupted"  # somebody ended the process: Ctrl-C, SIGTERM
UNEXPECTED = "unexpected"  # an error that is none of ours: a defect


def expected_failures() -> tuple[type[Exception], ...]:
    """Return the roots of everything that our packages raise."""
    return (AuditError, ProvenanceError, SafetyError, GenerationError)


def exit_code_of(error: BaseException) -> int:
    """Return the exit code of a failure, as design and docs name it."""
    if isinstance(error, LedgerDamaged):
        return LOG_DAMAGED
    return USAGE if isinstance(error, RequestInvalid) else OPERATIONAL


def record_code_of(error: BaseException) -> str:
    """Return what a `failed` record calls a failure: a stable code, never the error's text."""
    # Asked by class: libraries give their errors a `code` of their own, and so does SystemExit.
    if isinstance(error, AuditError | ProvenanceError | SafetyError | GenerationError):
        return error.code
    return UNEXPECTED if isinstance(error, Exception) else INTERRUPTED
