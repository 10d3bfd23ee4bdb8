"""Sign and read C2PA manifests with c2pa-python (c2pa-rs): the only file that knows it.

Its defaults do not suit a verifier and are all set here: it fetches remote manifests from whatever
address a file names, drops the list of accepted key usages as soon as any trust is configured, and
does not keep roots for claims and for time-stamps apart (measured with 0.38.1).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import c2pa

from provenance.bmff import MalformedBoxes, top_boxes
from provenance.claim_signature import CLAIM_USAGES
from provenance.container import HEAD_BYTES, can_carry_credentials, media_type
from provenance.errors import (
    AuthorityUnavailable,
    KeyUnavailable,
    SigningError,
    UnreadableMedia,
    UnsupportedMedia,
)
from provenance.fresh_file import FreshFile, fresh_file
from provenance.keys import Signer
from provenance.manifest import PARENT_ID
from provenance.trust import TrustLists

_FORMAT = "video/mp4"  # what we sign; what we read is told by its bytes
_LIST_URI = "urn:countermark:{kind}:{index}"
_REMOTE = "Remote:"
ELSEWHERE = "the manifest is kept elsewhere and was not fetched"
"""Why there is nothing to read in a file that only names the address of its manifest."""
_CLAIM, _TIMESTAMP = "claim", "timestamp"


class CredentialsState(StrEnum):
    """What one verifier says of a file's credentials."""

    TRUSTED = "trusted"
    VALID = "valid"
    """They hold; nobody on the trust lists vouches for the signer."""
    INVALID = "invalid"
    ABSENT = "absent"
    ELSEWHERE = "elsewhere"
    """The file names an address; what is kept there was not fetched."""
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Code:
    """One result code of C2PA, with the verifier's explanation."""

    code: str
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class SignedManifest:
    """What was written into a clip."""

    label: str
    sha256: str
    """Of the manifest store, hex."""


@dataclass(frozen=True, slots=True)
class FirstReading:
    """What c2pa-rs says."""

    state: CredentialsState
    success: tuple[Code, ...] = ()
    informational: tuple[Code, ...] = ()
    failure: tuple[Code, ...] = ()
    ingredient_failures: tuple[Code, ...] = ()
    """Of all steps of the history; c2pa-rs does not let them touch its state."""
    claim_list: str | None = None
    """The claim list that vouched for the signer."""
    mixed_up_list: str | None = None
    """The time-stamp list that c2pa-rs took for a claim list."""
    reason: str | None = None
    """Why there is nothing to read."""
    store: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The verifier's JSON report."""


def sign_file(
    source: Path,
    target: Path,
    manifest: Mapping[str, Any],
    signer: Signer,
    *,
    timestamp_url: str,
    parent: Path | None = None,
    trust: TrustLists = TrustLists(),  # noqa: B008  # frozen and empty
) -> SignedManifest:
    """Write `source` with a signed and time-stamped manifest to `target`.

    Args:
        source: an MP4 without a manifest; a signed one is given as `parent`, or its history
            would be dropped.
        target: must not exist; is removed again when signing fails.
        manifest: from `manifest.build`.
        signer: signs the claim.
        timestamp_url: of an RFC 3161 authority; the only host that is contacted.
        parent: the original of an opened clip; its own manifest is kept.
        trust: decides what is written down about whether the parent's signer was trusted.

    Raises:
        AuthorityUnavailable: the time-stamp authority does not answer, or answers wrongly.
        KeyUnavailable: the signer cannot sign.
        SigningError: c2pa refuses the manifest or the certificate.
        StorageFailed: the target exists or cannot be written; nothing of it is left.
        UnreadableMedia: a file cannot be read, or is no MP4.
        UnsupportedMedia: the source carries credentials already.
    """
    courier = _Courier(signer)
    settings = _settings(trust, hosts=[urlsplit(timestamp_url).netloc])
    try:
        with source.open("rb") as clip:
            _refuse_signed(clip, source.name)
            with fresh_file(target) as signed:
                store = _sign(clip, signed, manifest, courier, settings, parent, timestamp_url)
    except OSError as error:
        raise UnreadableMedia(
            f"cannot sign {source.name} ({error}); check that it can be read"
        ) from error
    except c2pa.C2paError as error:
        raise _explain(error, courier, timestamp_url) from (courier.failure or error)
    return SignedManifest(label=_label(target), sha256=sha256(store).hexdigest())


