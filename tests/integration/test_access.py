"""Tokens: accepted while they hold, stored only as hashes, and every change of them in the log."""

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest

from audit.access import RIGHTS, Principal, Right, Role, Tokens, issue_token, revoke_token
from audit.errors import (
    AccessDenied,
    AppendFailed,
    LedgerDamaged,
    NotFound,
    RecordInvalid,
    TokenInvalid,
)
from audit.ledger import Ledger
from tests.support.logs import START, open_log
from tests.support.tamper import run


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_log(tmp_path)


def test_an_issued_token_is_accepted(ledger: Ledger) -> None:
    text, entry = issue_token(ledger, Role.AUDITOR, name="Ada", now=START)

    principal = Tokens(ledger).authenticate(text, now=START)

    assert text.startswith("cmk_")
    assert len(text) == 4 + 43
    assert principal == Principal(str(entry.record.body["token_id"]), "Ada", Role.AUDITOR)


def test_neither_the_token_nor_its_name_stands_in_the_log(ledger: Ledger, tmp_path: Path) -> None:
    text, entry = issue_token(ledger, Role.AUDITOR, name="Ada", now=START)
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("countermark.db*"))

    assert text.encode() not in stored
    assert b"Ada" not in entry.record.canonical


@pytest.mark.parametrize("name", ["", "n" * 129, "a\0b"])
def test_a_name_that_no_column_holds_is_refused(ledger: Ledger, name: str) -> None:
    with pytest.raises(RecordInvalid, match="give 1 to 128 characters"):
        issue_token(ledger, Role.AUDITOR, name=name, now=START)


def test_the_log_holds_the_hash_that_lets_a_token_in(ledger: Ledger) -> None:
    text, issued = issue_token(ledger, Role.AUDITOR, name="Ada", now=START)
    revoked = revoke_token(ledger, str(issued.record.body["token_id"]), now=START)

    sha256 = hashlib.sha256(text.encode()).hexdigest()
    assert issued.record.body["sha256"] == revoked.record.body["sha256"] == sha256


def test_a_role_that_is_none_is_damage(ledger: Ledger, tmp_path: Path) -> None:
    text, _ = issue_token(ledger, Role.AUDITOR, name="Ada", now=START)
    run(tmp_path / "countermark.db", "UPDATE token SET role = 'king'")

    with pytest.raises(LedgerDamaged, match="the role 'king', which is none"):
        Tokens(ledger).authenticate(text, now=START)


@pytest.mark.parametrize("text", ["", "cmk_", "cmk_" + "A" * 43, "Bearer x", "\ud800", "é" * 50])
def test_an_unknown_token_is_refused(ledger: Ledger, text: str) -> None:
    issue_token(ledger, Role.ADMIN, name="Ada", now=START)

    with pytest.raises(TokenInvalid, match="unknown"):
        Tokens(ledger).authenticate(text, now=START)


def test_a_token_expires(ledger: Ledger) -> None:
    expires = START + timedelta(days=1)
    text, entry = issue_token(ledger, Role.CREATOR, name="CI", now=START, expires=expires)

    Tokens(ledger).authenticate(text, now=expires - timedelta(milliseconds=1))
    with pytest.raises(TokenInvalid, match="expired"):
        Tokens(ledger).authenticate(text, now=expires)
    assert entry.record.body["expires"] == 1_795_435_200_000


def test_a_revoked_token_is_refused_and_the_log_says_so(ledger: Ledger) -> None:
    text, entry = issue_token(ledger, Role.CREATOR, name="CI", now=START)
    token_id = str(entry.record.body["token_id"])

    revoked = revoke_token(ledger, token_id, now=START, actor="admin-1")

    with pytest.raises(TokenInvalid, match="revoked"):
        Tokens(ledger).authenticate(text, now=START)
    assert revoked.record.body["action"] == "revoked"
    assert Tokens(ledger).list_all()[0].revoked == START
    with pytest.raises(AppendFailed, match="revoked already"):
        revoke_token(ledger, token_id, now=START)
    assert ledger.size == 2


def test_an_unknown_token_cannot_be_revoked(ledger: Ledger) -> None:
    with pytest.raises(NotFound, match="token ls"):
        revoke_token(ledger, "0" * 16, now=START)


@pytest.mark.parametrize("role", list(Role))
def test_a_role_has_its_rights_and_no_other(role: Role) -> None:
    principal = Principal("0" * 16, "Ada", role)

    for right in Right:
        if right in RIGHTS[role]:
            principal.require(right)
        else:
            with pytest.raises(AccessDenied, match=f"lacks|{right}"):
                principal.require(right)


def test_only_an_administrator_administers() -> None:
    assert [role for role in Role if Right.ADMIN in RIGHTS[role]] == [Role.ADMIN]
