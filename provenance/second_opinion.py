"""Read Content Credentials with encypher-c2pa, whose code shares nothing with c2pa-rs.

Where the two disagree, one of them is wrong, and a reader must know. This is the only file that
knows the library; it is called so that it neither reports home nor fetches anything.
"""

import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import encypher_c2pa

from provenance.container import HEAD_BYTES, can_carry_credentials, media_type
from provenance.content_credentials import ELSEWHERE, Code, CredentialsState
from provenance.errors import UnreadableMedia
from provenance.trust import TrustList, TrustLists

_INACCESSIBLE = "manifest.inaccessible"


@dataclass(frozen=True, slots=True)
class SecondReading:
    """What encypher-c2pa says."""

    state: CredentialsState
    success: tuple[Code, ...] = ()
    informational: tuple[Code, ...] = ()
    failure: tuple[Code, ...] = ()
    reason: str | None = None
    """Why there is nothing to read."""


def read(path: Path, trust: TrustLists) -> SecondReading:
    """Verify a file's credentials offline; never raises for what the file holds.

    Raises:
        CredentialsError: a trust list cannot be used.
        UnreadableMedia: the file cannot be opened.
    """
    try:
        with path.open("rb") as file:
            kind = media_type(file.read(HEAD_BYTES))
            if kind is None or not can_carry_credentials(kind):
                return SecondReading(
                    CredentialsState.ABSENT, reason="not a file that can carry credentials"
                )
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                return _read(mapped, kind, trust)
    except OSError as error:
        raise UnreadableMedia(f"cannot read {path.name} ({error.strerror})") from error


def _read(mapped: mmap.mmap, kind: str, trust: TrustLists) -> SecondReading:
    try:
        with memoryview(mapped) as asset:
            report = encypher_c2pa.verify(
                asset,
                kind,
                trust_pem=_pem(trust.claim),
                tsa_trust_pem=_pem(trust.timestamp),
                no_default_trust=True,
                telemetry=False,
                online=False,
            )
    except (ValueError, RuntimeError) as error:
        return SecondReading(CredentialsState.UNREADABLE, reason=str(error))
    return _reading(report)


def _pem(lists: tuple[TrustList, ...]) -> str | None:
    return "".join(listed.clean_pem for listed in lists) or None


def _reading(report: Mapping[str, Any]) -> SecondReading:
    if not report.get("present"):
        return SecondReading(CredentialsState.ABSENT, reason="the file holds no manifest")
    results = report.get("validation_results") or {}
    failure = tuple(_codes(results.get("failure")))
    if {code.code for code in failure} == {_INACCESSIBLE}:
        return SecondReading(CredentialsState.ELSEWHERE, reason=ELSEWHERE)
    stated = str(report.get("validation_state") or "Invalid").lower()
    return SecondReading(
        state=CredentialsState(stated),
        success=tuple(_codes(results.get("success"))),
        informational=tuple(_codes(results.get("informational"))),
        failure=failure,
    )


def _codes(found: object) -> Iterator[Code]:
    for item in found if isinstance(found, list) else ():
        yield Code(str(item.get("code")), str(item.get("explanation") or ""))
