"""What the documents show is what happens; every setting, status and command is in them."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from audit.report import LayerState
from audit.settings import AuditSettings
from audit.status import EXIT_CODES
from generator.settings import GeneratorSettings
from provenance.settings import ProvenanceSettings
from safety.settings import SafetySettings
from tests.e2e.conftest import Countermark

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


def test_the_readmes_files_and_links_exist() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
    for folder in re.findall(r"^\| `([a-z]+)`", README, re.MULTILINE):
        assert (ROOT / folder).is_dir(), folder


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


def test_every_command_is_in_a_document(countermark: Countermark) -> None:
    documents = README + VERIFYING
    documents += "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("docs/*.md"))
    listed = countermark("--help").stdout
    names = re.findall(r"^│ ([a-z]+) ", listed, re.MULTILINE)

    assert {"verify", "make", "protect", "log", "serve"} <= set(names)
    for name in names:
        assert f"countermark {name}" in documents or f"make {name}" in documents, name


def test_help_lists_every_command_with_a_sentence(countermark: Countermark) -> None:
    for group in ((), ("log",), ("token",), ("screen",)):
        done = countermark(*group, "--help")
        assert done.returncode == 0
        assert "Usage" in done.stdout


def test_no_document_vouches_for_content() -> None:
    """Words that would be a verdict on what a video shows stand nowhere as one."""
    report = (ROOT / "audit/report.py").read_text(encoding="utf-8")
    allowed = 'says "\n        "nothing about whether the video is real'

    text = report.replace(allowed, "").lower()
    for word in ("authentic", "is real", "human-made", "genuine"):
        assert word not in text, word
