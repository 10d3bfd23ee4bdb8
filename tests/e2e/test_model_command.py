"""`countermark model`: a folder gets its identity, and every later byte is held to it."""

import json
import shutil
import tomllib
from pathlib import Path

import pytest

from generator.models import shipped
from tests.e2e.conftest import Countermark


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(shipped.folder(), tmp_path / "wan"))


def settings_in(stdout: str) -> str:
    return stdout[stdout.index("[generator]") :]


def test_what_pin_prints_is_what_the_settings_take_and_check_confirms(
    countermark: Countermark, folder: Path, tmp_path: Path
) -> None:
    pinned = countermark("model", "pin", folder)
    assert pinned.returncode == 0, pinned.stderr
    chosen = tomllib.loads(settings_in(pinned.stdout))["generator"]
    assert chosen["model_digest"] == shipped.DIGEST
    assert chosen["preset"] == "t2v-a14b"

    home = tmp_path / "home"
    home.mkdir()
    (home / "countermark.toml").write_text(settings_in(pinned.stdout))
    checked = countermark("--home", home, "model", "check", "--json")

    assert checked.returncode == 0, checked.stderr
    assert json.loads(checked.stdout)["digest"] == shipped.DIGEST
    assert json.loads(checked.stdout) == json.loads(
        countermark("model", "pin", folder, "--json").stdout
    )


def test_one_changed_byte_is_named(countermark: Countermark, folder: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    pinned = countermark("model", "pin", folder)
    (home / "countermark.toml").write_text(settings_in(pinned.stdout))
    weights = folder / "vae" / "diffusion_pytorch_model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)

    checked = countermark("--home", home, "model", "check")

    assert checked.returncode == 1
    assert "vae/diffusion_pytorch_model.safetensors" in checked.stderr
    assert "Traceback" not in checked.stderr


def test_the_shipped_model_is_checked_against_the_digest_in_the_code(
    countermark: Countermark, tmp_path: Path
) -> None:
    checked = countermark("--home", tmp_path, "model", "check")

    assert checked.returncode == 0, checked.stderr
    assert f"{shipped.DIGEST}, as pinned for tiny" in checked.stdout


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ('model = "wan"', "needs `model_folder` and `model_digest`"),
        ('model = "theirs"', "comes from another package"),
    ],
)
def test_what_cannot_be_asked_is_told_with_what_to_do(
    countermark: Countermark, tmp_path: Path, settings: str, words: str
) -> None:
    (tmp_path / "countermark.toml").write_text(f"[generator]\n{settings}\n")

    checked = countermark("--home", tmp_path, "model", "check")

    assert checked.returncode == 1
    assert words in checked.stderr


@pytest.mark.parametrize("kind", ["nothing there", "no pipeline", "a pickle"])
def test_a_folder_that_cannot_be_pinned_is_refused_in_one_sentence(
    countermark: Countermark, folder: Path, tmp_path: Path, kind: str
) -> None:
    match kind:
        case "nothing there":
            folder = tmp_path / "none"
        case "no pipeline":
            (folder / "model_index.json").unlink()
        case "a pickle":
            (folder / "vae" / "model.bin").write_bytes(b"x")

    pinned = countermark("model", "pin", folder)

    assert pinned.returncode == 1
    assert pinned.stdout == ""
    assert len(pinned.stderr.strip().splitlines()) == 1
