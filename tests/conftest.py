"""What all tests share."""

import os
import signal
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.support.skips import fail_unless_it_stands

ROOT = Path(__file__).parents[1]


def pytest_configure() -> None:
    """Let processes that tests start be interrupted, however this one was started.

    A shell has what it runs in the background ignore SIGINT, and children inherit that.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of public material that is not part of the repository.

    COUNTERMARK_TEST_DATA names it, or it lies beside the checkout; without it the test is skipped,
    because nobody can be asked to have it.
    """
    named = os.environ.get("COUNTERMARK_TEST_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"public test material is not at {folder}; COUNTERMARK_TEST_DATA names it")
    return folder


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A module that cannot be imported fails where CI is `true`."""
    report = yield
    fail_unless_it_stands(report, marks=collector.config.getoption("markexpr"))
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that is skipped fails where CI is `true`."""
    report = yield
    marks = item.config.getoption("markexpr")
    fail_unless_it_stands(report, marks=marks, fixtures=getattr(item, "fixturenames", ()))
    return report
