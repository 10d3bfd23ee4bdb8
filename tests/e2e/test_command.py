"""Commands, exit codes and sentences, as a newcomer meets them."""

import json
import os
import re
import sqlite3
from pathlib import Path

import pytest

from tests.e2e.conftest import Countermark
from tests.support.drawing import drawn_video
from tests.support.press import new_home, released_clip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("command")


@pytest.fixture(scope="module")
def home(folder: Path) -> Path:
    return new_home(folder / "home").path


@pytest.fixture(scope="module")
def clip(home: Path, folder: Path) -> Path:
    from audit.home import Home

    return released_clip(Home(home), folder).path


def one_sentence(stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if line.startswith("countermark: ")]
    assert len(lines) == 1, stderr
    assert "Traceback" not in stderr
    return lines[0]


def test_init_makes_a_home_that_only_its_owner_can_read_and_doctor_finds_it_well(
    countermark: Countermark, tmp_path: Path
) -> None:
    home = tmp_path / "home"

    made = countermark("--home", home, "init", "--organisation", "Gazette")
    again = countermark("--home", home, "init")
    log = countermark("--home", home, "log", "ls", "--json")

    assert made.returncode == 0, made.stderr
    assert again.returncode == 1
    assert "is set up already" in one_sentence(again.stderr)
    assert [r["record"]["kind"] for r in json.loads(log.stdout)["records"]] == [
        "key", "key", "key", "key", "deployment"
    ]  # fmt: skip
    for secret in home.glob("keys/*.key"):
        assert secret.stat().st_mode & 0o077 == 0
    assert home.stat().st_mode & 0o077 == 0


def test_init_says_as_json_what_it_made(countermark: Countermark, tmp_path: Path) -> None:
    home = tmp_path / "home"

    made = json.loads(countermark("--home", home, "init", "--json").stdout)
    (home / "keys" / "sealing.key").unlink()
    renewed = json.loads(countermark("--home", home, "init", "--json").stdout)

    assert made == {
        "home": str(home),
        "log": "countermark.local/main",
        "log_key": str(home / "keys" / "log.vkey"),
        "policy": "default",
    }
    assert renewed == {"sealing_key": str(home / "keys" / "sealing.key")}


def test_verify_exits_with_the_status_and_prints_the_json_of_the_design(
    countermark: Countermark, home: Path, clip: Path
) -> None:
    done = countermark("--home", home, "verify", clip, "--json")

    assert done.returncode == 0, done.stderr
    values = json.loads(done.stdout)
    assert values["status"] == "intact"
    assert values["origin"] == "ours"
    assert set(values["layers"]) == {"content_credentials", "watermark", "fingerprint", "log"}
    assert re.fullmatch("[0-9a-f]{16}", values["layers"]["watermark"]["mark_id"])


def test_verify_needs_no_home(countermark: Countermark, clip: Path, tmp_path: Path) -> None:
    done = countermark("verify", clip, COUNTERMARK_HOME=str(tmp_path / "nowhere"))

    assert done.returncode == 11
    assert "untrusted" in done.stdout
    assert not (tmp_path / "nowhere").exists()


