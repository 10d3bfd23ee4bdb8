"""Where the weights of the embedded model lie, and what they must be. No heavy library here."""

from pathlib import Path

# Root digest of tiny_weights/. It stands in the code, so that the weights cannot change without it.
DIGEST = "51024a26c16fa61e02996380ee7a082242078bb2c0f575eae03829a5659dfe7f"


def folder() -> Path:
    """Return where the shipped weights lie."""
    return Path(__file__).parent / "tiny_weights"
