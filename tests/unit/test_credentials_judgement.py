"""The rule that turns the readings of a file into one answer."""

from dataclasses import replace

import pytest

from provenance.claim_signature import SignerCertificate
from provenance.content_credentials import Code, CredentialsState, FirstReading
from provenance.coverage import CoverageFinding, CoverageState
from provenance.credentials import (
    Agreement,
    Integrity,
    Judgement,
    Presence,
    TrustState,
    judge,
)
from provenance.second_opinion import SecondReading
from provenance.timestamp import TimestampFinding, TimestampState

TRUSTED, VALID = CredentialsState.TRUSTED, CredentialsState.VALID
INVALID, ABSENT = CredentialsState.INVALID, CredentialsState.ABSENT
UNREADABLE = CredentialsState.UNREADABLE
MISMATCH = (Code("assertion.bmffHash.mismatch"),)
UNTRUSTED_CODE = Code("signingCredential.untrusted")
EXPIRED_CODE = Code("signingCredential.expired")
SIGNER = SignerCertificate(
    sha256="5c" * 32,
    common_name="desk",
    organisation="Example",
    serial_hex="1",
    not_before="2026-01-01T00:00:00+00:00",
    not_after="2027-01-01T00:00:00+00:00",
    key_usages=("1.3.6.1.4.1.62558.2.1",),
)
COVERED = CoverageFinding(CoverageState.CHECKED, signer=SIGNER)
PROMISED = replace(COVERED, promised=True)


def judged(
    first: FirstReading | CredentialsState,
    second: SecondReading | CredentialsState,
    covered: CoverageFinding = COVERED,
) -> Judgement:
    return judge(
        FirstReading(first) if isinstance(first, CredentialsState) else first,
        SecondReading(second) if isinstance(second, CredentialsState) else second,
        covered,
        None,
    )


def test_two_verifiers_that_trust_make_a_trusted_file_that_holds() -> None:
    answer = judged(TRUSTED, TRUSTED)

    assert (answer.integrity, answer.trust) == (Integrity.HOLDS, TrustState.TRUSTED)
    assert answer.reasons == ()


def test_a_signer_on_no_list_leaves_integrity_alone() -> None:
    answer = judged(
        FirstReading(VALID, failure=(UNTRUSTED_CODE,)),
        SecondReading(VALID, failure=(UNTRUSTED_CODE,)),
    )

    assert (answer.integrity, answer.trust) == (Integrity.HOLDS, TrustState.UNTRUSTED)
    assert answer.agreement is Agreement.AGREE


def test_both_against_the_bytes_is_broken() -> None:
    answer = judged(
        FirstReading(INVALID, failure=MISMATCH), SecondReading(INVALID, failure=MISMATCH)
    )

    assert answer.integrity is Integrity.BROKEN
    assert any("bmffHash" in reason for reason in answer.reasons)


@pytest.mark.parametrize("who", ["first", "second"])
def test_one_against_the_bytes_of_a_stranger_leaves_it_at_untrusted(who: str) -> None:
    first = FirstReading(INVALID, failure=MISMATCH) if who == "first" else FirstReading(TRUSTED)
    second = SecondReading(INVALID, failure=MISMATCH) if who == "second" else SecondReading(TRUSTED)

    answer = judged(first, second)

    assert answer.integrity is Integrity.HOLDS
    assert answer.trust is TrustState.UNTRUSTED
    assert answer.agreement is Agreement.DISAGREE
    assert any("trusted" in reason and "invalid" in reason for reason in answer.reasons)


@pytest.mark.parametrize("who", ["first", "second"])
def test_one_against_the_bytes_of_a_manifest_with_our_record_is_broken(who: str) -> None:
    first = FirstReading(INVALID, failure=MISMATCH) if who == "first" else FirstReading(TRUSTED)
    second = SecondReading(INVALID, failure=MISMATCH) if who == "second" else SecondReading(TRUSTED)

    assert judged(first, second, PROMISED).integrity is Integrity.BROKEN


def test_two_of_three_readers_that_cannot_parse_outvote_the_third() -> None:
    confused = CoverageFinding(CoverageState.UNREADABLE, "boxes do not fit")

    answer = judged(FirstReading(UNREADABLE, reason="no box"), TRUSTED, confused)

    assert answer.presence is Presence.PRESENT
    assert answer.integrity is Integrity.BROKEN


def test_an_invalid_without_any_code_counts_against_the_bytes() -> None:
    assert judged(INVALID, INVALID).integrity is Integrity.BROKEN


def test_a_certificate_that_ran_out_is_expired_and_the_bytes_hold() -> None:
    answer = judged(
        FirstReading(INVALID, failure=(UNTRUSTED_CODE, EXPIRED_CODE)),
        SecondReading(VALID, failure=(Code("claimSignature.outsideValidity"),)),
    )

    assert (answer.integrity, answer.trust) == (Integrity.HOLDS, TrustState.EXPIRED)
    assert answer.agreement is Agreement.AGREE


