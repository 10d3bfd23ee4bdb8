"""A home's mark keys: the newest marks, all are looked for, each is in the log before it marks."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from audit.errors import HomeUnusable
from audit.home import Home
from audit.report import LayerState
from audit.status import Status
from audit.vocabulary import KeyPurpose
from audit.wiring import now, own_mark_keys
from generator.errors import RequestInvalid
from generator.key_commands import rotate_key
from generator.keyring import KeyUse, KnownKey, known_keys, rotate_mark_key
from generator.settings import Settings
from generator.setup import NewHome, set_up
from provenance.errors import KeyExposed, KeyUnavailable
from provenance.keys import write_secret
from tests.support.press import new_home, opened_verifier, released_clip
from tests.support.thief import reencoded

PROGRAM = Path(sys.executable).with_name("countermark")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return new_home(tmp_path / "home")


def settings_of(home: Home) -> Settings:
    return Settings.load(home.settings)


def rotate(home: Home) -> KnownKey:
    return rotate_mark_key(home, settings_of(home))


def mark_keys(home: Home) -> list[KnownKey]:
    return [k for k in known_keys(home, settings_of(home)) if k.purpose is KeyPurpose.MARK]


def test_every_kind_of_key_is_named_with_its_record_and_none_with_its_secret(home: Home) -> None:
    keys = known_keys(home, settings_of(home))

    assert {key.purpose for key in keys} == set(KeyPurpose)
    assert {key.use for key in keys} == {KeyUse.IN_USE}
    assert all(key.record_index is not None for key in keys)
    told = repr(keys).encode()
    for path in home.keys.glob("*.key"):
        assert path.read_bytes() not in told
        assert path.read_bytes().hex().encode() not in told


def test_a_new_mark_key_marks_and_the_old_one_is_looked_for(home: Home) -> None:
    (first,) = mark_keys(home)

    second = rotate(home)

    assert [(key.key_id, key.use, key.file) for key in mark_keys(home)] == [
        (second.key_id, KeyUse.IN_USE, "keys/mark-2.key"),
        (first.key_id, KeyUse.LOOKED_FOR, "keys/mark-1.key"),
    ]
    assert second.record_index is not None
    assert [own.path for own in own_mark_keys(home, settings_of(home))] == [
        home.keys / "mark-2.key",
        home.keys / "mark-1.key",
    ]


def test_the_tenth_key_is_newer_than_the_ninth(home: Home) -> None:
    for _ in range(9):
        rotate(home)

    assert home.mark_key == home.keys / "mark-10.key"
    assert len(mark_keys(home)) == 10


@pytest.mark.parametrize(
    "name", ["mark-.key", "mark-0.key", "mark-02.key", "mark-2.key.bak", "mark-two.key", "mark.key"]
)
def test_a_file_with_another_name_is_no_mark_key(home: Home, name: str) -> None:
    write_secret(home.keys / name)

    assert home.mark_keys == (home.keys / "mark-1.key",)


def test_a_key_that_others_can_read_is_refused_though_it_marks_nothing_any_more(
    home: Home,
) -> None:
    rotate(home)
    (home.keys / "mark-1.key").chmod(0o640)

    with pytest.raises(KeyExposed, match=r"mark-1\.key has mode 0640"):
        own_mark_keys(home, settings_of(home))
    with pytest.raises(KeyExposed):
        rotate(home)

    assert len(home.mark_keys) == 2


def test_a_key_that_was_taken_away_keeps_its_number_and_its_line(home: Home) -> None:
    leaked = rotate(home)
    (home.keys / "mark-2.key").unlink()

    third = rotate(home)

    assert third.file == "keys/mark-3.key"
    assert [(k.key_id, k.use, k.file) for k in mark_keys(home) if k.use is KeyUse.ABSENT] == [
        (leaked.key_id, KeyUse.ABSENT, None)
    ]


def test_a_key_that_no_record_names_yet_is_listed_as_such(home: Home) -> None:
    write_secret(home.keys / "mark-2.key")  # as a rotation that died before its record leaves it

    newest = mark_keys(home)[0]

    assert (newest.file, newest.use) == ("keys/mark-2.key", KeyUse.IN_USE)
    assert (newest.since, newest.record_index) == (None, None)


def test_no_key_is_made_where_the_log_cannot_be_told(home: Home) -> None:
    home.log_key.unlink()

    with pytest.raises(KeyUnavailable):
        rotate(home)

    assert home.mark_keys == (home.keys / "mark-1.key",)


def test_a_copy_without_secrets_still_tells_which_keys_there_were(
    home: Home, tmp_path: Path
) -> None:
    copy = Home(tmp_path / "copy")
    copy.keys.mkdir(parents=True)
    for path in (home.settings, home.log_vkey, *home.path.glob("ledger.db*")):
        shutil.copy2(path, copy.path / path.relative_to(home.path))

    assert {key.use for key in known_keys(copy, settings_of(copy))} == {KeyUse.ABSENT}


def test_a_home_without_any_mark_key_is_told_to_be_restored(home: Home) -> None:
    (home.keys / "mark-1.key").unlink()

    with pytest.raises(HomeUnusable, match=r"lacks keys/mark-1\.key"):
        set_up(home, NewHome(), now())


def test_a_home_whose_mark_keys_are_lost_for_good_gets_one_that_marks_from_here_on(
    home: Home,
) -> None:
    (lost,) = mark_keys(home)
    (home.keys / "mark-1.key").unlink()

    made = rotate(home)

    assert made.file == "keys/mark-2.key"
    assert {key.key_id: key.use for key in mark_keys(home)} == {
        made.key_id: KeyUse.IN_USE,
        lost.key_id: KeyUse.ABSENT,
    }


def test_processes_that_rotate_at_once_have_each_their_own_key_or_say_why_not(home: Home) -> None:
    command = [str(PROGRAM), "--home", str(home.path), "keys", "rotate", "mark"]
    started = [
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    ended = [(process.communicate()[1], process.returncode) for process in started]

    succeeded = [said for said, code in ended if code == 0]
    assert succeeded
    assert all("a key is never replaced" in said for said, code in ended if code != 0), ended
    assert len(home.mark_keys) == 1 + len(succeeded)
    assert all(key.record_index is not None for key in mark_keys(home))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("log", "begins a new log"),
        ("signing", "put the new key and its chain in place"),
        ("timestamp", "put the new key and its chain in place"),
        ("sealing", "closed for good"),
        ("marc", "is no kind of key"),
    ],
)
def test_other_kinds_are_refused_with_the_way_that_there_is(
    home: Home, kind: str, words: str
) -> None:
    with pytest.raises(RequestInvalid, match="takes one kind, mark") as refused:
        rotate_key(home.path, kind, as_json=False)

    assert words in str(refused.value)


def test_a_clip_that_was_marked_with_the_old_key_is_still_found_after_a_rotation(
    home: Home, tmp_path: Path
) -> None:
    old = released_clip(home, tmp_path, name="old")
    first, *_ = mark_keys(home)
    second = rotate(home)
    new = released_clip(home, tmp_path, name="new", seed=8)
    stripped = {
        released.mark_id: reencoded(released.path, tmp_path / f"{released.mark_id}.mp4")
        for released in (old, new)
    }

    with opened_verifier(home) as verifier:
        for released, key in ((old, first), (new, second)):
            report = verifier.verify(released.path)
            assert report.status is Status.INTACT
            assert report.watermark.evidence["mark_id"] == released.mark_id
            assert found_with(report.watermark.evidence) == key.key_id
            assert verifier.verify(stripped[released.mark_id]).status is Status.STRIPPED

    (home.keys / "mark-1.key").unlink()
    with opened_verifier(home) as verifier:
        report, copy = (verifier.verify(path) for path in (old.path, stripped[old.mark_id]))
        assert report.status is Status.INTACT
        assert copy.status is not Status.CONTRADICTED
        assert {report.watermark.state, copy.watermark.state} == {LayerState.NOT_FOUND}


def found_with(evidence: object) -> str:
    assert isinstance(evidence, dict)
    (key_id,) = {each["key_id"] for each in evidence["searches"] if each["mark_id"]}
    return str(key_id)
