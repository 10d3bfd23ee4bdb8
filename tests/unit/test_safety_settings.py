"""The `[safety]` table refuses what it does not know."""

import pytest
from pydantic import ValidationError

from safety import SafetySettings


def test_the_defaults_name_a_policy_and_a_classifier_for_each_gate() -> None:
    settings = SafetySettings()

    assert settings.policy == "default"
    assert settings.prompt_classifiers == ("lexicon", "minilm")
    assert settings.frame_classifiers == ("opennsfw",)


@pytest.mark.parametrize(
    "table",
    [
        {"polcy": "strict"},
        {"policy": ""},
        {"prompt_classifiers": []},
        {"frame_classifiers": []},
        {"threads": 0},
        {"classifier_deadline_s": 0},
        {"enabled": False},
    ],
)
def test_no_entry_turns_a_gate_off(table: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SafetySettings.model_validate(table)
