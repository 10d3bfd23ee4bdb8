"""Steps 9 and 10 of the journey: sign with the log's proof inside, and read back what came."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from audit.bodies import Released, TimestampBody
from audit.reader import Entry
from audit.records import to_ms
from generator.marking import MarkedClip
from generator.publish import file_sha256
from generator.sources import Obtained
from provenance import coverage
from provenance.claims import Claims, LogProof, MarkClaim, ModelIdentity, OriginKind, SoftwareAgent
from provenance.content_credentials import SignedManifest, sign_file
from provenance.credentials import CredentialsEvidence, prove_released
from provenance.errors import ReadBackFailed
from provenance.keys import Signer
from provenance.manifest import build
from provenance.manifest_facts import misread
from provenance.timestamp_authority import LocalAuthority, serve
from provenance.trust import TrustLists
from provenance.video import media_digest
from safety.policy import Policy

TITLES = {OriginKind.AI_GENERATED: "AI-generated video", OriginKind.OPENED: "video"}


@dataclass(frozen=True, slots=True)
class SignedClip:
    """A signed file that both verifiers trust and that says what was claimed."""

    path: Path
    sha256: str
    manifest: SignedManifest
    timestamp: TimestampBody

    def body(self, clip_id: str, cleared_index: int) -> Released:
        """Return what the `released` record says of it."""
        return Released(
            clip_id=clip_id,
            file_sha256=self.sha256,
            bytes=self.path.stat().st_size,
            manifest_label=self.manifest.label,
            manifest_digest=self.manifest.sha256,
            cleared=cleared_index,
            timestamp=self.timestamp,
        )


@dataclass(frozen=True, slots=True)
class TimestampSource:
    """An RFC 3161 authority: our own, served on loopback while signing, or somebody's address."""

    local: LocalAuthority | None
    address: str | None
    clock: Callable[[], datetime]

    @property
    def authority(self) -> str:
        """How the log calls it: `local`, or the host that is asked."""
        if self.local is not None:
            return "local"
        return urlsplit(str(self.address)).hostname or str(self.address)

    @contextmanager
    def url(self) -> Iterator[str]:
        """Give an address that answers while the block runs."""
        if self.local is None:
            yield str(self.address)
            return
        with serve(self.local, clock=self.clock) as url:
            yield url


@dataclass(frozen=True, slots=True)
class Signing:
    """Signs marked clips so that both verifiers trust them under the operator's own lists."""

    signer: Signer
    timestamps: TimestampSource
    trust: TrustLists
    policy: Policy

    def sign(
        self, marked: MarkedClip, source: Obtained, cleared: Entry, folder: Path
    ) -> SignedClip:
        """Sign the marked clip into `folder` and read it back.

        Raises:
            AuthorityUnavailable: no time-stamp was to be had.
            ReadBackFailed: what was signed is not what must leave.
            SigningError: the key or the certificate cannot sign.
        """
        target = folder / "signed.mp4"
        claims = self._claims(marked, source, cleared)
        manifest = build(claims, unbound_sha256=coverage.unbound_digest(marked.path))
        with self.timestamps.url() as url:
            written = sign_file(
                marked.path,
                target,
                manifest,
                self.signer,
                timestamp_url=url,
                parent=source.file,
                trust=self.trust,
            )
        evidence = prove_released(target, self.trust)
        _refuse_misread(claims, evidence, written)
        if media_digest(target) != marked.media_digest:
            raise ReadBackFailed(
                "signing changed the pictures or the sound of the clip; nothing was released, "
                "report this with the versions that `countermark doctor` prints"
            )
        return SignedClip(target, file_sha256(target), written, self._stamp(evidence))

    def _stamp(self, evidence: CredentialsEvidence) -> TimestampBody:
        """Return what the log says of the time-stamp, as it was read back."""
        found = evidence.coverage.timestamp
        if not (found.time and found.certificate_sha256 and found.token_sha256):
            raise ReadBackFailed(
                f"the time-stamp of the signed clip reads back as {found.state} without a time; "
                "nothing was released, check the time-stamp authority"
            )
        return TimestampBody(
            authority=self.timestamps.authority,
            certificate_sha256=found.certificate_sha256,
            time_ms=to_ms(found.time),
            token_sha256=found.token_sha256,
        )

    def _claims(self, marked: MarkedClip, source: Obtained, cleared: Entry) -> Claims:
        proof = cleared.proof
        model = source.model
        return Claims(
            title=TITLES[source.origin],
            created_at=cleared.time,
            origin=source.origin,
            software_agent=SoftwareAgent("countermark", version("countermark")),
            decision="allow",
            policy_name=self.policy.name,
            policy_digest=self.policy.digest,
            log=LogProof(
                origin=cleared.checkpoint.origin,
                index=cleared.index,
                leaf_hash_hex=cleared.leaf_hash.hex(),
                proof=tuple(each.hex() for each in proof.path),
                tree_size=proof.size,
                checkpoint=cleared.checkpoint.note,
            ),
            mark=MarkClaim(marked.algorithm, marked.mark_id.hex, marked.key_id),
            model=None if model is None else ModelIdentity(model.name, model.digest),
            generated_by=source.generated_by,
        )


def _refuse_misread(claims: Claims, evidence: CredentialsEvidence, written: SignedManifest) -> None:
    """Refuse a manifest that is whole and trusted, and does not state what was to be stated."""
    facts = evidence.facts
    complaints = ["it states nothing"] if facts is None else list(misread(claims, facts))
    if facts is not None and facts.active_label != written.label:
        complaints.append(f"its label reads {facts.active_label}, {written.label} was written")
    if evidence.coverage.store_sha256 != written.sha256:
        complaints.append("its bytes are not those that were written")
    if complaints:
        raise ReadBackFailed(
            f"the signed clip does not say what was claimed: {'; '.join(complaints)}; nothing was "
            "released, report this with the versions that `countermark doctor` prints"
        )