def test_a_signer_that_only_a_time_stamp_list_vouches_for_has_the_wrong_usage() -> None:
    answer = judged(FirstReading(TRUSTED, mixed_up_list="tsa.pem"), VALID)

    assert answer.trust is TrustState.WRONG_USAGE


def test_a_time_stamp_certificate_must_not_sign_claims() -> None:
    stamping = replace(SIGNER, key_usages=("1.3.6.1.5.5.7.3.8",))

    answer = judged(TRUSTED, TRUSTED, replace(COVERED, signer=stamping))

    assert answer.trust is TrustState.WRONG_USAGE


def test_a_revoked_signer_is_untrusted() -> None:
    revoked = (Code("signingCredential.ocsp.revoked"),)

    answer = judged(FirstReading(INVALID, failure=revoked), SecondReading(INVALID, failure=revoked))

    assert (answer.integrity, answer.trust) == (Integrity.HOLDS, TrustState.UNTRUSTED)
    assert "revoked" in answer.reasons[0]


def test_a_changed_step_of_the_history_breaks_a_file_that_verifiers_trust() -> None:
    history = (Code("assertion.hashedURI.mismatch"),)

    answer = judged(FirstReading(TRUSTED, ingredient_failures=history), TRUSTED)

    assert answer.integrity is Integrity.BROKEN
    assert "an earlier step" in answer.reasons[0]


@pytest.mark.parametrize(
    "code", ["signingCredential.untrusted", "timeStamp.mismatch", "cawg.identity.bad"]
)
def test_doubts_about_an_earlier_signer_do_not_break_the_history(code: str) -> None:
    answer = judged(FirstReading(TRUSTED, ingredient_failures=(Code(code),)), TRUSTED)

    assert answer.integrity is Integrity.HOLDS


STAMP_MISMATCH = Code("timeStamp.mismatch")


def test_a_time_stamp_that_both_find_made_for_something_else_breaks_a_file_we_cannot_open() -> None:
    unopened = CoverageFinding(CoverageState.NOT_CHECKED, "a JPEG")
    first = FirstReading(TRUSTED, informational=(STAMP_MISMATCH,))
    second = SecondReading(TRUSTED, informational=(STAMP_MISMATCH,))

    assert judged(first, second, unopened).integrity is Integrity.BROKEN
    assert judged(first, SecondReading(TRUSTED), unopened).integrity is Integrity.HOLDS


def test_a_broken_time_stamp_is_not_blamed_on_the_signers_certificate() -> None:
    unfit = FirstReading(INVALID, failure=(Code("signingCredential.invalid"),))
    stamped = replace(
        COVERED,
        violations=("the time-stamp does not hold",),
        timestamp=TimestampFinding(TimestampState.INVALID),
    )

    answer = judged(unfit, TRUSTED, stamped)

    assert answer.integrity is Integrity.BROKEN
    assert answer.trust is TrustState.UNTRUSTED
    assert not any("not fit" in reason for reason in answer.reasons)
    assert judged(unfit, TRUSTED).trust is TrustState.WRONG_USAGE


def test_what_is_kept_elsewhere_is_neither_absent_nor_unreadable() -> None:
    unchecked = CoverageFinding(CoverageState.NOT_CHECKED, "no store")

    answer = judged(CredentialsState.ELSEWHERE, CredentialsState.ELSEWHERE, unchecked)

    assert (answer.presence, answer.integrity) == (Presence.ELSEWHERE, None)


def test_a_violation_of_coverage_breaks_what_both_verifiers_trust() -> None:
    covered = replace(COVERED, violations=("the padding holds something",))

    answer = judged(TRUSTED, TRUSTED, covered)

    assert answer.integrity is Integrity.BROKEN
    assert answer.reasons == ("the padding holds something",)


def test_remarks_on_a_stranger_are_told_and_change_nothing() -> None:
    answer = judged(TRUSTED, TRUSTED, replace(COVERED, remarks=("no time-stamp",)))

    assert (answer.integrity, answer.trust) == (Integrity.HOLDS, TrustState.TRUSTED)
    assert answer.reasons == ("no time-stamp",)


def test_a_file_without_credentials_is_absent_and_nothing_more() -> None:
    unchecked = CoverageFinding(CoverageState.NOT_CHECKED, "no store")

    answer = judged(FirstReading(ABSENT, reason="none"), ABSENT, unchecked)

    assert (answer.presence, answer.integrity, answer.trust) == (Presence.ABSENT, None, None)
    assert answer.reasons == ("none",)


def test_remains_of_a_manifest_are_not_called_absent() -> None:
    remains = CoverageFinding(CoverageState.REMAINS, "a store in a free box")

    assert judged(ABSENT, ABSENT, remains).presence is Presence.UNREADABLE


def test_a_file_that_nobody_can_parse_is_unreadable() -> None:
    answer = judged(UNREADABLE, UNREADABLE, CoverageFinding(CoverageState.UNREADABLE, "no"))

    assert answer.presence is Presence.UNREADABLE
    assert answer.integrity is None
