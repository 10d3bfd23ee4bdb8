"""Sealed prompts: readable with the key, unguessable in the log, and gone after an erasure."""

import hashlib
import shutil
import sqlite3
from pathlib import Path

import pytest

from audit.bodies import Attempt, Commitment
from audit.checkpoint import verify_proof
from audit.database import Access, open_database
from audit.errors import AppendFailed, LedgerDamaged, LedgerError, LedgerLocked, NotFound
from audit.last_signed import LastSigned
from audit.ledger import Entry, Ledger
from audit.redaction import EraseSubject, Vault, commit_to
from audit.vocabulary import PromptState
from tests.support.logs import POLICY, START, Clock, begin, fixed_signer, log_failures, open_log
from tests.support.tamper import run

SEALING_KEY = bytes(range(32))
PROMPT = "a lighthouse in the fog, at night"


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_log(tmp_path)


@pytest.fixture
def vault(ledger: Ledger) -> Vault:
    return Vault(ledger, SEALING_KEY)


def vault_of(ledger: Ledger) -> Vault:
    return Vault(ledger, SEALING_KEY)


def log_prompt(ledger: Ledger, vault: Vault, prompt: str, subject: str) -> Entry:
    commitment, change = vault.seal(prompt, subject=subject)
    clip_id = f"clip-{commitment.value[:8]}"
    body = Attempt("make", clip_id, POLICY, {"seed": 1}, PromptState.GIVEN, prompt=commitment)
    record = ledger.record(body, now=START, actor=subject)
    return ledger.commit(record, changes=[change])


def commitment_of(entry: Entry) -> Commitment:
    prompt = entry.record.body["prompt"]
    assert isinstance(prompt, dict)
    return Commitment(**prompt)


def database_bytes(tmp_path: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(tmp_path.glob("countermark.db*")))


def test_a_sealed_prompt_is_read_back(ledger: Ledger, vault: Vault) -> None:
    entry = log_prompt(ledger, vault, PROMPT, "user-1")

    assert vault.unseal(commitment_of(entry)) == PROMPT


def test_the_database_never_holds_a_prompt_in_clear(
    ledger: Ledger, vault: Vault, tmp_path: Path
) -> None:
    log_prompt(ledger, vault, PROMPT, "user-1")

    assert PROMPT.encode() not in database_bytes(tmp_path)


def test_the_same_prompt_twice_shows_no_sameness(ledger: Ledger, vault: Vault) -> None:
    first = log_prompt(ledger, vault, PROMPT, "user-1")
    second = log_prompt(ledger, vault, PROMPT, "user-1")

    assert commitment_of(first) != commitment_of(second)


def test_a_guessed_prompt_is_not_confirmed_by_the_log(ledger: Ledger, vault: Vault) -> None:
    record = log_prompt(ledger, vault, PROMPT, "user-1").record.canonical

    assert hashlib.sha256(PROMPT.encode()).hexdigest().encode() not in record
    assert commit_to(PROMPT, b"").value.encode() not in record


def test_what_is_erased_is_gone_and_every_old_proof_still_holds(
    ledger: Ledger, vault: Vault, tmp_path: Path
) -> None:
    begin(ledger)
    entries = [log_prompt(ledger, vault, f"{PROMPT} {n}", "user-1") for n in range(3)]
    other = log_prompt(ledger, vault, PROMPT, "user-2")
    with sqlite3.connect(tmp_path / "countermark.db") as connection:
        secrets = [row[0] for row in connection.execute("SELECT ciphertext FROM sealed")]
        secrets += [row[0] for row in connection.execute("SELECT wrapped FROM subject_key")]
    connection.close()

    erased = vault.erase(ledger, "user-1", ticket="case 17", now=START)

    assert erased.record.body == {"subject": "user-1", "ticket": "case 17", "sealed": 3}
    for entry in entries:
        verify_proof(entry.tlog_proof, entry.record.canonical, fixed_signer().verifier)
        with pytest.raises(NotFound, match="any more"):
            vault.unseal(commitment_of(entry))
    assert vault.unseal(commitment_of(other)) == PROMPT
    assert ledger.check().problems == ()
    # Three texts and one key are gone from every page of the file; user-2's two stay.
    assert sum(secret in database_bytes(tmp_path) for secret in secrets) == 2


