"""How the commands print data."""

import json
from typing import Any

import typer


def print_json(values: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
    """Print JSON over several lines."""
    _print(json.dumps(values, indent=2, ensure_ascii=False))


def print_json_line(values: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
    """Print JSON on one line, at once: whoever reads along need not wait for the rest."""
    _print(json.dumps(values, ensure_ascii=False))


def _print(text: str) -> None:
    # Half a surrogate pair, as a file's name may bring it along, stays what JSON calls it.
    typer.echo(text.encode("utf-8", "backslashreplace").decode())
