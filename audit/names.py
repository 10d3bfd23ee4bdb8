"""Refuse to start when another distribution claims one of our package names.

PyPI's `safety` and `provenance` install packages of the same names and overwrite ours without a
word; uninstalling them deletes our files (both measured with pip). A safety product that runs
somebody else's `safety` is worse than one that does not start.

Asked before every command and by every application, so it is made cheap: the lists of installed
files are searched as text (10 ms with torch installed; `packages_distributions` parses them, 110).
"""

import importlib.metadata
import importlib.util
import re
from collections.abc import Iterator, Mapping, Sequence

from audit.errors import NameClaimed

DISTRIBUTION = "countermark"
PACKAGES = ("generator", "safety", "provenance", "audit")

_NAME = re.compile(r"^Name: *(\S+)", re.MULTILINE)


def refuse_claimed_names() -> None:
    """Check the installed distributions.

    Raises:
        NameClaimed: another distribution claims a name of ours, or one has eaten our files.
    """
    hollow = [name for name in PACKAGES if _is_hollow(name)]
    problem = claimed_by_others(_owners(), hollow)
    if problem is not None:
        raise NameClaimed(problem)


def claimed_by_others(owners: Mapping[str, Sequence[str]], hollow: Sequence[str]) -> str | None:
    """Return what is wrong with the installation, or None.

    Args:
        owners: top-level package name to the distributions that install it.
        hollow: names of ours whose package has lost its `__init__.py`.
    """
    for name in PACKAGES:
        others = sorted(set(owners.get(name, ())) - {DISTRIBUTION})
        if others:
            return (
                f"the package {name!r} is also installed by {', '.join(others)}, which overwrites "
                f"ours; uninstall {others[0]}, then reinstall {DISTRIBUTION}, or give it its own "
                "environment"
            )
    if hollow:
        return (
            f"the package {hollow[0]!r} has lost its files, as uninstalling a distribution of that "
            f"name does; reinstall {DISTRIBUTION} with --force-reinstall --no-deps"
        )
    return None


def _owners() -> dict[str, list[str]]:
    """Return which distributions install each of our names."""
    owners: dict[str, list[str]] = {name: [] for name in PACKAGES}
    for distribution in importlib.metadata.distributions():
        for name in _claims(distribution):
            owners[name].append(_name_of(distribution))
    return owners


def _claims(distribution: importlib.metadata.Distribution) -> Iterator[str]:
    """Give the names of ours among the files or packages that a distribution lists."""
    files = "\n" + (distribution.read_text("RECORD") or "")
    packages = (distribution.read_text("top_level.txt") or "").split()
    for name in PACKAGES:
        if name in packages or f"\n{name}/" in files or f"\n{name}.py," in files:
            yield name


def _name_of(distribution: importlib.metadata.Distribution) -> str:
    """Return a distribution's name; parsing its metadata whole would fail on a broken one."""
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    found = _NAME.search(text)
    return found[1].lower() if found else "a distribution without a name"


def _is_hollow(name: str) -> bool:
    spec = importlib.util.find_spec(name)
    return spec is None or spec.origin is None
