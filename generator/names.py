"""Refuse to start when another distribution claims one of our package names.

PyPI's `safety` and `provenance` install packages of the same names and overwrite ours without a
word; uninstalling them deletes our files (both measured with pip). A safety product that runs
somebody else's `safety` is worse than one that does not start.
"""

import importlib.metadata
import importlib.util
from collections.abc import Mapping, Sequence

from generator.errors import NameClaimed

DISTRIBUTION = "countermark"
PACKAGES = ("generator", "safety", "provenance", "audit")


def refuse_claimed_names() -> None:
    """Check the installed distributions.

    Raises:
        NameClaimed: another distribution claims a name of ours, or one has eaten our files.
    """
    owners = importlib.metadata.packages_distributions()
    hollow = [name for name in PACKAGES if _is_hollow(name)]
    problem = claimed_by_others(owners, hollow)
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


def _is_hollow(name: str) -> bool:
    spec = importlib.util.find_spec(name)
    return spec is None or spec.origin is None