def test_an_erasure_that_a_reader_held_up_is_finished_by_erasing_again(
    ledger: Ledger, vault: Vault, tmp_path: Path
) -> None:
    begin(ledger)
    log_prompt(ledger, vault, PROMPT, "user-1")
    impatient = open_database(tmp_path / "countermark.db", access=Access.WRITE, busy_timeout_s=0.1)
    hurried = Ledger(
        impatient,
        scope=ledger.scope,
        signer=fixed_signer(),
        clock=Clock(),
        last_signed=LastSigned(tmp_path / "log.signed", fixed_signer().verifier),
    )
    reader = sqlite3.connect(tmp_path / "countermark.db", isolation_level=None)
    reader.execute("BEGIN")
    (secret,) = reader.execute("SELECT ciphertext FROM sealed").fetchone()
    with pytest.raises(LedgerLocked, match="close that program and run the erasure again"):
        vault_of(hurried).erase(hurried, "user-1", ticket="case 17", now=START)
    reader.execute("COMMIT")
    reader.close()
    assert secret in database_bytes(tmp_path)

    again = vault_of(hurried).erase(hurried, "user-1", ticket="case 17", now=START)

    assert secret not in database_bytes(tmp_path)
    assert again.record.body == {"subject": "user-1", "ticket": "case 17", "sealed": 1}
    assert again.index == ledger.size - 1
    assert ledger.check().problems == ()


def test_nothing_is_erased_of_somebody_unknown(ledger: Ledger, vault: Vault) -> None:
    with pytest.raises(NotFound, match="nothing of nobody"):
        vault.erase(ledger, "nobody", ticket="case 1", now=START)
    assert ledger.size == 0


def test_a_text_sealed_meanwhile_stops_the_erasure(ledger: Ledger, vault: Vault) -> None:
    entry = log_prompt(ledger, vault, PROMPT, "user-1")
    stale = EraseSubject("user-1", sealed=0)

    with pytest.raises(AppendFailed, match="erase again"):
        ledger.commit(
            log_failures(ledger, 1)[0].record.of(
                Attempt("protect", "c", POLICY, {}, PromptState.NOT_AVAILABLE),
                scope=ledger.scope,
                now=START,
            ),
            changes=[stale],
        )

    assert vault.unseal(commitment_of(entry)) == PROMPT


def test_another_sealing_key_opens_nothing(ledger: Ledger, vault: Vault) -> None:
    entry = log_prompt(ledger, vault, PROMPT, "user-1")

    with pytest.raises(LedgerDamaged, match="does not open"):
        Vault(ledger, bytes(32)).unseal(commitment_of(entry))


def test_a_stolen_backup_is_of_no_use_without_the_sealing_key(
    ledger: Ledger, vault: Vault, tmp_path: Path
) -> None:
    entry = log_prompt(ledger, vault, PROMPT, "user-1")
    ledger.engine.dispose()
    (tmp_path / "backup").mkdir()
    shutil.copy(tmp_path / "countermark.db", tmp_path / "backup" / "countermark.db")
    stolen = open_log(tmp_path / "backup")

    with pytest.raises(LedgerDamaged):
        Vault(stolen, hashlib.sha256(b"guess").digest()).unseal(commitment_of(entry))


def test_a_ciphertext_moved_to_another_commitment_does_not_open(
    ledger: Ledger, vault: Vault, tmp_path: Path
) -> None:
    first = log_prompt(ledger, vault, PROMPT, "user-1")
    log_prompt(ledger, vault, "another", "user-1")
    value = commitment_of(first).value
    run(
        tmp_path / "countermark.db",
        "UPDATE sealed SET ciphertext = (SELECT ciphertext FROM sealed WHERE commitment != "
        f"'{value}') WHERE commitment = '{value}'",
    )

    with pytest.raises(LedgerDamaged, match="does not open"):
        vault.unseal(commitment_of(first))


@pytest.mark.parametrize(
    "deed",
    [
        "UPDATE sealed SET ciphertext = x'00'",
        "UPDATE sealed SET ciphertext = hex(ciphertext)",
        "UPDATE subject_key SET wrapped = x''",
        "UPDATE subject_key SET wrapped = hex(wrapped)",
    ],
)
def test_what_was_destroyed_in_place_is_damage_and_no_crash(
    ledger: Ledger, vault: Vault, tmp_path: Path, deed: str
) -> None:
    entry = log_prompt(ledger, vault, PROMPT, "user-1")
    run(tmp_path / "countermark.db", deed)

    with pytest.raises(LedgerDamaged, match="does not open"):
        vault.unseal(commitment_of(entry))


def test_a_sealing_key_of_another_length_is_refused(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="has 16 bytes, 32 are expected"):
        Vault(ledger, bytes(16))


def test_secrets_do_not_show_in_a_traceback(vault: Vault) -> None:
    _, change = vault.seal(PROMPT, subject="user-1")

    assert PROMPT not in repr(change)
    assert "sealing_key" not in repr(change)
