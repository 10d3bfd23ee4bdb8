"""The rule that turns the readings of a file's credentials into three states. Pure.

This is the place to look when a verdict surprises. Integrity outranks trust. Where two verifiers
disagree on a stranger's file, the file is at most untrusted and both answers are kept. A manifest
with our record promises more than C2PA asks (docs/spec/manifest.md), and is broken as soon as one
reader, or our own, finds something changed. A history or a time-stamp that is positively wrong
breaks any file: C2PA lets both stand.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from provenance.content_credentials import CredentialsState, FirstReading
from provenance.coverage import CoverageFinding, CoverageState
from provenance.manifest_facts import ManifestFacts
from provenance.second_opinion import SecondReading
from provenance.timestamp import TimestampState

_TRUST_CODES = (
    "signingCredential.untrusted",
    "signingCredential.expired",
    "signingCredential.invalid",
    "signingCredential.ocsp.",
    "signingCredential.revoked",
    "claimSignature.outsideValidity",
    "timeStamp.",
    "cawg.",
)
"""Failures that speak of the signer, the time or a named person and not of the bytes."""

_UNFIT_CODE = "signingCredential.invalid"
_EXPIRED_CODES = ("signingCredential.expired", "claimSignature.outsideValidity")
_REVOKED_CODES = ("signingCredential.revoked", "signingCredential.ocsp.revoked")
_STAMP_MISMATCH = "timeStamp.mismatch"
_STAMP_BROKEN = (_STAMP_MISMATCH, "timeStamp.malformed", "timeStamp.credentialInvalid")
_PRESENT = {CredentialsState.TRUSTED, CredentialsState.VALID, CredentialsState.INVALID}


class Presence(StrEnum):
    """Whether the file carries credentials."""

    ABSENT = "absent"
    PRESENT = "present"
    ELSEWHERE = "elsewhere"
    """The file names an address where its credentials are kept; nothing is ever fetched."""
    UNREADABLE = "unreadable"
    """Something is there, or the file is damaged; nothing can be said about it."""


class Integrity(StrEnum):
    """Whether the bytes, the manifest and the steps before it are as they were signed."""

    HOLDS = "holds"
    BROKEN = "broken"


class TrustState(StrEnum):
    """What is known of the signer."""

    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"
    EXPIRED = "expired"
    """The certificate had run out and no trusted time-stamp proves that it had not at the time."""
    WRONG_USAGE = "wrong_usage"
    """The certificate, or the list that vouches for it, is for something other than claims."""


class Agreement(StrEnum):
    """Whether both verifiers come to the same answer."""

    AGREE = "agree"
    DISAGREE = "disagree"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The answer, with its reasons in plain words."""

    presence: Presence
    integrity: Integrity | None
    """None where there is nothing whose integrity could be asked for."""
    trust: TrustState | None
    agreement: Agreement
    reasons: tuple[str, ...]


def judge(
    first: FirstReading,
    second: SecondReading,
    covered: CoverageFinding,
    facts: ManifestFacts | None,
) -> Judgement:
    """Turn the readings into one answer.

    1. Presence: a verifier that finds a manifest outweighs one that finds none.
    2. Agreement, on what each says of integrity and trust.
    3. Integrity.
    4. Trust.
    """
    presence = _presence(first, second, covered)  # (1)
    agreement = _agreement(first, second)  # (2)
    if presence is not Presence.PRESENT:
        heard = [first.reason, second.reason]
        if covered.state is not CoverageState.NOT_CHECKED:
            heard.append(covered.reason)
        return Judgement(presence, None, None, agreement, tuple(dict.fromkeys(filter(None, heard))))
    breaks = tuple(_breaks(first, second, covered, facts))  # (3)
    trust, doubts = _trust(first, second, covered, agreement)  # (4)
    return Judgement(
        presence=presence,
        integrity=Integrity.BROKEN if breaks else Integrity.HOLDS,
        trust=trust,
        agreement=agreement,
        reasons=tuple(dict.fromkeys((*breaks, *doubts, *covered.remarks))),
    )


def timestamp_codes(reading: FirstReading | SecondReading) -> tuple[str, ...]:
    """Return what a verifier says of the time-stamp; good and bad alike, each once."""
    every = (*reading.success, *reading.informational, *reading.failure)
    return tuple(dict.fromkeys(c.code for c in every if c.code.startswith("timeStamp.")))


def _presence(first: FirstReading, second: SecondReading, covered: CoverageFinding) -> Presence:
    states = {first.state, second.state}
    if states & _PRESENT:
        return Presence.PRESENT
    if covered.state is CoverageState.REMAINS:
        return Presence.UNREADABLE
    if first.state is CredentialsState.ELSEWHERE:
        return Presence.ELSEWHERE
    if first.state is CredentialsState.ABSENT:
        return Presence.ABSENT
    return Presence.UNREADABLE


def _agreement(first: FirstReading, second: SecondReading) -> Agreement:
    """Compare meanings: the two word an expired certificate differently, and mean the same."""
    same = _meaning(first) == _meaning(second)
    return Agreement.AGREE if same else Agreement.DISAGREE


def _meaning(reading: FirstReading | SecondReading) -> tuple[object, ...]:
    if reading.state not in _PRESENT:
        # Neither can say anything; one calls it absent and the other damaged.
        return (False,)
    return (True, _byte_failures(reading) != (), reading.state is CredentialsState.TRUSTED)


