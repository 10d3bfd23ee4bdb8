"""A process that appends to a log until it is killed.

    python -m tests.support.log_writer FOLDER NAME [RECORDS]

It writes one line per record to stdout, index and record id, after the commit returned. Whatever
stands on a complete line was acknowledged and has to be in the log for ever.
"""

import sys
from pathlib import Path

from audit.bodies import Failed
from audit.vocabulary import Stage
from tests.support.logs import START, open_log


def main() -> None:
    """Append small records, one commit each."""
    folder, name = Path(sys.argv[1]), sys.argv[2]
    limit = int(sys.argv[3]) if len(sys.argv) > 3 else sys.maxsize
    ledger = open_log(folder)
    for number in range(limit):
        entry = ledger.commit(
            ledger.record(Failed(Stage.SIGN, f"{name}_{number}"), now=START, actor=name)
        )
        sys.stdout.write(f"{entry.index} {entry.record.id}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
