"""The home that a command works on, with its settings."""

from pathlib import Path

from audit.home import Home, find_home
from audit.settings import ReadSettings


def read_home(home: Path | None) -> tuple[Home, ReadSettings]:
    """Return the home that is named, and its settings.

    Raises:
        HomeUnusable: nothing is set up there, or its settings cannot be read.
    """
    found = find_home(home).required()
    return found, ReadSettings.load(found.settings)
