"""Help and pages speak of the commands that there are, with the options that they have."""

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import typer

from generator.cli import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted(ROOT.glob("docs/**/*.md"))]
COMMAND_PAGE = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
Group = typer.core.TyperGroup
UsageError = typer.BadParameter.__bases__[0]


def walk(group: Group, path: str = "countermark") -> Iterator[tuple[str, Any]]:
    """Yield every group and command below, by what a user types."""
    for name, command in group.commands.items():
        yield f"{path} {name}", command
        if isinstance(command, Group):
            yield from walk(command, f"{path} {name}")


def all_commands() -> Mapping[str, Any]:
    return dict(walk(typer.main.get_command(app)))


def examples() -> list[tuple[str, str]]:
    """Return the page and text of each command line in a code block."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        lines = re.findall(r"^    (countermark .*)$", text, re.MULTILINE)
        for block in re.findall(r"^```.*?\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            lines += re.findall(r"^(?:\$ )?(countermark .*)$", block, re.MULTILINE)
        found += [(page.name, line) for line in lines]
    return found


def mentions() -> list[tuple[str, str]]:
    """Return the page and text of each command in running text, often without its arguments."""
    return [
        (page.name, " ".join(line.split()))
        for page in PAGES
        for line in re.findall(r"`(countermark [^`]+)`", page.read_text(encoding="utf-8"))
    ]


def parse(line: str, *, complete: bool) -> None:
    """Parse a line as the command would, and run nothing.

    Raises:
        UsageError: no such command or option, or, in a complete line, an argument is missing.
    """
    words = shlex.split(re.split(r" [>|] ", line)[0])[1:]
    root = typer.main.get_command(app)
    for command in (root, *dict(walk(root)).values()):
        command.callback = lambda **_: None
        if not complete:
            for parameter in command.params:
                parameter.required = False
            if isinstance(command, Group):
                command.no_args_is_help, command.invoke_without_command = False, True
    root.main(["1" if word == "N" else word for word in words], standalone_mode=False)


@pytest.mark.parametrize("path", all_commands())
def test_help_says_in_a_sentence_what_a_command_does(path: str) -> None:
    (first, *_) = (all_commands()[path].help or "").split("\n\n")

    assert re.fullmatch(r"[A-Z][^.]+ .+\.", " ".join(first.split())), first


@pytest.mark.parametrize("path", [p for p, c in all_commands().items() if not isinstance(c, Group)])
def test_every_command_has_its_line_on_the_command_page(path: str) -> None:
    assert f"\n| `{path}` | " in COMMAND_PAGE


@pytest.mark.parametrize(("page", "line"), examples())
def test_a_command_line_on_a_page_parses(page: str, line: str) -> None:
    assert page
    parse(line, complete=True)


@pytest.mark.parametrize(("page", "line"), mentions())
def test_a_command_in_running_text_exists_with_its_options(page: str, line: str) -> None:
    assert page
    parse(line, complete=False)


@pytest.mark.parametrize(
    "line",
    [
        "countermark forge clip.mp4",
        "countermark verify clip.mp4 --quietly",
        "countermark verify",
        "countermark log show first",
    ],
)
def test_a_line_that_the_command_would_refuse_is_noticed(line: str) -> None:
    with pytest.raises(UsageError):
        parse(line, complete=True)
