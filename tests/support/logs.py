"""Small real logs for tests: a SQLite file, a fixed key, and journeys as a pipeline does them."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.append import Submission
from audit.attempts import Advance, AttemptState, CloseAttempt, OpenAttempt
from audit.bodies import (
    Attempt,
    Body,
    Cleared,
    Deployment,
    Failed,
    FindingBody,
    Geometry,
    MarkBody,
    PolicyText,
    Refused,
    Released,
    TimestampBody,
    VerdictBody,
)
from audit.database import Access, create_database, open_database
from audit.last_signed import LastSigned
from audit.lease import Lease
from audit.ledger import Entry, Ledger, create_log
from audit.note import NoteSigner
from audit.records import Scope, to_ms, uuid7
from audit.vocabulary import Decision, GateStage, PromptState, Stage

SCOPE = Scope("silver", "press")
START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
POLICY_TEXT = 'name = "tests"\n'
POLICY = hashlib.sha256(POLICY_TEXT.encode()).hexdigest()


@dataclass(slots=True)
class Clock:
    """A clock that moves one second each time it is read."""

    now: datetime = field(default=START)

    def __call__(self) -> datetime:
        """Return the time, and move on."""
        self.now += timedelta(seconds=1)
        return self.now


def fixed_signer(name: str = str(SCOPE), seed: int = 1) -> NoteSigner:
    """Return a key that is the same in every run."""
    return NoteSigner(name, Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


def open_log(
    folder: Path, *, clock: Clock | None = None, signer: NoteSigner | None = None
) -> Ledger:
    """Open the log in `folder`, or make an empty one."""
    database, key = folder / "countermark.db", signer or fixed_signer()
    if not database.exists():
        new = create_database(database)
        create_log(new, SCOPE)
        new.dispose()
    engine = open_database(database, access=Access.WRITE)
    last_signed = LastSigned(folder / "log.signed", key.verifier)
    return Ledger(engine, scope=SCOPE, signer=key, clock=clock or Clock(), last_signed=last_signed)


def begin(ledger: Ledger) -> Ledger:
    """Record what every log begins with, and the policy of these tests: two records."""
    log_body(ledger, deployment_body())
    log_body(ledger, PolicyText("tests", POLICY, POLICY_TEXT))
    return ledger


def log_body(ledger: Ledger, body: Body, *, at: datetime = START) -> Entry:
    """Commit one record that belongs to no attempt."""
    return ledger.commit(ledger.record(body, now=at))


def log_failures(ledger: Ledger, count: int, *, first: int = 0) -> list[Entry]:
    """Commit `count` small records, one after the other."""
    return [
        log_body(ledger, Failed(stage=Stage.SIGN, error=f"error_{first + n}")) for n in range(count)
    ]


def log_batch(ledger: Ledger, count: int) -> None:
    """Add `count` small records in one transaction, as waiting threads would."""
    records = [ledger.record(Failed(Stage.SIGN, f"batch_{n}"), now=START) for n in range(count)]
    ledger._sequencer._append([Submission(record, ()) for record in records])


def verdict(decision: Decision, stage: GateStage = GateStage.PROMPT) -> VerdictBody:
    """Return a verdict with one finding."""
    finding = FindingBody("violence", 12_000, 500_000, "lexicon", "cd" * 32, "")
    return VerdictBody(decision, stage, POLICY, (finding,))


def cleared_body(clip_id: str, number: int) -> Cleared:
    """Return the `cleared` record of a small clip."""
    return Cleared(
        clip_id=clip_id,
        policy=POLICY,
        prompt_verdicts=(verdict(Decision.ALLOW),),
        output_verdict=verdict(Decision.ALLOW, GateStage.OUTPUT),
        mark=MarkBody(f"{number:016x}", "tile-1", "key-1"),
        media_digest=f"{number:064x}",
        fingerprints=(),
        geometry=Geometry(320, 192, 17, 16, 1),
        making={"seed": number},
    )


def released_body(clip_id: str, number: int, cleared: int) -> Released:
    """Return the `released` record of the same clip."""
    return Released(
        clip_id=clip_id,
        file_sha256=f"{number + 2**32:064x}",
        bytes=1000,
        manifest_label=f"urn:c2pa:{number}",
        manifest_digest="ef" * 32,
        cleared=cleared,
        timestamp=TimestampBody("local", "7c" * 32, to_ms(START), "70" * 32),
    )


def open_attempt(ledger: Ledger, number: int) -> str:
    """Record an attempt and return its id."""
    attempt, clip_id = uuid7(START), f"clip-{number}"
    body = Attempt(
        "protect", clip_id, POLICY, {"seed": number, "steps": 4}, PromptState.NOT_AVAILABLE
    )
    ledger.commit(
        ledger.record(body, now=START, attempt=attempt),
        changes=[OpenAttempt(attempt, clip_id, Lease.of_this_process(START))],
    )
    return attempt


def refuse_clip(ledger: Ledger, number: int) -> Entry:
    """Record a journey that ends at the prompt gate: two records."""
    attempt = open_attempt(ledger, number)
    return ledger.commit(
        ledger.record(Refused(Stage.PROMPT, verdict(Decision.BLOCK)), now=START, attempt=attempt),
        changes=[CloseAttempt(attempt, AttemptState.REFUSED)],
    )


def release_clip(ledger: Ledger, number: int) -> Entry:
    """Record a journey that ends with a released clip: three records."""
    attempt, clip_id = open_attempt(ledger, number), f"clip-{number}"
    cleared = ledger.commit(
        ledger.record(cleared_body(clip_id, number), now=START, attempt=attempt),
        changes=[Advance(attempt, AttemptState.CLEARED)],
    )
    body = released_body(clip_id, number, cleared.index)
    return ledger.commit(
        ledger.record(body, now=START, attempt=attempt),
        changes=[Advance(attempt, AttemptState.RELEASED)],
    )


def deployment_body() -> Deployment:
    """Return the first record of a log."""
    return Deployment(str(SCOPE), fixed_signer().verifier.vkey, "countermark 0.1.0")
