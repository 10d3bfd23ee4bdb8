"""Where the weights of the embedded model lie, and what they must be. No heavy library here."""

from pathlib import Path

# Root digest of tiny_weights/. It stands in the code, so that the weights cannot change without it.
DIGEST = "0a09ec11d7a8ff6dc2c80026321bb4acf46b6e95452b47d25ffa273900bc581d"


def folder() -> Path:
    """Return where the shipped weights lie."""
    return Path(__file__).parent / "tiny_weights"