def _byte_failures(reading: FirstReading | SecondReading) -> tuple[str, ...]:
    """Return what a reading has against the bytes; an Invalid without a code counts as that.

    Where the state is not Invalid, failure codes speak of the signer or of an assertion's own
    signature (CAWG identities), and C2PA lets the file stand.
    """
    if reading.state is not CredentialsState.INVALID:
        return ()
    codes = tuple(c.code for c in reading.failure if not c.code.startswith(_TRUST_CODES))
    return codes if codes or reading.failure else ("invalid, without a reason of its own",)


def _breaks(
    first: FirstReading,
    second: SecondReading,
    covered: CoverageFinding,
    facts: ManifestFacts | None,
) -> Iterator[str]:
    """Say why integrity is broken; nothing means that it holds."""
    promised = covered.promised or (facts is not None and facts.has_record)
    verdicts = (_verdict("c2pa-rs", first), _verdict("encypher-c2pa", second))
    found = [verdict for verdict in verdicts if verdict is not None]
    if covered.state in {CoverageState.UNREADABLE, CoverageState.REMAINS}:
        found.append(f"our own reader cannot parse the manifest: {covered.reason}")
    # One reader alone may be behind on a standard that a stranger follows, but not on ours.
    if len(found) >= 2 or (found and promised):
        yield from found
    if covered.timestamp.state is TimestampState.NOT_CHECKED and all(
        _STAMP_MISMATCH in timestamp_codes(reading) for reading in (first, second)
    ):
        yield "both verifiers find that the time-stamp was made for another signature"
    for code in first.ingredient_failures:
        if not code.code.startswith(_TRUST_CODES):
            yield f"an earlier step of the history was changed: {code.code}"
    yield from covered.violations
    if facts is not None and covered.active_label is not None:
        yield from _differences(covered, facts)
    if promised and covered.state is not CoverageState.CHECKED:
        yield f"the manifest promises that every byte is accounted for: {covered.reason}"


def _differences(covered: CoverageFinding, facts: ManifestFacts) -> Iterator[str]:
    """Say where our own reader looked at something else than the verifiers did."""
    if covered.active_label != facts.active_label:
        yield "our own reader and c2pa-rs do not find the same manifest in the file"
    if facts.has_record and not covered.promised:
        yield "c2pa-rs reads a record of ours that the claim does not bind"
    signer = covered.signer
    if signer is not None and facts.serial_hex not in {None, signer.serial_hex}:
        yield "our own reader and c2pa-rs do not find the same certificate in the signature"


def _verdict(name: str, reading: FirstReading | SecondReading) -> str | None:
    if reading.state not in _PRESENT:
        return f"{name} cannot read the manifest: {reading.reason}"
    failures = _byte_failures(reading)
    return f"{name} finds the file changed: {', '.join(failures)}" if failures else None


def _trust(
    first: FirstReading, second: SecondReading, covered: CoverageFinding, agreement: Agreement
) -> tuple[TrustState, tuple[str, ...]]:
    """Return the gravest doubt about the signer; none means trusted."""
    for state, reason in _doubts(first, second, covered, agreement):
        return state, (reason,)
    return TrustState.TRUSTED, ()


def _doubts(
    first: FirstReading, second: SecondReading, covered: CoverageFinding, agreement: Agreement
) -> Iterator[tuple[TrustState, str]]:
    """Give every doubt about the signer, the gravest first."""
    yield from _usage_doubts(first, second, covered)
    codes = {code.code for code in (*first.failure, *second.failure)}
    if codes.intersection(_REVOKED_CODES):
        yield TrustState.UNTRUSTED, "the signer's certificate was revoked"
    if codes.intersection(_EXPIRED_CODES):
        yield (
            TrustState.EXPIRED,
            "the signer's certificate had run out, and no trusted time-stamp proves it was earlier",
        )
    if agreement is Agreement.DISAGREE:
        yield (
            TrustState.UNTRUSTED,
            f"{_words('c2pa-rs', first)}, while {_words('encypher-c2pa', second)}",
        )
    if {first.state, second.state} != {CredentialsState.TRUSTED}:
        yield TrustState.UNTRUSTED, "nobody on the given trust lists vouches for the signer"


def _words(name: str, reading: FirstReading | SecondReading) -> str:
    codes = ", ".join(dict.fromkeys(code.code for code in reading.failure))
    return f"{name} says {reading.state}" + (f" ({codes})" if codes else "")


def _usage_doubts(
    first: FirstReading, second: SecondReading, covered: CoverageFinding
) -> Iterator[tuple[TrustState, str]]:
    if first.mixed_up_list is not None:
        yield (
            TrustState.WRONG_USAGE,
            f"the signer is vouched for by {first.mixed_up_list} only, a list for time-stamps",
        )
    if covered.signer is not None and not covered.signer.may_sign_claims:
        usages = ", ".join(covered.signer.key_usages) or "none"
        yield (
            TrustState.WRONG_USAGE,
            f"the signer's certificate is not for signing claims (its key usages: {usages})",
        )
    unfit = any(code.code == _UNFIT_CODE for code in (*first.failure, *second.failure))
    if unfit and not _is_stamp_to_blame(first, second, covered):
        yield TrustState.WRONG_USAGE, "the signer's certificate is not fit for signing claims"


def _is_stamp_to_blame(
    first: FirstReading, second: SecondReading, covered: CoverageFinding
) -> bool:
    """Tell whether the time-stamp is broken.

    c2pa-rs gives the code of an unfit signer for an unfit certificate within the token as well.
    """
    codes = (*timestamp_codes(first), *timestamp_codes(second))
    return covered.timestamp.state is TimestampState.INVALID or any(
        code in _STAMP_BROKEN for code in codes
    )
