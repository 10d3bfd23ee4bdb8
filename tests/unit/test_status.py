"""The status table, over every combination of what the layers can say."""

import itertools
from dataclasses import replace

import pytest

from audit.status import (
    CONTRADICTIONS,
    EXIT_CODES,
    RULES,
    WORST_FIRST,
    Agreement,
    Credentials,
    Findings,
    Fingerprint,
    Log,
    Mark,
    Pictures,
    Status,
    decide,
    worst,
)

EVERY = [
    Findings(*combination)
    for combination in itertools.product(Pictures, Credentials, Mark, Fingerprint, Log, Agreement)
]


def test_every_combination_gets_exactly_one_status_and_every_rule_is_used() -> None:
    used = {decide(findings) for findings in EVERY}

    assert used == set(RULES)


def statuses_where(**fixed: object) -> set[Status]:
    return {
        decide(f).status for f in EVERY if all(getattr(f, name) is v for name, v in fixed.items())
    }


def test_intact_needs_trusted_credentials_and_no_disagreement_at_all() -> None:
    intact = [f for f in EVERY if decide(f).status is Status.INTACT]

    assert all(f.credentials is Credentials.TRUSTED for f in intact)
    assert all(f.agreement in {Agreement.AGREE, Agreement.SILENT} for f in intact)
    assert all(f.fingerprint is not Fingerprint.DIFFERENT for f in intact)
    assert all(
        f.log in {Log.THESE_BYTES, Log.IN_HISTORY, Log.NOT_FOUND, Log.NOT_CHECKED} for f in intact
    )


def test_a_broken_file_is_never_better_than_altered() -> None:
    broken = statuses_where(credentials=Credentials.BROKEN)

    assert broken == {Status.ALTERED, Status.CONTRADICTED}


@pytest.mark.parametrize("agreement", sorted(CONTRADICTIONS))
def test_every_kind_of_disagreement_contradicts_with_words_of_its_own(
    agreement: Agreement,
) -> None:
    rules = {decide(f) for f in EVERY if f.agreement is agreement}

    assert {rule.status for rule in rules} == {Status.CONTRADICTED}
    assert len(rules) == 1


def test_only_a_positive_difference_contradicts() -> None:
    contradicted = [f for f in EVERY if decide(f).status is Status.CONTRADICTED]

    assert all(
        f.agreement in CONTRADICTIONS
        or f.fingerprint is Fingerprint.DIFFERENT
        or f.log is Log.NEVER_RELEASED
        for f in contradicted
    )


def test_a_released_clips_mark_is_never_intact_under_credentials_that_do_not_name_it() -> None:
    for credentials in (Credentials.TRUSTED, Credentials.UNTRUSTED):
        found = statuses_where(
            credentials=credentials,
            log=Log.BY_CONTENT,
            agreement=Agreement.SILENT,
            fingerprint=Fingerprint.NOT_CHECKED,
        )

        assert found == {Status.ALTERED}


def test_an_honest_edit_that_keeps_our_manifest_is_judged_by_its_own_signer() -> None:
    def found(credentials: Credentials) -> set[Status]:
        return statuses_where(
            credentials=credentials,
            log=Log.IN_HISTORY,
            agreement=Agreement.AGREE,
            fingerprint=Fingerprint.NOT_CHECKED,
        )

    assert found(Credentials.TRUSTED) == {Status.INTACT}
    assert found(Credentials.UNTRUSTED) == {Status.UNTRUSTED}


def test_a_mark_without_an_id_to_rely_on_accuses_nobody_and_leads_nowhere() -> None:
    bare = {
        "mark": Mark.PRESENT,
        "log": Log.NOT_FOUND,
        "agreement": Agreement.SILENT,
        "fingerprint": Fingerprint.NOT_CHECKED,
        "pictures": Pictures.DECODED,
    }

    assert statuses_where(credentials=Credentials.ABSENT, **bare) == {Status.UNKNOWN}
    assert statuses_where(credentials=Credentials.TRUSTED, **bare) == {Status.INTACT}
    assert statuses_where(credentials=Credentials.UNTRUSTED, **bare) == {Status.UNTRUSTED}


def test_what_could_not_be_checked_never_makes_the_answer_worse() -> None:
    unchecked = [
        f for f in EVERY if f.fingerprint is Fingerprint.NOT_CHECKED and f.log is Log.NOT_CHECKED
    ]

    for findings in unchecked:
        known = replace(findings, fingerprint=Fingerprint.INCONCLUSIVE, log=Log.NOT_FOUND)
        assert decide(findings) == decide(known)


def test_what_is_not_looked_at_is_not_called_unreadable() -> None:
    for credentials in (Credentials.ABSENT, Credentials.ELSEWHERE):
        for mark in (Mark.NOT_FOUND, Mark.NOT_CHECKED):
            found = statuses_where(
                pictures=Pictures.NOT_CHECKED,
                credentials=credentials,
                mark=mark,
                log=Log.NOT_FOUND,
                agreement=Agreement.SILENT,
                fingerprint=Fingerprint.NOT_CHECKED,
            )

            assert found == {Status.UNKNOWN}


def test_unknown_is_said_only_where_nothing_was_found() -> None:
    unknown = [f for f in EVERY if decide(f).status is Status.UNKNOWN]

    assert all(f.credentials in {Credentials.ABSENT, Credentials.ELSEWHERE} for f in unknown)
    assert all(f.mark is not Mark.FOUND for f in unknown)


@pytest.mark.parametrize("status", Status)
def test_every_status_has_its_own_exit_code_and_place_in_a_batch(status: Status) -> None:
    assert WORST_FIRST.count(status) == 1
    assert list(EXIT_CODES.values()).count(EXIT_CODES[status]) == 1


def test_a_batch_ends_with_its_worst_status() -> None:
    assert worst([Status.INTACT, Status.UNKNOWN, Status.ALTERED]) is Status.ALTERED
    assert worst(list(Status)) is Status.CONTRADICTED
