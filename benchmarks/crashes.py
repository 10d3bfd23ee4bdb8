"""Kill journeys with SIGKILL and count what was left wrong.

    python -m benchmarks.crashes [ROUNDS] [--write]

ROUNDS (50) processes each take a drawn clip through the whole journey and are killed: at each
point of `tests.support.crash`, every third one at a random moment. Recovery runs after each, and
these are counted: public clips without a `released` record, attempts of dead processes left open,
working copies left, problems that the check of the log finds.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from audit.attempts import Attempts, AttemptState
from audit.bodies import RecordKind
from audit.ledger import Ledger
from audit.wiring import now
from generator.publish import file_sha256
from generator.recovery import recover
from tests.support.crash import POINTS
from tests.support.drawing import drawn_video
from tests.support.press import new_home, opened_log

RESULT = Path(__file__).parent / "results" / "crashes.json"
OPEN = (AttemptState.OPEN, AttemptState.CLEARED, AttemptState.RELEASED)
LONGEST_S = 12.0  # a journey of the drawn clip on a busy machine


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("rounds", type=int, nargs="?", default=50)
    parser.add_argument("--write", action="store_true", help="write the results file")
    asked = parser.parse_args()
    draw = random.Random(1)
    wrong: Counter[str] = Counter()
    ended: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        home = new_home(Path(name) / "home")
        source = drawn_video(Path(name) / "in.mp4", 12)
        for number in range(asked.rounds):
            target = Path(name) / f"out-{number}.mp4"
            at_random = number % 3 == 2
            point = "never" if at_random else POINTS[number % len(POINTS)]
            command = [
                sys.executable,
                "-m",
                "tests.support.crash",
                home.path,
                source,
                target,
                point,
            ]
            process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
            if at_random:
                time.sleep(draw.uniform(1.0, LONGEST_S))
                os.kill(process.pid, signal.SIGKILL)
            process.wait()
            with opened_log(home) as ledger:
                wrong["public without record"] += int(
                    target.exists() and not ledger.find_by_file(file_sha256(target))
                )
                done = recover(ledger, home.private, now)
                ended["finished"] += done.finished
                ended["withdrawn"] += done.withdrawn
                attempts = Attempts(ledger.engine, ledger.log_id)
                wrong["left open"] += len(attempts.in_state(*OPEN))
                wrong["working copies"] += len(list(home.private.iterdir()))
                wrong["public and withdrawn"] += int(
                    target.exists() and not _is_released(ledger, target)
                )
            print(number, point, done, dict(wrong), flush=True)
        with opened_log(home) as ledger:
            wrong["problems in the log"] = len(ledger.check().problems)
    result = {
        "command": f"python -m benchmarks.crashes {asked.rounds} --write",
        "rounds": asked.rounds,
        "recovery": dict(ended),
        "wrong": dict(wrong),
    }
    print(json.dumps(result, indent=1))
    if asked.write:
        RESULT.write_text(json.dumps(result, indent=1) + "\n")


def _is_released(ledger: Ledger, target: Path) -> bool:
    """Tell whether the log says that a public file was released, and not withdrawn since."""
    kinds = {
        entry.record.kind
        for found in ledger.find_by_file(file_sha256(target))
        for entry in ledger.find_by_attempt(str(found.record.attempt))
    }
    return RecordKind.RELEASED in kinds and RecordKind.WITHDRAWN not in kinds


if __name__ == "__main__":
    main()
