"""A home is made once, whole, and finished after an interruption at any point."""

import json
import shutil
import sys
import tomllib
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from audit.errors import HomeUnusable
from audit.home import Home
from audit.ledger import Ledger
from audit.vocabulary import RecordKind
from audit.wiring import now
from generator import setup
from generator.errors import RequestInvalid
from generator.settings import Settings
from generator.setup import NewHome, replace_sealing_key, set_up
from safety.errors import PolicyInvalid
from tests.support.press import opened_log

BEGINNING = [
    ("deployment", None),
    ("key", "signing"),
    ("key", "timestamp"),
    ("key", "mark"),
    ("key", "sealing"),
]
# Everything that `set_up` makes durable, in order: after each an interruption may come.
STEPS = [
    (setup, "_write_whole"),
    (setup, "write_log_key"),
    (setup, "make_demo_pki"),
    (setup, "write_secret"),
    (Ledger, "commit"),
]


def beginning(home: Home) -> list[tuple[str, Any]]:
    with opened_log(home) as ledger:
        return [(s.record.kind.value, s.record.body.get("purpose")) for s in ledger.entries()]


def interrupted_after(number: int, function: Callable[..., object]) -> Callable[..., object]:
    calls = count(1)

    def interrupting(*args: object, **options: object) -> object:
        result = function(*args, **options)
        if next(calls) == number:
            raise KeyboardInterrupt
        return result

    return interrupting


@pytest.mark.parametrize(
    ("owner", "name", "number"),
    [(owner, name, 1) for owner, name in STEPS]
    + [(setup, "_write_whole", 2), (setup, "write_secret", 2)]
    + [(Ledger, "commit", number) for number in (2, 3, 4, 5)],
)
def test_an_interrupted_init_is_finished_by_the_next_and_says_whose_the_log_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: object, name: str, number: int
) -> None:
    home = Home(tmp_path / "home")
    with monkeypatch.context() as patched:
        patched.setattr(owner, name, interrupted_after(number, getattr(owner, name)))
        with pytest.raises(KeyboardInterrupt):
            set_up(home, NewHome(), now())

    was_complete = (name, number) == ("_write_whole", 2)
    assert home.exists is was_complete
    if not was_complete:
        set_up(home, NewHome(), now())

    assert home.exists
    assert beginning(home) == BEGINNING
    with pytest.raises(HomeUnusable, match="is set up already"):
        set_up(home, NewHome(), now())


@pytest.mark.parametrize("deployment", ['a"b', "", "UPPER", "with space", "a/b", "x" * 64, "a\n"])
def test_a_deployment_that_cannot_name_a_log_is_refused_before_anything_is_made(
    tmp_path: Path, deployment: str
) -> None:
    home = Home(tmp_path / "home")

    with pytest.raises(RequestInvalid, match="cannot name a log"):
        set_up(home, NewHome(deployment=deployment), now())

    assert not home.path.exists()


@pytest.mark.parametrize("organisation", ["", "x" * 65, "two\nlines"])
def test_an_organisation_that_no_certificate_can_name_is_refused(
    tmp_path: Path, organisation: str
) -> None:
    with pytest.raises(RequestInvalid, match="cannot stand in a certificate"):
        set_up(Home(tmp_path / "home"), NewHome(organisation=organisation), now())

    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("policy", ["nosuch", "./nosuch.toml", ""])
def test_a_policy_that_does_not_exist_is_refused_before_anything_is_made(
    tmp_path: Path, policy: str
) -> None:
    with pytest.raises(PolicyInvalid):
        set_up(Home(tmp_path / "home"), NewHome(policy=policy), now())

    assert not (tmp_path / "home").exists()


def test_a_policy_file_is_found_from_every_folder_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = tmp_path / 'a "quoted"\\folder\x7f é'
    odd.mkdir()
    shipped = Path(sys.modules["safety"].__path__[0]) / "policies" / "default.toml"
    (odd / "ours.toml").write_bytes(shipped.read_bytes())
    monkeypatch.chdir(odd)
    home = Home(tmp_path / "home")

    set_up(home, NewHome(policy="ours.toml"), now())

    monkeypatch.chdir(tmp_path)
    assert Settings.load(home.settings).safety.policy == str(odd / "ours.toml")


@pytest.mark.parametrize(
    "text", ["plain", 'a"b\\c', "tab\tline\nnul\x00del\x7f", "caf\u00e9 \U0001f3ac"]
)
def test_any_text_is_quoted_so_that_toml_reads_it_back(text: str) -> None:
    assert tomllib.loads(f"key = {setup._toml_string(text)}") == {"key": text}


def test_a_home_restored_without_its_sealing_key_gets_a_new_one_and_the_log_says_so(
    tmp_path: Path,
) -> None:
    home = Home(tmp_path / "home")
    set_up(home, NewHome(), now())
    home.sealing_key.unlink()
    home.private.rmdir()

    replace_sealing_key(home, now())

    assert home.sealing_key.stat().st_mode & 0o777 == 0o600
    assert home.private.is_dir()
    with opened_log(home) as ledger:
        first, second = (
            json.loads(s.record.canonical)["body"]["key_id"]
            for s in ledger.entries()
            if s.record.body.get("purpose") == "sealing"
        )
        assert ledger.get(ledger.size - 1).record.kind is RecordKind.KEY
    assert first != second


def test_a_home_that_lacks_more_than_its_sealing_key_is_named_by_what_it_lacks(
    tmp_path: Path,
) -> None:
    home = Home(tmp_path / "home")
    set_up(home, NewHome(), now())
    home.sealing_key.unlink()
    home.log_key.unlink()

    with pytest.raises(HomeUnusable, match=r"lacks keys/log\.key; restore"):
        replace_sealing_key(home, now())
    with pytest.raises(HomeUnusable, match=r"lacks keys/log\.key; restore"):
        set_up(home, NewHome(), now())

    assert not home.log_key.exists()


STEP_2 = ["log.key", "mark-1.key", "signing.key", "sealing.key", "signing.pem", "root.pem"]


@pytest.mark.parametrize(
    "lost",
    [
        ["log.vkey", "mark-1.key"],
        ["log.vkey", *STEP_2, "tsa-root.pem", "log.signed"],  # all of keys/ but the authority's
        ["log.vkey", *STEP_2[1:], "tsa-root.pem"],
    ],
)
def test_init_makes_no_second_keys_for_a_log_that_was_begun(
    tmp_path: Path, lost: list[str]
) -> None:
    home = Home(tmp_path / "home")
    set_up(home, NewHome(), now())
    for name in lost:
        (home.keys / name).unlink()
    before = {path: path.read_bytes() for path in home.keys.iterdir()}

    with pytest.raises(HomeUnusable, match="holds a log and lacks") as refused:
        set_up(home, NewHome(), now())

    named = set(lost) - {"log.vkey", "log.signed"}
    assert all(f"keys/{name}" in str(refused.value) for name in named)
    assert {path: path.read_bytes() for path in home.keys.iterdir()} == before


def test_init_makes_nothing_where_only_the_database_is_left(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    set_up(home, NewHome(), now())
    shutil.rmtree(home.keys)
    home.settings.unlink()

    with pytest.raises(HomeUnusable, match=r"lacks countermark\.toml, keys/log\.key"):
        set_up(home, NewHome(), now())

    assert not home.keys.exists()
    assert not home.settings.exists()