def read(path: Path, trust: TrustLists) -> FirstReading:
    """Read and verify a file's credentials offline; never raises for what the file holds.

    Raises:
        CredentialsError: a trust list cannot be used.
        UnreadableMedia: the file cannot be opened.
    """
    try:
        with path.open("rb") as file:
            kind = media_type(file.read(HEAD_BYTES))
            file.seek(0)
            if not can_carry_credentials(kind):
                return FirstReading(
                    CredentialsState.ABSENT,
                    reason="WebM and Matroska files cannot carry Content Credentials",
                )
            return _read(file, kind or _FORMAT, trust)
    except OSError as error:
        raise UnreadableMedia(f"cannot read {path.name} ({error.strerror})") from error


@dataclass(slots=True)
class _Courier:
    """Carries a signer's exception past c2pa, which only reports that a callback failed."""

    signer: Signer
    signed: bool = False
    failure: Exception | None = None

    def sign(self, payload: bytes) -> bytes:
        try:
            signature = self.signer.sign(payload)
        except SigningError as error:
            self.failure = error
            raise
        self.signed = True
        return signature


def _sign(  # the steps of one signature, cut out of its error handling
    clip: BinaryIO,
    signed: FreshFile,
    manifest: Mapping[str, Any],
    courier: _Courier,
    settings: dict[str, Any],
    parent: Path | None,
    timestamp_url: str,
) -> bytes:
    algorithm = c2pa.C2paSigningAlg[courier.signer.algorithm.upper()]
    chain = courier.signer.certificate_chain_pem.decode("ascii")
    with (
        c2pa.Signer.from_callback(courier.sign, algorithm, chain, timestamp_url) as signer,
        c2pa.Context.from_dict(settings, signer=signer) as context,
        c2pa.Builder(dict(manifest), context=context) as builder,
    ):
        if parent is not None:
            _add_parent(builder, parent)
        store: bytes = builder.sign(_FORMAT, clip, signed)
        return store


def _refuse_signed(clip: BinaryIO, name: str) -> None:
    """c2pa-rs would sign it as new and say Trusted: that launders what came before."""
    try:
        signed = any(box.carries_credentials for box in top_boxes(clip))
    except MalformedBoxes as error:
        raise UnreadableMedia(f"cannot sign {name}: it is no MP4 ({error})") from error
    if signed:
        raise UnsupportedMedia(
            f"{name} carries Content Credentials already; give it as the original of a new file"
        )
    clip.seek(0)


def _add_parent(builder: c2pa.Builder, parent: Path) -> None:
    with parent.open("rb") as original:
        # Of a type that c2pa does not know it takes the digest and asks for no structure.
        kind = media_type(original.read(HEAD_BYTES)) or "application/octet-stream"
        original.seek(0)
        # No title: the operator's name for the file is nobody's business.
        ingredient = {"label": PARENT_ID, "relationship": "parentOf", "title": "original"}
        builder.add_ingredient(ingredient, kind, original)


def _explain(error: c2pa.C2paError, courier: _Courier, timestamp_url: str) -> Exception:
    """Turn c2pa's one error into the one that says who can help."""
    if courier.failure is not None:
        return KeyUnavailable(f"the claim could not be signed: {courier.failure}")
    text = str(error)
    # Once the claim is signed, only the time-stamp is missing, and c2pa calls each of its failures
    # an internal error of the signature; a wrong signature it calls by its name.
    if courier.signed and "Signature: internal error" in text:
        return AuthorityUnavailable(
            f"the time-stamp authority at {timestamp_url} gave no time-stamp ({text}); "
            "check that it is up, then try again"
        )
    if isinstance(error, c2pa.C2paError.NotSupported):
        return UnreadableMedia(f"c2pa cannot sign this file ({text}); expected an MP4")
    return SigningError(
        f"c2pa refused to sign ({text}); check the signer's certificate and the clip"
    )


