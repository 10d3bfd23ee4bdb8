"""The log of a home: opened as it was made, never made in passing, read where nothing can write."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from audit.errors import HomeUnusable, LedgerDamaged
from audit.home import Home
from audit.last_signed import LastSigned
from audit.settings import ReadSettings
from audit.wiring import open_ledger, open_reader
from tests.support.press import new_home

CHECK = """
import sys
from pathlib import Path
from audit.home import Home
from audit.settings import ReadSettings
from audit.wiring import open_reader

home = Home(Path(sys.argv[1]))
with open_reader(home, ReadSettings.load(home.settings)) as reader:
    report = reader.check()
print(report.records, len(report.problems))
"""
READ_ONLY_MOUNT = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return new_home(tmp_path_factory.mktemp("press") / "home")


@pytest.fixture
def home(made: Home, tmp_path: Path) -> Home:
    return Home(Path(shutil.copytree(made.path, tmp_path / "home")))


def settings_of(home: Home) -> ReadSettings:
    return ReadSettings.load(home.settings)


def test_a_new_home_passes_its_check_and_knows_what_it_signed(home: Home) -> None:
    with open_reader(home, settings_of(home)) as reader:
        report = reader.check()
        signed, verifier = reader.latest_checkpoint(), reader.verifier

    assert report.problems == report.warnings == ()
    assert LastSigned(home.keys / "log.signed", verifier).read() == signed


@pytest.mark.parametrize("opened", [open_reader, open_ledger])
def test_a_log_that_is_gone_is_damage_and_no_second_one_is_begun(
    home: Home, opened: object
) -> None:
    for path in home.path.glob("ledger.db*"):
        path.unlink()

    with (
        pytest.raises(LedgerDamaged, match=r"ledger\.db is gone; restore it from a backup"),
        opened(home, settings_of(home)),  # type: ignore[operator]
    ):
        pass

    assert not list(home.path.glob("ledger.db*"))


@pytest.mark.parametrize("opened", [open_reader, open_ledger])
@pytest.mark.parametrize(
    ("name", "value"),
    [("COUNTERMARK_AUDIT__TENANT", "mian"), ("COUNTERMARK_AUDIT__DEPLOYMENT", "other.example")],
)
def test_settings_of_another_log_are_refused(
    home: Home, opened: object, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    with (
        pytest.raises(HomeUnusable, match=r"signs press\.example/main; put audit\.deployment"),
        opened(home, settings_of(home)),  # type: ignore[operator]
    ):
        pass


def test_a_public_key_that_is_none_is_told_in_one_sentence(home: Home) -> None:
    home.log_vkey.write_text("nonsense\n")

    with (
        pytest.raises(HomeUnusable, match="holds no public key of a log"),
        open_reader(home, settings_of(home)),
    ):
        pass


def test_a_log_on_read_only_media_is_checked(home: Home) -> None:
    command = [sys.executable, "-c", CHECK, str(home.path)]
    before = sorted(path.name for path in home.path.iterdir())
    if os.geteuid() == 0:  # root writes to folders whatever their mode; not to a read-only mount
        wrapped = ["unshare", "--mount", "sh", "-c", READ_ONLY_MOUNT, "sh", str(home.path)]
        done = subprocess.run([*wrapped, *command], capture_output=True, text=True, check=False)
    else:
        home.path.chmod(0o500)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        home.path.chmod(0o700)

    assert done.stderr == ""
    assert done.stdout.split()[1] == "0"
    assert sorted(path.name for path in home.path.iterdir()) == before
