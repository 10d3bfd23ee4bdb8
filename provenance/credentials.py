"""Everything a file's Content Credentials can say, and what follows from it.

`examine` asks two independent verifiers and our own reading of the bytes; `judgement` is the rule
that turns their answers into states.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from provenance import content_credentials, coverage, manifest_facts, second_opinion
from provenance.container import HEAD_BYTES, media_type
from provenance.content_credentials import CredentialsState, FirstReading
from provenance.coverage import CoverageFinding
from provenance.errors import ReadBackFailed, UnreadableMedia
from provenance.judgement import (
    Agreement,
    Integrity,
    Judgement,
    Presence,
    TrustState,
    judge,
    timestamp_codes,
)
from provenance.manifest_facts import ManifestFacts
from provenance.manifest_store import ByteRange
from provenance.second_opinion import SecondReading
from provenance.timestamp import TimestampState
from provenance.trust import TrustLists

# Those who read evidence need its words as well, and find them in one room.
__all__ = [
    "Agreement",
    "CredentialsEvidence",
    "Integrity",
    "Judgement",
    "Presence",
    "TrustState",
    "examine",
    "judge",
    "prove_released",
    "timestamp_codes",
]


@dataclass(frozen=True, slots=True)
class CredentialsEvidence:
    """A judgement and everything it rests on."""

    judgement: Judgement
    first: FirstReading
    second: SecondReading
    coverage: CoverageFinding
    facts: ManifestFacts | None
    """What the active manifest states; statements of its signer, to be believed as far as it is."""
    trust_lists: tuple[str, ...]
    """Name and digest of every list given, to name the editions used."""
    media_type: str | None
    """What kind of file it is, by its first bytes."""

    @property
    def presence(self) -> Presence:
        """Whether the file carries credentials."""
        return self.judgement.presence

    @property
    def integrity(self) -> Integrity | None:
        """Whether they hold; None without any."""
        return self.judgement.integrity

    @property
    def trust(self) -> TrustState | None:
        """What is known of the signer; None without any."""
        return self.judgement.trust

    @property
    def agreement(self) -> Agreement:
        """Whether both verifiers come to the same answer."""
        return self.judgement.agreement

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why, in plain words."""
        return self.judgement.reasons

    @property
    def unbound(self) -> tuple[ByteRange, ...]:
        """Bytes of the file that nothing protects."""
        return self.coverage.unbound


def examine(path: Path, trust: TrustLists) -> CredentialsEvidence:
    """Read a file's credentials, offline; what the file holds never raises.

    Raises:
        CredentialsError: a trust list cannot be used.
        UnreadableMedia: the file cannot be opened.
    """
    first = content_credentials.read(path, trust)
    second = second_opinion.read(path, trust)
    covered = coverage.examine(path, timestamp_roots=trust.timestamp_roots)
    facts = manifest_facts.facts(first.store)
    return CredentialsEvidence(
        judgement=judge(first, second, covered, facts),
        first=first,
        second=second,
        coverage=covered,
        facts=facts,
        trust_lists=tuple(
            f"{listed.name} sha256:{listed.sha256}" for listed in (*trust.claim, *trust.timestamp)
        ),
        media_type=_kind(path),
    )


def prove_released(path: Path, trust: TrustLists) -> CredentialsEvidence:
    """Examine what was just signed and return the evidence, or raise: nothing else is released.

    Raises:
        ReadBackFailed: one verifier does not say Trusted, bytes are left unbound, the record is
            missing, or the time-stamp authority is not on its own list.
    """
    evidence = examine(path, trust)
    complaints = list(_release_complaints(evidence))
    if complaints:
        raise ReadBackFailed(
            f"the signed clip does not read back: {'; '.join(complaints)}; "
            "nothing was released, check the trust lists and certificates"
        )
    return evidence


def _kind(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return media_type(file.read(HEAD_BYTES))
    except OSError as error:
        raise UnreadableMedia(f"cannot read {path.name} ({error.strerror})") from error


def _release_complaints(evidence: CredentialsEvidence) -> Iterator[str]:
    for name, state in (
        ("c2pa-rs", evidence.first.state),
        ("encypher-c2pa", evidence.second.state),
    ):
        if state is not CredentialsState.TRUSTED:
            yield f"{name} says {state}"
    if evidence.trust is not TrustState.TRUSTED or evidence.integrity is not Integrity.HOLDS:
        yield from evidence.reasons
    if evidence.facts is None or not evidence.facts.has_record or not evidence.coverage.promised:
        yield "the manifest does not hold our record"
    stamp = evidence.coverage.timestamp
    if stamp.state is not TimestampState.VALID:
        detail = ", ".join(stamp.problems) or "none was found"
        yield f"the time-stamp is {stamp.state} ({detail})"
