"""Steps 9 and 10 of the journey: sign with the log's proof inside, and read back what came."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from audit.bodies import Released
from audit.reader import Entry
from generator.marking import MarkedClip
from generator.publish import file_sha256
from generator.sources import Obtained
from provenance import coverage
from provenance.claims import Claims, LogProof, MarkClaim, ModelIdentity, OriginKind, SoftwareAgent
from provenance.content_credentials import SignedManifest, sign_file
from provenance.credentials import prove_released
from provenance.errors import ReadBackFailed
from provenance.keys import Signer
from provenance.manifest import build
from provenance.timestamp_authority import LocalAuthority, serve
from provenance.trust import TrustLists
from provenance.video import media_digest
from safety.policy import Policy

TITLES = {OriginKind.AI_GENERATED: "AI-generated video", OriginKind.OPENED: "video"}


@dataclass(frozen=True, slots=True)
class SignedClip:
    """A signed file that both verifiers trust."""

    path: Path
    sha256: str
    manifest: SignedManifest

    def body(self, clip_id: str, cleared_index: int) -> Released:
        """Return what the `released` record says of it."""
        return Released(
            clip_id=clip_id,
            file_sha256=self.sha256,
            bytes=self.path.stat().st_size,
            manifest_label=self.manifest.label,
            manifest_digest=self.manifest.sha256,
            cleared=cleared_index,
        )


@dataclass(frozen=True, slots=True)
class TimestampSource:
    """An RFC 3161 authority: our own, served on loopback while signing, or somebody's address."""

    local: LocalAuthority | None
    address: str | None
    clock: Callable[[], datetime]

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
        prove_released(target, self.trust)
        if media_digest(target) != marked.media_digest:
            raise ReadBackFailed(
                "signing changed the pictures or the sound of the clip; nothing was released, "
                "report this with the versions that `countermark doctor` prints"
            )
        return SignedClip(target, file_sha256(target), written)

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
