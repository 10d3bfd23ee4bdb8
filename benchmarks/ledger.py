"""What the ledger costs: `python -m benchmarks.ledger [--records N] [--rounds N]`.

Compare CPU times; the commits per second of the threads depend on the disk and on what else runs,
and move up to tenfold between two runs of the same code. Writes `benchmarks/results/ledger.json`.
"""

import argparse
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import insert, text

from audit import tables
from audit.append import Appender, Submission, record_row
from audit.checkpoint import Checkpoint, sign_checkpoint
from audit.database import create_database, reading, writing
from audit.integrity.file import compare_pages
from audit.integrity.problems import Found
from audit.last_signed import LastSigned
from audit.ledger import Ledger, create_log
from audit.merkle import EMPTY_ROOT, verify_inclusion
from audit.records import Record
from benchmarks.stamp import keep
from tests.support.logs import SCOPE, START, Clock, begin, cleared_body, fixed_signer, open_log

Figures = dict[str, float | int]


def new_ledger(folder: Path) -> Ledger:
    name = f"log-{random.random()}"
    engine, signer = create_database(folder / f"{name}.db"), fixed_signer()
    create_log(engine, SCOPE)
    last_signed = LastSigned(folder / f"{name}.signed", signer.verifier)
    return Ledger(engine, scope=SCOPE, signer=signer, clock=Clock(), last_signed=last_signed)


def records(count: int, first: int = 0) -> list[Record]:
    """Return `cleared` records, the longest kind there is, of about 1.3 kB."""
    return [
        Record.of(cleared_body(f"clip-{first + n}", first + n), scope=SCOPE, now=START)
        for n in range(count)
    ]


def appender_of(ledger: Ledger) -> Appender:
    """Return what adds batches, past the queue; what was signed last lies beside the database."""
    database = Path(str(ledger.engine.url.database))
    last_signed = LastSigned(database.with_suffix(".signed"), ledger.verifier)
    return Appender(ledger.engine, ledger.log_id, SCOPE, fixed_signer(), Clock(), last_signed)


def append(ledger: Ledger, batch: list[Record]) -> None:
    """Add a batch in one transaction, past the queue."""
    appender_of(ledger).append([Submission(record, ()) for record in batch])


