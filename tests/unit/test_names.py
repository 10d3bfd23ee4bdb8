"""The four package names are ours alone, or nothing starts."""

from pathlib import Path

import pytest

from audit.errors import NameClaimed
from audit.names import PACKAGES, claimed_by_others, refuse_claimed_names
from tests.support.claims import installed

OURS = {name: ["countermark"] for name in PACKAGES}


def test_an_installation_of_ours_alone_is_accepted() -> None:
    assert claimed_by_others(OURS, hollow=[]) is None
    refuse_claimed_names()


def test_another_distribution_with_our_name_is_named_with_advice() -> None:
    owners = OURS | {"safety": ["countermark", "safety"]}

    problem = claimed_by_others(owners, hollow=[])

    assert problem is not None
    assert "'safety' is also installed by safety" in problem
    assert "uninstall safety" in problem


def test_a_package_that_an_uninstall_emptied_is_noticed() -> None:
    problem = claimed_by_others(OURS, hollow=["provenance"])

    assert problem is not None
    assert "'provenance' has lost its files" in problem


@pytest.mark.parametrize(
    ("files", "packages"),
    [
        (["audit_django/models.py", "audit/__init__.py"], None),  # pip, from a wheel
        (["audit.py"], None),  # a module instead of a package
        ([], ["audit"]),  # an editable installation by setuptools
    ],
)
def test_starting_refuses_when_a_name_is_claimed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    files: list[str],
    packages: list[str] | None,
) -> None:
    installed(tmp_path, "audit-django", files=files, packages=packages)
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(NameClaimed, match="'audit' is also installed by audit-django"):
        refuse_claimed_names()


def test_names_that_only_begin_or_end_like_ours_are_not_claimed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = ["audit_log/__init__.py", "tools/safety/__init__.py", "provenance-1.0.pth"]
    installed(tmp_path, "neighbour", files=files, packages=["audit_log", "tools"])
    monkeypatch.syspath_prepend(tmp_path)

    refuse_claimed_names()


def test_a_claim_without_metadata_is_refused_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = installed(tmp_path, "half", files=["safety/__init__.py"])
    (folder / "METADATA").unlink()
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(NameClaimed, match="'safety' is also installed by a distribution without"):
        refuse_claimed_names()