def _label(signed: Path) -> str:
    """Read the label back from the file: c2pa gives only the bytes of the store."""
    return str(_read_label(read(signed, TrustLists()).store))


def _read_label(store: Mapping[str, Any]) -> str:
    return str(store.get("active_manifest", ""))


def _read(file: BinaryIO, kind: str, trust: TrustLists) -> FirstReading:
    error = c2pa.C2paError
    try:
        with (
            c2pa.Context.from_dict(_settings(trust, hosts=[])) as context,
            c2pa.Reader(kind, file, context=context) as reader,
        ):
            return _reading(json.loads(reader.json()), trust)
    except error.ManifestNotFound:
        return FirstReading(CredentialsState.ABSENT, reason="the file holds no manifest")
    except error.NotSupported:
        return FirstReading(
            CredentialsState.ABSENT, reason="c2pa knows no place for a manifest in such a file"
        )
    except error as unreadable:
        # c2pa-python 0.38.1 has a class for it and does not use it.
        if str(unreadable).startswith(_REMOTE):
            return FirstReading(CredentialsState.ELSEWHERE, reason=ELSEWHERE)
        return FirstReading(CredentialsState.UNREADABLE, reason=str(unreadable))


def _settings(trust: TrustLists, *, hosts: list[str]) -> dict[str, Any]:
    anchors = [
        {
            "trust_anchors": listed.clean_pem,
            "trust_kind": c2pa_kind,
            "trust_uri": _LIST_URI.format(kind=kind, index=index),
        }
        for kind, c2pa_kind, lists in (
            (_CLAIM, "manifest", trust.claim),
            (_TIMESTAMP, "tsa", trust.timestamp),
        )
        for index, listed in enumerate(lists)
    ]
    return {
        "core": {"allowed_network_hosts": hosts},
        "builder": {"thumbnail": {"enabled": False}},
        "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
        "trust": {
            "anchors": anchors,
            "trust_config": "".join(f"{usage.dotted_string}\n" for usage in CLAIM_USAGES),
        },
    }


def _reading(report: Mapping[str, Any], trust: TrustLists) -> FirstReading:
    results = report.get("validation_results") or {}
    active = results.get("activeManifest") or {}
    kind, index = _voucher(results.get("trustListUri"))
    lists = {_CLAIM: trust.claim, _TIMESTAMP: trust.timestamp}.get(kind, ())
    named = lists[index].name if index < len(lists) else None
    return FirstReading(
        state=CredentialsState(str(report.get("validation_state", "Invalid")).lower()),
        success=tuple(_codes(active.get("success"))),
        informational=tuple(_codes(active.get("informational"))),
        failure=tuple(_codes(active.get("failure"))),
        ingredient_failures=tuple(dict.fromkeys(_ingredient_failures(report))),
        claim_list=named if kind == _CLAIM else None,
        mixed_up_list=named if kind == _TIMESTAMP else None,
        store=report,
    )


def _voucher(uri: object) -> tuple[str, int]:
    """Return which kind of list, and which of them, c2pa-rs found the signer's root in."""
    kind, _, index = str(uri or "").removeprefix("urn:countermark:").partition(":")
    return kind, int(index) if index.isdecimal() else 0


def _codes(found: object) -> Iterator[Code]:
    for item in found if isinstance(found, list) else ():
        yield Code(str(item.get("code")), str(item.get("explanation") or ""))


def _ingredient_failures(report: Mapping[str, Any]) -> Iterator[Code]:
    """Walk the whole history: failures seen now, and those recorded when a step was taken.

    What was found broken two steps back stands only in the record of the step between, and
    c2pa-rs does not repeat it.
    """
    yield from _delta_failures(report.get("validation_results"))
    for manifest in (report.get("manifests") or {}).values():
        for ingredient in manifest.get("ingredients") or ():
            recorded = ingredient.get("validation_results") or {}
            yield from _codes((recorded.get("activeManifest") or {}).get("failure"))
            yield from _delta_failures(recorded)
            yield from _codes(ingredient.get("validation_status"))


def _delta_failures(results: Mapping[str, Any] | None) -> Iterator[Code]:
    for delta in (results or {}).get("ingredientDeltas") or ():
        yield from _codes((delta.get("validationDeltas") or {}).get("failure"))
