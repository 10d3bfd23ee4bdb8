"""Prompts and people: committed to in the log, readable beside it, erasable for good.

    commitment = HMAC-SHA-256(salt, text)      in the record: says nothing without the salt
    salt || text, AES-256-GCM                  in `sealed`, under the subject's own key
    subject's key, AES-256-GCM                 in `subject_key`, under the sealing key
    sealing key                                a file outside the database and outside its backups

Erasing a subject deletes its key, salts and texts and says so in a record. Every old proof still
verifies, since the log's bytes did not change; and the commitment of a short, guessable prompt
stays unguessable, because its 32 random bytes of salt are gone.

A stolen backup of the database opens nothing, because the sealing key is not in it. A backup that
is restored on the machine with the sealing key brings back what was erased since; the log then ends
before those erasure records, as any checkpoint kept outside shows, and they must be repeated.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, delete, func, insert, select

from audit import tables
from audit.bodies import Commitment, Erasure
from audit.database import reading, scrub
from audit.errors import AppendFailed, LedgerDamaged, LedgerError, NotFound
from audit.ledger import Entry, Ledger
from audit.queries import PAGE_LIMIT, RecordFilter, list_records
from audit.reader import LedgerReader
from audit.vocabulary import RecordKind, Scheme

KEY_BYTES: Final = 32
"""AES-256."""

SALT_BYTES: Final = 32
"""As long as the hash: nobody tries all salts of one prompt."""

_NONCE_BYTES: Final = 12


def commit_to(text: str, salt: bytes) -> Commitment:
    """Return the commitment to `text` under `salt`."""
    return Commitment(Scheme.HMAC_SHA256, hmac.new(salt, text.encode(), hashlib.sha256).hexdigest())


@dataclass(frozen=True, slots=True)
class SealText:
    """Change: keep a text sealed beside the record that holds its commitment."""

    commitment: Commitment
    subject: str
    origin: str
    salted: bytes = field(repr=False)
    sealing_key: bytes = field(repr=False)

    def apply(self, connection: Connection, log: int, index: int) -> None:  # noqa: ARG002 - Change
        """Insert the sealed text, and the subject's key when it has none yet."""
        key = _subject_key(connection, log, self.subject, self.origin, self.sealing_key)
        if key is None:
            key = secrets.token_bytes(KEY_BYTES)
            wrapped = _encrypt(self.sealing_key, key, f"{self.origin} {self.subject}")
            connection.execute(
                insert(tables.subject_key).values(log=log, subject=self.subject, wrapped=wrapped)
            )
        connection.execute(
            insert(tables.sealed).values(
                log=log,
                commitment=self.commitment.value,
                subject=self.subject,
                ciphertext=_encrypt(key, self.salted, f"{self.origin} {self.commitment.value}"),
            )
        )


@dataclass(frozen=True, slots=True)
class EraseSubject:
    """Change: destroy a subject's key and sealed texts, exactly as many as the record says."""

    subject: str
    sealed: int

    def apply(self, connection: Connection, log: int, index: int) -> None:  # noqa: ARG002 - Change
        """Delete the rows.

        Raises:
            AppendFailed: another text was sealed since they were counted.
        """
        for table in (tables.sealed, tables.subject_key):
            deleted = connection.execute(
                delete(table).where(table.c.log == log, table.c.subject == self.subject)
            )
            if table is tables.sealed and deleted.rowcount != self.sealed:
                raise AppendFailed(
                    f"{self.subject} has {deleted.rowcount} sealed texts, {self.sealed} were to be "
                    "erased; erase again"
                )


