"""What the pages on policies and plug-ins show is what runs."""

import re
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest

from safety import Category, Decision, Policy, PromptClassifier, PromptGate, shipped_policies
from safety.classifiers import PROMPT_CLASSIFIERS
from safety.settings import SafetySettings
from safety.verdict import Stage

DOCS = Path(__file__).parents[2] / "docs"


def blocks(page: str, language: str) -> list[str]:
    text = (DOCS / page).read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def test_the_policy_on_the_page_loads_and_differs_from_the_shipped_ones() -> None:
    (example,) = blocks("policy.md", "toml")

    policy = Policy.parse(example.encode(), source="docs/policy.md")

    assert policy.digest not in {Policy.load(name).digest for name in shipped_policies()}
    listed = SafetySettings().prompt_classifiers
    assert policy.stages[Stage.PROMPT].classifiers == tuple(listed)  # or the gate would not open


@pytest.mark.parametrize("category", list(Category))
def test_every_category_is_explained_on_the_page(category: Category) -> None:
    row = f"| `{category.value}` | {category.hazard_id or 'ours'} | {category.description} |"

    assert row in (DOCS / "policy.md").read_text()


def test_the_plug_in_on_the_page_passes_the_gate() -> None:
    (code,) = blocks("plugins.md", "python")
    names: dict[str, object] = {}
    exec(compile(code, "docs/plugins.md", "exec"), names)
    opened = names["open_classifier"]
    assert callable(opened)
    classifier = opened(threads=1)
    assert isinstance(classifier, PromptClassifier)
    (example,) = blocks("policy.md", "toml")
    alone = re.sub(r"\[prompt.thresholds\]\n.*\n", "", example)
    alone = alone.replace('["lexicon", "minilm"]', '["shouting"]')
    policy = Policy.parse(alone.encode(), source="docs/policy.md")

    gate = PromptGate(policy, [classifier])

    assert gate.check("a lake", as_model_sees="a lake").decision is Decision.ALLOW
    assert gate.check("A LAKE", as_model_sees="A LAKE").decision is Decision.REVIEW
    assert gate.check("", as_model_sees="").decision is Decision.ALLOW


def test_the_plug_in_page_names_the_entry_point_and_the_settings_that_are_looked_at() -> None:
    declared, settings, policy = (tomllib.loads(b) for b in blocks("plugins.md", "toml"))

    assert "shouting" in declared["project"]["entry-points"][PROMPT_CLASSIFIERS]
    chosen = SafetySettings.model_validate(settings["safety"])
    assert list(chosen.prompt_classifiers) == policy["prompt"]["classifiers"]


def test_the_plug_in_page_lists_every_group_that_the_distribution_fills() -> None:
    ours = {point.group for point in distribution("countermark").entry_points}
    page = (DOCS / "plugins.md").read_text(encoding="utf-8")

    for group in sorted(ours - {"console_scripts"}):
        assert f"| `{group}` | " in page
