"""Does the log begin as `countermark init` begins one? Pure.

A log without records agrees with itself perfectly. So does one that somebody started in the place
of another, but for the key that its first record names.
"""

from audit.integrity.problems import Found, ProblemKind
from audit.note import Verifier
from audit.records import Record
from audit.vocabulary import RecordKind


def compare_beginning(found: Found, first: Record | None, verifier: Verifier) -> None:
    """Report a log whose first record is not its own.

    Args:
        found: where problems are reported.
        first: record 0; None where it is missing or unreadable.
        verifier: the log's public key.
    """
    if first is None:
        sentence = "the log has no readable first record; every log begins with whose it is"
    elif first.kind is not RecordKind.DEPLOYMENT:
        sentence = f"record 0 says {first.kind}; a log begins with a deployment record"
    elif first.body["log_key"] != verifier.vkey:
        sentence = f"record 0 names the key {first.body['log_key']}, this log's is {verifier.vkey}"
    else:
        return
    found.report(ProblemKind.BEGINNING, 0, sentence)
