"""Every command that a sentence of ours tells somebody to run is there to be run.

`test_command_pages.py` asks the same of the documents, options included.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from generator.cli import app

ROOT = Path(__file__).parents[2]
SOURCES = [
    p
    for name in ("generator", "safety", "provenance", "audit")
    for p in (ROOT / name).rglob("*.py")
]
QUOTED = re.compile(r"`countermark((?: (?!--)[a-z][a-z-]*)*)[^`]*`")
Group = typer.core.TyperGroup


def strings_of(path: Path) -> Iterator[str]:
    """Yield every string of a module, those of f-strings with `{}` for what is filled in."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
            )


def unknown_commands(text: str) -> list[str]:
    """Return the quoted commands that do not exist: `countermark policy diff`."""
    unknown = []
    for found in QUOTED.finditer(" ".join(text.split())):
        words, command = found[1].split(), typer.main.get_command(app)
        while words and isinstance(command, Group):
            word = words.pop(0)
            if word not in command.commands:
                unknown.append(found[0])
                break
            command = command.commands[word]
    return unknown


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_commands_in_our_sentences_exist(path: Path) -> None:
    assert [c for text in strings_of(path) for c in unknown_commands(text)] == []


def test_a_command_that_does_not_exist_is_noticed() -> None:
    text = "`countermark policy lint one`, `countermark log\n migrate`, `countermark verify x`"

    assert len(unknown_commands(text)) == 2
    assert (
        unknown_commands("`countermark --home FOLDER init` and `countermark model pin FOLDER`")
        == []
    )
