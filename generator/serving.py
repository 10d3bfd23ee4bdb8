"""What the write side does when the service starts: close what dead processes left open."""

import sys
from pathlib import Path

from audit.errors import LedgerLocked
from audit.home import find_home
from audit.settings import ReadSettings
from audit.wiring import now, open_ledger
from generator.recovery import recover
from provenance.errors import KeyExposed, KeyUnavailable


def recover_at_start(home: Path | None) -> None:
    """Recover the home, or say that this process has not the rights to; without a home do nothing.

    Raises:
        AuditError: the home or its log cannot be used at all.
    """
    found = find_home(home)
    if not found.exists:
        return
    try:
        with open_ledger(found, ReadSettings.load(found.settings)) as ledger:
            found.make_folders()
            recover(ledger, found, now)
    except (KeyExposed, KeyUnavailable, LedgerLocked) as error:
        # A server of the read side alone has neither the log's key nor a writable database.
        sys.stderr.write(f"what dead processes left open is not closed here: {error}\n")
