"""Which failures are told in one sentence, and with which exit code."""

from audit.errors import AuditError, LedgerDamaged
from generator.errors import GenerationError, RequestInvalid
from provenance.errors import ProvenanceError
from safety.errors import SafetyError

OPERATIONAL, USAGE, LOG_DAMAGED = 1, 2, 30


def expected_failures() -> tuple[type[Exception], ...]:
    """Return the roots of everything that our packages raise."""
    return (AuditError, ProvenanceError, SafetyError, GenerationError)


def exit_code_of(error: BaseException) -> int:
    """Return the exit code of a failure, as design and docs name it."""
    if isinstance(error, LedgerDamaged):
        return LOG_DAMAGED
    return USAGE if isinstance(error, RequestInvalid) else OPERATIONAL
