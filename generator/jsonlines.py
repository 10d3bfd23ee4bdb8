"""Files of JSON lines with a prompt each, as commands take them."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from generator.errors import RequestInvalid


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank, each with its number from 1; `-` is stdin.

    Raises:
        RequestInvalid: the file cannot be read.
    """
    try:
        stream = sys.stdin.buffer if str(path) == "-" else path.open("rb")
        with stream:
            for number, line in enumerate(stream, start=1):
                if line.strip():
                    yield number, line
    except OSError as error:
        raise RequestInvalid(
            f"{path} cannot be read ({error.strerror}); name a file of JSON lines, or - for stdin"
        ) from error


def text_in(line: bytes) -> dict[str, Any]:
    """Return the object in a line, whose `text` is a string.

    Raises:
        RequestInvalid: the line is something else.
    """
    try:
        values = json.loads(line)
        text = values["text"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RequestInvalid(
            'the line is no JSON object with a "text"; expected {"text": "a prompt"}'
        ) from error
    if not isinstance(values, dict) or not isinstance(text, str):
        raise RequestInvalid('the "text" is no text; put the prompt in quotes')
    return values
