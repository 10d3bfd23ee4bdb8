"""What the documents show is what happens; every setting and status is in them."""

import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest

from audit.report import LayerState
from audit.settings import AuditSettings
from audit.status import EXIT_CODES
from benchmarks.figures import measured
from benchmarks.robustness.pages import SECTIONS
from generator.settings import GeneratorSettings
from provenance.settings import ProvenanceSettings
from provenance.watermark import MarkState
from safety.settings import SafetySettings
from tests.e2e.conftest import Countermark
from tests.support import textured

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
VERIFYING = (ROOT / "docs/verifying.md").read_text(encoding="utf-8")
EXIT_AS_README_SAYS = {"tests/vectors/unmarked.mp4": 10}


def commands_of_the_readme() -> list[list[str]]:
    blocks = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("$ ")]
    return [shlex.split(line.removeprefix("$ ")) for line in lines]


@pytest.mark.gates
def test_the_commands_of_the_readme_do_what_it_says(
    countermark: Countermark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    commands = commands_of_the_readme()
    assert len(commands) >= 5

    for program, *arguments in commands:
        assert program == "countermark"
        done = countermark(*arguments, COUNTERMARK_HOME=str(tmp_path / "home"))
        verified = arguments[-1] if arguments[0] == "verify" else ""
        assert done.returncode == EXIT_AS_README_SAYS.get(verified, 0), done.stderr + done.stdout


def test_every_link_between_documents_leads_somewhere() -> None:
    folders = (ROOT / name for name in ("docs", "tests", "benchmarks", "training"))
    for page in (*ROOT.glob("*.md"), *(p for folder in folders for p in folder.rglob("*.md"))):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page}: {target}"


def test_the_folders_of_the_readme_exist() -> None:
    for folder in re.findall(r"^\| `([a-z]+)`", README, re.MULTILINE):
        assert (ROOT / folder).is_dir(), folder


def test_the_figures_of_the_readme_are_those_of_the_results() -> None:
    assert measured() in README


@pytest.mark.parametrize("name", SECTIONS)
def test_the_figures_of_the_pages_are_those_of_the_results(name: str) -> None:
    section = SECTIONS[name]
    page = (ROOT / section.document).read_text(encoding="utf-8")
    between = f"<!-- {name} -->\n\n{section.written()}\n\n<!-- end of {name} -->"

    assert page.count(between) == 1


def test_the_model_card_of_tiny_says_what_was_measured() -> None:
    text = (ROOT / "docs/model-card-tiny.md").read_text(encoding="utf-8")
    results = ROOT / "benchmarks/results/tiny_model.json"
    seen = json.loads(results.read_text(encoding="utf-8"))["held_out"]

    for label, factor in (
        ("background colour", "background"),
        ("object colour", "colour"),
        ("shape", "shape"),
        ("motion", "motion"),
    ):
        found = seen[factor]
        share, least = 100 * found["share"], 100 * found["lower_95"]
        assert f"| {label} | {found['right']} | {share:.1f} % | {least:.1f} % |" in text


def test_every_status_exit_code_and_layer_state_is_explained() -> None:
    for status, code in EXIT_CODES.items():
        assert re.search(rf"^\| `{status.value}` .* {code} \|$", VERIFYING, re.MULTILINE), status
    for state in LayerState:
        assert f"| `{state.value}` |" in VERIFYING


def test_the_example_names_every_setting_with_its_default() -> None:
    text = (ROOT / "countermark.example.toml").read_text(encoding="utf-8")
    example = tomllib.loads(text)

    for table, model in (
        ("provenance", ProvenanceSettings()),
        ("audit", AuditSettings()),
        ("safety", SafetySettings()),
        ("generator", GeneratorSettings()),
    ):
        for name, default in model.model_dump(mode="json").items():
            if default is None:
                assert re.search(rf"^# {name} = ", text, re.MULTILINE), f"{table}.{name}"
            else:
                assert example[table][name] == default, f"{table}.{name}"


def test_the_marks_page_marks_and_finds() -> None:
    page = (ROOT / "docs/watermark.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {"frames": textured.clip(frames=17)}

    exec(compile(code, "docs/watermark.md", "exec"), names)

    assert names["detection"].state is MarkState.FOUND
