"""A distribution as pip leaves it behind, without anything in it."""

from collections.abc import Sequence
from pathlib import Path


def installed(
    site: Path, name: str, *, files: Sequence[str] = (), packages: Sequence[str] | None = None
) -> Path:
    """Write the `.dist-info` of a distribution that claims files, or top-level packages."""
    folder = site / f"{name.replace('-', '_')}-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (folder / "RECORD").write_text("".join(f"{path},,\n" for path in files))
    if packages is not None:
        (folder / "top_level.txt").write_text("\n".join(packages) + "\n")
    return folder
