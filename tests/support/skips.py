"""Where CI is `true` a missing tool fails: which skips stand there, and which do not.

A skip is a hole that nobody looks into once everything is green. On a developer's machine it says
what is not installed; in continuous integration everything is, so a skip there is a failure.
"""

import os
import re
from collections.abc import Collection

import pytest

PUBLIC_MATERIAL = "shared_data"  # the fixture: files that no clone has
EXTRA = re.compile(r"the `([a-z]+)` extra")


def stands(reason: str, *, marks: str, fixtures: Collection[str] = ()) -> bool:
    """Return whether continuous integration may have this skip too.

    Args:
        reason: why something was skipped; it names the extra that would bring what is missing.
        marks: what pytest was given with -m. An environment without torch leaves out the tests that
            need it, but has to import their modules before it sees how they are marked.
        fixtures: what a test asks for; nothing in the case of a module.
    """
    extra = EXTRA.search(reason)
    left_out = extra is not None and f"not {extra[1]}" in marks
    return left_out or PUBLIC_MATERIAL in fixtures


def fail_unless_it_stands(
    report: pytest.TestReport | pytest.CollectReport,
    *,
    marks: str,
    fixtures: Collection[str] = (),
) -> None:
    """Make a failure of a skip that does not stand where CI is `true`."""
    if os.environ.get("CI") != "true" or not report.skipped or hasattr(report, "wasxfail"):
        return
    where_why = report.longrepr
    reason = where_why[2] if isinstance(where_why, tuple) else str(where_why)
    if not stands(reason, marks=marks, fixtures=fixtures):
        report.outcome = "failed"
        report.longrepr = f"{reason}; where CI is `true`, whatever a test needs has to be there"
