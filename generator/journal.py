"""Opens attempts: the record that stands in the log before anything is done for a request."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from audit.attempts import OpenAttempt
from audit.bodies import Attempt, Commitment, ModelIdentity, PlugIn
from audit.lease import Lease
from audit.ledger import Ledger
from audit.records import uuid7
from audit.redaction import SealText, Vault
from audit.vocabulary import PromptState
from generator.journey import Journey, Ticket
from generator.models import ModelIdentity as RunningModel
from generator.progress import ProgressListener
from generator.sources import Source
from safety.policy import Policy

PSEUDONYM_LABEL = b"countermark pseudonym v1\n"
PSEUDONYM_DIGITS = 32  # 128 bits: nobody meets another person's by chance


@dataclass(frozen=True, slots=True)
class Journal:
    """Tells one log of new attempts, with people and prompts as commitments and pseudonyms."""

    ledger: Ledger
    vault: Vault
    sealing_key: bytes
    policy: Policy
    plug_ins: tuple[PlugIn, ...]
    clock: Callable[[], datetime]

    def new_id(self) -> str:
        """Return an id that nobody knows of yet, for an attempt or a clip."""
        return uuid7(self.clock())

    def open(
        self, source: Source, ticket: Ticket, asked_by: str, listener: ProgressListener
    ) -> Journey:
        """Record an attempt; durable when this returns."""
        now = self.clock()
        subject = self.pseudonym(asked_by)
        prompt, negative, seals = self._seal(source, subject)
        body = Attempt(
            operation=source.operation,
            clip_id=ticket.clip_id,
            policy=self.policy.digest,
            request=dict(source.asked),
            prompt_state=PromptState.NOT_AVAILABLE if prompt is None else PromptState.GIVEN,
            prompt=prompt,
            negative_prompt=negative,
            input_digest=source.input_digest,
            model=model_body(source.model),
            plug_ins=self.plug_ins,
        )
        opening = OpenAttempt(
            id=ticket.attempt_id,
            clip_id=ticket.clip_id,
            lease=Lease.of_this_process(now),
            folder=str(ticket.folder),
            public_path=str(ticket.target.resolve()),
        )
        record = self.ledger.record(body, now=now, attempt=ticket.attempt_id, actor=subject)
        entry = self.ledger.commit(record, changes=[opening, *seals])
        return Journey(ticket, entry, ledger=self.ledger, clock=self.clock, listener=listener)

    def pseudonym(self, asked_by: str) -> str:
        """Return how the log calls a person: stable here, meaningless elsewhere."""
        material = PSEUDONYM_LABEL + self.ledger.origin.encode() + b"\n" + asked_by.encode()
        return hmac.new(self.sealing_key, material, hashlib.sha256).hexdigest()[:PSEUDONYM_DIGITS]

    def _seal(
        self, source: Source, subject: str
    ) -> tuple[Commitment | None, Commitment | None, list[SealText]]:
        """Return the commitments to both texts, and the changes that keep the texts sealed."""
        commitments: list[Commitment | None] = []
        seals: list[SealText] = []
        texts = source.texts
        for text in (texts and texts.prompt, texts and texts.negative_prompt):
            if not text:
                commitments.append(None)
                continue
            commitment, seal = self.vault.seal(text, subject=subject)
            commitments.append(commitment)
            seals.append(seal)
        return commitments[0], commitments[1], seals


def model_body(model: RunningModel | None) -> ModelIdentity | None:
    """Return a model's identity as a record holds it."""
    if model is None:
        return None
    return ModelIdentity(
        name=model.name,
        architecture=model.architecture,
        licence=model.licence,
        digest=model.digest,
    )