class Vault:
    """Seals and opens texts of one log."""

    def __init__(self, reader: LedgerReader, sealing_key: bytes) -> None:
        """Use the sealing key.

        Raises:
            LedgerError: the key is not 32 bytes long.
        """
        if len(sealing_key) != KEY_BYTES:
            raise LedgerError(
                f"the sealing key has {len(sealing_key)} bytes, {KEY_BYTES} are expected; put back "
                "the one that `countermark init` made, or what is sealed stays closed"
            )
        self._reader = reader
        self._key = sealing_key

    def seal(self, text: str, *, subject: str) -> tuple[Commitment, SealText]:
        """Return the commitment for the record, and the change to commit together with it.

        The record's actor must be the subject: the check asks for the texts of whoever acted.
        """
        salt = secrets.token_bytes(SALT_BYTES)
        commitment = commit_to(text, salt)
        salted = salt + text.encode()
        return commitment, SealText(commitment, subject, self._reader.origin, salted, self._key)

    def unseal(self, commitment: Commitment) -> str:
        """Return the text that a commitment stands for.

        Raises:
            NotFound: there is no such text, or it was erased.
            LedgerDamaged: the stored ciphertext is not the one that was sealed, or the sealing key
                is another one.
        """
        sealed, log, origin = tables.sealed, self._reader.log_id, self._reader.origin
        with reading(self._reader.engine) as connection:
            row = connection.execute(
                select(sealed.c.subject, sealed.c.ciphertext).where(
                    sealed.c.log == log, sealed.c.commitment == commitment.value
                )
            ).one_or_none()
            key = row and _subject_key(connection, log, row.subject, origin, self._key)
        if row is None or key is None:
            raise NotFound(f"no text of commitment {commitment.value[:16]}… is sealed (any more)")
        salted = _decrypt(key, row.ciphertext, f"{origin} {commitment.value}")
        salt, text = salted[:SALT_BYTES], salted[SALT_BYTES:].decode()
        if not hmac.compare_digest(commit_to(text, salt).value, commitment.value):
            raise LedgerDamaged(f"the text sealed for {commitment.value[:16]}… is another one")
        return text

    def erase(
        self, ledger: Ledger, subject: str, *, ticket: str, now: datetime, actor: str | None = None
    ) -> Entry:
        """Destroy what is sealed of a subject, and record that it was done.

        Args:
            ledger: the log, with its key.
            subject: pseudonym of the person.
            ticket: on whose request or under which case.
            now: aware time.
            actor: pseudonym of who did it.

        Returns:
            The record of it; the one that is there when all was erased before and only old pages
            were left to be overwritten.

        Raises:
            NotFound: nothing of this subject is or was sealed.
            LedgerLocked: erased and recorded, but old pages could not be overwritten yet; erase
                again.
            AppendFailed: a text was sealed meanwhile; nothing was erased.
        """
        count = self._count(subject)
        if count is None:
            entry = self._erased_before(subject)
        else:
            body = Erasure(subject=subject, ticket=ticket, sealed=count)
            record = ledger.record(body, now=now, actor=actor)
            entry = ledger.commit(record, changes=[EraseSubject(subject, count)])
        scrub(ledger.engine)
        return entry

    def _erased_before(self, subject: str) -> Entry:
        """Return the newest erasure of a subject."""
        wanted, after = RecordFilter(kinds=frozenset({RecordKind.ERASURE})), None
        while True:
            page = list_records(self._reader, wanted, after=after, limit=PAGE_LIMIT)
            for stored in page.records:
                if stored.record.body["subject"] == subject:
                    return self._reader.get(stored.index)
            after = page.next_after
            if after is None:
                raise NotFound(f"nothing of {subject} is sealed in {self._reader.origin}")

    def _count(self, subject: str) -> int | None:
        """Return how many texts of a subject are sealed; None when it has no key (any more)."""
        log, sealed, keys = self._reader.log_id, tables.sealed, tables.subject_key
        texts = select(func.count()).where(sealed.c.log == log, sealed.c.subject == subject)
        key = select(keys.c.subject).where(keys.c.log == log, keys.c.subject == subject)
        with reading(self._reader.engine) as connection:
            if connection.execute(key).scalar() is None:
                return None
            return int(connection.execute(texts).scalar_one())


def _subject_key(
    connection: Connection, log: int, subject: str, origin: str, sealing_key: bytes
) -> bytes | None:
    """Return a subject's key, unwrapped; None when it has none (any more)."""
    keys = tables.subject_key
    query = select(keys.c.wrapped).where(keys.c.log == log, keys.c.subject == subject)
    wrapped = connection.execute(query).scalar()
    return None if wrapped is None else _decrypt(sealing_key, wrapped, f"{origin} {subject}")


def _encrypt(key: bytes, plain: bytes, bound_to: str) -> bytes:
    """Seal with a fresh random nonce; a key seals far fewer than the 2**32 texts that allows."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound_to.encode())


def _decrypt(key: bytes, sealed: bytes, bound_to: str) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound_to.encode())
    # TypeError: SQLite stores text in a blob's place. ValueError: too short for a nonce or a key.
    except (InvalidTag, TypeError, ValueError) as error:
        raise LedgerDamaged(
            "a sealed text does not open; it was changed, or the sealing key is not the one it was "
            "sealed with"
        ) from error
