"""Somebody who signs what he should not: with a stolen key, or with a good one of his own.

Nothing here breaks any cryptography. A thief has the home's signing key and not its log; a stranger
has a certificate that people trust, and helps himself to what stands in our manifests.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import c2pa
import cv2

from audit.home import Home
from audit.verifier import ClipVerifier
from provenance.claims import Claims, OriginKind, SoftwareAgent
from provenance.coverage import unbound_digest
from provenance.credentials import examine
from provenance.manifest import RECORD_LABEL, build
from provenance.pki import CLAIM_SIGNING, DemoPki
from provenance.trust import TrustLists
from provenance.video import Encoding, MediaLimits, open_video, write_video
from tests.support.drawing import drawn_frames
from tests.support.pki import CLAIMS, Desk
from tests.support.press import opened_verifier

PLATFORM = Encoding(crf=20, preset="fast", threads=2)
Manifest = dict[str, Any]


def stolen_desk(home: Home) -> Desk:
    """Return a desk that signs with a home's own key."""
    pki = DemoPki.at(home.keys)
    return Desk(pki, TrustLists.load(claim=(pki.root,), timestamp=(pki.timestamp_root,)))


@contextmanager
def trusting_verifier(home: Home, desk: Desk) -> Iterator[ClipVerifier]:
    """Open the home's verifier, which somebody has told to trust that desk as well."""
    with opened_verifier(
        home, claim_trust=[desk.pki.root], timestamp_trust=[desk.pki.timestamp_root]
    ) as verifier:
        yield verifier


def reencoded(source: Path, target: Path) -> Path:
    """Encode a clip anew, as a platform does: the mark stays, the credentials go."""
    write_video(open_video(source, MediaLimits()), target, PLATFORM)
    return target


def claims_of(clip: Path) -> Claims:
    """Read off a released clip everything that its manifest says of it."""
    facts = examine(clip, TrustLists()).facts
    if facts is None or facts.log is None:
        raise ValueError(f"{clip} has no manifest to copy from")
    return replace(
        CLAIMS,
        origin=OriginKind.AI_GENERATED,
        software_agent=SoftwareAgent("countermark", "0.1.0"),
        decision=str(facts.decision),
        policy_name=str(facts.policy_name),
        policy_digest=str(facts.policy_digest),
        log=facts.log,
        mark=facts.mark,
        model=facts.model,
    )


def label_of(clip: Path) -> str:
    """Return the name of a clip's manifest."""
    facts = examine(clip, TrustLists()).facts
    if facts is None:
        raise ValueError(f"{clip} has no manifest")
    return facts.active_label


def with_foreign_origin(pictures: Path, claims: Claims) -> Manifest:
    """Name a log that is not ours."""
    log = replace(claims.log, origin="elsewhere.example/press")
    return build(replace(claims, log=log), unbound_sha256=unbound_digest(pictures))


def with_malformed_record(pictures: Path, claims: Claims) -> Manifest:
    """Keep the record, without what a reader needs to find the log."""
    manifest = build(claims, unbound_sha256=unbound_digest(pictures))
    record = next(a["data"] for a in manifest["assertions"] if a["label"] == RECORD_LABEL)
    record["log"] = {"origin": 7}
    return manifest


def with_two_records(pictures: Path, claims: Claims) -> Manifest:
    """Write the record twice: a reader takes neither."""
    manifest = build(claims, unbound_sha256=unbound_digest(pictures))
    record = next(a for a in manifest["assertions"] if a["label"] == RECORD_LABEL)
    manifest["assertions"].append(copy.deepcopy(record))
    return manifest


def with_copied_record(pictures: Path, claims: Claims) -> Manifest:
    """Copy the whole record of another clip, proof and all."""
    return build(claims, unbound_sha256=unbound_digest(pictures))


def signed_picture(desk: Desk, target: Path, *, kept_at: str | None = None) -> Path:
    """Draw a still image and sign it; with an address its manifest is kept there and not in it."""
    plain = target.with_name(f"plain-{target.name}")
    cv2.imwrite(str(plain), drawn_frames(1, seed=5)[0])
    definition = {
        "title": "a drawn picture",
        "format": "image/jpeg",
        "claim_generator_info": [{"name": "thief", "version": "1"}],
        "assertions": [
            a for a in build(CLAIMS, unbound_sha256="")["assertions"]
            if a["label"] == "c2pa.actions.v2"
        ],
    }  # fmt: skip
    definition["assertions"][0]["data"]["actions"][1:] = []
    settings = {
        "builder": {"thumbnail": {"enabled": False}},
        "trust": {"trust_config": f"{CLAIM_SIGNING.dotted_string}\n"},
    }
    chain = desk.signer.certificate_chain_pem.decode("ascii")
    with (
        desk.clock_at() as url,
        c2pa.Signer.from_callback(
            desk.signer.sign, c2pa.C2paSigningAlg.ES256, chain, url
        ) as signer,
        c2pa.Context.from_dict(settings, signer=signer) as context,
        c2pa.Builder(definition, context=context) as builder,
        plain.open("rb") as source,
        target.open("w+b") as signed,
    ):
        if kept_at is not None:
            builder.set_no_embed()
            builder.set_remote_url(kept_at)
        builder.sign("image/jpeg", source, signed)
    return target
