"""The shipped policies where onnxruntime is absent: with their rules, and the word list alone."""

from importlib import resources

from safety import Policy

CLASSIFIERS = 'classifiers = ["lexicon", "minilm"]'


def words_alone(name: str) -> Policy:
    """Return a shipped policy that asks no network about prompts, all thresholds as they are."""
    text = (resources.files("safety") / "policies" / f"{name}.toml").read_text(encoding="utf-8")
    assert CLASSIFIERS in text
    lines = text.replace(CLASSIFIERS, 'classifiers = ["lexicon"]').splitlines()
    kept = (line for line in lines if not line.startswith(("[prompt.thresholds]", "minilm = ")))
    return Policy.parse("\n".join(kept).encode(), source=f"{name}, words alone")
