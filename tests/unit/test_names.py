"""The four package names are ours alone, or nothing starts."""

import pytest

from generator.errors import NameClaimed
from generator.names import PACKAGES, claimed_by_others, refuse_claimed_names

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


def test_starting_refuses_when_a_name_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    claimed = OURS | {"audit": ["countermark", "audit-django"]}
    monkeypatch.setattr("importlib.metadata.packages_distributions", lambda: claimed)

    with pytest.raises(NameClaimed, match="audit-django"):
        refuse_claimed_names()
