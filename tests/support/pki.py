"""A signing desk with keys of its own, and certificates that are wrong on purpose."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from provenance.claims import (
    Claims,
    LogProof,
    MarkClaim,
    ModelIdentity,
    OriginKind,
    SoftwareAgent,
)
from provenance.content_credentials import SignedManifest, sign_file
from provenance.coverage import unbound_digest
from provenance.keys import FileSigner, Signer, private_pem, write_private
from provenance.manifest import RECORD_LABEL, build
from provenance.pki import (
    CLAIM_SIGNING,
    DemoPki,
    Issuer,
    certificates_pem,
    issue_leaf,
    issue_root,
    make_demo_pki,
)
from provenance.timestamp_authority import LocalAuthority, serve
from provenance.trust import TrustList, TrustLists

ORGANISATION = "Example Newsroom"
YEAR = timedelta(days=365)

CLAIMS = Claims(
    title="a drawn clip",
    created_at=datetime(2026, 11, 22, 9, 0, tzinfo=UTC),
    origin=OriginKind.AI_GENERATED,
    software_agent=SoftwareAgent("countermark", "0.1.0"),
    decision="allow",
    policy_name="permissive",
    policy_digest="5a" * 32,
    log=LogProof(
        origin="example.org/newsroom",
        index=3,
        leaf_hash_hex="c1" * 32,
        proof=("d2" * 32, "e3" * 32),
        tree_size=4,
        checkpoint="example.org/newsroom\n4\nrHs=\n\n— example.org/newsroom AAAA\n",
    ),
    mark=MarkClaim("org.countermark.tile.1", "00112233445566ff", "a1b2c3d4"),
    model=ModelIdentity("tiny", "77" * 32),
)


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that signing one clip takes, and the trust that reads it back."""

    pki: DemoPki
    trust: TrustLists

    @classmethod
    def open(cls, folder: Path, *, now: datetime | None = None) -> "Desk":
        """Make keys in `folder`."""
        pki = make_demo_pki(folder, organisation=ORGANISATION, now=now or datetime.now(UTC))
        trust = TrustLists.load(claim=(pki.root,), timestamp=(pki.timestamp_root,))
        return cls(pki, trust)

    @property
    def signer(self) -> FileSigner:
        """The desk's own signer."""
        return FileSigner(self.pki.signing_key, self.pki.signing_chain)

    @property
    def authority(self) -> LocalAuthority:
        """The desk's own time-stamp authority."""
        return LocalAuthority(self.pki.timestamp_key, self.pki.timestamp_chain)

    @contextmanager
    def clock_at(self, now: datetime | None = None) -> Iterator[str]:
        """Serve time-stamps that say `now`."""
        with serve(self.authority, clock=lambda: now or datetime.now(UTC)) as url:
            yield url

    def sign(
        self,
        source: Path,
        target: Path,
        claims: Claims = CLAIMS,
        *,
        signer: Signer | None = None,
        parent: Path | None = None,
    ) -> SignedManifest:
        """Sign `source` into `target` as the pipeline does."""
        manifest = build(claims, unbound_sha256=unbound_digest(source))
        return self.sign_manifest(source, target, manifest, signer=signer, parent=parent)

    def sign_manifest(
        self,
        source: Path,
        target: Path,
        manifest: Mapping[str, Any],
        *,
        signer: Signer | None = None,
        parent: Path | None = None,
    ) -> SignedManifest:
        """Sign whatever a manifest says."""
        with self.clock_at() as url:
            return sign_file(
                source,
                target,
                manifest,
                signer or self.signer,
                timestamp_url=url,
                parent=parent,
                trust=self.trust,
            )


def opened(claims: Claims = CLAIMS, *, generated_by: str | None = None) -> Claims:
    """Turn claims into those of a clip that was made elsewhere."""
    return replace(claims, origin=OriginKind.OPENED, model=None, generated_by=generated_by)


def without_record(claims: Claims = CLAIMS) -> dict[str, Any]:
    """Return what somebody writes who has never heard of countermark."""
    manifest = build(claims, unbound_sha256="")
    manifest["assertions"] = [a for a in manifest["assertions"] if a["label"] != RECORD_LABEL]
    return manifest


@dataclass(frozen=True, slots=True)
class Impostor:
    """A signer with a certificate that should not be believed, and the list it hangs on."""

    signer: FileSigner
    root: TrustList


def impostor(
    folder: Path,
    *,
    usage: x509.ObjectIdentifier = CLAIM_SIGNING,
    now: datetime | None = None,
    life: timedelta = YEAR,
    below: Issuer | None = None,
) -> Impostor:
    """Issue a signer with the given key usage and life, below a root of its own."""
    now = now or datetime.now(UTC)
    root = below or issue_root("an impostor's root", ORGANISATION, now=now - YEAR)
    leaf = issue_leaf("an impostor", ORGANISATION, root, usage=usage, now=now, life=life)
    key, chain = folder / "impostor.key", folder / "impostor.pem"
    write_private(key, private_pem(leaf.key))
    chain.write_bytes(certificates_pem(leaf))
    return Impostor(FileSigner(key, chain), TrustList("impostor", certificates_pem(root)))


TIME_STAMPING = ExtendedKeyUsageOID.TIME_STAMPING
EMAIL = ExtendedKeyUsageOID.EMAIL_PROTECTION
