"""The status table, over every combination of what the layers can say."""

import itertools

import pytest

from audit.status import (
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


def test_intact_needs_trusted_credentials_and_no_disagreement_at_all() -> None:
    intact = [f for f in EVERY if decide(f).status is Status.INTACT]

    assert all(f.credentials is Credentials.TRUSTED for f in intact)
    assert all(f.agreement is not Agreement.CONFLICT for f in intact)
    assert all(f.fingerprint is not Fingerprint.DIFFERENT for f in intact)
    assert all(f.log not in {Log.OTHER_BYTES, Log.NEVER_RELEASED} for f in intact)


def test_a_broken_file_is_never_better_than_altered() -> None:
    broken = {decide(f).status for f in EVERY if f.credentials is Credentials.BROKEN}

    assert broken == {Status.ALTERED, Status.CONTRADICTED}


def test_only_a_positive_difference_contradicts() -> None:
    contradicted = [f for f in EVERY if decide(f).status is Status.CONTRADICTED]

    assert all(
        f.agreement is Agreement.CONFLICT
        or f.fingerprint is Fingerprint.DIFFERENT
        or f.log is Log.NEVER_RELEASED
        for f in contradicted
    )


def test_what_could_not_be_checked_never_makes_the_answer_worse() -> None:
    unchecked = [
        f for f in EVERY if f.fingerprint is Fingerprint.NOT_CHECKED and f.log is Log.NOT_CHECKED
    ]

    for findings in unchecked:
        known = Findings(
            findings.pictures,
            findings.credentials,
            findings.mark,
            Fingerprint.INCONCLUSIVE,
            Log.NOT_FOUND,
            findings.agreement,
        )
        assert decide(findings) == decide(known)


def test_unknown_is_said_only_where_nothing_was_found() -> None:
    unknown = [f for f in EVERY if decide(f).status is Status.UNKNOWN]

    assert all(f.credentials is Credentials.ABSENT for f in unknown)
    assert all(f.mark is not Mark.FOUND for f in unknown)


@pytest.mark.parametrize("status", Status)
def test_every_status_has_its_own_exit_code_and_place_in_a_batch(status: Status) -> None:
    assert WORST_FIRST.count(status) == 1
    assert list(EXIT_CODES.values()).count(EXIT_CODES[status]) == 1


def test_a_batch_ends_with_its_worst_status() -> None:
    assert worst([Status.INTACT, Status.UNKNOWN, Status.ALTERED]) is Status.ALTERED
    assert worst(list(Status)) is Status.CONTRADICTED
