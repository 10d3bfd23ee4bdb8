"""A model is found by entry point; whatever its code does while opening is told in a sentence."""

from pathlib import Path

import pytest

from audit.home import Home
from generator.errors import ExtraMissing, ModelUnavailable
from generator.settings import GeneratorSettings, Settings
from generator.wiring import open_model


def install(folder: Path, module: str, code: str) -> None:
    """Lay a distribution that offers the model `theirs` into a folder of the path."""
    (folder / f"{module}.py").write_text(code)
    metadata = folder / "theirs-1.2.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.2\n")
    (metadata / "entry_points.txt").write_text(
        f"[countermark.models]\ntheirs = {module}:open_model\n"
    )


def opened(folder: Path, name: str = "theirs") -> object:
    settings = Settings(generator=GeneratorSettings(model=name))
    return open_model(Home(folder / "home"), settings)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_a_model_of_another_package_is_opened_with_the_settings(site: Path) -> None:
    install(site, "model_sound", "def open_model(settings): return settings.name")

    assert opened(site) == "theirs"


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("raise RuntimeError('at import')", "RuntimeError: at import"),
        ("this is no Python", "SyntaxError"),
        ("def open_model(settings): raise OSError('no weights')", "OSError: no weights"),
        ("def open_model(): pass", "TypeError"),
        ("", "AttributeError"),
    ],
)
def test_whatever_breaks_while_opening_a_model_is_told(
    site: Path, code: str, complaint: str
) -> None:
    install(site, f"model_{complaint.partition(':')[0].lower()}", code)

    with pytest.raises(ModelUnavailable, match="the model 'theirs' cannot start") as told:
        opened(site)

    assert complaint in str(told.value)
    assert told.value.__cause__ is not None


def test_a_missing_module_is_named_with_the_extra_that_brings_it(site: Path) -> None:
    install(site, "model_needy", "import a_module_that_is_not_there")

    with pytest.raises(ExtraMissing, match=r"needs a_module_that_is_not_there.*\[generate\]"):
        opened(site)


def test_an_unknown_model_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"set generator\.model to one of: tiny, wan"):
        opened(tmp_path, "sora")