def cpu_ms(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return (time.process_time() - started) * 1e3


def one_by_one(folder: Path) -> Figures:
    """CPU of `commit`, against one plain INSERT of the same row in its own transaction."""
    ledger = new_ledger(folder)
    made = records(600)
    commits, inserts = [], []
    plain = new_ledger(folder)
    for index, record in enumerate(made):
        commits.append(cpu_ms(lambda record=record: ledger.commit(record)))

        def insert_row(record: Record = record, index: int = index) -> None:
            with writing(plain.engine) as connection:
                connection.execute(insert(tables.record), record_row(1, index, record))

        inserts.append(cpu_ms(insert_row))
    ordered = sorted(commits)
    return {
        "commit_cpu_ms_p50": statistics.median(commits),
        "commit_cpu_ms_p99": ordered[int(len(ordered) * 0.99)],
        "plain_insert_cpu_ms_p50": statistics.median(inserts),
        "record_bytes": len(made[-1].canonical),
    }


def batches(folder: Path) -> Figures:
    """CPU per record by batch size."""
    found: Figures = {}
    ledger = new_ledger(folder)
    appender = appender_of(ledger)
    for size in (1, 10, 100, 1000):
        costs = []
        for run in range(max(3, 60 // size)):
            batch = [Submission(record, ()) for record in records(size, first=10_000 * run)]
            costs.append(cpu_ms(lambda batch=batch: appender.append(batch)) / size)
        found[f"append_cpu_us_per_record_batch_{size}"] = statistics.median(costs) * 1e3
    return found


def threads(folder: Path, count: int, seconds: float = 3.0) -> Figures:
    """Durable acknowledgements by many threads, with wall-clock latencies (machine-dependent)."""
    ledger = new_ledger(folder)
    latencies: list[float] = []
    until = time.perf_counter() + seconds

    def submit(number: int) -> None:
        n = 0
        while time.perf_counter() < until:
            record = records(1, first=number * 100_000 + n)[0]
            started = time.perf_counter()
            ledger.commit(record)
            latencies.append(time.perf_counter() - started)
            n += 1

    workers = [threading.Thread(target=submit, args=(n,)) for n in range(count)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    latencies.sort()
    return {
        f"threads_{count}_commits_per_s": len(latencies) / seconds,
        f"threads_{count}_p50_ms": latencies[len(latencies) // 2] * 1e3,
        f"threads_{count}_p99_ms": latencies[int(len(latencies) * 0.99)] * 1e3,
    }


def proofs(folder: Path, count: int) -> Figures:
    """Proofs from the database, verification, the full check and the size of the tree."""
    ledger = new_ledger(folder)
    made = records(count)
    for first in range(0, count, 1000):
        append(ledger, made[first : first + 1000])
    rng, kept = random.Random(1), LastSigned(folder / "kept.signed", ledger.verifier)
    signed = [
        sign_checkpoint(Checkpoint(str(SCOPE), size, EMPTY_ROOT), fixed_signer())
        for size in range(1, 301)
    ]
    keeping = [cpu_ms(lambda each=each: kept.keep(each)) for each in signed]
    inclusion = [cpu_ms(lambda: ledger.prove(rng.randrange(count))) for _ in range(300)]
    consistency = [
        cpu_ms(lambda: ledger.prove_consistency(rng.randrange(1, count))) for _ in range(300)
    ]
    lookup = [
        cpu_ms(lambda: ledger.find_by_mark(f"{rng.randrange(count):016x}")) for _ in range(300)
    ]
    entry = ledger.get(count // 3)
    check = cpu_ms(ledger.check)
    with reading(ledger.engine) as connection:
        file_check = cpu_ms(lambda: compare_pages(Found(), connection))
        (tree_bytes,) = connection.execute(text("SELECT sum(length(hashes)) FROM tile")).one()
    return {
        "records": count,
        "prove_inclusion_cpu_ms_p50": statistics.median(inclusion),
        "prove_inclusion_cpu_ms_p99": sorted(inclusion)[297],
        "prove_consistency_cpu_ms_p50": statistics.median(consistency),
        "find_by_mark_with_proof_cpu_ms_p50": statistics.median(lookup),
        "verify_inclusion_cpu_us": cpu_ms(
            lambda: [
                verify_inclusion(entry.leaf_hash, entry.proof, entry.checkpoint.root)
                for _ in range(1000)
            ]
        ),
        "keep_last_signed_cpu_ms_p50": statistics.median(keeping),
        "check_records_per_cpu_s": count / check * 1e3,
        "check_of_that_sqlite_integrity_check_ms": file_check,
        "tree_bytes_per_record": tree_bytes / count,
    }


def killed(folder: Path, rounds: int) -> Figures:
    """Kill three writers at random moments: what was acknowledged must be there."""
    rng, acknowledged, lost, broken = random.Random(7), 0, 0, 0
    root = Path(__file__).parent.parent
    for number in range(rounds):
        home = folder / f"killed-{number}"
        home.mkdir()
        begin(open_log(home)).engine.dispose()
        command = [sys.executable, "-m", "tests.support.log_writer", str(home)]
        writers = [
            subprocess.Popen([*command, f"w{n}"], stdout=subprocess.PIPE, text=True, cwd=root)
            for n in range(3)
        ]
        lines: list[str] = []
        for writer in writers:
            assert writer.stdout is not None
            lines.append(writer.stdout.readline())
        time.sleep(rng.uniform(0.0, 0.6))
        for writer in writers:
            writer.kill()
        for writer in writers:
            lines += writer.communicate()[0].split("\n")[:-1]
        with sqlite3.connect(home / "countermark.db") as connection:
            stored = dict(connection.execute("SELECT idx, id FROM record").fetchall())
        connection.close()
        for line in lines:
            index, record_id = line.split()
            acknowledged += 1
            lost += stored.get(int(index)) != record_id
        ledger = open_log(home)
        broken += bool(ledger.check().problems)
        ledger.engine.dispose()
    return {
        "kill_rounds": rounds,
        "kill_acknowledged": acknowledged,
        "kill_lost": lost,
        "kill_inconsistent": broken,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=20)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        figures: Figures = {}
        for part in (
            lambda: one_by_one(folder),
            lambda: batches(folder),
            lambda: threads(folder, 8),
            lambda: threads(folder, 64),
            lambda: proofs(folder, chosen.records),
            lambda: killed(folder, chosen.rounds),
        ):
            figures |= part()
    rounded = {name: round(value, 3) for name, value in figures.items()}
    keep({"sqlite": sqlite3.sqlite_version, "figures": rounded}, "sqlalchemy")


if __name__ == "__main__":
    main()
