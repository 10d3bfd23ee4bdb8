"""Whose signature is ours? Of the certificates that stand in our own log as signing keys, alone.

A trust list cannot answer that: it names a root, and every customer of the same authority hangs on
it. `countermark init` records the certificate that signs, and so does every change of it
(docs/spec/record.md, `key`).
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from cryptography import x509

from audit.queries import RecordFilter, list_records
from audit.reader import Entry, LedgerReader
from audit.vocabulary import KeyPurpose, RecordKind
from provenance.claim_signature import SignerCertificate
from provenance.credentials import CredentialsEvidence

# With one of these among its failures a manifest's own text is not what its signer wrote. A failed
# hard binding (bmffHash) is not among them: then the text holds and the file is another one.
_TEXT_FAILURES = ("claimSignature.", "assertion.hashedURI.", "assertion.missing", "claim.")
_TEXT_HOLDS = "claimSignature.validated"


class Maker(StrEnum):
    """Who wrote the manifest of a file, as far as its text can be believed."""

    OURS = "ours"
    SOMEBODY_ELSE = "somebody_else"
    NOBODY = "nobody"  # there is none, or its text is not what its signer wrote


@dataclass(frozen=True, slots=True)
class OwnSigners:
    """The signing certificates that a log names."""

    certificates: frozenset[str]  # SHA-256 over DER, hex
    serials: frozenset[str]  # serial numbers, hex

    @classmethod
    def of(cls, ledger: LedgerReader) -> Self:
        """Read them from the log.

        Raises:
            LedgerDamaged: a record is not what was logged.
        """
        bodies = [entry.record.body for entry in _signing_keys(ledger)]
        serials = []
        for body in bodies:
            with suppress(ValueError):  # a key may be recorded without its certificate
                pem = str(body["certificate_pem"]).encode()
                serials.append(f"{x509.load_pem_x509_certificate(pem).serial_number:x}")
        return cls(frozenset(str(body["key_id"]) for body in bodies), frozenset(serials))

    def vouch_for(self, signer: SignerCertificate | None) -> bool:
        """Tell whether a certificate is one of ours."""
        return signer is not None and signer.sha256 in self.certificates

    def maker_of(self, evidence: CredentialsEvidence) -> Maker:
        """Tell whether we wrote a file's manifest.

        Our own reader takes MP4 and MOV files only. In others the serial number has to do, which
        c2pa-rs gives: somebody who imitates it is taken for us, and then our log knows nothing of
        what he signed.
        """
        facts, signer = evidence.facts, evidence.coverage.signer
        if facts is None or not text_holds(evidence):
            return Maker.NOBODY
        ours = self.vouch_for(signer) if signer is not None else facts.serial_hex in self.serials
        return Maker.OURS if ours else Maker.SOMEBODY_ELSE

    def history_of(self, evidence: CredentialsEvidence) -> tuple[str, ...]:
        """Return the labels of our own manifests among the earlier steps that a manifest binds."""
        facts = evidence.facts
        if facts is None or not text_holds(evidence):
            return ()
        if evidence.coverage.signer is not None:
            steps = evidence.coverage.history
            return tuple(step.label for step in steps if self.vouch_for(step.signer))
        return tuple(step.label for step in facts.history if step.serial_hex in self.serials)


def text_holds(evidence: CredentialsEvidence) -> bool:
    """Tell whether the manifest's text is what its signer wrote, whatever became of the file."""
    codes = [code.code for code in evidence.first.failure]
    validated = any(code.code == _TEXT_HOLDS for code in evidence.first.success)
    return validated and not any(code.startswith(_TEXT_FAILURES) for code in codes)


def _signing_keys(ledger: LedgerReader) -> Iterator[Entry]:
    wanted = RecordFilter(kinds=frozenset({RecordKind.KEY}))
    after: int | None = None
    while True:
        page = list_records(ledger, wanted, after=after)
        for stored in page.records:
            if stored.record.body["purpose"] == KeyPurpose.SIGNING:
                yield ledger.get(stored.index)  # proven; a list is not
        if page.next_after is None:
            return
        after = page.next_after