def test_a_token_is_shown_once_listed_by_name_and_revoked(
    countermark: Countermark, tmp_path: Path
) -> None:
    home = new_home(tmp_path / "home").path

    new = countermark("--home", home, "token", "new", "desk", "--role", "auditor", "--json")
    token = json.loads(new.stdout)["token"]
    listed = json.loads(countermark("--home", home, "token", "ls", "--json").stdout)
    revoked = countermark("--home", home, "token", "revoke", json.loads(new.stdout)["id"])
    after = json.loads(countermark("--home", home, "token", "ls", "--json").stdout)

    assert token.startswith("cmk_")
    assert listed[0]["name"] == "desk"
    assert revoked.returncode == 0
    assert after[0]["revoked"] is not None
    assert token.encode() not in (home / "ledger.db").read_bytes()
    wrong = countermark("--home", home, "token", "new", "x", "--role", "king")
    assert "the roles are creator, reviewer, auditor, admin" in one_sentence(wrong.stderr)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("verify", "nothing.mp4"), "nothing.mp4 cannot be opened"),
        (("verify", "."), "add -r"),
        (("log", "show", "999"), "has no record 999"),
        (("log", "ls", "--kind", "rumour"), "the kinds are"),
        (("log", "ls", "--decision", "blok"), "the decisions are allow, review, block"),
        (("log", "check", "--against", "LICENSE"), "LICENSE holds no checkpoint of press.example"),
        (("log", "checkpoint", "-o", "LICENSE"), "name a new file"),
        (("verify", "pyproject.toml", "--trust", "LICENSE"), "trust list LICENSE"),
    ],
)
def test_bad_input_gets_one_sentence(
    countermark: Countermark, home: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = countermark("--home", home, *arguments)

    assert done.returncode == 1
    assert words in one_sentence(done.stderr)


@pytest.mark.parametrize(
    "arguments",
    [
        ("log", "ls", "--after", "9" * 25),
        ("log", "ls", "--after", "-1"),
        ("log", "show", "9" * 25),
        ("log", "prove", "9" * 25),
        ("log", "show", "0", "--raw", "--prompt"),
        ("verify", "LICENSE", "--json", "--jsonl"),
    ],
)
def test_options_outside_their_range_are_a_matter_of_usage(
    countermark: Countermark, home: Path, arguments: tuple[str, ...]
) -> None:
    done = countermark("--home", home, *arguments)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_home_that_is_not_there_says_what_to_do(countermark: Countermark, tmp_path: Path) -> None:
    done = countermark("--home", tmp_path / "none", "log", "ls")

    assert done.returncode == 1
    assert "run `countermark init`" in one_sentence(done.stderr)


def test_a_setting_that_does_not_exist_is_named(countermark: Countermark, tmp_path: Path) -> None:
    home = new_home(tmp_path / "home")
    home.settings.write_text('[audit]\ndeploiment = "x"\n')

    done = countermark("--home", home.path, "log", "ls")

    assert done.returncode == 1
    assert "audit.deploiment" in one_sentence(done.stderr)


def test_keys_that_others_can_read_are_refused(
    countermark: Countermark, home: Path, clip: Path
) -> None:
    key = home / "keys" / "mark-1.key"
    key.chmod(0o640)
    try:
        done = countermark("--home", home, "verify", clip)
    finally:
        key.chmod(0o600)

    assert done.returncode == 1
    assert "mode 0640" in one_sentence(done.stderr)


def test_a_locked_database_is_told_in_one_sentence(
    countermark: Countermark, tmp_path: Path
) -> None:
    home = new_home(tmp_path / "home").path
    with sqlite3.connect(home / "ledger.db", isolation_level=None) as database:
        database.execute("BEGIN EXCLUSIVE")
        done = countermark("--home", home, "token", "new", "desk")
    database.close()

    assert done.returncode == 1
    assert "locked" in one_sentence(done.stderr)


def test_a_read_only_database_is_told_in_one_sentence(
    countermark: Countermark, tmp_path: Path
) -> None:
    home = new_home(tmp_path / "home").path
    new_token = ("--home", home, "token", "new", "desk")

    if os.geteuid() == 0:  # root writes to files whatever their mode; not to a read-only mount
        script = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"'
        wrapped = ("unshare", "--mount", "sh", "-c", script, "sh", home)
        done = countermark(*new_token, within=wrapped)
    else:
        for path in (*home.glob("ledger.db*"), home):
            path.chmod(0o500)
        done = countermark(*new_token)
        home.chmod(0o700)

    assert done.returncode == 1
    assert "cannot be opened" in one_sentence(done.stderr)


@pytest.mark.gates
def test_an_unreadable_or_unfitting_clip_is_not_protected(
    countermark: Countermark, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty.mp4").write_bytes(b"")
    drawn_video(tmp_path / "small.mp4", 4, width=32, height=32)

    for name, words in (("empty.mp4", "is empty"), ("small.mp4", "32")):
        done = countermark("--home", home, "protect", tmp_path / name, "-o", tmp_path / "out.mp4")
        assert done.returncode == 1, name
        assert words in one_sentence(done.stderr)
        assert not (tmp_path / "out.mp4").exists()
