"""No page and nothing that we print vouches for what a video shows; the words for it stand nowhere.

Evidence speaks of bytes, signers and records. "This video is authentic" would be a verdict on its
content, which nobody here can give; "says nothing about whether it is real" is how we say that.
"""

import ast
import re
from pathlib import Path

import pytest

from audit.report import LayerState, Origin
from audit.status import Status

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
PACKAGES = ("generator", "safety", "provenance", "audit")
SOURCES = [path for name in PACKAGES for path in ROOT.glob(f"{name}/**/*.py")]

WORD = r"(?:real|authentic|genuine|verified|human(?:-made)?|safe|trustworthy|not (?:a )?fake)"
THING = r"(?:video|clip|file|footage|content|picture|image|recording)s?"
IS = r"(?:is|are|was|were|looks|seems|proved|proven|called|marked|as)"
# "a safe clip"; "the clip was verified", with anything between the two
VERDICT = re.compile(rf"\b{WORD} {THING}\b|\b{THING}\b.*\b{IS} (?:an? )?{WORD}\b", re.IGNORECASE)
# What takes a verdict back, in the same sentence.
DENIAL = re.compile(r"\b(?:whether|nothing|no|not|never|nobody|cannot)\b", re.IGNORECASE)


def vouching(text: str) -> list[str]:
    """Return the sentences of a text that give a verdict on content."""
    sentences = re.split(r"(?<=[.:;?!])\s+|\n\s*\n", text)
    plain = (" ".join(sentence.split()) for sentence in sentences)
    return [s for s in plain if VERDICT.search(s) and not DENIAL.search(s)]


def texts(source: str) -> list[str]:
    """Return the string literals of a module; docstrings too, for some are help texts."""
    nodes = ast.walk(ast.parse(source))
    return [n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]


def test_no_page_vouches_for_content() -> None:
    found = {page.name: vouching(page.read_text(encoding="utf-8")) for page in PAGES}

    assert {name: sentences for name, sentences in found.items() if sentences} == {}


def test_nothing_that_we_say_vouches_for_content() -> None:
    said = [(path.name, text) for path in SOURCES for text in texts(path.read_text())]

    assert [(name, found) for name, text in said for found in vouching(text)] == []


def test_no_status_state_or_origin_is_a_verdict_on_content() -> None:
    for state in (*Status, *LayerState, *Origin):
        assert not re.fullmatch(WORD, state.value), state


@pytest.mark.parametrize(
    "sentence",
    [
        "This video is real.",
        "The clip was verified.",
        "An authentic recording.",
        "This clip, then, can be called genuine.",
        "| `intact` | a safe file |.",
    ],
)
def test_a_verdict_on_content_is_noticed(sentence: str) -> None:
    assert vouching(f"Before it. {sentence} After it.") == [sentence]


@pytest.mark.parametrize(
    "sentence",
    [
        "That says nothing about whether the video is real: other generators leave other marks.",
        "Shows a real, known person doing what they did not do.",
        "Everything here is real and local.",
        "Return the text once the signature on it is verified.",
    ],
)
def test_saying_that_we_cannot_tell_is_no_verdict(sentence: str) -> None:
    assert vouching(sentence) == []
